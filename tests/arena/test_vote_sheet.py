"""Votes of a file and of the log, read into one sheet for the audits."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from crowds import crowd, plant, stock

import simulated
from arena.battle import PromptId, Verdict
from arena.errors import BadInput, UnknownVerdict
from arena.quality.sheet import UNKNOWN, Sheet
from arena.quality.wording import TRAITS
from arena.store import VoteStore
from arena.tally import Selection
from arena.vote_file import open_votes
from arena.vote_sheet import read_sheet
from ground import NOW
from simulated import Vote


def of(path: Path, **options: Any) -> Sheet:
    with open_votes(path) as votes:
        return read_sheet(votes, **options)


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_every_kind_of_file_gives_the_same_sheet(ending: str, tmp_path: Path):
    rows = simulated.votes(120)
    read = of(simulated.write(tmp_path / f"votes{ending}", rows))
    assert len(read) == 120
    words = {"model_a": Verdict.A, "model_b": Verdict.B, "tie": Verdict.TIE, "both_bad": Verdict.BOTH_BAD}
    for place, row in enumerate(rows):
        assert read.models[read.model_a[place]] == row["model_a"]
        assert list(Verdict)[read.verdict[place]] is words[row["winner"]]
        assert read.voters[read.voter[place]] == row["voter"]
        assert read.prompts[read.prompt[place]] == row["prompt_id"]
        assert read.longer[place] == len(row["answer_a"]) - len(row["answer_b"])
    assert np.diff(read.moment[:3]).tolist() == [0, 20 * 60 * 10**6]


def test_what_a_file_does_not_tell_is_unknown(tmp_path: Path):
    rows = simulated.without(simulated.votes(30), "voter", "prompt_id", "voted_at", "answer_a", "answer_b")
    read = of(simulated.write(tmp_path / "votes.csv", rows))
    for column in (read.voter, read.prompt, read.moment, read.answer_a, read.guideline, read.gold, read.wrote_prompt):
        assert (column == UNKNOWN).all()
    assert read.wording is None
    assert np.isnan(read.milliseconds).all()
    assert read.clusters is None


def told(n: int, **columns: object) -> list[Vote]:
    """Votes of which each has one more thing to tell, and the first does not."""
    return [row | ({} if k == 0 else columns) for k, row in enumerate(simulated.votes(n))]


def test_columns_that_only_audits_read_are_read_and_may_be_empty(tmp_path: Path):
    further = {"time_to_vote_ms": 1500, "voter_wrote_prompt": "true", "guideline_version": "2.0", "gold": "model_b"}
    read = of(simulated.write(tmp_path / "votes.csv", told(4, **further)))
    assert np.isnan(read.milliseconds[0])
    assert read.milliseconds[1:].tolist() == [1500] * 3
    assert read.wrote_prompt.tolist() == [UNKNOWN, 1, 1, 1]
    assert read.guideline.tolist() == [UNKNOWN, 0, 0, 0]
    assert read.guidelines == ["2.0"]
    assert read.gold.tolist() == [UNKNOWN, 1, 1, 1]


def test_prompts_without_ids_are_told_apart_by_their_texts(tmp_path: Path):
    rows = [row | {"prompt_text": f"Question {k % 3}?"} for k, row in enumerate(simulated.votes(9))]
    path = simulated.write(tmp_path / "votes.csv", simulated.without(rows, "prompt_id"))
    read = of(path)
    assert len(set(read.prompt.tolist())) == 3
    assert sorted(read.prompt_texts.values()) == ["Question 0?", "Question 1?", "Question 2?"]
    assert of(simulated.write(tmp_path / "named.csv", rows)).prompt_texts == {}
    assert len(of(tmp_path / "named.csv", with_prompt_texts=True).prompt_texts) > 0


@pytest.mark.parametrize(
    ("column", "value", "error"),
    [
        ("time_to_vote_ms", "soon", BadInput),
        ("voter_wrote_prompt", "perhaps", BadInput),
        ("voted_at", "yesterday", BadInput),
        ("gold", "left", UnknownVerdict),
    ],
)
def test_a_value_that_cannot_be_read_is_refused(column: str, value: str, error: type, tmp_path: Path):
    with pytest.raises(error, match=value):
        of(simulated.write(tmp_path / "votes.csv", told(3, **{column: value})))


def test_a_model_against_itself_is_no_vote_to_audit(tmp_path: Path):
    rows = simulated.votes(10)
    rows[3] |= {"model_b": rows[3]["model_a"]}
    assert len(of(simulated.write(tmp_path / "votes.csv", rows))) == 9


def test_the_log_gives_what_it_knows_of_each_vote(store: VoteStore):
    stock(store, NOW)
    plant(store, crowd(3, 12, Random(1), NOW), NOW)
    with store.votes.table(Selection(), up_to=store.log.position()[0]) as votes:
        read = read_sheet(votes, with_prompt_texts=True)
    assert len(read) == 36
    assert read.n_drawn == 36
    assert sorted(read.voters) == ["honest-0", "honest-1", "honest-2"]
    assert [read.voters[place] for place in read.voter.tolist()] == sorted(read.voters * 12)  # type: ignore[operator]
    assert (read.milliseconds == 20_000).all()
    assert (read.moment != UNKNOWN).all()
    assert read.has_texts.all()
    prompts = store.catalogue.prompts()
    for place, text in read.prompt_texts.items():
        assert prompts[PromptId(read.prompts[place])].messages[0].content == text


# ---- a sample of the texts ----


def test_a_sample_is_of_the_same_votes_whenever_they_are_looked_at(tmp_path: Path):
    path = simulated.write(tmp_path / "votes.parquet", simulated.votes(400))
    one, other = of(path, most_worded=100), of(path, most_worded=100)
    assert one.n_sampled == 100
    assert one.sampled is not None
    assert other.sampled is not None
    assert one.sampled.tolist() == other.sampled.tolist()
    assert of(path, most_worded=400).n_sampled is None


def test_what_is_read_of_a_sample_is_what_is_read_of_all(tmp_path: Path):
    path = simulated.write(tmp_path / "votes.parquet", simulated.votes(400))
    whole, part = of(path), of(path, most_worded=100)
    rows = np.flatnonzero(part.is_worded)
    assert part.sampled is not None
    assert rows.tolist() == np.flatnonzero(part.sampled).tolist()
    assert part.longer[rows].tolist() == whole.longer[rows].tolist()
    assert not part.longer[~part.is_worded].any()
    assert whole.wording is not None
    assert part.wording is not None
    for trait in range(len(TRAITS)):
        before, after = whole.worded(whole.wording.traits[:, trait]), part.worded(part.wording.traits[:, trait])
        assert all((b[rows] == a[rows]).all() for b, a in zip(before, after, strict=True))
    assert len(part.wording.characters) <= 200
    # Which votes are on the same two answers is known of all of them, read or not.
    assert groups(whole.pair) == groups(part.pair)


def groups(column: np.ndarray) -> list[int]:
    """The same for columns in which the same rows are alike: the first row with the value of each."""
    first: dict[int, int] = {}
    return [first.setdefault(value, row) for row, value in enumerate(column.tolist())]


def test_each_vote_is_as_likely_as_any_other_to_be_in_a_sample(tmp_path: Path):
    n, most = 4000, 1000
    sampled = of(simulated.write(tmp_path / "votes.parquet", simulated.votes(n)), most_worded=most).sampled
    assert sampled is not None
    # Of every tenth of the log a quarter: hypergeometric, of which 4 standard deviations are 4 * sqrt(69).
    parts = sampled.reshape(10, -1).sum(axis=1)
    assert abs(parts - most / 10).max() <= 4 * 69**0.5
    # The sample says nothing of its neighbour.
    both = (sampled[1:] & sampled[:-1]).mean()
    assert abs(both - (most / n) ** 2) <= 4 * ((most / n) ** 2 / n) ** 0.5


def test_most_of_a_sample_stays_as_the_log_grows(tmp_path: Path):
    rows = simulated.votes(1100)
    before = of(simulated.write(tmp_path / "before.parquet", rows[:1000]), most_worded=200).sampled
    after = of(simulated.write(tmp_path / "after.parquet", rows), most_worded=200).sampled
    assert before is not None
    assert after is not None
    # Of 200 some 200 / 11 come from the new tenth, and as many go.
    assert (before & after[:1000]).sum() >= 200 - 4 * 200 / 11
