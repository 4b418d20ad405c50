"""Kinds of items: drawn with the probability that is stored, shared by as many voters as asked for, repeated."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations
from random import Random

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from arena.battle import (
    AnswerId,
    Exclusion,
    ItemKind,
    KnownVerdict,
    ModelId,
    Pair,
    PromptId,
    SkipReason,
    Source,
    Verdict,
    VoterId,
    pair_of,
)
from arena.errors import BallotExpired, DatabaseUnavailable, NoBallotLeft
from arena.items import MOST_UNDER_WAY, Items, Queue, Shared, Shares, View
from arena.pairing import Candidate, Draw, Pool
from arena.store import VoteStore
from arena.tally import NOT_BLIND, REPEATED, Selection
from arena.voting import Booth
from arena.wholeness import examine
from arenas import booth, fill, race, voter
from ground import NOW

SECOND = timedelta(seconds=1)


@pytest.fixture
def store() -> Iterator[VoteStore]:
    with VoteStore.open(None) as opened:
        yield opened


def candidates(n_prompts: int, n_models: int) -> list[Candidate]:
    return [
        Candidate(PromptId(f"p{p}"), ModelId(f"m{m}"), AnswerId(f"p{p}/m{m}"), f"p{p} m{m}")
        for p in range(n_prompts)
        for m in range(n_models)
    ]


def pair(prompt: int, one: int, other: int) -> Pair:
    return pair_of(AnswerId(f"p{prompt}/m{one}"), AnswerId(f"p{prompt}/m{other}"))


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def under_way(of: Pair, minutes: float = 0, **said: Verdict) -> Shared:
    return Shared(of, later(minutes), {VoterId(each): verdict for each, verdict in said.items()}, {})


def outcome(draw: Draw) -> tuple[ItemKind, str, str]:
    return draw.kind, draw.a.answer_id, draw.b.answer_id


# ---- what is drawn, and with what probability ----

# A voter of 3 prompts with 4 answers who has judged two pairs, one of them long enough ago, and skipped a third.
SEEN = View(
    revealed={PromptId("p0"): {ModelId("m0"), ModelId("m1")}, PromptId("p1"): {ModelId("m2"), ModelId("m3")}},
    skipped=[frozenset(pair(2, 0, 1))],
    judged=(pair(0, 0, 1), pair(1, 2, 3)),
)


def dealt(shares: Shares, shared: list[Shared], known: list[Pair]) -> Items:
    items = Items(Pool(candidates(3, 4)), shares)
    items.renew(shared, known)
    return items


shares_of = st.sampled_from([0.0, 0.2, 0.3])


@settings(max_examples=6, deadline=None)
@given(
    overlap=shares_of,
    repeat=shares_of,
    gold=shares_of,
    opened=st.lists(
        st.sampled_from([pair(p, *two) for p in range(3) for two in combinations(range(4), 2)]), unique=True
    ),
    n_voters=st.integers(2, 3),
    n_said=st.integers(0, 3),
    known=st.lists(st.sampled_from([pair(2, 0, 1), pair(2, 2, 3), pair(0, 0, 1), pair(1, 0, 1)]), unique=True),
)
def test_what_could_be_drawn_has_probabilities_that_sum_to_1(  # noqa: PLR0917 - one for each thing that is drawn
    overlap: float, repeat: float, gold: float, opened: list[Pair], n_voters: int, n_said: int, known: list[Pair]
):
    shares = Shares(overlap=overlap, overlap_voters=n_voters, repeat=repeat, repeat_after=1, gold=gold)
    said = {f"v{n}": Verdict.A for n in range(n_said)}
    items = dealt(shares, [under_way(each, n, **said) for n, each in enumerate(opened)], known)
    rng = Random(1)
    # Of 7 free pairs (1 + 1 + 5) with 2 orders each, the rarest comes in 0.1 of the draws / 14; 2,500 draws miss it
    # with a chance of e^-17.
    drawn = {outcome(draw): draw.probability for _ in range(2500) if (draw := items.draw(SEEN, rng, later(99)))}
    assert sum(drawn.values()) == pytest.approx(1)
    for kind, one, other in drawn:
        both = pair_of(AnswerId(one), AnswerId(other))
        assert kind is ItemKind.REPEAT or items._pool.is_blind(both, SEEN.revealed, SEEN.skipped)
        assert kind is not ItemKind.REPEAT or both == pair(0, 0, 1)
        assert kind is not ItemKind.GOLD or both in known


def test_each_outcome_comes_as_often_as_its_probability_says():
    shares = Shares(overlap=0.3, overlap_voters=2, repeat=0.1, repeat_after=1, gold=0.2)
    items = dealt(shares, [under_way(pair(2, 2, 3))], [pair(2, 1, 2), pair(1, 0, 1)])
    rng, n = Random(7), 20_000
    draws = [draw for _ in range(n) if (draw := items.draw(SEEN, rng, NOW))]
    told = {outcome(draw): draw.probability for draw in draws}
    counts = Counter(map(outcome, draws))
    assert chisquare([counts[each] for each in told], [n * p for p in told.values()]).pvalue > 1e-3
    # The kinds have their shares, and 0.4 is left for the fresh ones; each within what one look in a thousand exceeds.
    kinds = Counter(draw.kind for draw in draws)
    for kind, share in (("overlap", 0.3), ("repeat", 0.1), ("gold", 0.2), ("fresh", 0.4)):
        assert binomtest(kinds[ItemKind(kind)], n, share).pvalue > 1e-3
    # Of every kind one side is as likely as the other.
    for kind in ItemKind:
        own = [draw for draw in draws if draw.kind is kind]
        assert binomtest(sum(draw.a.model_id < draw.b.model_id for draw in own), len(own)).pvalue > 1e-3
    # The pair whose turn it is, and one of the pairs, in each order.
    assert told[ItemKind.OVERLAP, "p2/m2", "p2/m3"] == pytest.approx(0.3 / 2)
    assert told[ItemKind.REPEAT, "p0/m0", "p0/m1"] == pytest.approx(0.1 / 2)
    assert told[ItemKind.GOLD, "p2/m1", "p2/m2"] == pytest.approx(0.2 / 2 / 2)
    assert told[ItemKind.FRESH, "p2/m2", "p2/m3"] == pytest.approx(0.4 / 7 / 2)


def test_without_shares_the_draws_are_those_of_the_pool_to_the_last_digit():
    items = dealt(Shares(), [], [pair(2, 0, 1)])
    pool = Pool(candidates(3, 4))
    for seed in range(50):
        assert items.draw(SEEN, Random(seed), NOW) == pool.draw(SEEN.revealed, Random(seed), skipped=SEEN.skipped)


def test_the_policy_tells_the_shares_and_no_kind():
    items = dealt(Shares(overlap=0.5, gold=0.25), [under_way(pair(2, 2, 3))], [pair(2, 1, 2)])
    policies = {draw.policy for seed in range(50) if (draw := items.draw(SEEN, Random(seed), NOW))}
    assert policies == {"uniform-over-blind-pairs, items(overlap=0.5 of 3, repeat=0.0 after 20, gold=0.25)"}


def test_who_has_judged_everything_gets_nothing_and_no_repeats_instead():
    everything = View({PromptId(f"p{p}"): {ModelId(f"m{m}") for m in range(4)} for p in range(3)}, (), SEEN.judged)
    items = dealt(Shares(repeat=1.0, repeat_after=1), [], [])
    assert items.draw(everything, Random(1), NOW) is None


# ---- the queue ----


def always(_: Pair) -> bool:
    return True


def test_the_oldest_pair_comes_first_and_only_while_it_has_a_place():
    queue = Queue(2, hard=False, pairs=[under_way(pair(1, 0, 1), 2), under_way(pair(0, 0, 1), 1)])
    now = later(10)
    assert queue.next(always, now) == pair(0, 0, 1)
    for each in ("v1", "v2"):
        queue.hold(pair(0, 0, 1), VoterId(each), now, now + timedelta(minutes=5))
    assert queue.next(always, now) == pair(1, 0, 1)
    # A ballot that ran out gives its place back, a minute later than a vote can be sent.
    assert queue.next(always, later(16)) == pair(1, 0, 1)
    assert queue.next(always, later(16.1)) == pair(0, 0, 1)
    queue.note(pair(0, 0, 1), VoterId("v1"), Verdict.A)
    queue.note(pair(0, 0, 1), VoterId("v2"), Verdict.B)
    assert queue.next(always, later(99)) == pair(1, 0, 1)
    assert queue.next(lambda each: each != pair(1, 0, 1), later(99)) is None
    # A vote that is withdrawn opens the pair again, in its old place.
    queue.note(pair(0, 0, 1), VoterId("v2"), None)
    assert queue.next(always, later(99)) == pair(0, 0, 1)


def test_hard_lets_pairs_come_first_whose_votes_differ():
    pairs = [
        under_way(pair(0, 0, 1), 1, v1=Verdict.A),
        under_way(pair(1, 0, 1), 2, v1=Verdict.A, v2=Verdict.A),
        under_way(pair(2, 0, 1), 3, v1=Verdict.A, v2=Verdict.B),
    ]
    assert Queue(3, hard=True, pairs=pairs).next(always, later(9)) == pair(2, 0, 1)
    assert Queue(3, hard=False, pairs=pairs).next(always, later(9)) == pair(0, 0, 1)
    assert Queue(3, hard=True, pairs=pairs).next(lambda each: each != pair(2, 0, 1), later(9)) == pair(0, 0, 1)


def test_a_queue_that_is_full_opens_no_pair_and_its_share_goes_to_fresh_ones():
    many = [Candidate(PromptId(f"q{p}"), ModelId(m), AnswerId(f"q{p}/{m}"), m) for p in range(600) for m in "ab"]
    items = Items(Pool(many), Shares(overlap=1.0, overlap_voters=2))
    taken = [pair_of(AnswerId(f"q{p}/a"), AnswerId(f"q{p}/b")) for p in range(MOST_UNDER_WAY)]
    seen = View({PromptId(f"q{p}"): {ModelId("a")} for p in range(MOST_UNDER_WAY)})
    items.renew([under_way(each) for each in taken[1:]], [])
    assert {draw.kind for seed in range(20) if (draw := items.draw(seen, Random(seed), NOW))} == {ItemKind.OVERLAP}
    items.renew([under_way(each) for each in taken], [])
    draws = [draw for seed in range(20) if (draw := items.draw(seen, Random(seed), NOW))]
    assert {(draw.kind, draw.probability) for draw in draws} == {(ItemKind.FRESH, 1 / 200)}


# ---- in an arena ----


def arena(store: VoteStore, rules: str, n_prompts: int = 6, n_models: int = 4) -> Booth:
    fill(store, NOW, n_prompts, n_models)
    store.catalogue.set_rules(f"[items]\n{rules}", None, NOW)
    return booth(store, NOW)


def battles(store: VoteStore) -> list[tuple[ItemKind, Pair, VoterId, Verdict | None, float]]:
    """Of every ballot its kind, its pair, its voter, its verdict and the probability."""
    with store._database.read() as cursor:
        rows = cursor.execute(
            """select item_kind, answer_a, answer_b, o.voter_id, verdict, draw_probability
            from ballots o join battles using (battle_id) left join votes using (battle_id) order by opened_at"""
        ).fetchall()
    return [
        (ItemKind(kind), pair_of(a, b), who, verdict and Verdict(verdict), p) for kind, a, b, who, verdict, p in rows
    ]


@pytest.mark.parametrize("n_voters", [2, 3])
def test_every_pair_gets_exactly_so_many_voters_before_others_are_opened(store: VoteStore, n_voters: int):
    here = arena(store, f"overlap = 1.0\noverlap_voters = {n_voters}")
    rng, now = Random(n_voters), NOW
    for _ in range(n_voters * 3):
        person = voter()
        for _ in range(4):
            now += SECOND
            here.cast(here.open(person, now).id, rng.choice(list(Verdict)), person, now)
    found = battles(store)
    by_pair = Counter(each for kind, each, *_ in found if kind is ItemKind.OVERLAP)
    assert max(by_pair.values()) == n_voters
    # What still lacks voters is under way, and no more than the last people opened; a fresh ballot is where the pair
    # that was drawn to be opened had been open before.
    lacking = {each for each, n in by_pair.items() if n < n_voters}
    assert {each.pair for each in here._items.queue.under_way(now)} == lacking
    assert len(lacking) <= 4
    assert len(by_pair) > 4
    assert max(Counter((each, who) for _, each, who, *_ in found).values()) == 1


RULES = "overlap = 0.5\noverlap_voters = 3\nrepeat = 0.2\nrepeat_after = 3\ngold = 0.1\n"


@pytest.mark.parametrize("seed", range(2))
def test_after_anything_a_restart_finds_the_queue_as_it_was(store: VoteStore, seed: int):
    here, rng, now = arena(store, RULES), Random(seed), NOW
    people = [voter() for _ in range(8)]
    for step in range(100):
        now += timedelta(seconds=rng.choice([1, 1, 1, 30, 8000 if step % 20 == 0 else 1]))
        person = rng.choice(people)
        try:
            ballot = here.open(person, now)
            match rng.choice(["vote"] * 6 + ["skip", "leave", "undo", "exclude"]):
                case "vote":
                    here.cast(ballot.id, rng.choice(list(Verdict)), person, now)
                case "skip":
                    here.skip(ballot.id, SkipReason.OTHER, person, now)
                case "undo":
                    here.cast(ballot.id, Verdict.A, person, now)
                    here.withdraw(ballot.id, person, now)
                case "exclude" if step % 7 == 0:
                    exclude(store, here, person, now)
        except NoBallotLeft:
            pass
    live = here._items.queue.under_way(now)
    assert live
    assert booth(store, NOW)._items.queue.under_way(now) == live
    votes = [(kind, each, who) for kind, each, who, verdict, _ in battles(store) if verdict is not None]
    assert max(Counter((each, who) for kind, each, who in votes if kind is not ItemKind.REPEAT).values()) == 1
    assert max(Counter((each, who) for _, each, who in votes).values()) == 2
    counted = Counter(each for kind, each, _ in votes if kind is ItemKind.OVERLAP)
    assert all(len(each.said) <= 3 for each in store.overlaps.all())
    assert counted
    assert examine(store).broken == ()


def exclude(store: VoteStore, here: Booth, person: VoterId, now: datetime) -> None:
    store.exclusions.add(Exclusion(person, True, "a test", "Ada", now))
    here.recount()


def test_many_voters_at_once_put_no_pair_before_more_voters_than_asked_for(store: VoteStore):
    here = arena(store, "overlap = 1.0\noverlap_voters = 3", n_prompts=12)

    def vote_twice(_: int) -> None:
        person = voter()
        for n in range(3):
            here.cast(here.open(person, NOW + n * SECOND).id, Verdict.A, person, NOW + n * SECOND)

    race(vote_twice, 16, refused=NoBallotLeft)
    by_pair = Counter(each for kind, each, *_ in battles(store) if kind is ItemKind.OVERLAP)
    assert by_pair.total() > 40  # a few drew a pair to open that had been open before, and judged it as a fresh one
    assert max(by_pair.values()) == 3
    assert booth(store, NOW)._items.queue.under_way(NOW) == here._items.queue.under_way(NOW)


def test_a_ballot_that_could_not_be_stored_holds_no_place(store: VoteStore, monkeypatch: pytest.MonkeyPatch):
    here = arena(store, "overlap = 1.0\noverlap_voters = 2")
    with monkeypatch.context() as patched:

        def fail(*_: object) -> None:
            raise duckdb.IOException("the disk is full")

        patched.setattr("arena.store.transaction.append", fail)
        with pytest.raises(DatabaseUnavailable):
            here.open(voter(), NOW)
    person = voter()
    here.open(person, NOW)
    [held] = here._items.queue.under_way(NOW)
    assert set(held.waiting) == {person}


def test_an_expired_ballot_takes_no_vote_and_its_place_goes_to_the_next(store: VoteStore):
    here = arena(store, "overlap = 1.0\noverlap_voters = 2")
    first, second, third = voter(), voter(), voter()
    ballot = here.open(first, NOW)
    here.cast(here.open(second, NOW).id, Verdict.A, second, NOW)
    late = NOW + timedelta(minutes=122)
    here.open(third, late)
    assert len({each for _, each, *_ in battles(store)}) == 1
    with pytest.raises(BallotExpired):
        here.cast(ballot.id, Verdict.A, first, late)


# ---- repeats ----


def with_repeats(store: VoteStore, n: int = 6) -> tuple[Booth, VoterId, datetime]:
    """Somebody who casts so many votes, with a repeat whenever there is one, from the fourth on."""
    here = arena(store, "repeat = 1.0\nrepeat_after = 3")
    person, now = voter(), NOW
    for _ in range(n):
        now += SECOND
        here.cast(here.open(person, now).id, Verdict.A, person, now)
    return here, person, now


def test_a_pair_comes_again_once_and_after_so_many_votes(store: VoteStore):
    with_repeats(store)
    found = battles(store)
    assert [kind.value for kind, *_ in found] == ["fresh"] * 4 + ["repeat"] * 2 or [
        kind.value for kind, *_ in found
    ] == ["fresh"] * 3 + ["repeat"] * 3
    own = [each for _, each, *_ in found]
    for place, (kind, each, *_) in enumerate(found):
        if kind is ItemKind.REPEAT:
            assert place - own.index(each) > 3
    assert max(Counter(own).values()) == 2


def test_a_repeat_is_not_blind_and_counts_nowhere_under_a_reason_of_its_own(store: VoteStore):
    here, person, _ = with_repeats(store)
    n_log, _ = store.log.position()
    n_repeats = sum(kind is ItemKind.REPEAT for kind, *_ in battles(store))
    assert n_repeats == 2
    left_out = Counter({tally.left_out: tally.n for tally in store.votes.tallies(up_to=n_log) if tally.left_out})
    assert set(left_out) == {REPEATED}
    assert NOT_BLIND not in left_out
    with store.votes.table(Selection(), up_to=n_log) as table:
        counted = table.counted()
    assert int(counted.n.sum()) == 4
    with store._database.read() as cursor:
        blind = cursor.execute("select item_kind, blind from votes join battles using (battle_id)").fetchall()
    assert set(blind) == {("fresh", True), ("repeat", False)}
    # They steer no draw either: of four pairs of models with a vote each, no weight is that of two.
    assert int(here._pool._votes._wins.sum()) == 4
    assert here.counts(person).mine == 6


def test_what_was_withdrawn_or_skipped_does_not_come_again(store: VoteStore):
    here = arena(store, "repeat = 1.0\nrepeat_after = 1")
    person = voter()
    taken_back = here.open(person, NOW)
    here.cast(taken_back.id, Verdict.A, person, NOW)
    here.withdraw(taken_back.id, person, NOW)
    for n in range(3):
        now = NOW + (n + 1) * SECOND
        here.cast(here.open(person, now).id, Verdict.A, person, now)
    found = battles(store)
    repeated = [each for kind, each, *_ in found if kind is ItemKind.REPEAT]
    assert repeated
    assert found[0][1] not in repeated


def test_what_a_voter_said_again_is_compared_with_the_first_time_whatever_the_sides(store: VoteStore):
    here = arena(store, "repeat = 0.5\nrepeat_after = 1")
    person, now = voter(), NOW
    changed = 0
    for n in range(8):
        now += SECOND
        ballot = here.open(person, now)
        battle = store.ballots.find(ballot.id)
        assert battle is not None
        # Prefers the answer of the lower model, but for every other repeat.
        is_repeat = battle.battle.item_kind is ItemKind.REPEAT
        prefers_low = not (is_repeat and n % 2)
        changed += not prefers_low
        low_on_a = battle.battle.model_a < battle.battle.model_b
        here.cast(ballot.id, Verdict.A if low_on_a is prefers_low else Verdict.B, person, now)
    n_repeats = sum(kind is ItemKind.REPEAT for kind, *_ in battles(store))
    n_log, _ = store.log.position()
    assert [tuple(each) for each in store.conduct.again(n_log, [Source.HUMAN])] == [(person, n_repeats, changed)]
    assert n_repeats >= 2


# ---- gold ----


def test_votes_on_gold_are_held_against_what_is_known(store: VoteStore):
    fill(store, NOW, 3, 2)
    ids = store.catalogue.current_answers()
    gold = [
        KnownVerdict(
            PromptId(f"p{p}"),
            ids[PromptId(f"p{p}"), ModelId("m0")],
            ids[PromptId(f"p{p}"), ModelId("m1")],
            Verdict.A,
            "m0 is right",
        )
        for p in range(2)
    ]
    assert store.gold.add(gold, NOW) == 2
    assert store.gold.add(gold, NOW) == 0
    store.catalogue.set_rules("[items]\ngold = 1.0", None, NOW)
    here, person = booth(store, NOW), voter()
    given = []
    for n in range(3):
        now = NOW + n * SECOND
        ballot = here.open(person, now)
        found = store.ballots.find(ballot.id)
        assert found is not None
        if found.battle.item_kind is ItemKind.GOLD:
            given.append(found.battle.model_a == "m0")
        here.cast(ballot.id, Verdict.A, person, now)
    # Both known pairs, then what else there is.
    assert [kind.value for kind, *_ in battles(store)] == ["gold", "gold", "fresh"]
    known = store.conduct.gold(store.log.position()[0], [Source.HUMAN], store.gold.all())
    assert [each.expected is Verdict.A for each in known] == given
    assert {each.given for each in known} == {Verdict.A}
    # They are blind votes, and count.
    assert {tally.left_out for tally in store.votes.tallies(up_to=3)} == {None}


# ---- kept ----


def test_who_changes_the_kind_of_an_item_behind_the_arena_is_found(store: VoteStore):
    with_repeats(store)
    assert examine(store).broken == ()
    with store._database.write() as cursor:
        cursor.execute("update battles set item_kind = 'fresh' where item_kind = 'repeat'")
    assert {each.fault for each in examine(store).broken} == {"it was changed after it was stored"}
    assert len(examine(store).broken) == 2


def test_a_fresh_pair_that_becomes_a_repeat_is_found_too(store: VoteStore):
    with_repeats(store, 2)
    with store._database.write() as cursor:
        cursor.execute("update battles set item_kind = 'repeat'")
    assert len(examine(store).broken) == 2
