"""Lists that voters rank: what is drawn, what is stored, and that it is blind, once, and kept."""

from collections import Counter
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battle import SkipReason, Source, Verdict
from arena.errors import (
    AlreadyRanked,
    BallotExpired,
    BallotSkipped,
    Fault,
    NoBallotLeft,
    NotALabel,
    NothingToWithdraw,
    NotOffered,
    TooLateToWithdraw,
    UnknownBallot,
    VoteWithdrawn,
)
from arena.export import export
from arena.list_voting import ListBallot, ListBooth
from arena.ranked_list import list_id
from arena.review import Review
from arena.rules import check_rules
from arena.store import VoteStore
from arenas import booth, fill, race, voter
from dataset_world import manifest_in
from ground import NOW

RANKED = '[ballot]\nkind = "ranked"\nanswers = 4\n'
BEST_FIRST = [1, 2, 3, 4]


@pytest.fixture
def arena(store: VoteStore) -> VoteStore:
    fill(store, NOW, n_prompts=4, n_models=6)
    store.catalogue.set_rules(RANKED, None, NOW)
    return store


def lists(store: VoteStore, seed: int = 0) -> ListBooth:
    return ListBooth(store, booth(store, NOW), rng=Random(seed), now=NOW)


def models_of(ballot: ListBallot) -> list[str]:
    """Whose the texts are, as `fill` has written them."""
    return [text.split(" ")[2] for text in ballot.answers]


def wins(store: VoteStore) -> Counter[tuple[str, str]]:
    """Who was better than whom, by the log."""
    found: Counter[tuple[str, str]] = Counter()
    for tally in store.votes.tallies(up_to=store.log.position()[0]):
        if tally.left_out is None:
            a, b = tally.model_a, tally.model_b
            found[(a, b) if tally.verdict is Verdict.A else (b, a)] += tally.n
    return found


def test_a_list_says_every_pair_of_different_ranks_and_no_other(arena: VoteStore):
    here, me = lists(arena), voter()
    ballot = here.open(me, NOW)
    one, two, three, four = models_of(ballot)
    names = here.rank(ballot.id, [2, 1, 4, 2], me, NOW)
    assert [each.model.id for each in names] == [one, two, three, four]
    assert wins(arena) == {(two, one): 1, (two, three): 1, (two, four): 1, (one, three): 1, (four, three): 1}
    opened = arena.lists.find(ballot.id)
    assert opened is not None
    noted = {(each.list_id, each.n_pairs) for each in arena.ranked.all().values()}
    assert noted == {(list_id(opened.prompt_id, opened.answers), 5)}
    assert opened.ranks == (2, 1, 3, 2)  # without gaps
    assert arena.log.broken_links() == []


@settings(max_examples=20, deadline=None)
@given(ranks=st.lists(st.integers(1, 5), min_size=5, max_size=5).filter(lambda each: len(set(each)) > 1))
def test_whatever_the_ranks_the_votes_say_them(ranks: list[int]):
    with VoteStore.open(None) as store:
        fill(store, NOW, n_prompts=1, n_models=5)
        store.catalogue.set_rules(RANKED.replace("4", "5"), None, NOW)
        here, me = lists(store), voter()
        ballot = here.open(me, NOW)
        here.rank(ballot.id, ranks, me, NOW)
        models = models_of(ballot)
        assert wins(store) == Counter(
            (models[i], models[j]) if ranks[i] < ranks[j] else (models[j], models[i])
            for i, j in combinations(range(5), 2)
            if ranks[i] != ranks[j]
        )


@pytest.mark.parametrize("ranks", [[], [1, 2, 3], [1, 2, 3, 4, 5], [0, 1, 2, 3], [1, 2, 3, 5], [2, 2, 2, 2]])
def test_ranks_that_are_none_or_prefer_nothing_are_refused(arena: VoteStore, ranks: list[int]):
    here, me = lists(arena), voter()
    ballot = here.open(me, NOW)
    with pytest.raises(NotALabel, match="4 whole numbers from 1 to 4, not all the same"):
        here.rank(ballot.id, ranks, me, NOW)
    assert arena.log.position()[0] == 0


def test_which_answers_and_in_which_order_is_chance_and_its_probability_is_stored(arena: VoteStore):
    # Of 4 prompts, and of 6 answers 4: two of them are there with 4*3/(6*5), and one of the two is A with 1/2.
    shown: Counter[tuple[str, int]] = Counter()
    here = lists(arena, seed=3)
    n = 300
    for _ in range(n):
        ballot = here.open(voter(), NOW)
        opened = arena.lists.find(ballot.id)
        assert opened is not None
        assert opened.draw_probability == pytest.approx(4 * 3 / (6 * 5) / 4 / 2)
        assert len(set(models_of(ballot))) == 4
        shown.update((model, place) for place, model in enumerate(models_of(ballot)))
    # Each model in each place: n/6 = 50 times, with a standard deviation of sqrt(300 * 1/6 * 5/6) = 6.5.
    assert len(shown) == 24
    assert all(abs(times - n / 6) < 5 * 6.5 for times in shown.values())


def test_the_better_answer_stands_on_either_side_alike(arena: VoteStore):
    here = lists(arena, seed=1)
    for _ in range(40):
        me = voter()
        here.rank(here.open(me, NOW).id, BEST_FIRST, me, NOW)
    verdicts: Counter[Verdict] = Counter()
    for tally in arena.votes.tallies(up_to=arena.log.position()[0]):
        verdicts[tally.verdict] += tally.n
    assert verdicts.total() == 240
    assert abs(verdicts[Verdict.A] - 120) < 5 * 7.75  # sqrt(240 / 4)


def test_a_reload_shows_the_same_list_and_what_was_revealed_never_comes_again(arena: VoteStore):
    here, me = lists(arena), voter()
    seen: Counter[str] = Counter()
    for _ in range(4):
        ballot = here.open(me, NOW)
        assert here.open(me, NOW) == ballot
        seen.update(ballot.answers)
        here.rank(ballot.id, BEST_FIRST, me, NOW)
    assert set(seen.values()) == {1}
    with pytest.raises(NoBallotLeft):  # two blind answers are left of each prompt
        here.open(me, NOW)
    with arena._database.read() as cursor:
        assert cursor.execute("select distinct blind from votes").fetchall() == [(True,)]


def test_the_same_ranks_again_store_nothing_and_others_are_refused(arena: VoteStore):
    here, me = lists(arena), voter()
    ballot = here.open(me, NOW)
    first = here.rank(ballot.id, BEST_FIRST, me, NOW)
    assert here.rank(ballot.id, BEST_FIRST, me, NOW) == first
    with pytest.raises(AlreadyRanked):
        here.rank(ballot.id, [4, 3, 2, 1], me, NOW)
    with pytest.raises(AlreadyRanked):
        here.skip(ballot.id, SkipReason.OTHER, me, NOW)
    assert arena.log.position()[0] == 6


def test_a_race_stores_one_ranking_whole(arena: VoteStore):
    here, me = lists(arena), voter()
    ballot = here.open(me, NOW)
    told = race(lambda n: here.rank(ballot.id, [1 + n % 2, 2 - n % 2, 3, 4], me, NOW), 8, refused=AlreadyRanked)
    assert sum(not isinstance(each, AlreadyRanked) for each in told) == 4
    assert arena.log.position()[0] == 6
    assert arena.log.broken_links() == []


def test_a_race_opens_one_list(arena: VoteStore):
    here, me = lists(arena), voter()
    assert len({each.id for each in race(lambda _: here.open(me, NOW), 6, refused=NoBallotLeft)}) == 1


def test_a_list_is_its_voters_own_and_expires(arena: VoteStore):
    here, me, other = lists(arena), voter(), voter()
    ballot = here.open(me, NOW)
    with pytest.raises(UnknownBallot):
        here.rank(ballot.id, BEST_FIRST, other, NOW)
    with pytest.raises(UnknownBallot):
        here.skip(ballot.id, SkipReason.OTHER, other, NOW)
    opened = arena.lists.find(ballot.id)
    assert opened is not None
    with pytest.raises(BallotExpired):
        here.rank(ballot.id, BEST_FIRST, me, opened.expires_at)
    assert here.open(me, opened.expires_at).id != ballot.id
    assert arena.log.position()[0] == 0


def test_a_skip_closes_the_list_and_its_prompt_does_not_come_back(arena: VoteStore):
    here, me = lists(arena), voter()
    prompts = []
    for _ in range(4):
        ballot = here.open(me, NOW)
        prompts.append(ballot.messages)
        here.skip(ballot.id, SkipReason.TOO_ALIKE, me, NOW)
        here.skip(ballot.id, SkipReason.OTHER, me, NOW)
        with pytest.raises(BallotSkipped):
            here.rank(ballot.id, BEST_FIRST, me, NOW)
    assert len(set(prompts)) == 4
    with pytest.raises(NoBallotLeft):
        here.open(me, NOW)


def test_a_list_is_taken_back_whole_until_the_next_one(arena: VoteStore):
    here, me = lists(arena), voter()
    first = here.open(me, NOW)
    with pytest.raises(NothingToWithdraw):
        here.withdraw(first.id, me, NOW)
    here.rank(first.id, BEST_FIRST, me, NOW)
    second = here.open(me, NOW)
    here.withdraw(first.id, me, NOW)
    here.withdraw(first.id, me, NOW)
    assert wins(arena) == {}
    assert arena.votes.n_standing() == 0
    with pytest.raises(VoteWithdrawn):
        here.rank(first.id, BEST_FIRST, me, NOW)
    assert here.last_list(me) is None
    here.rank(second.id, BEST_FIRST, me, NOW)
    assert here.last_list(me) == second.id
    third = here.open(me, NOW)
    here.rank(third.id, BEST_FIRST, me, NOW)
    with pytest.raises(TooLateToWithdraw):
        here.withdraw(second.id, me, NOW)
    assert arena.log.broken_links() == []


def test_names_seen_on_a_page_meanwhile_make_the_votes_on_them_not_blind(arena: VoteStore):
    here, me = lists(arena), voter()
    ballot = here.open(me, NOW)
    opened = arena.lists.find(ballot.id)
    assert opened is not None
    assert opened.prompt_id in arena.exposures.prompts_open_for(me, NOW)  # so that no page shows these answers
    arena.exposures.add(me, [opened.answers[0]], NOW)
    here.rank(ballot.id, BEST_FIRST, me, NOW)
    with arena._database.read() as cursor:
        rows = cursor.execute("select blind, count(*) from votes group by all order by all").fetchall()
    assert rows == [(False, 3), (True, 3)]


def test_pairs_and_lists_are_not_mixed(arena: VoteStore):
    me = voter()
    with pytest.raises(NotOffered):
        booth(arena, NOW).open(me, NOW)
    arena.catalogue.set_rules("", None, NOW)
    with pytest.raises(NotOffered):
        lists(arena).open(me, NOW)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ("[labels]\ncomment = true", "no labels:"),
        ("[items]\ngold = 0.1", "no items:"),
        ('[pairing]\nmode = "close"', "no pairing.mode:"),
        ("[guideline]\ncalibration = 1", "no guideline.calibration:"),
        ("[labels]\ncomment = true\n[items]\ngold = 0.1", "no labels and no items:"),
    ],
)
def test_all_that_is_for_pairs_is_refused_with_lists_at_once(other: str, named: str):
    faults: list[Fault] = []
    check_rules("arena.toml", f"{RANKED}{other}\n", faults)
    assert named in faults[0].message
    assert faults[0].place == 2  # where kind stands, below [ballot]


def test_a_ranking_carries_the_consent_of_its_voter_and_is_exported_by_it(arena: VoteStore, tmp_path: Path):
    asking = '[consent]\nversion = "1"\nlicense = "cc0-1.0"\npurpose = "train"\ntext = "May we?"\n'
    arena.catalogue.set_rules(RANKED + asking, None, NOW)
    pairs = booth(arena, NOW)
    here, me, other = ListBooth(arena, pairs, rng=Random(0), now=NOW), voter(), voter()
    pairs.say(me, "1", is_given=True, now=NOW)
    for each in (me, other):
        here.rank(here.open(each, NOW).id, BEST_FIRST, each, NOW)
    export(arena, tmp_path / "out", names=("raw_votes",), sources=(Source.HUMAN,))
    told = manifest_in(tmp_path / "out")["formats"]["raw_votes"]
    assert (told["kept"], told["left_out"]) == (6, {"no consent is known": 6})


def test_a_list_survives_a_restart(tmp_path: Path):
    path, me = tmp_path / "arena.duckdb", voter()
    with VoteStore.open(path) as store:
        fill(store, NOW, n_prompts=2, n_models=4)
        store.catalogue.set_rules(RANKED, None, NOW)
        ballot = lists(store).open(me, NOW)
    with VoteStore.open(path) as store:
        assert lists(store, 7).open(me, NOW) == ballot
        lists(store).rank(ballot.id, [1, 1, 2, 2], me, NOW)
    with VoteStore.open(path) as store:
        assert len(wins(store)) == 4
        assert store.log.broken_links() == []


def test_an_honest_voter_of_lists_is_accused_of_nothing(store: VoteStore):
    # A list of 6 is 15 votes on one question, at one time; 12 lists are 180 votes on 12 of 60 questions.
    fill(store, NOW, n_prompts=60, n_models=6)
    store.catalogue.set_rules(RANKED.replace("4", "6"), None, NOW)
    here, chance = lists(store), Random(3)
    for _ in range(3):
        me, at = voter(), NOW
        for number in range(12):
            ballot = here.open(me, at)
            at += timedelta(seconds=0 if number == 0 else 60)  # once in a hurry
            here.rank(ballot.id, chance.sample(range(1, 7), 6), me, at)
    review = Review(store, sources=(Source.HUMAN,), on_failure=lambda what, error: pytest.fail(f"{what}: {error}"))
    found = review.look(store.log.position()[0])
    review.close()
    assert found.suspects == ()
    n_log = store.log.position()[0]
    assert {each.n for each in store.conduct.speeds(n_log, (Source.HUMAN,), 3.0)} == {12}
    assert {(each.n, each.n_on_it) for each in store.conduct.repeats(n_log, (Source.HUMAN,))} == {(12, 1)}
