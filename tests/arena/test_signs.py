"""The signs by which the store passes over texts: no text that Python would change, or leave out, is without one."""

import random
import re
import sys
from collections.abc import Iterator, Sequence

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_personal_data import FOUND, KEYS, NOT_FOUND

from arena.battle import Answer, AnswerId, Message, ModelId, PromptId
from arena.dataset import personal
from arena.preferences import flag
from arena.preferences.flag import Flag, flags_of

property_test = settings(max_examples=60, deadline=None, derandomize=True, database=None)

P = PromptId("p")

TOKENS = (
    *("<|im_start|>", "<|é|>", "<｜end of sentence｜>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>"),
    *("<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<pad>", "<unk>", "[BOS]", "[EOS]", "<extra_id_7>"),
    "<extra_id_\N{ARABIC-INDIC DIGIT THREE}>",
)
# What stands within and around personal data: blanks and digits of other scripts, and what looks like more of it.
GLUE = (
    *(
        "",
        " ",
        "\n",
        "\u00a0",
        "\u2009",
        "\u202f",
        "\u2012",
        "-",
        ".",
        "/",
        "(",
        ")",
        "+",
        ":",
        "::",
        "@",
        "_",
        "é",
        "中",
    ),
    *(
        "1",
        "42",
        "2001",
        "\N{ARABIC-INDIC DIGIT FOUR}",
        "\N{FULLWIDTH DIGIT SEVEN}",
        "DE",
        "GB82",
        "sk-",
        "eyJ",
        "<",
        "|",
    ),
)
PIECES = (*(each for some in FOUND.values() for each in some), *NOT_FOUND, *KEYS, *TOKENS)


@pytest.fixture(scope="module")
def re2() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def plain(re2: duckdb.DuckDBPyConnection, signs: str, texts: Sequence[str]) -> list[str]:
    """The texts in which RE2 sees none of the signs."""
    query = f"select text from (select unnest(?::varchar[]) as text) where not regexp_matches(text, '{signs}')"
    return [text for (text,) in re2.execute(query, [list(texts)]).fetchall()]


def holds_token(text: str) -> bool:
    answer = Answer(AnswerId("a"), P, ModelId("m"), text)
    return Flag.CONTROL in flags_of((Message("user", "?"),), (answer,), named=False)


@given(st.lists(st.lists(st.sampled_from((*PIECES, *GLUE)), max_size=9).map("".join), min_size=50, max_size=200))
@property_test
def test_a_text_without_a_sign_is_clean_and_holds_no_token(re2: duckdb.DuckDBPyConnection, texts: list[str]):
    assert all(not personal.clean(text).found for text in plain(re2, personal.SIGNS, texts))
    assert not any(map(holds_token, plain(re2, flag.SIGNS, texts)))


def test_no_change_of_some_letters_makes_personal_data_that_have_no_sign(re2: duckdb.DuckDBPyConnection):
    rng = random.Random(7)
    digits = [*"0123456789", "\N{ARABIC-INDIC DIGIT FOUR}", "\N{DEVANAGARI DIGIT TWO}", "\N{FULLWIDTH DIGIT SEVEN}"]
    texts = []
    for _ in range(20_000):
        letters = list(rng.choice(PIECES))
        for at in rng.sample(range(len(letters)), min(len(letters), rng.randrange(4))):
            letters[at] = rng.choice(digits if letters[at].isdigit() else [*"aZ-. /:@", "\u00a0", "\u2011", ""])
        texts.append(f"{rng.choice(GLUE)}{''.join(letters)}{rng.choice(GLUE)}")
    found = [text for text in texts if personal.clean(text).found]
    assert len(found) > 3_000  # so that the next line says something
    assert not plain(re2, personal.SIGNS, found)
    assert not plain(re2, flag.SIGNS, [text for text in texts if holds_token(text)])


def test_a_digit_to_python_is_one_to_re2(re2: duckdb.DuckDBPyConnection):
    digits = [chr(code) for code in range(sys.maxunicode + 1) if re.match(r"\d", chr(code))]
    assert not plain(re2, r"\p{Nd}", digits)


def test_a_text_in_plain_words_has_no_sign(re2: duckdb.DuckDBPyConnection):
    texts = ["The 3 steps take 10-15 minutes (see 2.1).", "Ünïcödé – „so“, 中文字符 <b>bold</b> a[1] 12:30:45."]
    assert plain(re2, f"{personal.SIGNS}|{flag.SIGNS}", texts) == texts
