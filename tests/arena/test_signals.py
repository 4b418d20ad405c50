"""Signals as training rows, as a command and as recent requests; on whose answers data rests; what drift finds."""

import json
from collections import Counter
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battle import Labels, Message, Model, ModelId, Side, Thumb
from arena.dataset.cleaning import SAME_ONCE_CLEAN
from arena.dataset.signal_rows import FitSignals, fit_to_train
from arena.drift import Request, moved, read_requests
from arena.errors import BadInput
from arena.policy import Made, OnPolicy, is_by, on_policy
from arena.preferences.flag import Flag
from arena.preferences.formats import unpaired
from arena.preferences.judgement import SAME_TEXT
from arena.self_naming import Names
from arena.signals import SUPERSEDED, THUMB_INSTEAD, Signal, SignalKind, taught, unpaired_records
from arena.store import VoteStore
from arena.thumbs import AS_MANY
from command import bakeoff, error_of
from ground import NOW
from opinions import cast, judged, vote

UP, DOWN, AGAIN, EDIT = "up", "down", "again", "edit"


def signal(what: str, n: int = 0, *, user: str = "u", answer: str = "An answer.", **more: Any) -> Signal:
    kinds = {AGAIN: SignalKind.REGENERATION, EDIT: SignalKind.EDIT}
    facts: dict[str, Any] = {"is_up": what == UP} if what in (UP, DOWN) else {}
    if what == EDIT:
        facts["edited"] = f"Edited {n}."
    at: datetime = NOW + timedelta(seconds=n)
    return Signal(
        **{
            "id": f"{user}{n:03}{what}",
            "kind": kinds.get(what, SignalKind.THUMBS),
            "source": "shop",
            "user": user,
            "given_at": at,
            "model": ModelId("m"),
            "messages": (Message("user", "Why?"),),
            "answer": answer,
            **facts,
            **more,
        }
    )


# ---- what they teach ----


def test_a_thumb_and_another_try_label_an_answer_and_an_edit_is_preferred_to_it():
    said = [signal(UP, 1), signal(DOWN, 2, answer="Two."), signal(AGAIN, 3, answer="Three."), signal(EDIT, 4)]
    rows = taught(said)
    labels = [(row.signal.answer, row.label) for row in rows.labelled]
    assert labels == [("An answer.", True), ("Two.", False), ("Three.", False)]
    [edit] = rows.edited
    assert (edit.chosen, edit.rejected) == ("Edited 4.", "An answer.")
    assert rows.left_out == {}


@pytest.mark.parametrize(
    ("said", "label", "left_out"),
    [
        ([UP, DOWN], False, {SUPERSEDED: 1}),
        ([DOWN, UP], True, {SUPERSEDED: 1}),
        ([UP, AGAIN], True, {THUMB_INSTEAD: 1}),
        ([AGAIN, UP], True, {THUMB_INSTEAD: 1}),
        ([AGAIN, AGAIN], False, {SUPERSEDED: 1}),
        ([AGAIN, UP, DOWN, AGAIN], False, {THUMB_INSTEAD: 1, SUPERSEDED: 2}),
    ],
)
def test_of_one_user_on_one_answer_the_last_thumb_counts_and_more_than_another_try(
    said: list[str], label: bool, left_out: dict[str, int]
):
    rows = taught(signal(what, n) for n, what in enumerate(said))
    assert [row.label for row in rows.labelled] == [label]
    assert rows.left_out == left_out


@pytest.mark.parametrize(
    ("said", "label", "share", "left_out"),
    [
        ([UP, UP, DOWN], True, Fraction(2, 3), {}),
        ([DOWN, UP, DOWN], False, Fraction(2, 3), {}),
        ([UP, DOWN], None, None, {AS_MANY: 2}),
        ([UP, AGAIN, AGAIN], True, Fraction(1), {THUMB_INSTEAD: 2}),  # a thumb comes before what only seems to say
        ([UP, AGAIN, DOWN], None, None, {AS_MANY: 2, THUMB_INSTEAD: 1}),
        ([AGAIN, AGAIN], False, Fraction(1), {}),
    ],
)
def test_of_several_users_thumbs_on_an_answer_the_majority_is_its_one_label(
    said: list[str], label: bool | None, share: Fraction | None, left_out: dict[str, int]
):
    rows = taught(signal(what, n, user=f"u{n}") for n, what in enumerate(said))
    assert [(row.label, row.share) for row in rows.labelled] == ([] if label is None else [(label, share)])
    assert rows.left_out == left_out
    for row, told in zip(rows.labelled, unpaired_records(rows.labelled), strict=True):
        assert (told["n_users"], told["agreement"]) == (len(row.signals), float(row.share))
        assert told["weight"] == float(2 * row.share - 1)
        assert told["signal_id"] == row.signal.id


@pytest.mark.parametrize("signs", ["+", "-", "++-", "+--", "+-", "++--", "+++-"])
def test_thumbs_of_a_product_and_of_an_arena_give_an_answer_the_same_label(signs: str):
    """The same thumbs on the same answer, brought as signals and given with votes that tell nothing else."""
    rows = taught(signal(UP if sign == "+" else DOWN, n, user=f"u{n}") for n, sign in enumerate(signs))
    votes = [
        vote("tie", f"v{n}", number=n, labels=Labels(thumbs={Side.A: Thumb.UP if sign == "+" else Thumb.DOWN}))
        for n, sign in enumerate(signs)
    ]
    [example], _ = judged([cast(votes)], {"x": signal(UP).answer})
    of_votes = [dict(zip(unpaired.SCHEMA, row, strict=True)) for row in unpaired.rows(example)]
    of_signals = list(unpaired_records(rows.labelled))
    same = ("completion", "label", "agreement", "weight")
    assert [[row[key] for key in same] for row in of_votes] == [[row[key] for key in same] for row in of_signals]
    assert [row["n_votes"] for row in of_votes] == [row["n_users"] for row in of_signals]
    assert unpaired.left_out(example) == rows.left_out


def test_of_one_user_s_edits_of_an_answer_the_last_one_counts():
    rows = taught([signal(EDIT, 1), signal(EDIT, 2), signal(EDIT, 3, answer="Another.")])
    assert [row.chosen for row in rows.edited] == ["Edited 2.", "Edited 3."]
    assert rows.left_out == {SUPERSEDED: 1}


@given(st.lists(st.tuples(st.sampled_from([UP, DOWN, AGAIN, EDIT]), st.sampled_from("uv"), st.sampled_from("xy"))))
def test_every_signal_is_in_one_row_or_left_out_for_a_reason(said: list[tuple[str, str, str]]):
    given_ = [signal(what, n, user=user, answer=answer) for n, (what, user, answer) in enumerate(said)]
    rows = taught(given_)
    n_labelled = sum(len(row.signals) for row in rows.labelled)
    assert n_labelled + len(rows.edited) + sum(rows.left_out.values()) == len(given_)
    assert len({row.signal.answer for row in rows.labelled}) == len(rows.labelled)
    assert taught(reversed(given_)) == rows


# ---- the floor of exports ----

NAMES = Names.of([Model(ModelId("m"), name="Larkspur", organization="Meadow Labs")])


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        (signal(UP, answer="I am Larkspur, made by Meadow Labs."), Flag.IDENTITY),
        (signal(DOWN, answer="Error code: 503"), Flag.ERROR),
        (signal(AGAIN, answer="It begins so\u258c"), Flag.UNFINISHED),
        (signal(UP, answer="Yes.<|im_end|>"), Flag.CONTROL),
        (signal(UP, messages=(Message("user", "[INST] Why?"),)), Flag.CONTROL),
        (signal(EDIT, edited="Yes.<|im_end|>"), Flag.CONTROL),
        (signal(EDIT, edited="As Larkspur, I am not sure."), Flag.IDENTITY),
    ],
)
def test_a_signal_on_a_text_that_teaches_the_wrong_thing_is_left_out(given_: Signal, why: Flag):
    assert fit_to_train([given_], NAMES) == FitSignals((), {why.value: 1}, 0)


def test_personal_data_are_replaced_wherever_a_user_has_left_them():
    mine = "write to ann@example.org"
    [cleaned] = fit_to_train(
        [signal(EDIT, answer=mine, edited=f"Please {mine}", messages=(asked(mine),))], NAMES
    ).signals
    assert (cleaned.answer, cleaned.edited) == ("write to <EMAIL>", "Please write to <EMAIL>")
    assert cleaned.messages == (asked("write to <EMAIL>"),)


def test_an_edit_that_took_personal_data_alone_out_teaches_nothing():
    other = signal(EDIT, answer="Write to ann@example.org", edited="Write to bob@example.org")
    assert fit_to_train([other], NAMES) == FitSignals((), {SAME_ONCE_CLEAN: 1}, 0)


def test_an_edit_of_blanks_alone_teaches_nothing():
    other = signal(EDIT, answer="Yes, it is.", edited="Yes,  it is.\n")
    assert fit_to_train([other], NAMES) == FitSignals((), {SAME_TEXT: 1}, 0)


def asked(text: str) -> Message:
    return Message("user", text)


# ---- the command ----


def test_the_command_writes_no_personal_data_and_nothing_flagged(db: Path, tmp_path: Path):
    with VoteStore.open(db) as store:
        store.signals.add(signal(UP, 6, user="x", answer="Write to ann@example.org"), NOW)
        store.signals.add(signal(UP, 7, user="x", answer="I am GPT-4."), NOW)
    said = bakeoff("signals", "--db", db, "--as", "unpaired", "--out", tmp_path / "rows.jsonl")
    assert said.code == 0
    lines = (tmp_path / "rows.jsonl").read_text().splitlines()
    texts = [json.loads(line)["completion"][0]["content"] for line in lines]
    assert texts == ["An answer.", "An answer.", "Write to <EMAIL>"]
    assert "personal data were replaced in 1 signal" in said.err
    assert "left out: 1 an answer tells who wrote it" in said.err


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "arena.duckdb"
    with VoteStore.open(path) as store:
        store.signals.add(signal(UP, 1), NOW)
        store.signals.add(signal(DOWN, 2, user="v", model=ModelId("n"), revision="r2"), NOW)
        store.signals.add(signal(AGAIN, 3), NOW)
        store.signals.add(signal(EDIT, 4, user="w"), NOW)
        store.signals.add(signal(UP, 5, user="gone"), NOW)
        store.signals.withdraw("gone", NOW)
    return path


def test_the_command_counts_them(db: Path):
    said = bakeoff("signals", "--db", db, "--policy", "m")
    assert said.code == 0
    assert said.out.splitlines() == [
        "4 signals of 3 users, 1 withdrawn",
        "       1  edit",
        "       1  regeneration",
        "       1  thumbs down",
        "       1  thumbs up",
        "       4  from shop",
        "       3  on m",
        "       1  on n",
        "on policy: of 0 voted pairs both answers of 0, one of 0, neither of 0",
        "on policy: 3 of 4 signals",
    ]
    record = bakeoff("signals", "--db", db, "--policy", "n@r1,n@r2", "--json").record
    assert (record["n"], record["n_withdrawn"], record["on_policy"]["signals"]["one"]) == (4, 1, 1)


@pytest.mark.parametrize(
    ("form", "n", "keys"),
    [
        ("signals", 4, {"id", "kind", "source", "user", "given_at", "model", "messages", "answer"}),
        ("unpaired", 2, {"prompt", "completion", "label"}),
        ("preference", 1, {"prompt", "chosen", "rejected"}),
    ],
)
def test_the_command_writes_rows_as_trainers_take_them(db: Path, tmp_path: Path, form: str, n: int, keys: set[str]):
    out = tmp_path / "rows.jsonl"
    said = bakeoff("signals", "--db", db, "--as", form, "--out", out)
    assert said.code == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == n
    assert all(keys <= row.keys() for row in rows)
    assert "gone" not in out.read_text()
    if form != "signals":
        assert f"left out: 1 {THUMB_INSTEAD}" in said.err
        assert all(row["prompt"] == [{"role": "user", "content": "Why?"}] for row in rows)


def test_an_unpaired_row_goes_through_a_trainer_s_own_types(db: Path, tmp_path: Path):
    bakeoff("signals", "--db", db, "--as", "unpaired", "--out", tmp_path / "rows.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert Counter(row["label"] for row in rows) == {True: 1, False: 1}
    assert all(isinstance(row["completion"][0]["content"], str) for row in rows)


# ---- on policy ----


def test_a_member_without_a_revision_is_every_revision_and_an_unknown_revision_is_no_certain_one():
    assert is_by(Made(ModelId("m"), "r1"), {Made(ModelId("m"))})
    assert is_by(Made(ModelId("m"), "r1"), {Made(ModelId("m"), "r1")})
    assert not is_by(Made(ModelId("m"), "r2"), {Made(ModelId("m"), "r1")})
    assert not is_by(Made(ModelId("m")), {Made(ModelId("m"), "r1")})


def test_pairs_have_both_one_or_neither_answer_on_policy_and_nothing_is_lost():
    m1, m2, other = Made(ModelId("m"), "r1"), Made(ModelId("m"), "r2"), Made(ModelId("o"))
    pairs = [(m1, m2, 5), (m1, other, 3), (other, m2, 2), (other, other, 7)]
    assert on_policy(pairs, {Made(ModelId("m"))}) == OnPolicy(n_both=5, n_one=5, n_neither=7)
    assert on_policy(pairs, {m1}) == OnPolicy(n_both=0, n_one=8, n_neither=9)
    assert on_policy(pairs, {m1}).n == 17


@pytest.mark.parametrize(("text", "made"), [("m", ("m", None)), ("org/m@r1", ("org/m", "r1")), ("a@b@c", ("a@b", "c"))])
def test_a_policy_is_named_by_model_and_revision(text: str, made: tuple[str, str | None]):
    assert Made.parse(text) == Made(ModelId(made[0]), made[1])


@pytest.mark.parametrize("text", ["", "@r", "m@", " m"])
def test_what_names_no_model_is_refused(text: str):
    with pytest.raises(BadInput, match="names no model"):
        Made.parse(text)


def test_the_votes_of_an_arena_tell_who_made_their_answers(tmp_path: Path):
    rows = [{"model": "a", "rank": 1, "text": "A"}, {"model": "b", "rank": 2, "text": "B"}]
    third = {"model": "c", "rank": 3, "text": "C"}
    line = {"prompt_text": "Why?", "answers": [*rows, third], "voter": "x"}
    (tmp_path / "lists.jsonl").write_text(json.dumps(line) + "\n")
    db = tmp_path / "arena.duckdb"
    assert bakeoff("import", tmp_path / "lists.jsonl", "--db", db, "--as", "rankings").code == 0
    record = bakeoff("signals", "--db", db, "--policy", "a,b", "--json").record
    assert record["on_policy"]["votes"] == {"both": 1, "one": 2, "neither": 0}


# ---- drift ----


def requests(n: int, rng: np.random.Generator, code: float = 0.3, length: float = 5.0) -> list[Request]:
    return [
        Request(int(rng.lognormal(length, 0.5)), "code" if rng.random() < code else "facts", "en") for _ in range(n)
    ]


def test_what_moved_is_named_with_its_shares_and_the_rest_is_silent():
    rng = np.random.default_rng(5)
    found = {each.trait.value: each for each in moved(requests(400, rng), requests(400, rng, code=0.7), rng=rng)}
    assert found["category"].is_shifted
    assert found["category"].what in ("code", "facts")
    assert not found["language"].is_shifted
    assert not found["length"].is_shifted
    longer = moved(requests(400, rng), requests(400, rng, length=6.0), rng=rng)[-1]
    assert longer.is_shifted
    assert (longer.recent or 0) > 2 * (longer.reference or 0)


def test_of_the_same_traffic_no_trait_is_flagged_in_ninety_five_of_a_hundred():
    rng = np.random.default_rng(11)
    n_alarms = sum(
        any(each.is_shifted for each in moved(requests(120, rng), requests(120, rng), rng=rng)) for _ in range(60)
    )
    # All three traits together raise at most 5 % false alarms: binomial(60, .05) is at most 9 with probability 0.998.
    assert n_alarms <= 9


def test_traits_that_nobody_told_are_said_to_be_too_few():
    rng = np.random.default_rng(0)
    untold = [Request(each.length) for each in requests(100, rng)]
    category, language, length = moved(requests(100, rng), untold, rng=rng)
    for each in (category, language):
        assert each.drift.reason == "not enough data: 100 and 0, and 50 each are the fewest"
    assert length.drift.reason is None


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": "x" * 9}]},
        {"prompt": "x" * 9},
        {"prompt": [{"role": "system", "content": "y"}, {"role": "user", "content": "x" * 9}]},
        {"text": "x" * 9, "category": None},
        {"chosen": [{"role": "user", "content": "x" * 9}, {"role": "assistant", "content": "z"}]},
    ],
)
def test_requests_are_read_in_the_shapes_of_prompts_and_exports(tmp_path: Path, row: dict[str, Any]):
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    assert read_requests(tmp_path / "rows.jsonl") == [Request(9)]


@pytest.mark.parametrize("row", [{"category": "code"}, {"prompt": 7}, {"chosen": []}, {"text": "x", "language": 1}])
def test_a_row_that_tells_no_request_is_refused_with_its_number(tmp_path: Path, row: dict[str, Any]):
    (tmp_path / "rows.jsonl").write_text('{"text": "x"}\n' + json.dumps(row) + "\n")
    with pytest.raises(BadInput, match="row 2: "):
        read_requests(tmp_path / "rows.jsonl")


def test_the_command_tells_each_trait_and_reads_signals_as_recent_requests(tmp_path: Path, db: Path):
    rng = np.random.default_rng(2)
    for name, code in (("old.jsonl", 0.2), ("new.jsonl", 0.8)):
        rows = [{"text": "x" * each.length, "category": each.category} for each in requests(200, rng, code=code)]
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = bakeoff("drift", tmp_path / "old.jsonl", tmp_path / "new.jsonl")
    assert said.code == 0
    category, language, length = said.out.splitlines()
    assert category.startswith("category: large shift, PSI ")
    assert language == "language: not enough data: 0 and 0, and 50 each are the fewest"
    assert length.startswith("length: no shift, PSI ")
    assert said.err == "shifted: category. Bring in prompts as people ask them now\n"
    assert bakeoff("drift", tmp_path / "old.jsonl", tmp_path / "new.jsonl").out == said.out
    record = bakeoff("drift", tmp_path / "old.jsonl", db, "--json").record
    assert record["length"]["reason"] == "not enough data: 200 and 3, and 50 each are the fewest"
    empty = tmp_path / "empty.duckdb"
    VoteStore.open(empty).close()
    assert "holds no signals" in error_of(bakeoff("drift", tmp_path / "old.jsonl", empty))


def test_columns_of_other_names_are_taken_for_what_a_map_says(tmp_path: Path):
    rng = np.random.default_rng(2)
    for name, code in (("old.jsonl", 0.2), ("new.jsonl", 0.8)):
        rows = [{"query": "x" * each.length, "topic": each.category} for each in requests(200, rng, code=code)]
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = (tmp_path / "old.jsonl", tmp_path / "new.jsonl")
    said = bakeoff("drift", *files, "--map", "query=text,topic=category")
    assert said.code == 0, said.err
    assert said.out.startswith("category: large shift, PSI ")
    assert "it tells no request" in error_of(bakeoff("drift", *files))
    for mapping, fault in (
        ("queries=text", "--map names the column 'queries'; the tables have query, topic"),
        ("query=asked", "--map gives 'query' to 'asked', which is no field of requests: messages, prompt, text, "),
    ):
        assert fault in error_of(bakeoff("drift", *files, "--map", mapping))
