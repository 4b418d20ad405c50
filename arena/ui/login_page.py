"""The page where one signs in, and the two calm pages: nothing here, and no login."""

from html import escape

from starlette.requests import Request
from starlette.responses import Response

from arena.login import Login
from arena.role import Role
from arena.session import Session
from arena.ui.access import NEXT, right_of
from arena.ui.page import Frame, address_of
from arena.ui.plain import plain_page

SCRIPT = "login.js"
# What may have gone wrong at the provider; the texts are `login.<word>`.
WHY = ("refused", "not_named", "silent")

_TROUBLE = '<p id="trouble" class="bad" role="alert" hidden></p>'
_FORM = f"""
  <form id="with-password" class="sign-in" method="post" action="./login">
    <label for="password" data-t="login.password"></label>
    <input id="password" type="password" autocomplete="current-password" required maxlength="1000">
    {_TROUBLE}
    <button class="go" type="submit" data-t="login.sign_in"></button>
  </form>
"""


def login_page(request: Request, frame: Frame, login: Login, session: Session | None) -> Response:
    """The ways in that are set; for somebody who is in, as what, and the way out."""
    if not login.is_set:
        return absent_page(request, frame, login)
    wanted = next_of(request)
    why = request.query_params.get("why")
    said = f'<p id="why" class="bad" role="alert" data-t="login.{why}"></p>' if why in WHY else ""
    if session is not None:
        return plain_page(
            request,
            frame,
            "login",
            _body("login.signed_in", said + _signed_in(login, session, wanted), wanted),
            scripts=(SCRIPT,),
        )
    ways = _FORM if login.password else ""
    if login.provider:
        query = f"?next={wanted}" if wanted else ""
        kind = "go" if not login.password else "go other"
        name = "login.hugging_face" if login.provider.issuer == "https://huggingface.co" else "login.provider"
        address = f"./login/provider{query}"
        ways += f'<p class="row"><a id="with-provider" class="{kind}" href="{address}" data-t="{name}"></a></p>'
        ways += '<p id="in-a-tab" class="quiet" data-t="login.in_a_tab" hidden></p>'
    return plain_page(request, frame, "login", _body("nav.login", said + ways, wanted), scripts=(SCRIPT,))


def absent_page(request: Request, frame: Frame, login: Login) -> Response:
    """For an address where nothing is; of the host's pages, also why."""
    is_for_host = not login.is_set and request.url.path in ("/host", "/login")
    body = (
        '<h2 data-t="login.none"></h2><p data-t="login.none_how"></p>'
        "<p><code>BAKEOFF_HOST_PASSWORD_HASH</code> (<code>bakeoff password</code>)<br>"
        "<code>BAKEOFF_OIDC_ISSUER</code></p>"
        if is_for_host
        else '<h2 data-t="refusal.no_such_address"></h2>'
    )
    back = '<p class="row"><a class="go" href="./" data-t="board.to_arena"></a></p>'
    page = "login" if is_for_host else "arena"
    return plain_page(request, frame, page, f'<main class="state">{body}{back}</main>', status=404)


def next_of(request: Request) -> str | None:
    """The page that was wanted: one of ours by name, or none."""
    wanted = request.query_params.get("next")
    return wanted if wanted in NEXT else None


def signed_in_tags(session: Session | None) -> str:
    """For the head of every page of somebody who is signed in: the script that says so in the header."""
    if session is None:
        return ""
    roles = " ".join(sorted(session.roles))
    return f'<script async src="{address_of("session.js")}" id="bakeoff-session" data-roles="{escape(roles)}"></script>'


def _body(title: str, content: str, wanted: str | None) -> str:
    return (
        f'<main class="state login" id="login" data-next="{wanted or ""}"><h1 data-t="{title}"></h1>{content}'
        f"{'' if _TROUBLE in content else _TROUBLE}</main>"
    )


def _signed_in(login: Login, session: Session, wanted: str | None) -> str:
    roles = "".join(f'<li data-t="role.{role.value}"></li>' for role in Role if role in session.roles)
    opened = login.rights(session.roles)
    onward = NEXT[wanted] if wanted else ("host" if Role.HOST in session.roles else "")
    if right_of(f"/{onward}") in opened:
        onward_html = f'<a class="go" href="./{onward}" data-t="login.go_on"></a>'
        note = ""
    else:
        onward_html = ""
        note = '<p data-t="login.not_yours"></p>'
    out = '<button id="sign-out" type="button" data-t="login.sign_out"></button>'
    return f'<ul class="roles">{roles}</ul>{note}<p class="row">{onward_html}{out}</p>'
