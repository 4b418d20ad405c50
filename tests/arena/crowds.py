"""Arenas full of votes, planted: honest voters, and some who are not."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from arena.battle import Battle, BattleId, ModelId, PromptId, Side, Source, Verdict, Vote, VoteId, VoterId
from arena.pack import answer_id
from arena.store import VoteStore
from tests.arena import arenas

N_MODELS, N_PROMPTS = 5, 40
LONG = "A sentence of an answer that nobody reads in the blink of an eye. " * 8


@dataclass(frozen=True)
class Pair:
    """What a voter sees, and the test knows: models by number, in the order of their strength."""

    a: int
    b: int
    prompt: int


Judge = Callable[[Pair, Random], Verdict]


def honest(pair: Pair, rng: Random) -> Verdict:
    """The better model (of the smaller number) wins two votes of three; one vote of ten is a tie."""
    if rng.random() < 0.1:
        return Verdict.TIE
    return Verdict.A if (rng.random() < 2 / 3) == (pair.a < pair.b) else Verdict.B


def always(model: int) -> Judge:
    """Who votes for a model wherever it stands, and honestly elsewhere."""

    def judge(pair: Pair, rng: Random) -> Verdict:
        if model not in (pair.a, pair.b):
            return honest(pair, rng)
        return Verdict.A if pair.a == model else Verdict.B

    return judge


def side_a(_: Pair, __: Random) -> Verdict:
    """Who always clicks on the left."""
    return Verdict.A


def stock(store: VoteStore, now: datetime, *, text: str = LONG) -> None:
    """Models m0, m1, ..., prompts p0, p1, ..., with long answers."""
    arenas.fill(store, now, n_prompts=N_PROMPTS, n_models=N_MODELS)
    answers = [arenas.answer(f"p{p}", f"m{m}", f"{m} {p} {text}") for p in range(N_PROMPTS) for m in range(N_MODELS)]
    store.catalogue.add_answers(answers, now)


def votes_of(
    voter: str | None,
    n: int,
    judge: Judge,
    rng: Random,
    now: datetime,
    *,
    ms: int | None = 20_000,
    prompts: Sequence[int] = range(N_PROMPTS),
    source: Source = Source.HUMAN,
    drawn: bool = True,
    text: str = LONG,
) -> list[tuple[Battle, Vote]]:
    """n votes of a voter on pairs and sides that are drawn evenly, a minute apart."""
    found = []
    for k in range(n):
        a, b = rng.sample(range(N_MODELS), 2)
        pair = Pair(a, b, rng.choice(prompts))
        key = f"{voter}-{k}-{rng.getrandbits(64):x}"
        at = now + timedelta(minutes=k)
        answer_a, answer_b = (
            answer_id(f"p{pair.prompt}", f"m{m}", f"{m} {pair.prompt} {text}") for m in (pair.a, pair.b)
        )
        battle = Battle(
            id=BattleId(f"b-{key}"),
            prompt_id=PromptId(f"p{pair.prompt}"),
            answer_a=answer_a,
            answer_b=answer_b,
            model_a=ModelId(f"m{a}"),
            model_b=ModelId(f"m{b}"),
            draw_probability=0.01 if drawn else None,
            sampling_policy="uniform-over-blind-pairs" if drawn else None,
            drawn_at=at,
        )
        vote = Vote(
            id=VoteId(f"v-{key}"),
            battle_id=battle.id,
            verdict=judge(pair, rng),
            source=source,
            voter_id=None if voter is None else VoterId(voter),
            voted_at=at,
            shown_on_left=Side.A,
            time_to_vote_ms=ms,
            blind=True,
            guideline_version=None,
        )
        found.append((battle, vote))
    return found


def crowd(n_voters: int, n_votes: int, rng: Random, now: datetime) -> list[tuple[Battle, Vote]]:
    """Honest voters with so many votes each, one voter after the other."""
    return [each for k in range(n_voters) for each in votes_of(f"honest-{k}", n_votes, honest, rng, now)]


def plant(store: VoteStore, votes: Iterable[tuple[Battle, Vote]], now: datetime) -> None:
    """Bring the votes into the log, in this order."""
    store.votes.add_imported(list(votes), now)
