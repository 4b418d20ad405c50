"""Tables of elsewhere: the same rows add nothing, no row is lost or guessed, and each refusal names its row."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from arena.battle import Answer, AnswerId, Message, Model, ModelId, Prompt, PromptId, Source, Verdict
from arena.errors import BadInput, BadRows
from arena.foreign_table import OPTIONAL, REQUIRED, ForeignTable, Kind
from arena.intake import Intake, import_pack, import_table
from arena.pack import answer_id, read_pack, starter_directory
from arena.store import VoteStore
from arena.voter import VoterKey

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
KEY = VoterKey(b"a secret of the tests, 32 bytes.")
HEADER = "model_a,model_b,winner"


def taken(store: VoteStore, foreign: ForeignTable, *, source: Source = Source.HUMAN, skip_bad: bool = False) -> Intake:
    return import_table(store, foreign, source=source, voter_key=KEY, skip_bad=skip_bad, now=NOW)


def csv_of(path: Path, *lines: str, kind: Kind = Kind.VOTES, **how: Any) -> ForeignTable:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return ForeignTable(path, kind, **how)


def jsonl_of(path: Path, *rows: Any, kind: Kind = Kind.VOTES, **how: Any) -> ForeignTable:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    return csv_of(path, *lines, kind=kind, **how)


def vote(**more: Any) -> dict[str, Any]:
    return {"model_a": "a", "model_b": "b", "winner": "tie"} | more


def n_log(store: VoteStore) -> int:
    return store.log.position()[0]


def fault_of(store: VoteStore, foreign: ForeignTable) -> str:
    """The refusal of the table's only bad row; nothing was taken."""
    before = n_log(store)
    with pytest.raises(BadRows) as caught:
        taken(store, foreign)
    [fault] = caught.value.faults
    assert (fault.file, fault.unit) == (str(foreign.path), "row")
    assert n_log(store) == before
    return f"row {fault.place}: {fault.message}"


@pytest.fixture
def peopled(store: VoteStore) -> VoteStore:
    """A store with models a and b and their answers to the prompt p."""
    store.catalogue.add_models([Model(ModelId(name), name) for name in "ab"], NOW)
    store.catalogue.add_prompts([Prompt(PromptId("p"), (Message("user", "How are you?"),))], NOW)
    texts = {"a": "Fine.", "b": "Well."}
    answers = [Answer(answer_id("p", m, text), PromptId("p"), ModelId(m), text) for m, text in texts.items()]
    store.catalogue.add_answers(answers, NOW)
    return store


# The same rows again


@pytest.mark.parametrize("name", ["other.csv", "votes.csv"])
def test_the_same_rows_again_add_nothing(store: VoteStore, tmp_path: Path, name: str):
    lines = (HEADER, "a,b,model_a", "b,a,tie", "a,b,model_a")
    assert taken(store, csv_of(tmp_path / "votes.csv", *lines)).n_added == 3
    again = taken(store, csv_of(tmp_path / name, *lines))
    assert (again.n_rows, again.n_added, n_log(store)) == (3, 0, 3)


def test_two_equal_rows_of_one_file_are_two_votes(store: VoteStore, tmp_path: Path):
    assert taken(store, csv_of(tmp_path / "votes.csv", HEADER, "a,b,tie", "a,b,tie")).n_added == 2


def test_a_longer_file_adds_only_what_is_new(store: VoteStore, tmp_path: Path):
    rows = [f"a,b,{winner}" for winner in ("model_a", "tie", "model_a", "model_b")]
    assert taken(store, csv_of(tmp_path / "votes.csv", HEADER, *rows[:2])).n_added == 2
    assert taken(store, csv_of(tmp_path / "votes.csv", HEADER, *reversed(rows))).n_added == 2
    assert n_log(store) == 4


def test_the_same_rows_in_another_format_or_column_order_add_nothing(store: VoteStore, tmp_path: Path):
    assert taken(store, csv_of(tmp_path / "votes.csv", f"{HEADER},turn", "a,b,tie,1", "b,a,model_a,2")).n_added == 2
    rows = ({"turn": 1} | vote(), {"turn": 2} | vote(model_a="b", model_b="a", winner="model_a"))
    assert taken(store, jsonl_of(tmp_path / "votes.jsonl", *rows)).n_added == 0


def test_a_failed_import_adds_nothing_and_can_be_repeated(store: VoteStore, tmp_path: Path):
    bad = csv_of(tmp_path / "votes.csv", HEADER, "a,b,tie", "a,b,left")
    for _ in range(2):
        with pytest.raises(BadRows):
            taken(store, bad)
    assert n_log(store) == 0
    assert not store.catalogue.models()
    assert taken(store, replace(bad, words={"left": Verdict.A})).n_added == 2


@pytest.mark.parametrize("second", [Source.AI_JUDGE, Source.IMPORT])
def test_the_same_words_from_another_source_are_other_votes(store: VoteStore, tmp_path: Path, second: Source):
    foreign = csv_of(tmp_path / "votes.csv", HEADER, "a,b,tie", "a,b,model_a")
    taken(store, foreign, source=Source.HUMAN)
    taken(store, foreign, source=second)
    assert store.votes.n_by_source(up_to=99) == {Source.HUMAN: 2, second: 2}


def test_two_judges_who_agree_are_two_votes_where_a_constant_tells_them_apart(store: VoteStore, tmp_path: Path):
    foreign = csv_of(tmp_path / "votes.csv", HEADER, "a,b,tie")
    for judge in ("judge-1", "judge-2", "judge-1"):
        taken(store, replace(foreign, constants={"voter": judge}), source=Source.AI_JUDGE)
    assert n_log(store) == 2


# Every row is taken as it stands, or refused with its row and value


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a,b,left", "row 2: winner 'left' is no verdict; accepted: model_a, model_b, tie, both_bad, tie (bothbad)"),
        ("a,b,Model_A", "'Model_A' is no verdict"),
        ("a,b,", "row 2: winner is empty"),
        (",b,tie", "row 2: model_a is empty"),
        ("a,,tie", "row 2: model_b is empty"),
        ("a,a,tie", "row 2: the model 'a' stands on both sides"),
    ],
)
def test_a_bad_row_is_refused_with_its_place_and_value(store: VoteStore, tmp_path: Path, row: str, told: str):
    assert told in fault_of(store, csv_of(tmp_path / "votes.csv", HEADER, "a,b,tie", row, "b,a,tie"))


@pytest.mark.parametrize("name", ['"  "', '" a"', '"a "', "x" * 300])
def test_a_vote_may_only_name_a_model_that_a_pack_could_hold(store: VoteStore, tmp_path: Path, name: str):
    # A pack refuses such an id; taken from a vote it would be a model that nobody can ever describe.
    with pytest.raises(BadInput):
        taken(store, csv_of(tmp_path / "models.csv", "id", name, kind=Kind.MODELS))
    assert "model_a" in fault_of(store, csv_of(tmp_path / "votes.csv", HEADER, f"{name},b,tie"))


@pytest.mark.parametrize("value", [True, {"id": "a"}, ["a"]])
def test_a_name_is_a_text_or_a_number(store: VoteStore, tmp_path: Path, value: Any):
    assert "model_a" in fault_of(store, jsonl_of(tmp_path / "votes.jsonl", vote(model_a=value)))


def test_not_a_number_is_no_name(store: VoteStore, tmp_path: Path):
    with pytest.raises(BadInput):
        taken(store, jsonl_of(tmp_path / "votes.jsonl", '{"model_a": NaN, "model_b": "b", "winner": "tie"}'))


def test_skip_bad_takes_the_rest_and_reports_each_row_left_out(store: VoteStore, tmp_path: Path):
    lines = (HEADER, "a,b,tie", "a,b,left", "a,a,tie", "b,a,model_a", ",b,tie")
    result = taken(store, csv_of(tmp_path / "votes.csv", *lines), skip_bad=True)
    assert [fault.place for fault in result.faults] == [2, 3, 5]
    assert result.n_rows + len(result.faults) == 5
    assert (result.n_added, n_log(store)) == (2, 2)


def test_skipping_every_row_adds_nothing(store: VoteStore, tmp_path: Path):
    result = taken(store, csv_of(tmp_path / "votes.csv", HEADER, "a,b,left"), skip_bad=True)
    assert (result.n_rows, result.n_added, len(result.faults)) == (0, 0, 1)


@pytest.mark.parametrize("text", [HEADER, ""])
def test_a_table_without_rows_is_refused(store: VoteStore, tmp_path: Path, text: str):
    path = tmp_path / "votes.csv"
    path.write_text(f"{text}\n" if text else "")
    with pytest.raises(BadInput, match=r"holds no row"):
        taken(store, ForeignTable(path, Kind.VOTES))


# Columns, constants and words


def test_columns_are_mapped_by_name_and_the_others_left_aside(store: VoteStore, tmp_path: Path):
    lines = ("left_model,right_model,result,note", "a,b,left,x")
    mapping = {"left_model": "model_a", "right_model": "model_b", "result": "winner"}
    result = taken(store, csv_of(tmp_path / "v.csv", *lines, mapping=mapping, words={"left": Verdict.A}))
    assert result.left_aside == ("note",)
    [tally] = store.votes.tallies(up_to=1)
    assert (tally.model_a, tally.model_b, tally.verdict) == ("a", "b", Verdict.A)


def test_a_column_that_bears_a_fields_name_may_be_given_to_another(store: VoteStore, tmp_path: Path):
    mapping = {"model_a": "model_b", "model_b": "model_a"}
    taken(store, csv_of(tmp_path / "v.csv", HEADER, "a,b,model_a", mapping=mapping))
    [tally] = store.votes.tallies(up_to=1)
    assert (tally.model_a, tally.model_b, tally.verdict) == ("b", "a", Verdict.A)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"mapping": {"nope": "winner"}}, "--map names the column 'nope'; .* has model_a, model_b, winner"),
        ({"mapping": {"model_a": "nope"}}, "--map gives 'model_a' to 'nope', which is no field of votes: model_a"),
        ({"mapping": {"model_a": "winner", "model_b": "winner"}}, "--map gives both"),
        ({"mapping": {"model_a": "voter"}}, "no column for model_a"),
        ({"constants": {"nope": "x"}}, "--set names 'nope'"),
        ({"mapping": {"winner": "voter"}, "constants": {"voter": "x", "winner": "tie"}}, "both --map and --set"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(tmp_path: Path, how: dict[str, Any], told: str):
    with pytest.raises(BadInput, match=told):
        csv_of(tmp_path / "v.csv", HEADER, "a,b,tie", **how).field_columns()


def test_every_field_can_be_a_constant(store: VoteStore, tmp_path: Path):
    foreign = csv_of(tmp_path / "v.csv", "model_a,model_b", "a,b", constants={"winner": "model_a", "voter": "judge"})
    assert taken(store, foreign).n_added == 1
    [tally] = store.votes.tallies(up_to=1)
    assert tally.verdict is Verdict.A


def test_a_constant_wins_over_a_column_of_the_same_name(store: VoteStore, tmp_path: Path):
    foreign = csv_of(tmp_path / "v.csv", HEADER, "a,b,tie", constants={"winner": "model_a"})
    assert taken(store, foreign).n_added == 1
    [tally] = store.votes.tallies(up_to=1)
    assert tally.verdict is Verdict.A


def test_a_bad_constant_is_refused_by_its_value(store: VoteStore, tmp_path: Path):
    foreign = csv_of(tmp_path / "v.csv", "model_a,model_b", "a,b", constants={"winner": "left"})
    assert "'left' is no verdict" in fault_of(store, foreign)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_number_in_the_file_is_as_good_a_word_as_its_text(store: VoteStore, tmp_path: Path, ending: str):
    words = {"1": Verdict.A, "0": Verdict.B}
    if ending == "csv":
        foreign = csv_of(tmp_path / "v.csv", HEADER, "a,b,1", "a,b,0", words=words)
    else:
        foreign = jsonl_of(tmp_path / "v.jsonl", vote(winner=1), vote(winner=0), words=words)
    assert taken(store, foreign).n_added == 2


def test_names_may_be_numbers(store: VoteStore, tmp_path: Path):
    taken(store, jsonl_of(tmp_path / "v.jsonl", vote(model_a=7, model_b="007", winner="model_a", voter=12)))
    assert set(store.catalogue.models()) == {"7", "007"}


# Times


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2026-05-01T12:00:00Z", NOW),
        ("2026-05-01T14:00:00+02:00", NOW),
        (1777636800, NOW),  # date -u -d 2026-05-01T12:00:00 +%s
        (1777636800.0, NOW),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_moment_is_a_text_with_its_offset_or_seconds(
    store: VoteStore, tmp_path: Path, told: Any, meant: datetime, ending: str
):
    if ending == "csv":
        taken(store, csv_of(tmp_path / "v.csv", f"{HEADER},voted_at", f"a,b,tie,{told}"))
    else:
        taken(store, jsonl_of(tmp_path / "v.jsonl", vote(voted_at=told)))
    assert stored(store, "voted_at") == meant


@pytest.mark.parametrize(
    "told",
    [
        "2026-05-01",
        "2026-05-01T12:00:00",
        "yesterday",
        "",
        True,
        1e18,
        -1e18,
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
    ],
)
def test_a_moment_that_is_not_clear_is_refused_with_its_row(store: VoteStore, tmp_path: Path, told: Any):
    assert "row 2: voted_at" in fault_of(store, jsonl_of(tmp_path / "v.jsonl", vote(), vote(voted_at=told)))


@pytest.mark.parametrize("told", [-1, "1.5", 1.9, "soon", 2**70, True])
def test_a_time_to_vote_that_is_no_count_is_refused_with_its_row(store: VoteStore, tmp_path: Path, told: Any):
    assert "row 2: time_to_vote_ms" in fault_of(
        store, jsonl_of(tmp_path / "v.jsonl", vote(), vote(time_to_vote_ms=told))
    )


@pytest.mark.parametrize("field", ["voted_at", "time_to_vote_ms"])
def test_an_infinite_time_is_refused_with_its_line(store: VoteStore, tmp_path: Path, field: str):
    line = json.dumps(vote(**{field: 0})).replace("0}", "1e999}")
    with pytest.raises(BadInput, match=r"line 1: no valid JSON: 1e999 is too large"):
        taken(store, jsonl_of(tmp_path / "v.jsonl", line))


def stored(store: VoteStore, column: str) -> Any:
    """One column of the only vote; asked of the view that the docs describe."""
    with store._database.read() as cursor:
        [[value]] = cursor.execute(f"select {column} from vote_log").fetchall()
    return value


# Voters


def test_a_voter_is_stored_as_a_keyed_hash(store: VoteStore, tmp_path: Path):
    taken(store, csv_of(tmp_path / "v.csv", f"{HEADER},voter", "a,b,tie,alice@example.org"))
    told = stored(store, "voter_id")
    assert told == KEY.pseudonym("imported voter", "alice@example.org")
    assert told != VoterKey(b"another secret of the same size.").pseudonym("imported voter", "alice@example.org")


def test_an_empty_voter_is_nobody(store: VoteStore, tmp_path: Path):
    taken(store, jsonl_of(tmp_path / "v.jsonl", vote(voter="")))
    assert stored(store, "voter_id") is None


# Prompts and answers of a vote


def test_a_vote_on_known_texts_finds_them(peopled: VoteStore, tmp_path: Path):
    taken(peopled, csv_of(tmp_path / "v.csv", f"{HEADER},prompt_id", "b,a,model_a,p"))
    assert stored(peopled, "answer_a") == "Well."
    assert stored(peopled, "answer_b") == "Fine."


def test_a_vote_brings_its_own_texts(store: VoteStore, tmp_path: Path):
    lines = (f"{HEADER},prompt_text,answer_a,answer_b", "a,b,model_b,Why?,Because.,So.")
    taken(store, csv_of(tmp_path / "v.csv", *lines))
    assert stored(store, "prompt") == [{"role": "user", "content": "Why?"}]
    assert (stored(store, "answer_a"), stored(store, "answer_b")) == ("Because.", "So.")


def test_an_unknown_prompt_is_refused(peopled: VoteStore, tmp_path: Path):
    assert "row 1: prompt 'q'" in fault_of(peopled, csv_of(tmp_path / "v.csv", f"{HEADER},prompt_id", "a,b,tie,q"))


def test_answers_without_a_prompt_are_refused(store: VoteStore, tmp_path: Path):
    assert "no prompt" in fault_of(store, csv_of(tmp_path / "v.csv", f"{HEADER},answer_a", "a,b,tie,Hello"))


def test_a_vote_is_not_put_under_a_prompt_of_other_words(peopled: VoteStore, tmp_path: Path):
    # p is stored as "How are you?": a vote on other words under this id was cast on something else.
    lines = (f"{HEADER},prompt_id,prompt_text", "a,b,tie,p,What is new?")
    with pytest.raises(BadInput, match="'p'"):
        taken(peopled, csv_of(tmp_path / "v.csv", *lines))
    assert n_log(peopled) == 0


def test_one_prompt_id_with_two_texts_in_one_file_is_refused(store: VoteStore, tmp_path: Path):
    lines = (f"{HEADER},prompt_id,prompt_text", "a,b,tie,q,One?", "a,b,tie,q,Two?")
    with pytest.raises(BadInput, match="'q'"):
        taken(store, csv_of(tmp_path / "v.csv", *lines))
    assert n_log(store) == 0


def test_a_new_answer_leaves_the_votes_on_the_old_one(peopled: VoteStore, tmp_path: Path):
    taken(peopled, csv_of(tmp_path / "v.csv", f"{HEADER},prompt_id", "a,b,model_a,p"))
    lines = ("prompt_id,model_id,text", "p,a,Splendid.")
    taken(peopled, csv_of(tmp_path / "answers.csv", *lines, kind=Kind.ANSWERS))
    assert stored(peopled, "answer_a") == "Fine."
    current = peopled.catalogue.current_answers()[PromptId("p"), ModelId("a")]
    assert peopled.catalogue.texts([AnswerId(current)]) == {current: "Splendid."}


# Models, prompts and answers


def test_a_csv_can_say_whatever_json_lines_can(peopled: VoteStore, tmp_path: Path):
    model = ("id,name,organization,license,open_weights,url", "c,C,Labs,MIT,true,https://c.example")
    assert taken(peopled, csv_of(tmp_path / "m.csv", *model, kind=Kind.MODELS)).n_added == 1
    assert peopled.catalogue.models()[ModelId("c")].open_weights is True
    answer = ("prompt_id,model_id,text,params,tokens,latency_ms", 'p,c,Hm.,"{""temperature"": 0.5}",12,3.5')
    assert taken(peopled, csv_of(tmp_path / "a.csv", *answer, kind=Kind.ANSWERS)).n_added == 1


@pytest.mark.parametrize("tokens", [2**31, 2**40, 2**70])
def test_more_tokens_than_the_database_counts_are_a_fault_of_their_row(peopled: VoteStore, tmp_path: Path, tokens: int):
    row = {"prompt_id": "p", "model_id": "a", "text": "Long.", "tokens": tokens}
    assert "tokens" in fault_of(peopled, jsonl_of(tmp_path / "a.jsonl", row, kind=Kind.ANSWERS))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_an_answer_holds_only_numbers_that_json_has(peopled: VoteStore, tmp_path: Path, number: str):
    for field in (f'"latency_ms": {number}', f'"params": {{"t": {number}}}'):
        line = f'{{"prompt_id": "p", "model_id": "a", "text": "Hm.", {field}}}'
        with pytest.raises(BadInput):
            taken(peopled, jsonl_of(tmp_path / "a.jsonl", line, kind=Kind.ANSWERS))


@pytest.mark.parametrize(
    ("line", "told"),
    [("q,a,Hm.", "row 2: prompt 'q' is not in the database"), ("p,z,Hm.", "row 2: model 'z' is not in the database")],
)
def test_an_answer_to_nothing_or_by_nobody_is_refused(peopled: VoteStore, tmp_path: Path, line: str, told: str):
    lines = ("prompt_id,model_id,text", "p,a,Fine.", line)
    assert told in fault_of(peopled, csv_of(tmp_path / "a.csv", *lines, kind=Kind.ANSWERS))


def test_a_vote_on_an_unknown_prompt_is_refused_with_every_way_on(store: VoteStore, tmp_path: Path):
    told = fault_of(store, csv_of(tmp_path / "v.csv", f"{HEADER},prompt_id", "a,b,tie,8"))
    for way in ("import the prompts first", "to prompt_text", "take the column out of the file"):
        assert way in told


def test_an_empty_answer_is_an_answer(peopled: VoteStore, tmp_path: Path):
    lines = ("prompt_id,model_id,text", "p,a,")
    assert taken(peopled, csv_of(tmp_path / "a.csv", *lines, kind=Kind.ANSWERS)).n_added == 1


def test_an_empty_prompt_is_refused_in_the_words_of_the_table(store: VoteStore, tmp_path: Path):
    told = fault_of(store, csv_of(tmp_path / "p.csv", "id,text", "p,", kind=Kind.PROMPTS))
    # The table has a column `text`; `messages.0.content` is a name inside the program.
    assert told.startswith("row 1: text is")


def test_a_prompt_never_changes_its_words(peopled: VoteStore, tmp_path: Path):
    with pytest.raises(BadInput, match="other messages"):
        taken(peopled, csv_of(tmp_path / "p.csv", "id,text", "p,Changed?", kind=Kind.PROMPTS))


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        (Kind.PROMPTS, ("id,text", "q,One?", "q,Two?")),
        (Kind.MODELS, ("id,name", "c,One", "c,Two")),
    ],
)
def test_an_id_that_stands_twice_with_other_facts_is_refused(
    peopled: VoteStore, tmp_path: Path, kind: Kind, lines: tuple[str, ...]
):
    with pytest.raises(BadInput):
        taken(peopled, csv_of(tmp_path / "twice.csv", *lines, kind=kind))


def test_a_vote_names_new_models_and_leaves_known_ones_as_they_are(store: VoteStore, tmp_path: Path):
    taken(store, csv_of(tmp_path / "m.csv", "id,name", "a,The great A", kind=Kind.MODELS))
    result = taken(store, csv_of(tmp_path / "v.csv", HEADER, "a,b,tie"))
    assert result.new_models == ("b",)
    assert store.catalogue.models()[ModelId("a")].name == "The great A"


def test_a_table_that_says_less_of_a_model_forgets_nothing(store: VoteStore, tmp_path: Path):
    taken(store, csv_of(tmp_path / "m.csv", "id,name,license", "a,The great A,MIT", kind=Kind.MODELS))
    taken(store, csv_of(tmp_path / "m2.csv", "id,organization", "a,Labs", kind=Kind.MODELS))
    model = store.catalogue.models()[ModelId("a")]
    assert (model.name, model.license, model.organization) == ("The great A", "MIT", "Labs")


def test_every_kind_has_its_fields_once():
    for kind in Kind:
        fields = (*REQUIRED[kind], *OPTIONAL[kind])
        assert len(set(fields)) == len(fields)


# Packs, and real data


def test_a_pack_again_adds_nothing(store: VoteStore):
    pack = read_pack(starter_directory())
    first = import_pack(store, pack, NOW)
    assert first == {Kind.MODELS: len(pack.models), Kind.PROMPTS: len(pack.prompts), Kind.ANSWERS: len(pack.answers)}
    assert set(import_pack(store, pack, NOW).values()) == {0}


def test_two_judges_of_the_real_data_give_all_their_votes(store: VoteStore, llmfao: Path):
    # Each of the two AI judges saw the same 2,139 pairs, and the rows do not say who judged: the constant does.
    how: dict[str, Any] = {
        "mapping": {"model_x": "model_a", "model_y": "model_b"},
        "words": {"left": Verdict.A, "right": Verdict.B},
    }
    for judge in ("gpt4", "gpt3"):
        path = llmfao / f"{judge}-crowd-comparisons.csv"
        foreign = ForeignTable(path, Kind.VOTES, constants={"voter": judge}, **how)
        assert taken(store, foreign, source=Source.AI_JUDGE).n_added == 2139
    assert n_log(store) == 2 * 2139
