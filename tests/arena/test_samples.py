"""Sample ballots: what is shown to whom, and that nobody judges an answer whose author they were shown."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import combinations

import pytest

from arena.batch import take_snapshot
from arena.battle import (
    AnswerId,
    Battle,
    BattleId,
    Message,
    Model,
    ModelId,
    Prompt,
    PromptId,
    Source,
    Verdict,
    Vote,
    VoteId,
    VoterId,
    Withdrawal,
)
from arena.errors import DatabaseUnavailable, NoBallotLeft
from arena.leaderboard import Snapshot
from arena.samples import MOST_PAGES, PAGE_SIZE, Gallery, Samples
from arena.store import VoteStore
from arena.store.judged import SHOWN_ONE_IN
from arena.study import CannotStudy, Study
from arenas import answer, booth, fill

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ME = VoterId("me")
N_PROMPTS, N_MODELS = 16, 4


class Ground:
    """A store with 16 prompts and four models that everybody has judged against each other, and its gallery."""

    def __init__(self, store: VoteStore):
        self.store = store
        fill(store, NOON, N_PROMPTS, N_MODELS)
        self.snapshot: Snapshot | None = None
        self.gallery = Gallery(store, Study(store, lambda: self.snapshot))

    def judge_all(self, *, source: Source = Source.HUMAN, start: int = 0) -> None:
        """A vote on each pair of answers to each prompt; verdicts go round."""
        rows = []
        for number, (prompt, (a, b)) in enumerate(
            ((p, pair) for p in range(N_PROMPTS) for pair in combinations(range(N_MODELS), 2)), start
        ):
            rows.append(vote(number, f"p{prompt}", f"m{a}", f"m{b}", list(Verdict)[number % 4], source=source))
        self.store.votes.add_imported(rows, NOON)

    def count(self) -> None:
        self.snapshot = take_snapshot(self.store, NOON)

    def of_two(self, a: str, b: str, voter: VoterId = ME) -> Samples:
        return self.gallery.of_two(a, b, 0, voter, NOON)

    def see_everything(self, voter: VoterId = ME) -> set[AnswerId]:
        """The answers that were shown to who looked at all there is: of a model three pages, of two models one."""
        models = [f"m{m}" for m in range(N_MODELS)]
        lists = [self.gallery.of_model(model, page, voter, NOON) for model in models for page in range(3)]
        lists += [self.of_two(a, b, voter) for a, b in combinations(models, 2)]
        return {answer for each in lists for answer in answers_of(each)}


def vote(
    number: int, prompt: str, a: str, b: str, verdict: Verdict, *, source: Source = Source.HUMAN
) -> tuple[Battle, Vote]:
    text_a, text_b = (answer(prompt, model, f"Text of {model} for {prompt}").id for model in (a, b))
    battle = Battle(BattleId(f"b{number}"), ModelId(a), ModelId(b), PromptId(prompt), text_a, text_b)
    when = NOON + timedelta(minutes=number)
    return battle, Vote(VoteId(f"v{number}"), battle.id, verdict, source, VoterId("somebody"), when)


def answers_of(samples: Samples) -> set[AnswerId]:
    return {answer for pair in samples.pairs for answer in (pair.answer_a, pair.answer_b)}


@pytest.fixture
def ground(store: VoteStore) -> Ground:
    ground = Ground(store)
    ground.judge_all()
    ground.count()
    return ground


# ---- what is shown ----


def test_one_prompt_in_four_is_for_show_and_stays_so(ground: Ground):
    first = {pair.prompt_id for pair in ground.of_two("m0", "m1").pairs}
    assert len(first) == N_PROMPTS // SHOWN_ONE_IN
    later = NOON + timedelta(days=1)
    prompts = list(ground.store.catalogue.prompts().values())
    ground.store.catalogue.add_prompts([replace(each, id=PromptId(f"new-{each.id}")) for each in prompts], later)
    assert {pair.prompt_id for pair in ground.of_two("m0", "m1").pairs} == first


def test_whatever_somebody_looks_at_three_quarters_of_all_pairs_stay_blind(ground: Ground):
    seen = ground.see_everything()
    assert len(seen) == N_PROMPTS // SHOWN_ONE_IN * N_MODELS
    here = booth(ground.store, NOON)
    # Each vote reveals two answers, so of four answers to a prompt two pairs can be judged: on 12 of 16 prompts.
    for _ in range(12 * 2):
        ballot = here.open(ME, NOON)
        opened = ground.store.ballots.find(ballot.id)
        assert opened is not None
        assert seen.isdisjoint((opened.battle.answer_a, opened.battle.answer_b))
        here.cast(ballot.id, Verdict.TIE, ME, NOON)
    with pytest.raises(NoBallotLeft):
        here.open(ME, NOON)


def test_the_model_asked_for_first_is_side_a_of_every_verdict(ground: Ground):
    for samples in (ground.of_two("m2", "m0"), ground.gallery.of_model("m2", 0, ME, NOON)):
        assert {pair.model_a for pair in samples.pairs} == {"m2"}
    there, back = ground.of_two("m0", "m2"), ground.of_two("m2", "m0")
    for pair, turned in zip(there.pairs, back.pairs, strict=True):
        assert (pair.answer_a, pair.answer_b) == (turned.answer_b, turned.answer_a)
        assert pair.votes[0].verdict == turned.votes[0].verdict.swapped
        assert pair.record == (turned.record[1], turned.record[0], *turned.record[2:])


def test_all_votes_on_two_answers_stand_together_the_newest_first(ground: Ground):
    pair = ground.of_two("m0", "m1").pairs[0]
    ground.store.votes.add_imported(
        [vote(500, pair.prompt_id, "m1", "m0", Verdict.A), vote(501, pair.prompt_id, "m0", "m1", Verdict.TIE)], NOON
    )
    ground.count()
    again = ground.of_two("m0", "m1").pairs[0]  # the newest votes bring the pair to the front
    assert again.prompt_id == pair.prompt_id
    assert [each.verdict for each in again.votes][:2] == [Verdict.TIE, Verdict.B]
    assert sum(again.record) == 3
    assert again.votes[0].day == (NOON + timedelta(minutes=501)).date()


def test_a_list_has_pages_and_an_end(store: VoteStore):
    fill(store, NOON, n_prompts=200, n_models=3)
    rows = [
        vote(3 * p + k, f"p{p}", *pair, verdict=list(Verdict)[(p + k) % 3])
        for p in range(200)
        for k, pair in enumerate((("m0", "m1"), ("m1", "m2"), ("m2", "m0")))
    ]
    store.votes.add_imported(rows, NOON)
    snapshot = take_snapshot(store, NOON)
    gallery = Gallery(store, Study(store, lambda: snapshot))
    pages = [gallery.of_two("m0", "m1", page, ME, NOON) for page in range(MOST_PAGES + 1)]
    # 50 prompts are for show; 20 pairs are listed, five a page.
    assert [len(page.pairs) for page in pages] == [PAGE_SIZE] * MOST_PAGES + [0]
    assert {(page.n_pages, page.n_pairs, page.n_votes) for page in pages} == {(MOST_PAGES, 20, 200)}
    prompts = [pair.prompt_id for page in pages for pair in page.pairs]
    assert len(set(prompts)) == PAGE_SIZE * MOST_PAGES
    again = [gallery.of_two("m0", "m1", page, VoterId("another"), NOON) for page in range(MOST_PAGES)]
    assert [pair.prompt_id for page in again for pair in page.pairs] == prompts


def test_withdrawn_votes_and_votes_of_other_sources_are_not_shown(store: VoteStore):
    ground = Ground(store)
    ground.judge_all()
    ground.judge_all(source=Source.AI_JUDGE, start=500)
    ground.count()
    pairs = ground.of_two("m0", "m1").pairs
    assert {each.source for pair in pairs for each in pair.votes} == {Source.HUMAN}
    taken_back = pairs[0].prompt_id
    number = next(n for n in range(96) if vote_of(store, n) == (taken_back, "m0", "m1"))
    store.votes.withdraw(Withdrawal(VoteId(f"v{number}"), VoterId("somebody"), NOON))
    # As of the same snapshot nothing changes: the withdrawal came later. The next one does without the vote.
    assert taken_back in {pair.prompt_id for pair in ground.of_two("m0", "m1").pairs}
    ground.count()
    assert taken_back not in {pair.prompt_id for pair in ground.of_two("m0", "m1").pairs}
    assert ground.of_two("m0", "m1").n_votes == N_PROMPTS - 1


def vote_of(store: VoteStore, number: int) -> tuple[str, str, str]:
    with store._database.read() as cursor:
        [row] = cursor.execute(
            "select prompt_id, model_a, model_b from battles where battle_id = ?", [f"b{number}"]
        ).fetchall()
    return row


def test_votes_after_the_snapshot_are_not_shown(ground: Ground):
    before = ground.of_two("m0", "m1")
    pair = before.pairs[0]
    ground.store.votes.add_imported([vote(500, pair.prompt_id, "m0", "m1", Verdict.A)], NOON)
    assert ground.of_two("m0", "m1") == before


def test_imported_votes_without_texts_are_counted_and_not_shown(ground: Ground):
    bare = [
        (Battle(BattleId(f"bare{n}"), ModelId("m0"), ModelId("m1")), Verdict.A if n % 2 else Verdict.B)
        for n in range(6)
    ]
    ground.store.votes.add_imported(
        [(each, Vote(VoteId(f"w{each.id}"), each.id, verdict, Source.HUMAN, None, None)) for each, verdict in bare],
        NOON,
    )
    ground.count()
    samples = ground.of_two("m0", "m1")
    assert (samples.n_votes, samples.n_without_texts) == (N_PROMPTS + 6, 6)
    assert len(samples.pairs) == N_PROMPTS // SHOWN_ONE_IN


def test_strangers_and_a_model_against_itself_are_refused(ground: Ground):
    for a, b, word in (("m0", "m0", "same_model"), ("m0", "nobody", "unknown_model")):
        with pytest.raises(CannotStudy) as refused:
            ground.of_two(a, b)
        assert refused.value.word == word
    ground.snapshot = None
    with pytest.raises(CannotStudy) as refused:
        ground.of_two("m0", "m1")
    assert refused.value.word == "no_study"


# ---- blind ----


def open_on_show(ground: Ground, voter: VoterId) -> Battle:
    """A ballot of this voter on a prompt that is for show: others are skipped by drawing with other seeds."""
    shown = {pair.prompt_id for pair in ground.of_two("m0", "m1", VoterId("a reader")).pairs}
    for seed in range(200):
        who = VoterId(f"{voter}-{seed}")
        ballot = booth(ground.store, NOON, seed).open(who, NOON)
        opened = ground.store.ballots.find(ballot.id)
        assert opened is not None
        if opened.battle.prompt_id in shown:
            return opened.battle
    raise AssertionError("no ballot on a prompt that is for show")


def test_while_a_ballot_is_open_nothing_on_its_prompt_is_shown_to_its_voter(ground: Ground):
    battle = open_on_show(ground, ME)
    with ground.store._database.read() as cursor:
        [(voter,)] = cursor.execute("select voter_id from ballots where battle_id = ?", [battle.id]).fetchall()
    for a, b in combinations(range(N_MODELS), 2):
        samples = ground.of_two(f"m{a}", f"m{b}", voter)
        assert battle.prompt_id not in {pair.prompt_id for pair in samples.pairs}
        assert (
            samples.n_held_back == 1
        )  # of every two models alike, so that it tells nothing of whose answers these are
        assert battle.prompt_id in {pair.prompt_id for pair in ground.of_two(f"m{a}", f"m{b}").pairs}
    assert battle.prompt_id not in ground.store.exposures.authors_seen_by(voter)


def test_the_probability_of_a_draw_is_exact_for_what_a_voter_has_left(ground: Ground):
    ground.of_two("m0", "m1")
    seen = ground.store.exposures.authors_seen_by(ME)
    assert set(map(frozenset, seen.values())) == {frozenset({"m0", "m1"})}
    n_free = sum(
        1
        for prompt in ground.store.catalogue.prompts()
        for pair in combinations([f"m{m}" for m in range(N_MODELS)], 2)
        if not set(pair) & seen.get(prompt, set())
    )
    assert n_free == 12 * 6 + 4 * 1
    opened = ground.store.ballots.find(booth(ground.store, NOON).open(ME, NOON).id)
    assert opened is not None
    assert opened.battle.draw_probability == pytest.approx(float(Fraction(1, 2 * n_free)))


def test_what_one_voter_was_shown_is_nothing_to_another(ground: Ground):
    ground.see_everything(VoterId("another"))
    assert ground.store.exposures.authors_seen_by(ME) == {}


def test_a_vote_is_blind_unless_its_voter_was_shown_an_author(ground: Ground):
    here = booth(ground.store, NOON)
    for voter, is_blind in ((VoterId("plain"), True), (VoterId("shown"), False)):
        ballot = here.open(voter, NOON)
        opened = ground.store.ballots.find(ballot.id)
        assert opened is not None
        assert opened.battle.answer_b is not None
        ground.see_everything(voter)  # of which the rules hold back what matters
        if not is_blind:  # as no rule of this house allows
            ground.store.exposures.add(voter, [opened.battle.answer_b], NOON)
        here.cast(ballot.id, Verdict.A, voter, NOON)
        with ground.store._database.read() as cursor:
            told = cursor.execute("select blind from votes where battle_id = ?", [opened.battle.id]).fetchall()
        assert told == [(is_blind,)]
    assert ground.store.log.broken_links() == []


def test_what_cannot_be_noted_is_not_shown(ground: Ground):
    with ground.store._database.write() as cursor:
        cursor.execute("drop table exposures")
    with pytest.raises(DatabaseUnavailable):
        ground.of_two("m0", "m1")


def test_thirty_at_once_never_show_an_answer_of_a_ballot_that_is_open(ground: Ground):
    here = booth(ground.store, NOON)
    pairs = list(combinations([f"m{m}" for m in range(N_MODELS)], 2))
    for round_ in range(3):
        voter = VoterId(f"racer-{round_}")
        shown: list[AnswerId] = []
        opened: list[str] = []
        start = threading.Barrier(30)

        def race(number: int, voter: VoterId = voter, start: threading.Barrier = start) -> None:
            start.wait()
            if number % 3 == 0:
                opened.append(here.open(voter, NOON).id)  # noqa: B023 - joined before the next round
            else:
                shown.extend(answers_of(ground.of_two(*pairs[number % 6], voter)))  # noqa: B023

        threads = [threading.Thread(target=race, args=(number,)) for number in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(opened) == 10
        assert len(set(opened)) == 1
        found = ground.store.ballots.find(opened[0])
        assert found is not None
        assert not {found.battle.answer_a, found.battle.answer_b} & set(shown)
        assert Counter(shown)
        here.cast(opened[0], Verdict.A, voter, NOON)
    with ground.store._database.read() as cursor:
        assert cursor.execute("select distinct blind from votes where voter_id like 'racer%'").fetchall() == [(True,)]


# ---- the same question under two ids, the same text under two names ----


def twice(store: VoteStore) -> None:
    """Eight questions of a pack, and the same with the same answers under the ids that an import gave them."""
    store.catalogue.add_models([Model(ModelId(f"m{m}"), f"Model {m}") for m in range(3)], NOON)
    for tag, when in (("pack-", NOON), ("imported-", NOON + timedelta(seconds=1))):
        prompts = [Prompt(PromptId(f"{tag}{n}"), (Message("user", f"Question {n}?"),)) for n in range(8)]
        store.catalogue.add_prompts(prompts, when)
        answers = [
            answer(prompt.id, f"m{m}", f"Text of m{m} on question {n}")
            for n, prompt in enumerate(prompts)
            for m in range(3)
        ]
        store.catalogue.add_answers(answers, when)


def test_a_question_that_is_stored_twice_is_one_question():
    with VoteStore.open(None) as store:
        twice(store)
        here = booth(store, NOON)
        for number in range(12):
            for _ in range(8):
                here.cast(here.open(VoterId(f"v{number}"), NOON).id, Verdict.A, VoterId(f"v{number}"), NOON)
        snapshot = take_snapshot(store, NOON)
        gallery = Gallery(store, Study(store, lambda: snapshot))
        for number in range(15):
            voter = VoterId(f"reader-{number}")
            ballot = here.open(voter, NOON)
            pages = [gallery.of_model(f"m{m}", page, voter, NOON) for m in range(3) for page in range(4)]
            shown = {
                page.texts[each] for page in pages for pair in page.pairs for each in (pair.answer_a, pair.answer_b)
            }
            assert shown
            assert not shown & {ballot.answer_a, ballot.answer_b}
            here.cast(ballot.id, Verdict.TIE, voter, NOON)
            again = here.open(voter, NOON)
            assert not (shown | {ballot.answer_a, ballot.answer_b}) & {again.answer_a, again.answer_b}


def test_what_is_for_show_does_not_change_when_the_clock_was_set_back(ground: Ground):
    before = ground.see_everything()
    for hours, name in ((-5, "early"), (5, "late"), (-9, "earliest")):
        ground.store.catalogue.add_prompts(
            [Prompt(PromptId(name), (Message("user", f"What of {name}?"),))], NOON + timedelta(hours=hours)
        )
    assert ground.see_everything(VoterId("another")) == before
