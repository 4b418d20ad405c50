"""Packs: every fault is listed with file and line, and nothing is guessed."""

import json
from pathlib import Path
from typing import Any

import pytest

from arena.battle import Source, Verdict
from arena.errors import BadInput, BadPack, Fault
from arena.pack import answer_id, read_pack, starter_directory, write_example_pack
from arena.rules import Rules

MODELS = [{"id": "m1", "name": "One"}, {"id": "m2", "name": "Two"}]
PROMPT: dict[str, Any] = {"id": "p1", "messages": [{"role": "user", "content": "Hello?"}]}
ANSWERS = [
    {"prompt_id": "p1", "model_id": "m1", "text": "One."},
    {"prompt_id": "p1", "model_id": "m2", "text": "Two."},
]
GUIDELINES = '---\nversion: "1"\nwhen_in_doubt: tie\n---\n# Judge well\n'

FILES = {
    "arena.toml": 'title = "T"\n',
    "guidelines.md": GUIDELINES,
    "models": MODELS,
    "prompts": [PROMPT],
    "answers": ANSWERS,
}


def lines_of(rows: list[Any]) -> str:
    return "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound pack of two models, a prompt and two answers."""
    return written(tmp_path / "pack", {})


def written(folder: Path, changes: dict[str, Any]) -> Path:
    """The pack with some files replaced: rows, a text, bytes, or None for a file that is missing."""
    folder.mkdir(exist_ok=True)
    for name, content in (FILES | changes).items():
        path = folder / (name if "." in name else f"{name}.jsonl")
        text = lines_of(content) if isinstance(content, list) else content
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def faults(folder: Path, **changes: Any) -> tuple[Fault, ...]:
    names = {"toml": "arena.toml", "guidelines": "guidelines.md"}
    with pytest.raises(BadPack) as caught:
        read_pack(written(folder, {names.get(name, name): value for name, value in changes.items()}))
    return caught.value.faults


def only_fault(folder: Path, **changes: Any) -> Fault:
    [fault] = faults(folder, **changes)
    return fault


def test_a_sound_pack_is_read_whole(folder: Path):
    pack = read_pack(folder)
    assert pack.rules == Rules(title="T")
    assert pack.guideline is not None
    assert pack.guideline.version == "1"
    assert [model.id for model in pack.models] == ["m1", "m2"]
    assert [answer.text for answer in pack.answers] == ["One.", "Two."]


def test_the_starter_pack_has_no_fault():
    assert read_pack(starter_directory()).models


def test_the_commented_lines_of_the_starter_rules_work(folder: Path):
    # A host uncomments a line; what the file shows must be what the program takes.
    text = (starter_directory() / "arena.toml").read_text(encoding="utf-8")
    shown = text.replace("# sources =", "sources =")
    assert shown != text
    assert read_pack(written(folder, {"arena.toml": shown})).rules.rating.sources == (Source.HUMAN,)


def test_each_source_can_be_listed(folder: Path):
    listed = json.dumps([source.value for source in Source])
    rules = read_pack(written(folder, {"arena.toml": f"[rating]\nsources = {listed}\n"})).rules
    assert rules.rating.sources == tuple(Source)


def test_an_unknown_source_is_one_fault_that_names_the_known_ones(folder: Path):
    fault = only_fault(folder, toml='[rating]\nsources = ["people"]\n')
    assert fault.place == 2
    assert "people" in fault.message
    assert all(source.value in fault.message for source in Source)


def test_skip_undo_and_what_others_said_can_be_turned_off(folder: Path):
    ballot = read_pack(folder).rules.ballot
    assert (ballot.skip, ballot.undo, ballot.show_others_from) == (True, True, 5)
    off = "[ballot]\nskip = false\nundo = false\nshow_others_from = 0\n"
    ballot = read_pack(written(folder, {"arena.toml": off})).rules.ballot
    assert (ballot.skip, ballot.undo, ballot.show_others_from) == (False, False, 0)


@pytest.mark.parametrize("text", ['skip = "no"', "undo = 0", "show_others_from = -1", "show_others_from = true"])
def test_a_rule_of_the_ballot_that_is_none_is_a_fault(folder: Path, text: str):
    assert only_fault(folder, toml=f"[ballot]\n{text}\n").place == 2


# Unknown keys


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("# a comment\n\ncolour = 1\n", "colour", 3),
        ('title = "T"\n[ratings]\nseed = 1\n', "ratings", 2),
        ("[rating]\nseeds = 1\n", "rating.seeds", 2),
        ("rating.seeds = 1\n", "rating.seeds", 1),
        ('title = "T"\nrating = { seeds = 1 }\n', "rating.seeds", 2),
        ('"colour" = 1\n', "colour", 1),
        ("[rating]\nseed = 1\n\n[ballot]\nseed = 3\n", "ballot.seed", 5),
        ('welcome = """\ncolour = 5\n"""\ncolour = 6\n', "colour", 4),
    ],
)
def test_an_unknown_key_of_the_rules_is_named_with_its_line(folder: Path, text: str, key: str, line: int):
    fault = only_fault(folder, toml=text)
    assert f"unknown key {key!r}" in fault.message
    assert (fault.file, fault.place) == ("arena.toml", line)


@pytest.mark.parametrize(
    ("file", "rows", "key"),
    [
        ("models", [*MODELS, {"id": "m3", "name": "Three", "elo": 1}], "elo"),
        ("prompts", [PROMPT, {"id": "p2", "messages": PROMPT["messages"], "tags": []}], "tags"),
        ("prompts", [PROMPT, {"id": "p2", "messages": [{"role": "user", "content": "x", "name": "y"}]}], "name"),
        ("prompts", [PROMPT, PROMPT | {"id": "p2", "checks": [{"pattern": "a", "meaning": "b", "x": 1}]}], "x"),
        ("answers", [*ANSWERS, {"prompt_id": "p1", "model_id": "m1", "text": "x", "txt": "y"}], "txt"),
    ],
)
def test_an_unknown_key_of_a_row_is_named_with_its_line(folder: Path, file: str, rows: list[Any], key: str):
    fault = only_fault(folder, **{file: rows})
    assert (fault.file, fault.place) == (f"{file}.jsonl", len(rows))
    assert key in fault.message
    assert "unknown key" in fault.message


def test_an_unknown_key_of_the_front_matter_is_named_with_its_line(folder: Path):
    # ---, version, when_in_doubt, then the unknown one in line 4.
    fault = only_fault(folder, guidelines=GUIDELINES.replace("\n---\n#", "\nmood: good\n---\n#"))
    assert "unknown key 'mood'" in fault.message
    assert fault.place == 4


# Ids


@pytest.mark.parametrize(
    ("file", "rows"),
    [
        ("models", [*MODELS, MODELS[0]]),
        ("prompts", [PROMPT, {"id": "p2", "messages": PROMPT["messages"]}, PROMPT]),
        ("answers", [*ANSWERS, ANSWERS[0] | {"text": "another text"}]),
    ],
)
def test_an_id_that_stands_twice_names_both_lines(folder: Path, file: str, rows: list[Any]):
    fault = only_fault(folder, **{file: rows})
    assert (fault.file, fault.place) == (f"{file}.jsonl", 3)
    assert "stands already in line 1" in fault.message


@pytest.mark.parametrize(("key", "known_in"), [("prompt_id", "prompts.jsonl"), ("model_id", "models.jsonl")])
def test_an_answer_to_nothing_or_by_nobody_is_a_fault_of_its_line(folder: Path, key: str, known_in: str):
    fault = only_fault(folder, answers=[ANSWERS[0], ANSWERS[1] | {key: "zz"}])
    assert (fault.file, fault.place) == ("answers.jsonl", 2)
    assert "'zz'" in fault.message
    assert known_in in fault.message


@pytest.mark.parametrize("bad", ["", " ", " m1", "m1 ", "a\nb", "\u00a0m", 1, None, True, ["m1"], "x" * 201])
def test_an_id_is_a_text_without_blanks_around_it(folder: Path, bad: Any):
    assert only_fault(folder, models=[*MODELS, {"id": bad, "name": "x"}]).place == 3


@pytest.mark.parametrize(
    "url",
    ["https://", "example.org", "javascript:alert(1)", "ftp://a.b", "https://a b.c", "http://a:port", "http://[::1"],
)
def test_an_address_that_no_page_could_link_to_is_a_fault(folder: Path, url: str):
    fault = only_fault(folder, models=[MODELS[0] | {"url": url}, MODELS[1]])
    assert (fault.file, fault.place) == ("models.jsonl", 1)
    assert repr(url) in fault.message


def test_an_address_of_a_page_is_taken_as_it_is(folder: Path):
    written(folder, {"models": [MODELS[0] | {"url": "https://example.org:8443/m?x=1#y"}, MODELS[1]]})
    assert read_pack(folder).models[0].url == "https://example.org:8443/m?x=1#y"


def test_a_row_with_a_fault_is_not_also_reported_as_missing(folder: Path):
    # m1 stands in models.jsonl, with a misspelt key: that is one fault, and not also one for each of its answers.
    assert len(faults(folder, models=[MODELS[0] | {"elo": 1}, MODELS[1]])) == 1


def test_a_file_that_cannot_be_read_does_not_make_a_fault_of_each_answer(folder: Path):
    assert len(faults(folder, models=None)) == 1


# What is no JSON, no TOML, no UTF-8


@pytest.mark.parametrize(
    "line",
    [
        '{"id": "m3", "name": NaN}',
        '{"id": "m3", "name": Infinity}',
        '{"id": "m3", "id": "m4", "name": "x"}',
        '{"id": "m3", "name": "\\ud800"}',
        '{"id": "m3", "name": "x",}',
        '{"id": "m3", "name": "x"',
        "{'id': 'm3', 'name': 'x'}",
        '[{"id": "m3", "name": "x"}]',
        "null",
        "5",
        '"m3"',
        "{}",
        '{"id": "m3"} {"id": "m4"}',
        "[" * 100_000,
    ],
    ids=lambda line: line[:24],
)
def test_a_line_that_is_no_row_is_a_fault_of_that_line(folder: Path, line: str):
    found = faults(folder, models=[*MODELS, "", line])
    # Line 3 is blank, which is no fault.
    assert {(fault.file, fault.place) for fault in found} == {("models.jsonl", 4)}
    assert all("\n" not in fault.message for fault in found)


@pytest.mark.parametrize("number", ["1e999", "-1", '"12"', "true", "NaN"])
def test_a_latency_is_a_finite_number_from_0(folder: Path, number: str):
    line = f'{{"prompt_id": "p1", "model_id": "m1", "text": "x", "latency_ms": {number}}}'
    assert only_fault(folder, answers=[line, ANSWERS[1]]).place == 1


@pytest.mark.parametrize("tokens", [2**31, 2**40, 2**70, -1, 1.5, "5", True])
def test_tokens_are_a_count_that_the_database_holds(folder: Path, tokens: Any):
    assert only_fault(folder, answers=[ANSWERS[0] | {"tokens": tokens}, ANSWERS[1]]).place == 1


def test_the_parameters_of_an_answer_are_json(folder: Path):
    line = '{"prompt_id": "p1", "model_id": "m1", "text": "x", "params": {"t": 1e999}}'
    assert only_fault(folder, answers=[line, ANSWERS[1]]).place == 1


@pytest.mark.parametrize("name", ["arena.toml", "guidelines.md", "models", "prompts", "answers"])
def test_bad_utf8_is_called_by_its_name(folder: Path, name: str):
    with pytest.raises(BadPack) as caught:
        read_pack(written(folder, {name: b'{"id": "\xff"}\n'}))
    assert "not UTF-8" in caught.value.faults[0].message


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_byte_order_mark_and_either_line_end_change_nothing(folder: Path, mark: str, line_end: str):
    before = read_pack(folder)
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8").replace("\n", line_end)
        path.write_bytes((mark + text).encode())
    after = read_pack(folder)
    assert (after.models, after.prompts, after.answers) == (before.models, before.prompts, before.answers)
    assert (after.rules, after.guideline) == (before.rules, before.guideline)


@pytest.mark.parametrize(
    "text", ["a\u2028b\u2029c\u0085d", "NUL \x00 inside", "e\u0301 and é", "👩‍🚀", "\u202eabc", " \n "]
)
def test_any_text_of_an_answer_is_kept_as_it_is(folder: Path, text: str):
    line = json.dumps(ANSWERS[0] | {"text": text}, ensure_ascii=False)
    assert read_pack(written(folder, {"answers": [line, ANSWERS[1]]})).answers[0].text == text


def test_the_line_of_a_toml_mistake_is_told(folder: Path):
    assert only_fault(folder, toml='title = "T"\nwelcome = \n').place == 2
    assert only_fault(folder, toml='title = "T"\ntitle = "U"\n').place == 2


# Missing and misplaced


@pytest.mark.parametrize("name", ["arena.toml", "models", "prompts", "answers"])
def test_a_missing_file_is_a_fault(folder: Path, name: str):
    with pytest.raises(BadPack) as caught:
        read_pack(written(folder, {name: None}))
    assert "missing" in caught.value.faults[0].message


def test_a_pack_needs_no_guideline(folder: Path):
    assert read_pack(written(folder, {"guidelines.md": None})).guideline is None


@pytest.mark.parametrize("name", ["models", "prompts", "answers"])
def test_a_file_without_rows_is_a_fault(folder: Path, name: str):
    with pytest.raises(BadPack, match="holds no row"):
        read_pack(written(folder, {name: "\n\n"}))


def test_a_folder_where_a_file_belongs_is_a_fault(folder: Path):
    (folder / "answers.jsonl").unlink()
    (folder / "answers.jsonl").mkdir()
    with pytest.raises(BadPack, match=r"answers\.jsonl: the file cannot be read: Is a directory"):
        read_pack(folder)


def test_a_file_where_the_pack_belongs_is_called_a_file(tmp_path: Path):
    path = tmp_path / "pack"
    path.write_text("x")
    with pytest.raises(BadInput, match="file"):
        read_pack(path)


# The guideline


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# no front matter\n",
        "---\nversion: 1.0\nwhen_in_doubt: tie\n---\ntext\n",
        '---\nversion: "1"\nwhen_in_doubt: guess\n---\ntext\n',
        '---\nversion: "1"\n---\ntext\n',
        '---\nversion: "1"\nwhen_in_doubt: tie\n---\n\n',
        "---\n- a list\n---\ntext\n",
        "---\nversion: [\n---\ntext\n",
        '---\nversion: "1"\nversion: "2"\nwhen_in_doubt: tie\n---\ntext\n',
        "---\nversion: !!python/object/apply:os.getcwd []\nwhen_in_doubt: tie\n---\ntext\n",
    ],
    ids=["empty", "bare", "number", "default", "no default", "no text", "list", "no YAML", "twice", "code"],
)
def test_a_guideline_that_cannot_be_meant_is_a_fault(folder: Path, text: str):
    assert {fault.file for fault in faults(folder, guidelines=text)} == {"guidelines.md"}


def test_a_rule_inside_the_guideline_is_text(folder: Path):
    pack = read_pack(written(folder, {"guidelines.md": f"{GUIDELINES}\n---\nmore\n"}))
    assert pack.guideline is not None
    assert pack.guideline.text == "# Judge well\n\n---\nmore\n"


# Many faults, prompts, examples, ids


def test_all_faults_are_found_at_once(folder: Path):
    found = faults(
        folder,
        toml="a = 1\nb = 2\n",
        guidelines="# bare\n",
        models=[*MODELS, {"id": "m3"}],
        prompts=[PROMPT, {"id": "p2", "messages": []}],
        answers=[*ANSWERS, {"prompt_id": "zz", "model_id": "yy", "text": "x"}],
    )
    assert [(fault.file, fault.place) for fault in found] == [
        ("arena.toml", 1),
        ("arena.toml", 2),
        ("guidelines.md", 1),
        ("models.jsonl", 3),
        ("prompts.jsonl", 2),
        ("answers.jsonl", 3),
        ("answers.jsonl", 3),
    ]


@pytest.mark.parametrize(
    "roles", [["assistant"], ["user", "assistant"], ["user", "system", "user"], ["system"], ["tool"], ["User"], []]
)
def test_a_prompt_ends_with_the_user_and_a_system_message_comes_first(folder: Path, roles: list[str]):
    messages = [{"role": role, "content": "x"} for role in roles]
    assert faults(folder, prompts=[PROMPT, {"id": "p2", "messages": messages}])[0].place == 2


def test_a_check_that_is_no_regular_expression_is_a_fault(folder: Path):
    fault = only_fault(folder, prompts=[PROMPT, PROMPT | {"id": "p2", "checks": [{"pattern": "(", "meaning": "x"}]}])
    assert "'('" in fault.message


def test_another_text_is_another_answer():
    told = {answer_id(*parts) for parts in [("p", "m", "t"), ("p", "m", "t "), ("pm", "", "t"), ("p", "mt", "")]}
    assert len(told) == 4
    assert answer_id("p", "m", "t") == answer_id("p", "m", "t")


def test_the_example_pack_has_no_fault_and_is_never_written_over_anything(tmp_path: Path):
    files = write_example_pack(tmp_path / "new" / "pack")
    pack = read_pack(tmp_path / "new" / "pack")
    assert (len(pack.models), len(pack.prompts), len(pack.answers)) == (2, 2, 4)
    before = {path: path.read_bytes() for path in files}
    with pytest.raises(BadInput, match="already holds something"):
        write_example_pack(tmp_path / "new" / "pack")
    assert {path: path.read_bytes() for path in files} == before


def test_an_example_pack_where_no_folder_can_be_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "pack"):
        with pytest.raises(BadInput, match="file"):
            write_example_pack(place)


# ---- gold, and the shares of items ----

GOLD = {"prompt_id": "p1", "model_a": "m2", "model_b": "m1", "verdict": "A", "reason": "Two is right."}


def test_gold_is_read_with_the_ids_of_its_answers(folder: Path):
    [known] = read_pack(written(folder, {"gold": [GOLD]})).gold
    assert known.answer_a == answer_id("p1", "m2", "Two.")
    assert known.on(answer_id("p1", "m1", "One.")) is Verdict.B
    assert read_pack(written(folder, {"gold": None})).gold == ()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"prompt_id": "p9"}, "no answer of 'm2' to 'p9' and of 'm1' to 'p9' is in answers.jsonl"),
        ({"model_a": "m9"}, "no answer of 'm9' to 'p1' is in answers.jsonl"),
        ({"model_a": "m1"}, "model_a and model_b are both 'm1'"),
        ({"verdict": "left"}, "verdict"),
        ({"reason": ""}, "reason"),
        ({"why": "x"}, "why"),
    ],
)
def test_gold_on_nothing_is_a_fault_of_its_line(folder: Path, changed: dict[str, str], told: str):
    found = faults(folder, gold=[GOLD | changed])
    assert [(fault.file, fault.place) for fault in found] == [("gold.jsonl", 1)]
    assert told in found[0].message


def test_a_pair_stands_in_gold_once_whichever_is_a(folder: Path):
    turned = GOLD | {"model_a": "m1", "model_b": "m2", "verdict": "B"}
    [fault] = faults(folder, gold=[GOLD, turned])
    assert (fault.file, fault.place) == ("gold.jsonl", 2)
    assert "stands already in line 1" in fault.message


@pytest.mark.parametrize("text", ["One.", " One. ", ""])
def test_gold_on_answers_that_no_voter_is_given_together_is_a_fault(folder: Path, text: str):
    answers = [ANSWERS[0], ANSWERS[1] | {"text": text}]
    [fault] = faults(folder, answers=answers, gold=[GOLD])
    assert (fault.file, fault.place) == ("gold.jsonl", 1)
    assert "no voter is ever given" in fault.message


def test_shares_of_items_that_sum_to_more_than_1_are_a_fault_of_their_table(folder: Path):
    [fault] = faults(folder, toml='title = "T"\n\n[items]\noverlap = 0.5\nrepeat = 0.3\ngold = 0.3\n')
    assert (fault.file, fault.place) == ("arena.toml", 3)
    assert "sum to 1.1" in fault.message
    whole = read_pack(written(folder, {"arena.toml": "[items]\noverlap = 0.7\nrepeat = 0.2\ngold = 0.1\n"}))
    assert whole.rules.items.shares().overlap == 0.7


@pytest.mark.parametrize("line", ["overlap = 1.5", "overlap_voters = 1", "repeat_after = 0", "gold = -0.1", "hard = 1"])
def test_a_rule_of_items_that_is_none_is_a_fault_of_its_line(folder: Path, line: str):
    [fault] = faults(folder, toml=f"[items]\n\n{line}\n")
    assert (fault.file, fault.place) == ("arena.toml", 3)
