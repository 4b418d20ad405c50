import re

import pytest

from arena.ui.markdown import render_markdown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "text <b onclick=alert(1)>bold</b>",
        "<form action=/api/ballots><button>Vote</button></form>",
        "<style>body { display: none }</style>",
        "<iframe src=//evil.example></iframe>",
        "<!-- a comment -->",
        "```</code></pre><script>alert(1)</script>\nx\n```",
        '```"><script>alert(1)</script>\nx\n```',
        "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |",
        '[a](https://a.example "<script>")',
        '![a"><script>alert(1)</script>](https://a.example/b.png)',
    ],
)
def test_raw_html_does_nothing(text: str):
    tags = re.findall(r"<(/?)([a-z0-9!]+)([^>]*)>", render_markdown(text), re.IGNORECASE)
    harmless = {"p", "a", "b", "code", "pre", "div", "table", "thead", "tbody", "tr", "th", "td", "br"}
    assert {name for _, name, _ in tags} <= harmless
    assert not [attributes for *_, attributes in tags if re.search(r"\son\w+\s*=", _outside_quotes(attributes))]


def _outside_quotes(attributes: str) -> str:
    return re.sub(r'"[^"]*"', '""', attributes)


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JaVaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/leaderboard",
        "#top",
        "java\tscript:alert(1)",
        "&#106;avascript:alert(1)",
    ],
)
def test_only_web_and_mail_links_are_links(link: str):
    html = render_markdown(f"[click]({link}) <{link}>\n\n[click][1]\n\n[1]: {link}")
    assert "<a " not in html


def test_links_open_outside_and_vouch_for_nothing():
    link = '<a href="https://a.example/?x=1&amp;y=%222%22" rel="noopener noreferrer nofollow" target="_blank">b</a>'
    assert render_markdown('[b](https://a.example/?x=1&y="2")') == f"<p>{link}</p>\n"
    assert 'href="mailto:a@b.example"' in render_markdown("<mailto:a@b.example>")


def test_images_are_never_loaded():
    html = render_markdown("![a *cat*](https://a.example/model-9.png)")
    assert "<img" not in html
    assert '<a href="https://a.example/model-9.png"' in html
    assert ">a cat</a>" in html


def test_an_image_within_a_link_is_its_description():
    html = render_markdown("[![cat](https://a.example/b.png)](https://a.example/c)")
    assert html.count("<a ") == 1
    assert ">cat</a>" in html


def test_an_image_of_another_scheme_is_text():
    assert "<a" not in render_markdown("![x](javascript:alert(1))")


def test_a_single_newline_breaks_the_line():
    assert render_markdown("one\ntwo") == "<p>one<br />\ntwo</p>\n"


def test_code_names_its_language():
    assert '<code class="language-python">' in render_markdown("```python\nx < 1\n```")


def test_a_table_scrolls_by_itself():
    assert render_markdown("| a |\n|---|\n| 1 |").startswith('<div class="scroll"><table>')


@pytest.mark.parametrize(("top", "expected"), [(4, ["h4", "h5", "h6", "h6"]), (1, ["h1", "h2", "h3", "h4"])])
def test_headings_start_where_the_page_wants(top: int, expected: list[str]):
    html = render_markdown("# a\n\n## b\n\n### c\n\n#### d", top_heading=top)
    assert re.findall(r"<(h\d)>", html) == expected
    assert re.findall(r"</(h\d)>", html) == expected


def test_a_text_that_starts_with_small_headings_skips_no_level():
    html = render_markdown("## a\n\n### b\n\n## c", top_heading=4)
    assert re.findall(r"<(h\d)>", html) == ["h4", "h5", "h4"]


@pytest.mark.parametrize("depth", [1, 15, 40, 99, 100, 101, 5000])
def test_no_depth_of_nesting_loses_text(depth: int):
    assert "deep <b>" not in render_markdown(">" * depth + "deep <b>")
    assert "deep &lt;b&gt;" in render_markdown(">" * depth + "deep <b>")


def test_the_indentation_of_code_without_a_fence_stays():
    html = render_markdown("def fib(n):\n    if n < 2:\n        return n")
    assert (
        html == "<p>def fib(n):<br />\n\u00a0\u00a0\u00a0\u00a0if n &lt; 2:<br />\n" + "\u00a0" * 8 + "return n</p>\n"
    )
