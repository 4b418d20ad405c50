"""Pieces of a stream become a text that can be stored and shown."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.contenders.incoming import LONGEST_ANSWER, Incoming
from arena.errors import EndpointFailed, Failure


def put_together(*pieces: str) -> tuple[str, str]:
    """The text, and what was told of it piece by piece."""
    incoming = Incoming()
    told = [incoming.add(piece) for piece in pieces]
    told.append(incoming.end())
    return incoming.text, "".join(told)


def cut(text: str, places: list[int]) -> list[str]:
    """The text in pieces, cut as JSON would carry it: a letter beyond the first plane may be cut in two."""
    units = text.encode("utf-16-le", "surrogatepass")
    ends = sorted({min(2 * place, len(units)) for place in places} | {0, len(units)})
    return [units[a:b].decode("utf-16-le", "surrogatepass") for a, b in itertools.pairwise(ends)]


@given(st.text(), st.lists(st.integers(0, 60)))
def test_a_text_is_the_same_wherever_its_stream_is_cut_and_what_was_told_adds_up_to_it(text: str, places: list[int]):
    whole, told = put_together(*cut(text, places))

    assert told == whole == put_together(text)[0]


@given(st.text(st.characters(exclude_characters="<\x00", exclude_categories=["Cs"])), st.lists(st.integers(0, 60)))
def test_a_text_without_thoughts_comes_as_it_is(text: str, places: list[int]):
    assert put_together(*cut(text, places))[0] == text


@given(
    st.text(st.characters(exclude_characters="<\x00", exclude_categories=["Cs"])),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    st.lists(st.integers(0, 60)),
)
def test_thoughts_at_the_beginning_never_reach_the_text(thoughts: str, text: str, places: list[int]):
    whole, _ = put_together(*cut(f"\n<think>{thoughts}</think>\n\n{text}", places))

    assert whole == text.lstrip()


def test_thoughts_that_never_end_are_no_answer():
    assert put_together("<thi", "nk>Let me see", " ... </thin") == ("", "")


def test_the_tag_in_the_middle_of_an_answer_is_text():
    assert put_together("Write <think>", "so</think>.")[0] == "Write <think>so</think>."


@pytest.mark.parametrize("start", ["", "<", "<think", "<thinking> aloud", "  <"])
def test_what_only_begins_like_thoughts_is_text(start: str):
    assert put_together(*start)[0] == start


def test_the_halves_of_a_letter_that_came_in_two_pieces_are_joined():
    first, second = json.loads('"\\ud83d"'), json.loads('"\\ude00"')

    assert put_together("So ", first, second + "!")[0] == "So 😀!"


def test_a_half_that_stays_alone_and_nul_become_the_replacement_character():
    half = json.loads('"\\ud83d"')

    assert put_together("a", half, "b\x00", half)[0] == "a\ufffdb\ufffd\ufffd"


@given(st.text(st.characters(), max_size=40))
def test_every_text_can_be_stored(text: str):
    put_together(*text)[0].encode("utf-8")


def test_an_answer_that_does_not_end_is_a_failure():
    incoming = Incoming()
    incoming.add("x" * LONGEST_ANSWER)

    with pytest.raises(EndpointFailed, match="400,000 characters") as raised:
        incoming.add("x")
    assert raised.value.failure is Failure.ENDLESS
