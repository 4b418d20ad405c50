"""Vote files in the public columns: what is no verdict is refused with file, row, value and what would be accepted."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from arena import table
from arena.battle import Verdict
from arena.errors import BadInput, BadRows, UnknownVerdict
from arena.vote_file import WINNERS, parse_winner, read_tallies
from command import bakeoff

HEADER = "model_a,model_b,winner\n"
ACCEPTED = "model_a, model_b, tie, both_bad, tie (bothbad)"

NO_VERDICTS = ["left", "A", "Model_A", "MODEL_A", " tie", "tie ", "TIE", "a", "1", "bothbad", "draw", "model_a\x00"]


def vote_file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_five_public_words():
    assert {word: parse_winner(word) for word in WINNERS} == {
        "model_a": Verdict.A,
        "model_b": Verdict.B,
        "tie": Verdict.TIE,
        "both_bad": Verdict.BOTH_BAD,
        "tie (bothbad)": Verdict.BOTH_BAD,
    }


@pytest.mark.parametrize("value", [*NO_VERDICTS, "", None, 0, 1, 0.5, True, float("nan"), ["tie"]])
def test_nothing_unknown_becomes_a_verdict(value: Any):
    with pytest.raises(UnknownVerdict) as caught:
        parse_winner(value)
    assert caught.value.value is value
    assert caught.value.accepted == tuple(WINNERS)


@pytest.mark.parametrize("word", NO_VERDICTS)
def test_an_unknown_word_is_refused_with_file_row_value_and_what_is_accepted(tmp_path: Path, word: str):
    path = tmp_path / "votes.csv"
    with pytest.raises(BadRows) as caught:
        read_tallies(vote_file(path, f'{HEADER}a,b,tie\na,b,model_a\nb,a,"{word}"\n'))
    [fault] = caught.value.faults
    assert (fault.file, fault.place, fault.unit) == (str(path), 3, "row")
    assert repr(word) in fault.message
    assert ACCEPTED in fault.message


@pytest.mark.parametrize("field", ["", '""'])
def test_an_empty_winner_is_refused_in_words_for_a_person(tmp_path: Path, field: str):
    with pytest.raises(BadRows) as caught:
        read_tallies(vote_file(tmp_path / "votes.csv", f"{HEADER}a,b,{field}\n"))
    assert caught.value.faults[0].place == 1
    # "None" is Python's word, not the file's.
    assert "None" not in str(caught.value)


def test_a_null_winner_is_refused_in_each_format(tmp_path: Path):
    schema: dict[str, str] = dict.fromkeys(("model_a", "model_b", "winner"), "varchar")
    for ending in (".csv", ".jsonl", ".parquet"):
        path = tmp_path / f"votes{ending}"
        table.write(path, schema, [("a", "b", "tie"), ("a", "b", None)])
        with pytest.raises(BadRows) as caught:
            read_tallies(path)
        assert caught.value.faults[0].place == 2


@pytest.mark.parametrize("name", ["", '""', '"  "', '"\t"', '"\u00a0"'])
@pytest.mark.parametrize("side", ["model_a", "model_b"])
def test_a_model_without_a_name_is_refused(tmp_path: Path, name: str, side: str):
    row = f"{name},b,tie" if side == "model_a" else f"a,{name},tie"
    with pytest.raises(BadRows, match=side):
        read_tallies(vote_file(tmp_path / "votes.csv", f"{HEADER}a,b,tie\n{row}\n"))


@pytest.mark.parametrize("value", [{"id": 1}, ["a"], True, float("nan")])
def test_a_model_is_a_text_or_a_number_and_nothing_else(tmp_path: Path, value: Any):
    row = json.dumps({"model_a": value, "model_b": "b", "winner": "tie"})
    with pytest.raises(BadInput):
        read_tallies(vote_file(tmp_path / "votes.jsonl", f"{row}\n"))


def test_faults_are_listed_in_the_order_of_rows_and_counted(tmp_path: Path):
    # Rows 1 and 4 hold the same unknown word and count as one fault; row 2 has no model; row 3 is sound.
    text = f"{HEADER}a,b,left\n,b,tie\na,b,tie\na,b,left\n"
    with pytest.raises(BadRows) as caught:
        read_tallies(vote_file(tmp_path / "votes.csv", text))
    assert [fault.place for fault in caught.value.faults] == [1, 2]
    assert "(2 such rows)" in str(caught.value)
    assert "and 1 more" in str(caught.value)


def test_in_a_mixed_column_the_sound_row_is_not_blamed(tmp_path: Path):
    rows = [{"model_a": "a", "model_b": "b", "winner": winner} for winner in ("tie", 0)]
    with pytest.raises(BadRows) as caught:
        read_tallies(vote_file(tmp_path / "votes.jsonl", "".join(json.dumps(row) + "\n" for row in rows)))
    assert [fault.place for fault in caught.value.faults] == [2]


@pytest.mark.parametrize("missing", ["model_a", "model_b", "winner"])
def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path, missing: str):
    there = [column for column in ("model_a", "model_b", "winner") if column != missing]
    path = vote_file(tmp_path / "votes.csv", f"{','.join(there)}\nx,tie\n")
    with pytest.raises(BadInput, match=rf"no column '{missing}' \(it has {', '.join(there)}\)"):
        read_tallies(path)


def test_a_column_in_capitals_is_another_column(tmp_path: Path):
    with pytest.raises(BadInput, match="no column 'winner'"):
        read_tallies(vote_file(tmp_path / "votes.csv", "model_a,model_b,Winner\na,b,tie\n"))


def test_a_column_that_stands_twice_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match="model_a"):
        read_tallies(vote_file(tmp_path / "votes.csv", "model_a,model_a,model_b,winner\na,q,b,tie\n"))


def test_a_file_without_rows_is_refused(tmp_path: Path):
    for name, text in (("header.csv", HEADER), ("blank.jsonl", "\n\n")):
        with pytest.raises(BadInput):
            read_tallies(vote_file(tmp_path / name, text))


def test_every_row_is_counted_once(tmp_path: Path):
    rows = ["a,b,model_a"] * 3 + ["b,a,model_a"] * 2 + ["a,b,tie", "a,b,both_bad", "a,b,tie (bothbad)", "a,a,tie"]
    tallies = read_tallies(vote_file(tmp_path / "votes.csv", HEADER + "\n".join(rows)))
    counted = Counter({(tally.model_a, tally.model_b, tally.verdict): 0 for tally in tallies})
    for tally in tallies:
        counted[tally.model_a, tally.model_b, tally.verdict] += tally.n
    assert counted == {
        ("a", "b", Verdict.A): 3,
        ("b", "a", Verdict.A): 2,
        ("a", "b", Verdict.TIE): 1,
        ("a", "b", Verdict.BOTH_BAD): 2,
        ("a", "a", Verdict.TIE): 1,
    }
    assert sum(tally.n for tally in tallies) == len(rows)


def test_other_columns_are_left_alone(tmp_path: Path):
    path = vote_file(tmp_path / "votes.csv", "judge,winner,model_b,turn,model_a\nx,tie,b,1,a\n")
    [tally] = read_tallies(path)
    assert (tally.model_a, tally.model_b, tally.verdict) == ("a", "b", Verdict.TIE)


def sourced(path: Path, *words: str | None) -> Path:
    rows = ["model_a,model_b,winner,source", *(f"a,b,model_a,{word or ''}" for word in words)]
    path.write_text("\n".join([*rows, *(f"b,a,model_a,{word or ''}" for word in words)]) + "\n")
    return path


def test_people_count_where_others_voted_too_and_it_is_said(tmp_path: Path):
    said = bakeoff("rate", sourced(tmp_path / "v.csv", "human", "ai_judge", None), "--json")
    assert said.record["n_votes"] == 2
    assert sum(said.record["dropped"].values()) == 4
    assert "counted: human" in said.err
    assert "counted: ai_judge" in bakeoff("rate", sourced(tmp_path / "j.csv", "ai_judge")).err
    assert "counted" not in bakeoff("rate", sourced(tmp_path / "h.csv", "human")).err.partition("Ties")[0]


def test_a_source_that_is_none_beside_one_that_is_one_is_refused(tmp_path: Path):
    said = bakeoff("rate", sourced(tmp_path / "v.csv", "human", "gpt-4"))
    assert "source is 'gpt-4' in 2 of the votes" in said.err
    assert said.code == 1
    # Nothing but other words: the column is about something else, and that is said.
    said = bakeoff("rate", sourced(tmp_path / "w.csv", "lab", "web"), "--json")
    assert said.record["n_votes"] == 4
    assert "other words than sources" in said.err


def test_columns_that_no_rating_looks_at_are_named(tmp_path: Path):
    path = tmp_path / "v.csv"
    path.write_text("model_a,model_b,winner,worker,voter\na,b,model_a,w,v\nb,a,model_a,w,v\n")
    assert "columns left aside: worker\n" in bakeoff("rate", path).err
