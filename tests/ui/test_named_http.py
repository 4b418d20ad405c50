"""What reaches a browser of an answer that names its maker, and what becomes of the vote: the whole way, over HTTP."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from arena.export import export
from arena.intake import import_pack
from arena.pack import read_pack
from arena.store import VoteStore
from arena.tally import NOT_BLIND
from served import NOON, Arena, Serve, ballot_of, vote_on

TELLS = "I am **Quillon Nine 2**, made by Vexaria Labs. Six."
TEXTS = {"quillon-9b": TELLS, "brindle-xl": "One.", "tamarack": "Two."}
N_VOTERS = 12


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    names = {"quillon-9b": "Quillon Nine", "brindle-xl": "Brindle", "tamarack": "Tamarack"}
    rows = {
        "models": [{"id": each, "name": name, "organization": "Vexaria Labs"} for each, name in names.items()],
        "prompts": [{"id": "sally", "messages": [{"role": "user", "content": "How many sisters?"}]}],
        "answers": [{"prompt_id": "sally", "model_id": each, "text": text} for each, text in TEXTS.items()],
    }
    for name, each in rows.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in each))
    (tmp_path / "arena.toml").write_text("")
    return tmp_path


def judged(serve: Serve, pack: Path, policy: str) -> tuple[Arena, str]:
    """Twelve visitors judge one ballot each; returns all bytes that they got before they voted."""
    store = VoteStore.open(None)
    import_pack(store, read_pack(pack), NOON)
    arena = serve(earlier=SimpleNamespace(store=store), rules=f'[ballot]\nnamed_answers = "{policy}"\n')
    seen = []
    for _ in range(N_VOTERS):
        visitor = arena.visitor()
        seen.append(visitor.post("/api/ballots", json={}).raise_for_status().text)
        vote_on(visitor, ballot_of(visitor)["ballot_id"], "tie").raise_for_status()
    return arena, "\n".join(seen)


def left_out(arena: Arena, out: Path) -> tuple[int, int]:
    """How many votes the board and the export leave out as not blind."""
    arena.compute_board()
    snapshot = arena.job.latest()
    assert snapshot is not None
    manifest = export(arena.store, out).manifest
    return snapshot.leaderboard.dropped.get(NOT_BLIND, 0), manifest["formats"]["preference"]["left_out"].get(
        NOT_BLIND, 0
    )


def test_by_default_nobody_gets_an_answer_that_names_its_maker(serve: Serve, pack: Path):
    arena, seen = judged(serve, pack, "withhold")
    assert "quillon" not in seen.lower()
    assert "Six." not in seen
    assert left_out(arena, pack / "out") == (0, 0)


def test_masked_no_byte_of_the_name_reaches_a_browser_and_all_votes_count(serve: Serve, pack: Path):
    arena, seen = judged(serve, pack, "mask")
    assert "Six." in seen
    assert "‹name›" in seen
    assert "quillon" not in seen.lower()
    assert "vexaria" not in seen.lower()
    assert left_out(arena, pack / "out") == (0, 0)


def test_served_as_it_is_the_votes_on_it_count_in_no_board_and_no_export(serve: Serve, pack: Path):
    arena, seen = judged(serve, pack, "leave_out")
    n_named = seen.count("Quillon Nine 2")
    assert 0 < n_named < N_VOTERS
    assert left_out(arena, pack / "out") == (n_named, n_named)
