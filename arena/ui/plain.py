"""Pages of ours without Gradio: they stand at once, may answer with any status, and are in nobody's configuration."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import HTMLResponse

from arena.ui.page import Frame
from arena.ui.texts import chosen


def plain_page(
    request: Request,
    frame: Frame,
    page: str,
    body: str,
    *,
    scripts: Sequence[str] = (),
    personal: str = "",
    status: int = 200,
) -> HTMLResponse:
    """Header and body as a page in the reader's language. `page` names its title, `nav.<page>`; texts are put into
    the body's `data-t` by page.js, as everywhere. `personal` goes into the head as it stands."""
    language = chosen(request.headers.get("accept-language"))
    head = frame.head(page, language, script=scripts)
    # Below another path the addresses of the header and of the files would lead astray.
    base = "../" * (request.url.path.count("/") - 1)
    inside = f"{frame.header(request.url.path)}{body}"
    base_tag = f'<base href="{base}">' if base else ""
    return HTMLResponse(
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">{base_tag}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'{head}{personal}</head><body class="bare">'
        # The style sheet is written for Gradio's frame; here its element is an empty name.
        f'<gradio-app><div class="gradio-container">{inside}</div></gradio-app></body></html>',
        status,
        {"Cache-Control": "no-store", "Vary": "Accept-Language"},
    )
