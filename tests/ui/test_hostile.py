"""A hostile prompt or answer is read, and does nothing else: it runs nothing, loads nothing, and poses as nothing."""

import json
import re
import time
from types import SimpleNamespace

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request

from arena.battle import Answer, Message, Prompt, PromptId
from arena.pack import answer_id
from arena.store import VoteStore
from arena.ui.markdown import render_markdown
from hostile import HOMOGRAPHS, HOST, POSING, payloads
from inert import faults_in
from served import MODELS, NOON, Arena, Serve, in_state, open_arena

PAYLOADS = tuple(payloads())


def test_there_are_enough_of_them_and_none_twice():
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 150


@pytest.mark.parametrize("text", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_hostile_text_becomes_html_that_can_only_be_read(text: str):
    begun = time.process_time()
    html = render_markdown(text)
    assert list(faults_in(html)) == []
    html.encode("utf-8")
    assert time.process_time() - begun < 20  # some of these once took minutes


def test_what_judges_them_sees_what_is_wrong():
    for html in (
        "<script>x</script>",
        '<a href="javascript:x">x</a>',
        "<p onclick=x>x</p>",
        "<img src=x>",
        "<p>",
        "</p>",
        "<!-- x -->",
        '<td style="background:url(x)">x</td>',
        '<code class="language-x" id="arena">x</code>',
        "<p>\u202e</p>",
        "<p/>",
    ):
        assert list(faults_in(html)), html


@pytest.mark.parametrize("text", POSING)
def test_a_link_that_reads_like_another_address_says_where_it_goes(text: str):
    assert re.search(rf"</a> <small>\(<bdi>[^<]*{re.escape(HOST)}</bdi>\)</small>", render_markdown(text))


@pytest.mark.parametrize("text", HOMOGRAPHS)
def test_a_host_of_letters_that_look_like_others_is_shown_by_its_plain_name(text: str):
    assert re.search(r"</a> <small>\(<bdi>xn--[a-z0-9-]+\.example</bdi>\)</small>", render_markdown(text))


@pytest.mark.parametrize(
    "text",
    [
        "[the paper](https://arxiv.example/abs/1)",
        "<https://arxiv.example/abs/1.pdf?x=a.b#c.d>",
        "[arxiv.example](https://www.arxiv.example/abs)",
        "[www.arxiv.example/a](https://arxiv.example/a)",
        "[ARXIV.example](https://arxiv.example)",
        "[write](mailto:me@arxiv.example)",
        "<mailto:me@arxiv.example>",
        "[e.g. this, i.e. that](https://arxiv.example)",
        "[version 3](https://arxiv.example)",
        "![a cat](https://arxiv.example/cat.png)",
    ],
)
def test_an_honest_link_has_no_warning(text: str):
    assert "<small>" not in render_markdown(text)


def test_what_turns_a_text_around_is_shown_by_its_number_and_hebrew_stays():
    assert render_markdown("a\u202eb") == "<p>a[U+202E]b</p>\n"
    assert "שלום\u200f!" in render_markdown("שלום\u200f!")


def test_half_a_character_and_a_nul_are_shown_as_no_character():
    assert render_markdown("a\ud800b\0c") == "<p>a\ufffdb\ufffdc</p>\n"
    assert "\0" not in render_markdown(">" * 200 + "\0")


@pytest.mark.parametrize("text", ["![" * 300 + "x", "[" * 401 + "deep", "\\(" * 401 + "deep"])
def test_a_tangled_text_is_shown_whole(text: str):
    html = render_markdown(text)
    assert text in html.replace("&lt;", "<")


def test_mathematics_of_a_depth_that_stops_a_browser_is_shown_as_its_source():
    def braced(depth: int) -> str:
        return render_markdown("$" + "{" * depth + "x" + "}" * depth + "$")

    assert "<math" in braced(20)
    assert braced(900) == f'<p><code class="tex">{"{" * 900}x{"}" * 900}</code></p>\n'


# ---- in a browser ----


def watched(context: BrowserContext, arena: Arena) -> tuple[Page, list[str]]:
    """A page, and everything that it does beyond being read."""
    did: list[str] = []
    page = open_arena(context, arena)

    def refuse(dialog: Dialog) -> None:
        did.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def note_request(request: Request) -> None:
        if not request.url.startswith(arena.url):
            did.append(f"request {request.url}")

    def note_policy(message: ConsoleMessage) -> None:
        if "Content Security" in message.text:
            did.append(message.text)

    context.on("request", note_request)
    context.on("page", lambda opened: did.append(f"window {opened.url}"))
    page.on("dialog", refuse)
    page.on("framenavigated", lambda frame: did.append(f"navigation {frame.url}"))
    page.on("download", lambda download: did.append(f"download {download.url}"))
    page.on("console", note_policy)
    return page, did


# All that a script of an answer could change without asking: its globals, the page's parts, where the focus is.
_STATE = """() => JSON.stringify([
  Object.keys(window).filter(key => !/^\\d+$/.test(key)).sort(), document.title, location.href, document.baseURI,
  document.querySelectorAll('script, style, link, iframe, form, meta, base').length,
  document.querySelectorAll('[id]').length === new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size,
  document.querySelector('#arena').dataset.state, document.cookie])"""

_PUT = """htmls => { for (const html of htmls) for (const place of ['#question', '#a .text', '#b .text']) {
  const text = document.querySelector(place); text.innerHTML = html; text.getBoundingClientRect(); } }"""


@pytest.mark.journey
def test_all_hostile_texts_in_one_page_do_nothing(desktop: BrowserContext, serve: Serve):
    page, did = watched(desktop, serve())
    before = page.evaluate(_STATE)
    drawn = [text for text in PAYLOADS if len(text) <= 20_000]  # a browser takes seconds for each of the longer ones
    for start in range(0, len(drawn), 20):
        page.evaluate(_PUT, [render_markdown(text) for text in drawn[start : start + 20]])
        page.mouse.move(200 + start % 300, 400)
    page.wait_for_timeout(1000)
    assert did == []
    assert page.evaluate(_STATE) == before
    assert page.evaluate("typeof window.__pwned") == "undefined"


@pytest.mark.journey
def test_ballots_of_hostile_texts_are_voted_on_like_any_other(desktop: BrowserContext, serve: Serve):
    store = VoteStore.open(None)
    store.catalogue.add_models(MODELS[:2], NOON)
    # Not those of great depth or number, for which a whole text is shown as it is.
    whole = [text.encode("utf-8", "replace").decode() for text in PAYLOADS if 0 < len(text.strip()) < 1_000]
    parts = ["\n\n".join(whole[n::12]) for n in range(12)]
    prompts = [Prompt(PromptId(f"p{n}"), (Message("user", parts[3 * n]),), "facts", "en") for n in range(4)]
    store.catalogue.add_prompts(prompts, NOON)
    for n, prompt in enumerate(prompts):
        texts = parts[3 * n + 1], parts[3 * n + 2]
        store.catalogue.add_answers(
            [
                Answer(answer_id(prompt.id, model.id, text), prompt.id, model.id, text)
                for model, text in zip(MODELS[:2], texts, strict=True)
            ],
            NOON,
        )
    arena = serve(earlier=SimpleNamespace(store=store))
    page, did = watched(desktop, arena)
    for n in range(4):
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.keyboard.press("a")
        in_state(page, "revealed")
        assert arena.n_votes == n + 1
        if n < 3:
            page.keyboard.press("Enter")
            in_state(page, "voting")
    assert did == []
    assert page.evaluate("typeof window.__pwned") == "undefined"
    assert json.loads(page.evaluate(_STATE))[6] == "revealed"
