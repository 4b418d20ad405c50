"""`bakeoff rate`: every choice of a method through the command, and what it says where a choice does not fit."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from arena.battle import Source
from arena.plan import BothBad, Intervals, Method, Ties, Weights
from arena.style import FEATURES
from arena.tally import Unit
from command import FEW, bakeoff, error_of, few, process, rated, usage_of
from simulated import MODELS, Vote, shuffled, votes, without, write


@pytest.fixture(scope="module")
def people() -> Sequence[Vote]:
    return votes(600)


@pytest.fixture(scope="module")
def file(people: Sequence[Vote], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("people") / "votes.parquet", people)


def names(record: dict[str, Any]) -> list[str]:
    return [row["model"] for row in record["ratings"]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", {"method": "bradley-terry", "intervals": "sandwich, clustered by voter (50)"}),
        ("--method elo", {"method": "elo"}),
        ("--method elo --k 8", {"method": "elo"}),
        ("--method win-rate", {"method": "win-rate", "intervals": "Wilson's score interval, every vote on its own"}),
        ("--ties davidson", {"method": "davidson"}),
        ("--ties rao-kupper --both-bad drop", {"method": "rao-kupper"}),
        ("--both-bad own", {"method": "grounded-rao-kupper"}),
        ("--intervals bootstrap", {"intervals": "bootstrap, votes drawn again"}),
        ("--intervals cluster", {"intervals": "bootstrap, voters drawn again"}),
        ("--intervals cluster --cluster prompt", {"intervals": "bootstrap, prompts drawn again"}),
        ("--cluster prompt", {"intervals": "sandwich, clustered by prompt (40)"}),
        ("--cluster none", {"intervals": "sandwich, every vote on its own"}),
        ("--confidence 0.9 --seed 3", {"confidence": 0.9, "seed": 3}),
    ],
)
def test_the_board_says_how_it_was_computed(file: Path, words: str, told: dict[str, Any]):
    record = rated(file, *words.split())
    assert {name: record[name] for name in told} == told
    assert names(record) == list(MODELS)
    assert record["n_votes"] + sum(record["dropped"].values()) == 600


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--method elo --k 8", {"k": 8.0}),
        ("--ties davidson", {"ties": "davidson"}),
        ("--both-bad drop", {"both_bad": "drop"}),
        ("--style", {"style": list(FEATURES)}),
        ("--style --features length,bold", {"style": ["length", "bold"]}),
        ("--order", {"order": True}),
        ("--prior 0.5", {"prior": 0.5}),
        ("--weights pairs", {"weights": "pairs"}),
        ("--weights voters", {"weights": "voters"}),
        ("--anchor ada=1200", {"anchor": {"ada": 1200.0}}),
        ("--min-votes 3", {"min_votes": 3}),
    ],
)
def test_every_choice_is_among_the_settings(file: Path, words: str, told: dict[str, Any]):
    settings = rated(file, *words.split())["settings"]
    assert {name: settings[name] for name in told} == told


@pytest.mark.parametrize(
    ("words", "n", "reason"),
    [
        (("--source", "human"), 0, None),
        (("--category", "code,facts"), None, "category writing is not asked for"),
        (("--language", "en"), None, "language de is not asked for"),
        # Two votes every 20 minutes from January 1st: 144 of them on each of the first four days, 24 after that.
        (("--since", "2026-01-05"), 576, "cast before 2026-01-05T00:00:00+00:00"),
        (("--until", "2026-01-02T01:00+01:00"), 456, "cast from 2026-01-02T01:00:00+01:00"),
    ],
)
def test_only_the_votes_that_are_asked_for_count(
    people: Sequence[Vote], file: Path, words: tuple[str, str], n: int | None, reason: str | None
):
    record = rated(file, *words)
    option, asked = words
    n_out = sum(row[option[2:]] not in asked.split(",") for row in people) if n is None else n
    assert record["dropped"] == ({reason: n_out} if reason else {})
    assert record["n_votes"] == 600 - n_out


def test_a_category_that_no_vote_has_is_refused_also_beside_one_that_votes_have(file: Path):
    for words in ("poetry", "code,poetry"):
        assert "no category is called 'poetry'" in error_of(bakeoff("rate", file, "--category", words))
    assert "did you mean 'facts'?" in error_of(bakeoff("rate", file, "--category", "fact"))


@pytest.mark.parametrize("words", [("--source", "rule"), ("--since", "2027-01-01")])
def test_where_no_vote_is_left_there_is_nothing_to_rate(file: Path, words: tuple[str, str]):
    line = error_of(bakeoff("rate", file, *words))
    assert "no vote is left to rate: " in line
    assert "left out (" in line


# What is refused


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        ("--method", Method),
        ("--ties", Ties),
        ("--both-bad", BothBad),
        ("--weights", Weights),
        ("--intervals", Intervals),
        ("--cluster", Unit),
        ("--source", Source),
    ],
)
def test_an_unknown_word_is_refused_with_those_that_are_known(file: Path, option: str, choices: Any):
    said = " ".join(usage_of(bakeoff("rate", file, option, "nonsense")).split())
    assert f"Invalid value for '{option}': 'nonsense' is not one of {', '.join(map(repr, map(str, choices)))}" in said


def test_an_unknown_feature_is_refused_with_those_that_are_known(file: Path):
    said = " ".join(usage_of(bakeoff("rate", file, "--style", "--features", "length,colour")).split())
    assert f"'colour' is not one of {', '.join(map(repr, FEATURES))}" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--features length", "--features goes with --style"),
        ("--pool", "--pool goes with --by"),
        ("--k 8", "--k goes with --method elo"),
        ("--method win-rate --k 8", "--k goes with --method elo"),
        ("--rounds 100", "--rounds goes with --intervals bootstrap, --intervals cluster or --method elo"),
        ("--intervals sandwich --rounds 1000", "--rounds goes with"),
        ("--method win-rate --rounds 100", "--rounds goes with"),
    ],
)
def test_an_option_without_effect_is_wrong_usage(file: Path, words: str, told: str):
    assert told in usage_of(bakeoff("rate", file, *words.split()))


def test_rounds_have_an_effect_where_the_arenas_rules_draw_votes_again(votes: Path, tmp_path: Path):
    for intervals, code in (("sandwich", 2), ("bootstrap", 0)):
        pack, db = tmp_path / f"{intervals}-pack", tmp_path / f"{intervals}.duckdb"
        assert bakeoff("init", pack).code == 0
        (pack / "arena.toml").write_text(f'[rating]\nintervals = "{intervals}"\n')
        assert bakeoff("import", pack, "--db", db).code == 0
        assert bakeoff("import", votes, "--db", db).code == 0
        said = bakeoff("rate", "--db", db, *FEW, "--json")
        assert said.code == code, said
        assert "--rounds goes with" in said.err if code else said.record["rounds"] == 100


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--method elo --rounds 100001", "100001 is not in the range 100<=x<=100000"),
        ("--method elo --k 1001", "1001.0 is not in the range 0.01<=x<=1000"),
        ("--prior 2e6", "2000000.0 is not in the range 0<=x<=1000000"),
        ("--prior -0.5", "-0.5 is not in the range"),
        ("--prior nan", "'nan' is no number"),
    ],
)
def test_an_absurd_number_is_refused_with_the_bounds_and_the_options_name(file: Path, words: str, told: str):
    said = usage_of(bakeoff("rate", file, *words.split()))
    assert f"Invalid value for '{words.split()[-2]}': {told}" in said


def test_an_option_that_is_misspelt_is_answered_with_one_that_exists(file: Path):
    assert "--rounds" in usage_of(bakeoff("rate", file, "--ronds", "100"))
    assert "'rate'" in usage_of(bakeoff("rat", file))


def test_the_last_of_an_option_that_is_given_twice_counts(file: Path):
    assert rated(file, "--confidence", "0.8", "--confidence", "0.9")["confidence"] == 0.9


def test_a_value_may_start_with_a_dash_and_a_pair_has_two(file: Path):
    assert "requires 2 arguments" in usage_of(bakeoff("rate", file, "--head-to-head", "ada"))
    line = error_of(bakeoff("rate", file, "--head-to-head", "-x", "--json"))
    assert "-x" in line
    assert "-x" in error_of(bakeoff("rate", file, "--anchor", "-x=-3"))
    assert error_of(bakeoff("rate", "--", "-votes.csv")).endswith("there is no file -votes.csv")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--method elo --ties davidson", "only bradley-terry knows that"),
        ("--method win-rate --style", "only bradley-terry knows that"),
        ("--both-bad own --order", "cannot be combined"),
        ("--both-bad own --ties davidson", "rao-kupper"),
        ("--intervals cluster --cluster none", "voter, prompt or list"),
        ("--intervals bootstrap --weights voters", "--intervals cluster"),
    ],
)
def test_choices_that_contradict_each_other_are_one_line(file: Path, words: str, told: str):
    assert told in error_of(bakeoff("rate", file, *few(*words.split()), *words.split()))


@pytest.mark.parametrize(
    ("hidden", "words", "told"),
    [
        ("answer_a", "--style", "neither the texts (answer_a, answer_b) nor all counts (length_a, length_b, headers_a"),
        ("answer_b", "--style --features bold", "nor all counts (bold_a, bold_b are missing)"),
        ("voted_at", "--method elo", "have no column 'voted_at': their order is not known"),
        ("voted_at", "--since 2026-01-01", "have no column 'voted_at', so nothing can be chosen by it"),
        ("category", "--category code", "have no column 'category'"),
        ("language", "--language en", "have no column 'language'"),
        ("source", "--source human", "have no column 'source'"),
        ("voter", "--cluster voter", "do not tell their voter"),
        ("voter", "--weights voters", "their voter is not known"),
        ("prompt_id", "--cluster prompt", "do not tell their prompt"),
    ],
)
def test_a_column_that_a_choice_needs_is_named(
    people: Sequence[Vote], tmp_path: Path, hidden: str, words: str, told: str
):
    path = write(tmp_path / "votes.jsonl", without(people, hidden))
    assert told in error_of(bakeoff("rate", path, *few(*words.split()), *words.split()))


# The table


def test_the_table_says_how_certain_it_is_and_what_the_rest_is_worth(file: Path):
    said = bakeoff("rate", file, "--style", "--features", "length", "--order")
    assert said.code == 0
    *_, length, order, blank, counted = said.out.splitlines()
    assert length.startswith("length ")
    assert "logits per standard deviation" in length
    assert order.startswith("order ")
    assert blank == ""
    assert "bradley-terry, sandwich, clustered by voter (50), design effect " in counted
    assert said.err.endswith("Ties, and both-bad verdicts as well, count as half a win for each side.\n")


def test_a_feature_that_never_differs_is_left_out_and_said(people: Sequence[Vote], tmp_path: Path):
    rows = [{**row, "length_a": 10 + n % 7, "length_b": 12, "bold_a": 3, "bold_b": 3} for n, row in enumerate(people)]
    said = bakeoff("rate", write(tmp_path / "votes.csv", rows), "--style", "--features", "length,bold", "--json")
    assert [each["name"] for each in said.record["coefficients"]] == ["length"]
    assert said.record["notes"] == ["bold never differs between two answers, and is left out"]
    assert "bold never differs" in said.err


def test_elo_says_what_it_depends_on(file: Path):
    assert "depends on the order of the votes" in bakeoff("rate", file, *FEW, "--method", "elo").err


# The same votes, the same bytes


@pytest.mark.parametrize(
    "words", ["", "--style", "--method elo", "--intervals cluster", "--ties davidson"], ids=lambda words: words or "-"
)
def test_the_format_and_the_order_of_rows_and_the_sides_change_no_byte(
    people: Sequence[Vote], tmp_path: Path, words: str
):
    mixed = shuffled(people)
    said = {
        bakeoff("rate", write(tmp_path / f"votes{ending}", rows), "--json", *few(*words.split()), *words.split()).out
        for ending, rows in ((".parquet", people), (".csv", mixed), (".jsonl", mixed[::-1]))
    }
    assert len(said) == 1
    assert names(json.loads(said.pop())) == list(MODELS)


@pytest.mark.parametrize("words", ["", "--style --intervals bootstrap"], ids=lambda words: words or "-")
def test_neither_threads_nor_the_order_of_rows_change_a_byte_of_a_process(
    people: Sequence[Vote], tmp_path: Path, words: str
):
    said = {
        process(
            *("rate", write(tmp_path / f"votes-{n}.csv", rows), "--json", *few(*words.split()), *words.split()),
            OPENBLAS_NUM_THREADS=n,
            OMP_NUM_THREADS=n,
            PYTHONHASHSEED=n,
        )
        for n, rows in (("1", people), ("2", shuffled(people)))
    }
    assert len(said) == 1
    [only] = said
    assert only.code == 0
