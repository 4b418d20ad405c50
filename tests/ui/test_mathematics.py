"""TeX in a text becomes mathematics that can do nothing but be read, or stays as it was written."""

import re
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.ui.markdown import render_markdown
from arena.ui.mathematics import to_mathml


@pytest.mark.parametrize(
    ("text", "display"),
    [
        ("so $x^2$ it is", "inline"),
        (r"so \(x^2\) it is", "inline"),
        ("$$x^2$$", "block"),
        (r"\[x^2\]", "block"),
        ("$$\nx^2\n$$", "block"),
        ("- in a list: $x^2$", "inline"),
        ("| a |\n|---|\n| $x^2$ |", "inline"),
    ],
)
def test_every_way_to_write_it_is_read(text: str, display: str):
    html = render_markdown(text)
    assert f'<math display="{display}">' in html
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in html
    assert "$" not in html


@pytest.mark.parametrize(
    "text",
    ["It costs $5 and $10.", "from $5-$10", "a $ b $ c", "$ x $", "$5", "$$", "$$ $$", "a single $", r"\$x$", "US$"],
)
def test_money_is_no_mathematics(text: str):
    html = render_markdown(text)
    assert "<math" not in html
    assert html.count("$") == text.count("$")


def test_code_stays_code():
    html = render_markdown("`$x$`\n\n```\n$$x$$\n```\n\n    $y$\n")
    assert "<math" not in html
    assert html.count("$") == 8


@pytest.mark.parametrize(
    "source",
    [
        "x^",
        "{",
        r"\frac{",
        r"\newcommand{\a}{bb}\a",
        r"\def\a{b}\a",
        r"\href{javascript:alert(1)}{x}",
        r"\style{position:fixed}{x}",
        r"\class{winner}{x}",
        r"\phantom{x}",
        "{" * 1500,
        "x" * 2001,
    ],
)
def test_what_cannot_or_must_not_be_drawn_is_shown_as_it_was_written(source: str):
    html = to_mathml(source, is_block=False)
    assert html == f'<code class="tex">{source}</code>'


def test_markup_in_mathematics_is_text():
    html = render_markdown(r"$\text{<script>alert(1)</script><img src=x onerror=y>}$ and $a<b>c$")
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_colours_and_negative_spaces_do_nothing():
    html = to_mathml(r"\color{white}{a}\!b\hspace{-99em}c\quad d", is_block=False)
    assert "white" not in html
    assert "-99" not in html
    assert html.count("<mspace") == 1


_PIECES = st.sampled_from(
    (
        *(
            r"\frac",
            "{",
            "}",
            "x",
            "^",
            "_",
            r"\text{<b>}",
            r"\left(",
            r"\right)",
            "&",
            r"\\",
            r"\begin{matrix}",
            "<",
            '"',
        ),
        *(
            r"\end{matrix}",
            r"\color{red}",
            r"\hspace{1em}",
            r"\href{a}{b}",
            r"\sqrt",
            "&lt;",
            "&#60;",
            r"\unknown",
            "2",
        ),
        *(
            *(r"\choose", r"\over", r"\limits", r"\not", r"\genfrac", r"\skew", r"\operatorname", r"\rule"),
            *(r"\begin{cases}", r"\hline", r"\left.", r"\middle", "[1cm]", "'", "#", "%", "~", "\\"),
        ),
    )
)


@pytest.mark.parametrize("source", ["{" * 1999, r"\sqrt{" * 300 + "}" * 300, r"\left(" * 300, "x" + "'" * 1500])
def test_what_is_nested_too_deep_or_never_ends_is_shown_or_left_as_it_stands(source: str):
    html = to_mathml(source, is_block=False)
    assert html == f'<code class="tex">{escape(source)}</code>' or html.startswith("<math")


@pytest.mark.parametrize("name", ["aligned", "align*", "split", "gathered", "gather*", "matrix", "cases"])
def test_lines_of_a_derivation_stay_lines(name: str):
    html = to_mathml(rf"\begin{{{name}}}a=1\\b=2\end{{{name}}}", is_block=True)
    assert html.count("<mtr>") == 2


def test_columns_of_an_environment_with_a_place_are_columns():
    html = to_mathml(r"\begin{aligned}[t]a&=b\\c&=d\end{aligned}", is_block=True)
    assert (html.count("<mtr>"), html.count("<mtd"), "&amp;" in html) == (2, 4, False)


@pytest.mark.parametrize(
    "source",
    [
        "100%",  # for TeX what follows is a comment
        r"20\% of 50 = 10 % check",
        r"x = 1 \\ y = 2",  # two lines that would run together
        r"\begin{unknown}a&=b\end{unknown}",
        r"\cancel{5}",  # browsers would draw a 5 that is not struck through
        r"\mathchoice{a}{b}{c}{d}",
    ],
)
def test_what_would_lose_something_is_shown_as_it_stands(source: str):
    assert to_mathml(source, is_block=False) == f'<code class="tex">{escape(source)}</code>'


def test_signs_that_tex_takes_for_its_own_are_written_with_a_backslash():
    assert "%" in to_mathml(r"100\%", is_block=False)
    assert "&amp;" in to_mathml(r"a \& b", is_block=False)


def test_a_boxed_result_has_a_border():
    assert '<mrow class="boxed"><mrow><mn>42</mn></mrow></mrow>' in to_mathml(r"\boxed{42}", is_block=False)


@pytest.mark.parametrize(
    "text",
    [
        "Set $PATH:$HOME first.",
        "It costs $5-$a.",
        "($5)/($x)",
        "Use $y `a$b`",
        "[a$b](http://x.y/$c)",
        "jQuery: $(this) and $(that)",
    ],
)
def test_dollars_in_prose_stay(text: str):
    assert "<math" not in render_markdown(text)
    assert render_markdown(text).count("$") == text.count("$")


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(_PIECES, max_size=14).map("".join))
def test_whatever_is_written_only_listed_tags_come_out(source: str):
    html = to_mathml(source, is_block=True)
    tags = re.findall(r"<(/?)([^\s>]*)([^>]*)>", html)
    wanted = re.compile(r"code|m(?!script|action|phantom|padded|glyph)[a-z]+")
    assert all(wanted.fullmatch(name) for _, name, _ in tags)
    assert all(re.fullmatch(r'(?: [a-z]+="[a-z0-9. ]+")*', rest) for _, _, rest in tags)
    assert re.sub(r"<[^>]*>", "", html).count("<") == 0
