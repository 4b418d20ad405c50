"""Ranked lists: each is the votes that it says, kept together, and never more than it says."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battle import Verdict
from arena.errors import BadInput
from arena.ranked_list import MOST_ANSWERS, list_id, pairs_of, parse_answers
from arena.store import RankedPair, VoteStore
from command import bakeoff, error_of

PROMPT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]


def answers(*ranks: float, text: str = "Text of") -> list[dict[str, Any]]:
    return [{"model": f"m{i}", "rank": rank, "text": f"{text} m{i}"} for i, rank in enumerate(ranks)]


def ranking(*ranks: float, voter: str | None = "ada", **more: Any) -> dict[str, Any]:
    return {"messages": PROMPT, "answers": answers(*ranks), "voter": voter, **more}


def brought(tmp_path: Path, *rows: dict[str, Any], name: str = "lists.jsonl", options: tuple[str, ...] = ()) -> Any:
    (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return bakeoff("import", tmp_path / name, "--db", tmp_path / "arena.duckdb", "--as", "rankings", *options)


def stored(tmp_path: Path) -> tuple[list[tuple[Any, ...]], dict[Any, RankedPair]]:
    with VoteStore.open(tmp_path / "arena.duckdb") as store:
        with store._database.read() as cursor:
            rows = cursor.execute(
                "select battle_id, model_a, model_b, verdict, voter_id, source from votes "
                "join battles using (battle_id) order by seq"
            ).fetchall()
        return rows, store.ranked.all()


def winners(rows: list[tuple[Any, ...]]) -> set[tuple[str, str]]:
    """Who was preferred to whom."""
    return {(a, b) if verdict == Verdict.A else (b, a) for _, a, b, verdict, *_ in rows}


# ---- the pairs of a list ----


@given(st.lists(st.integers(1, 6), min_size=2, max_size=MOST_ANSWERS).filter(lambda ranks: len(set(ranks)) > 1))
def test_a_list_is_all_pairs_but_those_of_one_rank_and_the_better_rank_is_preferred(ranks: list[int]):
    rows = parse_answers(answers(*ranks))
    pairs = pairs_of(rows)
    assert len(pairs) == sum(one != other for one, other in combinations(ranks, 2))
    assert all(pair.better.rank < pair.worse.rank for pair in pairs)
    # The side hangs on the two texts, and not on which was preferred.
    turned = pairs_of(parse_answers(answers(*(7 - rank for rank in ranks))))
    a_of = {frozenset((p.better.model, p.worse.model)): (p.better if p.a_is_better else p.worse).model for p in pairs}
    assert {
        frozenset((p.better.model, p.worse.model)): (p.better if p.a_is_better else p.worse).model for p in turned
    } == a_of


def test_four_ranks_are_six_pairs_and_one_tie_leaves_five():
    assert len(pairs_of(parse_answers(answers(1, 2, 3, 4)))) == 6
    assert len(pairs_of(parse_answers(answers(1, 2, 2, 4)))) == 5


def test_the_best_stands_on_both_sides_alike():
    # 2,000 lists whose first answer is the best: n on side A is binomial(2000, 1/2), within 4.5 sigma = 101 of 1,000.
    n = sum(pairs_of(parse_answers(answers(1, 2, text=f"{i}")))[0].a_is_better for i in range(2000))
    assert abs(n - 1000) < 101


def test_the_id_of_a_list_is_that_of_its_prompt_and_answers_in_any_order():
    assert list_id("p", ["x", "y", "z"]) == list_id("p", ["z", "x", "y"])
    assert list_id("p", ["x", "y"]) != list_id("q", ["x", "y"])


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("m1 > m2", "answers is no list"),
        (answers(1), "2 to 10 answers, and this one 1"),
        (answers(*range(1, 12)), "2 to 10 answers, and this one 11"),
        ([*answers(1, 2), answers(3)[0]], "the model 'm0' stands twice"),
        (answers(2, 2, 2), "all answers have rank 2"),
        (answers(0, 1), "rank"),
        ([{"model": "a"}, {"model": "b", "rank": 1}], "rank"),
        ([{"model": "a", "rank": 1, "score": 3}, {"model": "b", "rank": 2}], "unknown key"),
        (["a", "b"], "answers"),
    ],
)
def test_a_list_that_says_nothing_or_too_much_is_refused_with_the_reason(value: object, word: str):
    with pytest.raises(BadInput, match=word):
        parse_answers(value)


# ---- the import ----


def test_a_list_comes_in_as_votes_that_share_its_id_and_weigh_one_together(tmp_path: Path):
    said = brought(tmp_path, ranking(1, 2, 3, 4))
    assert said.out == "1 new rankings from 1 row (0 known already, 0 left out)\n"
    assert "the new rankings are 6 votes\n" in said.err
    rows, lists = stored(tmp_path)
    assert winners(rows) == {("m0", "m1"), ("m0", "m2"), ("m0", "m3"), ("m1", "m2"), ("m1", "m3"), ("m2", "m3")}
    assert {row[0] for row in rows} == lists.keys()
    [pair] = set(lists.values())
    assert pair.n_pairs == 6
    assert sum(each.weight for each in lists.values()) == pytest.approx(1)
    assert len({row[4] for row in rows}) == 1
    assert rows[0][4] not in (None, "ada")
    assert {row[5] for row in rows} == {"import"}


def test_equal_ranks_are_no_votes_and_are_said(tmp_path: Path):
    said = brought(tmp_path, ranking(1, 2, 2, 4), options=("--source", "human"))
    assert "the new rankings are 5 votes; 1 pair of equal rank said nothing\n" in said.err
    rows, lists = stored(tmp_path)
    assert len(rows) == 5
    assert {pair.n_pairs for pair in lists.values()} == {5}


def test_the_same_list_again_adds_nothing_and_another_voter_s_shares_the_list(tmp_path: Path):
    brought(tmp_path, ranking(1, 2, 3))
    said = brought(tmp_path, ranking(1, 2, 3), ranking(3, 2, 1, voter="bob"), name="more.jsonl")
    assert said.out == "1 new rankings from 2 rows (1 known already, 0 left out)\n"
    again = brought(tmp_path, ranking(1, 2, 3), name="more.jsonl")
    assert again.out == "0 new rankings from 1 row (1 known already, 0 left out)\n"
    assert "the new rankings" not in again.err
    rows, lists = stored(tmp_path)
    assert len(rows) == len(lists) == 6
    assert len({pair.list_id for pair in lists.values()}) == 1
    # The two voters saw each pair the same way round, and said the opposite.
    assert winners(rows[:3]) == {(worse, better) for better, worse in winners(rows[3:])}
    assert {row[1:3] for row in rows[:3]} == {row[1:3] for row in rows[3:]}


def test_parquet_and_a_prompt_that_is_stored_are_as_good(tmp_path: Path):
    (tmp_path / "prompts.jsonl").write_text('{"id": "p1", "text": "Why?"}\n')
    db = tmp_path / "arena.duckdb"
    assert bakeoff("import", tmp_path / "prompts.jsonl", "--db", db, "--as", "prompts").code == 0
    place = tmp_path / "lists.parquet"
    with duckdb.connect() as con:
        con.execute(
            f"""copy (select 'p1' as prompt_id, [{{'model': 'a', 'rank': 2}}, {{'model': 'b', 'rank': 1}},
            {{'model': 'c', 'rank': 3}}] as answers) to '{place}'"""
        )
    assert bakeoff("import", place, "--db", db, "--as", "rankings").code == 0
    rows, lists = stored(tmp_path)
    assert winners(rows) == {("b", "a"), ("b", "c"), ("a", "c")}
    assert {pair.n_pairs for pair in lists.values()} == {3}


def test_a_row_that_cannot_be_understood_takes_nothing_in_or_is_left_out_aloud(tmp_path: Path):
    rows = ranking(1, 2), ranking(2, 2), {"answers": answers(1, 2)}
    line = error_of(brought(tmp_path, *rows))
    assert "row 2: all answers have rank 2" in line
    with VoteStore.open(tmp_path / "arena.duckdb") as store:
        assert store.log.position()[0] == 0
        assert store.ranked.all() == {}
    said = brought(tmp_path, *rows, options=("--skip-bad",))
    assert said.out == "1 new rankings from 3 rows (0 known already, 2 left out)\n"
    assert "row 3: the list says not what was asked" in said.err


def test_a_list_that_says_twice_what_was_asked_is_refused_and_no_message_is_dropped(tmp_path: Path):
    line = error_of(brought(tmp_path, ranking(1, 2, prompt_text="Why?")))
    assert "row 1: the list says what was asked twice, as prompt_text and as messages" in line


def test_lists_are_rated_as_the_votes_they_are_and_the_log_is_whole(tmp_path: Path):
    brought(tmp_path, ranking(1, 2, 3), ranking(2, 1, 3, voter="bob"), ranking(3, 2, 1, voter="eve"))
    db = tmp_path / "arena.duckdb"
    assert bakeoff("verify", "--db", db).code == 0
    record = bakeoff("rate", "--db", db, "--json").record
    assert record["n_votes"] == 9


# ---- the export ----


def exported(tmp_path: Path, name: str) -> list[dict[str, Any]]:
    db, out = tmp_path / "arena.duckdb", tmp_path / name
    said = bakeoff("export", "--db", db, "--out", out, "--format", name, "--test-share", "0", "--force")
    assert said.code == 0, said.err
    with duckdb.connect() as con:
        rows = con.execute(f"from '{out}/{name}/train-*.parquet'")
        names = [column for column, *_ in rows.description or []]
        return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]


def test_an_exported_list_weighs_one_vote_and_comes_back_as_it_was_said(tmp_path: Path):
    brought(tmp_path, ranking(3, 1, 2, 4))
    pairs = exported(tmp_path, "preference")
    assert len(pairs) == 6
    assert sum(row["weight"] for row in pairs) == pytest.approx(1)
    [row] = exported(tmp_path, "ranked")
    assert [(each["model"], each["rank"]) for each in row["answers"]] == [("m1", 1), ("m2", 2), ("m0", 3), ("m3", 4)]
    assert row["list_id"] == list_id_of(tmp_path)


def test_answers_of_one_rank_share_a_place_in_the_exported_list(tmp_path: Path):
    brought(tmp_path, ranking(1, 2, 2))
    pairs = exported(tmp_path, "preference")
    assert [row["weight"] for row in pairs] == [pytest.approx(1 / 2)] * 2
    [row] = exported(tmp_path, "ranked")
    assert {each["model"]: each["rank"] for each in row["answers"]} == {"m0": 1, "m1": 2.5, "m2": 2.5}


def test_lists_that_share_two_answers_come_back_each_as_it_was_said(tmp_path: Path):
    first, other = ranking(1, 2, 3), ranking(2, 1, 3, voter="bob")
    other["answers"] = [*other["answers"][:2], {"model": "m9", "rank": 3, "text": "Text of m9"}]
    brought(tmp_path, first, other)
    told = [[each["model"] for each in row["answers"]] for row in exported(tmp_path, "ranked")]
    assert sorted(told) == [["m0", "m1", "m2"], ["m1", "m0", "m9"]]


def list_id_of(tmp_path: Path) -> str:
    [pair] = set(stored(tmp_path)[1].values())
    return pair.list_id
