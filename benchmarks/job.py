"""What is measured: the jobs, our command line for each, the peers that can do it, and the targets.

A job begins with a Parquet file of votes on disk and ends with ratings and 95 % intervals printed as JSON. Targets are
for a million votes between 130 models.
"""

from dataclasses import dataclass

VOTES = ("model_a", "model_b", "winner")
STYLE = tuple(
    f"{style}_{side}" for style in ("length", "headers", "lists", "bold", "code_blocks", "emoji") for side in "ab"
)


@dataclass(frozen=True)
class Peer:
    """One script in peers/.

    `rounds` is what the job asks for. From `few_from` votes on that would take too long: then the two numbers of rounds
    in `few` are run and the line through them is followed to `rounds`, which every table marks with a tilde. `faster`
    is how many times faster we mean to be.
    """

    name: str
    script: str
    rounds: int = 0
    faster: float | None = None
    few: tuple[int, int] | None = None
    few_from: int = 0

    def measured_rounds(self, n_votes: int) -> tuple[int, ...]:
        """The rounds to run for this many votes: all, or two smaller numbers."""
        return self.few if self.few is not None and n_votes >= self.few_from else (self.rounds,)


@dataclass(frozen=True)
class Job:
    """`options` follow `bakeoff rate VOTES`; `columns` are what the floor reads; `floors` is the target for us."""

    name: str
    columns: tuple[str, ...]
    options: tuple[str, ...] = ()
    floors: float | None = None
    peers: tuple[Peer, ...] = ()


JOBS = (
    Job(
        "bt-sandwich",
        VOTES,
        ("--intervals", "sandwich", "--cluster", "none"),
        floors=2,
        peers=(
            Peer("arena-rank", "arena_rank_bradley_terry.py", faster=12),
            Peer("evalica, no interval", "evalica_bradley_terry.py"),
        ),
    ),
    Job("bt-sandwich-voter", (*VOTES, "voter"), ("--intervals", "sandwich")),
    Job(
        "bt-bootstrap-1000",
        VOTES,
        ("--intervals", "bootstrap", "--rounds", "1000"),
        floors=4,
        peers=(
            Peer("original's method", "original_bradley_terry.py", rounds=1000, faster=60),
            Peer("choix", "choix_bradley_terry.py", rounds=1000, faster=4),
            Peer("evalica", "evalica_bradley_terry.py", rounds=1000, few=(5, 20), few_from=20_000),
            Peer("arena-rank, spawned", "arena_rank_bradley_terry.py", rounds=1000, few=(4, 12)),
        ),
    ),
    Job(
        "style-sandwich",
        (*VOTES, *STYLE),
        ("--style", "--intervals", "sandwich", "--cluster", "none"),
        floors=3,
        peers=(
            Peer("arena-rank", "arena_rank_style.py", faster=10),
            Peer("original's method, no interval", "original_style.py"),
        ),
    ),
    Job(
        "style-bootstrap-1000",
        (*VOTES, *STYLE),
        ("--style", "--intervals", "bootstrap", "--rounds", "1000"),
        floors=8,
        peers=(
            Peer("original's method", "original_style.py", rounds=1000, faster=100, few=(4, 12)),
            Peer("arena-rank, spawned", "arena_rank_style.py", rounds=1000, faster=100, few=(4, 12)),
        ),
    ),
    Job(
        "elo-bootstrap-100",
        (*VOTES, "voted_at"),
        ("--method", "elo", "--rounds", "100"),
        floors=12,
        peers=(
            Peer("original's method", "original_elo.py", rounds=100, faster=5),
            Peer("evalica", "evalica_elo.py", rounds=100, faster=5, few=(5, 20), few_from=2_000_000),
        ),
    ),
)
