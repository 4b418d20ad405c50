"""An adjudicated pair is a row by the adjudicator's verdict; how far votes disagree is told, and can be asked for."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battle import Adjudication, AnswerId, Verdict, VoteId, VoterId, Withdrawal
from arena.dataset.split import SplitRule
from arena.errors import BadInput
from arena.export import Order, export
from arena.preferences.choices import Choices
from arena.preferences.example import disagreement
from arena.preferences.formats import formats
from arena.preferences.formats.pairs import BELOW_FLOOR, DISPUTED, OVERRULED, TIE
from arena.store import VoteStore
from dataset_world import NOW, SECRET, Said, World, manifest_in, rows_in, sorted_rows, union
from opinions import P, cast, judged, vote

A, B, NEITHER, BAD = Verdict
FORMATS = formats()
KEY = P, AnswerId("x"), AnswerId("y")
HALF = Order(split=SplitRule(Fraction(1, 2)))

some_votes = st.lists(st.sampled_from(list(Verdict)), min_size=1, max_size=8)


def said(verdicts: Sequence[Verdict]) -> list[Any]:
    return [vote(each, number=number) for number, each in enumerate(verdicts)]


# ---- what becomes of the votes on an adjudicated pair ----


@given(some_votes, st.sampled_from(list(Verdict)))
def test_whatever_the_votes_say_the_adjudicated_verdict_stands_and_every_vote_is_accounted_for(
    verdicts: list[Verdict], decided: Verdict
):
    [found], account = judged([cast(said(verdicts))], adjudicated={KEY: decided})
    assert (found.verdict, found.weight) == (decided, 1.0)
    assert found.adjudicated is not None
    assert found.agreement is None or 0 <= found.agreement <= 1
    for name, format_ in FORMATS.items():
        account.take(found, {name: format_})
        out = format_.left_out(found)
        assert set(out.values()).isdisjoint({0})
        assert sum(out.values()) <= len(verdicts)
    assert OVERRULED not in FORMATS["preference"].left_out(found) or not decided.is_decisive
    # What the votes alone would have said is what they say where nobody has decided.
    [alone], _ = judged([cast(said(verdicts))])
    assert found.adjudicated.by_votes is alone.verdict


@given(some_votes)
def test_an_adjudication_of_another_pair_changes_nothing(verdicts: list[Verdict]):
    other = {(P, AnswerId("x"), AnswerId("z")): B}
    assert judged([cast(said(verdicts))], adjudicated=other)[0] == judged([cast(said(verdicts))])[0]


def test_a_pair_adjudicated_as_a_tie_has_no_row_and_says_why():
    [found], _ = judged([cast(said([A, A, B, NEITHER]))], adjudicated={KEY: NEITHER})
    assert FORMATS["preference"].left_out(found) == {OVERRULED: 3, TIE: 1}
    [bad], _ = judged([cast(said([A, BAD, NEITHER]))], adjudicated={KEY: BAD})
    # Two rows with false rest on the vote that calls both bad, and on no other.
    assert FORMATS["unpaired"].left_out(bad) == {OVERRULED: 1, TIE: 1}


def test_agreement_with_an_adjudicator_is_unknown_where_no_vote_is_decisive():
    [found], _ = judged([cast(said([NEITHER, BAD]))], adjudicated={KEY: A})
    assert (found.agreement, found.n_decisive, found.chosen) == (None, 0, found.answer_a)


# ---- disagreement ----


@given(st.lists(st.sampled_from(list(Verdict)), max_size=8))
def test_disagreement_is_what_counting_every_pair_of_votes_gives(verdicts: list[Verdict]):
    pairs = list(combinations([each if each.is_decisive else None for each in verdicts], 2))
    expected = Fraction(sum(one is not other for one, other in pairs), len(pairs)) if pairs else None
    assert disagreement(verdicts) == expected
    assert disagreement(each.swapped for each in verdicts) == expected


@given(some_votes, st.fractions(0, 1, max_denominator=30))
def test_exactly_the_pairs_that_disagree_more_than_asked_for_are_left_out(verdicts: list[Verdict], most: Fraction):
    [alone], _ = judged([cast(said(verdicts))])
    [found], _ = judged([cast(said(verdicts))], max_disagreement=most)
    apart = disagreement(verdicts)
    is_out = alone.chosen is not None and apart is not None and apart > most
    assert found.is_disputed is is_out
    assert found.verdict is (None if is_out else alone.verdict)


def test_ties_count_as_disagreement_and_a_single_vote_has_none():
    # AAt: of three pairs of votes two differ; agreement passes over the tie and says 1.
    [found], _ = judged([cast(said([A, A, NEITHER]))], max_disagreement=Fraction(1, 2))
    assert (found.chosen, found.agreement, found.disagreement) == (None, 1.0, 2 / 3)
    assert FORMATS["preference"].left_out(found) == {DISPUTED: 2, TIE: 1}
    [single], _ = judged([cast(said([A]))], max_disagreement=Fraction(0))
    assert (single.verdict, single.disagreement) == (A, None)
    [low], _ = judged([cast(said([A, A, A, B, B]))], max_disagreement=Fraction(0))
    assert FORMATS["preference"].left_out(low) == {BELOW_FLOOR: 5}


def test_an_adjudicated_pair_is_kept_however_much_its_votes_disagree():
    [found], _ = judged([cast(said([A, B]))], adjudicated={KEY: B}, max_disagreement=Fraction(0))
    assert (found.chosen, found.is_disputed, found.disagreement) == (found.answer_b, False, 1.0)


# ---- of the log ----


@pytest.fixture
def world(store: VoteStore) -> World:
    """20 pairs on which two voters agree, and 4 on which they do not."""
    found = World(store)
    votes = [Said(number, voter=f"voter-{k}") for number in range(20) for k in range(2)]
    votes += [
        Said(number, voter=f"voter-{k}", verdict=verdict) for number in range(20, 24) for k, verdict in ((1, A), (2, B))
    ]
    found.vote(*votes)
    return found


def decide(world: World, number: int, verdict: Verdict | None, reason: str = "The other one is wrong.") -> bool:
    """The verdict is on ada (A) against bob."""
    ada, bob = (world.answer(number, each) for each in ("ada", "bob"))
    return world.store.gold.adjudicate(Adjudication(ada.prompt_id, ada.id, bob.id, verdict, reason, "the host", NOW))


def gold_in(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["prompt_id"]: row for row in rows_in(folder, "gold")}


def test_pairs_that_votes_could_not_settle_are_rows_of_gold_by_the_adjudicator(world: World, tmp_path: Path):
    decide(world, 20, A)
    decide(world, 21, B)
    decide(world, 22, NEITHER)
    decide(world, 3, B)  # against both votes
    done = export(world.store, tmp_path / "out", names=("preference", "raw_votes"), order=HALF, secret=SECRET)
    gold = gold_in(tmp_path / "out")
    assert {key: (row["chosen_model"], row["agreement"]) for key, row in gold.items()} == {
        "p0003": ("bob", 0.0),
        "p0020": ("ada", 0.5),
        "p0021": ("bob", 0.5),
    }
    assert {row["verdict_by"] for row in gold.values()} == {"adjudication"}
    assert {row["adjudicated_at"] for row in gold.values()} == {NOW.isoformat()}
    assert {row["disagreement"] for row in gold.values()} == {0.0, 1.0}
    rows = rows_in(tmp_path / "out", "preference")
    assert {(row["verdict_by"], row["adjudicated_at"]) for row in rows} == {("votes", None)}
    assert len(rows) == 19
    assert not set(gold) & {row["prompt_id"] for row in rows}
    assert done.manifest["adjudication"] == {
        "is_used": True,
        "n_standing": 4,
        "n_pairs": 4,
        "n_rows": 3,
        "votes_say_the_same": 0,
        "votes_say_otherwise": 1,
        "votes_say_nothing": 3,
    }
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "4 pairs of answers have the verdict of an adjudicator in place of that of the votes" in card
    for told in done.manifest["formats"].values():
        assert told["kept"] + sum(told["left_out"].values()) == done.manifest["n_votes"] == 48


def test_no_file_of_an_export_names_who_adjudicated_or_why(world: World, tmp_path: Path):
    decide(world, 20, A, "Grace of the support team knows it.")
    export(world.store, tmp_path / "out", names=tuple(FORMATS), order=HALF, secret=SECRET)
    for file in (tmp_path / "out").rglob("*"):
        assert not file.is_file() or b"Grace" not in file.read_bytes()


def test_switched_off_the_votes_decide_and_gold_stays_out_of_train(world: World, tmp_path: Path):
    decide(world, 20, A)
    decide(world, 3, B)
    choices = Choices(use_adjudications=False)
    done = export(world.store, tmp_path / "out", order=HALF, secret=SECRET, choices=choices)
    gold = gold_in(tmp_path / "out")
    assert {key: (row["chosen_model"], row["verdict_by"]) for key, row in gold.items()} == {"p0003": ("ada", "votes")}
    assert not {"p0003", "p0020"} & {row["prompt_id"] for row in rows_in(tmp_path / "out", "preference")}
    assert (done.manifest["adjudication"]["is_used"], done.manifest["adjudication"]["n_pairs"]) == (False, 0)
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "adjudicated on 2 pairs of answers. This export takes no account of it" in card


def test_an_adjudication_that_was_taken_back_counts_for_nothing(world: World, tmp_path: Path):
    export(world.store, tmp_path / "before", order=HALF, secret=SECRET)
    decide(world, 20, A)
    decide(world, 3, B)
    decide(world, 20, None)
    decide(world, 3, None)
    done = export(world.store, tmp_path / "after", order=HALF, secret=SECRET)
    for config in ("preference", "gold"):
        assert sorted_rows(rows_in(tmp_path / "after", config)) == sorted_rows(rows_in(tmp_path / "before", config))
    assert done.manifest["adjudication"]["n_standing"] == 0
    assert "## Adjudication" not in (tmp_path / "after" / "README.md").read_text(encoding="utf-8")


def test_of_two_adjudications_the_last_holds_and_an_increment_replaces_the_row(world: World, tmp_path: Path):
    decide(world, 20, A)
    export(world.store, tmp_path / "first", order=HALF, key=SECRET)
    decide(world, 20, B)
    since = Order(split=HALF.split, since=manifest_in(tmp_path / "first"))
    export(world.store, tmp_path / "more", order=since, key=SECRET)
    export(world.store, tmp_path / "whole", order=HALF, key=SECRET)
    assert gold_in(tmp_path / "more")["p0020"]["chosen_model"] == "bob"
    for config in ("preference", "gold"):
        together = union(rows_in(tmp_path / "first", config), tmp_path / "more", config, "pair_id")
        assert sorted_rows(together) == sorted_rows(rows_in(tmp_path / "whole", config))


def test_an_increment_over_an_adjudication_of_another_prompt_is_refused(world: World, tmp_path: Path):
    # What was in train would have to leave it, and nothing moves.
    export(world.store, tmp_path / "first", order=HALF, key=SECRET)
    decide(world, 20, B)
    with pytest.raises(BadInput, match="same choices as the export it goes on from: gold"):
        export(world.store, tmp_path / "more", order=Order(split=HALF.split, since=manifest_in(tmp_path / "first")))


def test_an_adjudication_without_a_vote_that_counts_makes_no_row(world: World, tmp_path: Path):
    decide(world, 20, A)
    for number in (41, 42):  # the two votes on that pair
        world.store.votes.withdraw(Withdrawal(VoteId(f"vote-{number:06d}"), VoterId(f"voter-{number - 40}"), NOW))
    done = export(world.store, tmp_path / "out", order=HALF, secret=SECRET)
    assert gold_in(tmp_path / "out") == {}
    adjudication = done.manifest["adjudication"]
    assert (adjudication["n_standing"], adjudication["n_pairs"]) == (1, 0)


def test_the_same_votes_and_adjudications_give_the_same_bytes(world: World, tmp_path: Path):
    decide(world, 21, B)
    for name in ("one", "other"):
        export(world.store, tmp_path / name, order=HALF, secret=SECRET)
    digests = [
        {name: told["sha256"] for name, told in manifest_in(tmp_path / each)["files"].items()}
        for each in ("one", "other")
    ]
    assert digests[0] == digests[1]


def test_the_account_of_many_pairs_adds_up_by_hand(world: World, tmp_path: Path):
    # Of 24 pairs 20 have two votes for ada, which differ on none; on 4 the two votes differ: 1 above any floor below 1.
    choices = Choices(max_disagreement=Fraction(1, 2), keep_conflicts=True)
    export(world.store, tmp_path / "out", order=HALF, secret=SECRET, choices=choices)
    rows = rows_in(tmp_path / "out", "preference")
    assert Counter(row["disagreement"] for row in rows) == {0.0: 20}
