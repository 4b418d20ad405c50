"""How an answer is dressed, counted by hand: a header, a list, bold, code or a picture, and what only looks like it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.style import _EMOJI, FEATURES, count, counts  # type: ignore[reportPrivateUsage]

property_test = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def counted(text: str) -> dict[str, int]:
    return dict(zip(FEATURES, count(text), strict=True))


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t \u00a0"])
def test_nothing_is_dressed_in_nothing(text: str):
    assert count(text) == (0,) * len(FEATURES)


def test_length_is_words_and_signs():
    # Hello | , | world | ! | 3 | . | 5 | é
    assert counted("Hello, world!\n\n3.5 é")["length"] == 8


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("# One\n## Two\n###### Six", 3),
        ("#", 1),
        ("   # three blanks before it", 1),
        ("    # four blanks are code", 0),
        ("####### seven", 0),
        ("#hashtag", 0),
        ("C# is a language", 0),
    ],
)
def test_headers(text: str, n: int):
    assert counted(text)["headers"] == n


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("- a\n* b\n+ c", 3),
        ("1. a\n2) b\n10. c", 3),
        ("- a\n  - nested\n    - deeper", 3),
        ("-a\n*b\n1.5 apples", 0),
        ("---", 0),
        ("-\n-  ", 0),
        ("2026. A year with a point", 1),
    ],
)
def test_items_of_lists(text: str, n: int):
    assert counted(text)["lists"] == n


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("**one** and __two__", 2),
        ("**one****two**", 2),
        ("***bold and italic***", 1),
        ("**bold with *emphasis* in it**", 1),
        ("__bold with _emphasis_ in it__", 1),
        ("*emphasis* and _emphasis_", 0),
        ("2 ** 3 ** 4", 0),
        ("** not **", 0),
        ("**over\ntwo lines**", 0),
        ("****", 0),
    ],
)
def test_bold(text: str, n: int):
    assert counted(text)["bold"] == n


DRESSED = "# header\n- item\n**bold** 👍"


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{DRESSED}\n```",
        f"```python\n{DRESSED}\n```\n",
        f"~~~\n{DRESSED}\n~~~",
        f"````\n```\n{DRESSED}\n```\n````",
        f"~~~\n```\n{DRESSED}\n~~~",
        f"   ```\n{DRESSED}\n   ```",
        f"before\n```\n{DRESSED}",
    ],
    ids=["plain", "with a language", "tildes", "a longer fence", "the other fence inside", "indented", "never closed"],
)
def test_what_stands_in_a_code_block_is_code_and_nothing_else(text: str):
    found = counted(text)
    assert (found["code_blocks"], found["headers"], found["lists"], found["bold"], found["emoji"]) == (1, 0, 0, 0, 0)
    assert found["length"] >= 8


def test_after_a_code_block_the_text_goes_on():
    text = f"{DRESSED}\n```\n{DRESSED}\n```\n{DRESSED}\n~~~\n~~~\n"
    found = counted(text)
    assert (found["code_blocks"], found["headers"], found["lists"], found["bold"], found["emoji"]) == (2, 2, 2, 2, 2)


@pytest.mark.parametrize("text", ["`code` in a sentence", "```code``` in a sentence", "a ``` in the middle", "``\n``"])
def test_code_inside_a_sentence_is_no_block(text: str):
    found = counted(f"{text}\n\n{DRESSED}")
    assert (found["code_blocks"], found["headers"]) == (0, 1)


def test_a_fence_that_opens_in_the_last_line_is_a_block():
    assert counted("So:\n```")["code_blocks"] == 1


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("👍", 1),
        ("👍👍", 2),
        ("👍🏽", 1),  # with a skin tone
        ("👨‍👩‍👧", 1),  # three people, two joiners
        ("❤️", 1),  # a heart and a variation selector
        ("🏳️‍🌈", 1),  # a flag, a selector, a joiner, a rainbow
        ("🇩🇪", 1),  # two letters
        ("🇩🇪🇫🇷", 2),
        ("1️⃣ 2️⃣", 2),  # a digit, a selector, a key
        ("1 2 # *", 0),
        ("模型 é ñ → © ½", 0),
        ("🤖 robots and 🚀 rockets ✅", 3),
    ],
)
def test_a_picture_of_several_characters_is_one(text: str, n: int):
    assert counted(text)["emoji"] == n


@property_test
@given(st.text(alphabet="#-*_`~ \n1.)a👍\u200d\ufe0f🇩", max_size=80))
def test_any_text_can_be_counted_and_nothing_is_more_than_its_length(text: str):
    found = counted(text)
    assert min(found.values()) >= 0
    # Each of these has a sign or a letter of its own, and length counts all of them.
    assert max(found["headers"], found["lists"], found["bold"], found["code_blocks"]) <= found["length"]


@pytest.mark.parametrize("unit", ["**a ", "__a ", "```a\n", "- ", "#", "`", "*", "_", "~", "\u200d👍", "🇩", " "])
def test_a_long_answer_of_one_sign_comes_to_an_end(unit: str):
    # A pattern that goes to the end of the line from every start would not, within anybody's patience.
    assert min(count(unit * 20_000)) >= 0


# What each mark is, as patterns that look at a text from one end to the other: slower, and nothing to get wrong.
FENCED = re.compile(
    r"^ {0,3}(`{3,}(?!`|[^\n]*`)|~{3,})[^\n]*(?:\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)|\Z)", re.MULTILINE | re.DOTALL
)
HEADER = re.compile(r"^ {0,3}#{1,6}(?:[ \t]|$)", re.MULTILINE)
LIST_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S", re.MULTILINE)
BOLD = re.compile(r"\*\*(?=\S)(?:[^\n*]|\*(?!\*))+?(?<=\S)\*\*|__(?=\S)(?:[^\n_]|_(?!_))+?(?<=\S)__")
WORD = re.compile(r"\w+|[^\w\s]")

pieces = st.lists(
    st.one_of(
        st.text(max_size=3),
        st.sampled_from("\n\n\n  \t#*_-+`~1.)!\r\v\x1c\u2028"),
        st.sampled_from(
            ["```", "~~~", "**", "__", "# ", "- ", "1. ", "word", "né", "中文", "\u0301", "٣", "ª", "\ud800"]
        ),
        st.sampled_from(["🙂", "👍🏽", "👩\u200d💻", "🇩🇪", "1\ufe0f\u20e3", "#\u20e3", "☀\ufe0f", "𝐱"]),
    ),
    max_size=40,
).map("".join)


@property_test
@given(pieces)
def test_marks_that_are_looked_for_where_their_signs_are_are_all_that_there_are(text: str):
    prose, n_code_blocks = FENCED.subn("\n", text)
    n = tuple(len(pattern.findall(prose)) for pattern in (HEADER, LIST_ITEM, BOLD))
    assert count(text)[:5] == (len(WORD.findall(text)), *n, n_code_blocks)


@property_test
@given(st.lists(pieces, max_size=8))
def test_many_texts_at_once_are_counted_as_one_by_one(texts: list[str]):
    assert counts(texts).tolist() == [list(count(text)) for text in texts]


def test_more_letters_than_are_counted_at_once_are_counted_all():
    long, short = "a b, " * 100_000, "é 中 "
    assert counts([long, short, long, "", short]).tolist() == [list(count(t)) for t in (long, short, long, "", short)]


def test_an_emoji_is_found_wherever_one_of_its_signs_stands_alone():
    # Every letter by itself: whichever is an emoji is counted as one, and nothing else is.
    every = [chr(i) for i in range(0x20, 0x20000)]
    found = counts(every)[:, FEATURES.index("emoji")]
    assert [each for each, n in zip(every, found, strict=True) if n] == [each for each in every if _EMOJI.match(each)]
