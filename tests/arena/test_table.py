"""Tables on disk: what stands in the file is what comes out, and what cannot be read is refused with its place."""

import csv
import gc
import json
import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest

from arena import table
from arena.errors import BadInput

SCHEMA = {"name": "varchar", "n": "integer"}
ROWS = [("gpt", 1), ('模型, the "second"', 2), ("a\u2028b", 3), (None, 4)]
MODELS = ("model_a", "model_b", "winner")

# DuckDB looks at so many rows of a CSV before it decides what its quotes and separators are.
BEYOND_THE_SAMPLE = 25_000


def text_file(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def jsonl(path: Path, *rows: Any) -> Path:
    """Each row a line: a text as it is, anything else as JSON."""
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    return text_file(path, "".join(f"{line}\n" for line in lines))


def votes(*names: Any) -> list[dict[str, Any]]:
    """A tie of each of these models against b."""
    return [{"model_a": name, "model_b": "b", "winner": "tie"} for name in names]


def counted(path: Path, columns: Sequence[str] = MODELS) -> list[tuple[Any, ...]]:
    """The values of these columns as texts, and how many rows have them."""
    with table.opened(path) as (cursor, relation, _):
        listed = ", ".join(f"{column}::varchar" for column in columns)
        return cursor.execute(f"select {listed}, count(*) from {relation} group by all order by all").fetchall()


def names_counted(path: Path) -> list[str]:
    return [name for name, _ in counted(path, ["model_a"])]


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        list(table.rows_of(path))
    return str(caught.value)


@pytest.mark.parametrize("ending", [".parquet", ".jsonl", ".csv"])
def test_what_is_written_is_read_back(tmp_path: Path, ending: str):
    path = tmp_path / f"rows{ending}"
    table.write(path, SCHEMA, ROWS)
    read = [(number, row["name"], int(row["n"])) for number, row in table.rows_of(path)]
    assert read == [(number, *row) for number, row in enumerate(ROWS, 1)]


@pytest.mark.parametrize("ending", [".parquet", ".jsonl", ".csv", ".json"])
def test_the_same_rows_are_the_same_bytes(tmp_path: Path, ending: str):
    for name in ("one", "two"):
        table.write(tmp_path / f"{name}{ending}", SCHEMA, ROWS)
    assert (tmp_path / f"one{ending}").read_bytes() == (tmp_path / f"two{ending}").read_bytes()


@pytest.mark.parametrize("ending", [".parquet", ".jsonl", ".csv"])
def test_rows_beyond_one_batch_keep_their_order_and_numbers(tmp_path: Path, ending: str):
    # 25,001 rows: two whole batches of 10,000 and a part, and more than DuckDB's 20,480-row sample of a CSV.
    path = tmp_path / f"many{ending}"
    table.write(path, {"n": "integer"}, [(n,) for n in range(1, 25_002)])
    assert all(number == int(row["n"]) for number, row in table.rows_of(path))
    assert sum(1 for _ in table.rows_of(path)) == 25_001


@pytest.mark.parametrize("name", ["votes.txt", "votes.json", "votes", "votes.csv.gz"])
def test_an_unknown_ending_is_refused_with_the_known_ones(tmp_path: Path, name: str):
    message = refusal(text_file(tmp_path / name, "a\n1\n"))
    assert name in message
    assert ".parquet, .csv, .jsonl" in message


def test_a_missing_file_a_folder_and_an_empty_file_are_told_apart(tmp_path: Path):
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert "there is no file" in refusal(tmp_path / "nothing.csv")
    assert "folder.csv" in refusal(folder)
    assert "is empty" in refusal(text_file(tmp_path / "empty.csv", ""))


def test_an_ending_in_capitals_is_known(tmp_path: Path):
    assert table.columns_of(text_file(tmp_path / "VOTES.CSV", "a,b\n1,2\n")) == ("a", "b")


@pytest.mark.parametrize(("name", "other"), [("vote*.csv", "votes.csv"), ("[ab].csv", "a.csv"), ("?.csv", "b.csv")])
def test_a_name_with_a_wildcard_is_that_file_and_no_other(tmp_path: Path, name: str, other: str):
    text_file(tmp_path / other, "who\nsomebody else\n")
    path = text_file(tmp_path / name, "who\nme\n")
    assert [row for _, row in table.rows_of(path)] == [{"who": "me"}]


# CSV


def test_csv_values_are_texts_as_they_stand(tmp_path: Path):
    path = text_file(tmp_path / "t.csv", "id,when,flag,word\n007,2024-01-02,true,NULL\n1e3,1.0,NA,None\n")
    assert [list(row.values()) for _, row in table.rows_of(path)] == [
        ["007", "2024-01-02", "true", "NULL"],
        ["1e3", "1.0", "NA", "None"],
    ]


def test_an_empty_csv_field_is_nothing(tmp_path: Path):
    path = text_file(tmp_path / "t.csv", "a,b\n,x\n")
    assert [row for _, row in table.rows_of(path)] == [{"a": None, "b": "x"}]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_byte_order_mark_and_any_line_end_change_nothing(tmp_path: Path, line_end: str, mark: str):
    text = mark + "model_a,model_b,winner\na,b,tie\nc,b,tie\n".replace("\n", line_end)
    assert names_counted(text_file(tmp_path / "t.csv", text)) == ["a", "c"]


@pytest.mark.parametrize(
    "name",
    ["a, Inc", 'say "x"', "two\nlines", "#a", "a;b", "a|b", "a\tb", "back\\slash", "it's", "'quoted'", "~", "//", "-"],
)
def test_a_csv_keeps_every_name_that_its_quotes_can_hold(tmp_path: Path, name: str):
    path = tmp_path / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([MODELS, (name, "b", "tie"), (name, "b", "tie")])
    assert counted(path) == [(name, "b", "tie", 2)]


def test_two_csv_names_that_differ_by_apostrophes_stay_two(tmp_path: Path):
    path = text_file(tmp_path / "t.csv", "model_a,model_b,winner\n'a',b,tie\n'a',b,tie\na,b,tie\n'a',b,tie\n")
    assert names_counted(path) == ["'a'", "a"]


@pytest.mark.parametrize("field", ['"a, Inc"', '"two\nlines"', '"say ""x"""'])
def test_the_first_quoted_field_may_come_late_in_a_csv(tmp_path: Path, field: str):
    rows = "a,b,tie\n" * BEYOND_THE_SAMPLE
    path = text_file(tmp_path / "t.csv", f"model_a,model_b,winner\n{rows}{field},b,tie\n")
    assert sum(row[-1] for row in counted(path)) == BEYOND_THE_SAMPLE + 1


@pytest.mark.parametrize("n_before", [3, BEYOND_THE_SAMPLE])
def test_a_quote_that_never_closes_is_refused(tmp_path: Path, n_before: int):
    rows = "a,b,tie\n" * n_before
    path = text_file(tmp_path / "t.csv", f'model_a,model_b,winner\n{rows}"a,b,tie\na,b,tie\n')
    with pytest.raises(BadInput, match=str(path)):
        counted(path)


@pytest.mark.parametrize("broken", ["a,b", "a,b,tie,more"])
def test_a_csv_row_of_another_length_is_refused_with_its_line(tmp_path: Path, broken: str):
    # Line 1 is the header, lines 2 to 4 are sound, line 5 is the broken one (row 4).
    sound = "a,b,tie\n" * 3
    path = text_file(tmp_path / "t.csv", f"model_a,model_b,winner\n{sound}{broken}\n{sound}")
    assert re.search("line:? 5|row 4", refusal(path).lower())


@pytest.mark.parametrize("n_before", [0, BEYOND_THE_SAMPLE])
def test_bad_utf8_in_a_csv_is_called_by_its_name(tmp_path: Path, n_before: int):
    rows = b"a,b,tie\n" * n_before
    message = refusal(text_file(tmp_path / "t.csv", b"model_a,model_b,winner\n" + rows + b"\xff\xfe,b,tie\n"))
    assert "utf-8" in message.lower() or "unicode" in message.lower() or "encod" in message.lower()
    assert "\n" not in message


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("winner,Winner,WINNER", ("winner",)),
        ("Winner,WINNER,winner", ("winner",)),
        ("Winner,WINNER", ("Winner",)),
        (",winner", ("winner",)),
        ("winner,who won?,a b", ("winner", "who won?", "a b")),
    ],
)
def test_of_columns_that_differ_in_capitals_the_one_in_small_letters_is_asked(
    tmp_path: Path, header: str, kept: tuple[str, ...]
):
    # The public tables of pandas bear a nameless first column; DuckDB takes winner and Winner for one name.
    values = dict.fromkeys(header.split(","), "no") | {kept[0]: "yes"}
    path = text_file(tmp_path / "t.csv", f"{header}\n{','.join(values.values())}\n")
    with table.opened(path) as (cursor, relation, columns):
        assert columns == kept
        assert cursor.execute(f"select {kept[0]} from {relation}").fetchall() == [("yes",)]


# JSON Lines


def test_json_values_keep_their_types(tmp_path: Path):
    values = ["007", 7, 7.5, True, None, {"a": [1]}, "2024-01-02", "AAAAAAAA-0000-0000-0000-00000000000A"]
    path = jsonl(tmp_path / "t.jsonl", *({"v": value} for value in values))
    assert [row["v"] for _, row in table.rows_of(path)] == values


def test_a_line_separator_inside_a_json_text_is_no_line_end(tmp_path: Path):
    path = jsonl(tmp_path / "t.jsonl", '{"v": "a\u2028b\u2029c\u0085d"}')
    assert list(table.rows_of(path)) == [(1, {"v": "a\u2028b\u2029c\u0085d"})]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_json_lines_take_a_byte_order_mark_and_either_line_end(tmp_path: Path, line_end: str, mark: str):
    lines = "".join(json.dumps(row) + line_end for row in votes("a", "c"))
    assert names_counted(text_file(tmp_path / "t.jsonl", mark + lines)) == ["a", "c"]


def test_a_name_is_counted_as_it_stands_beside_a_number(tmp_path: Path):
    assert names_counted(jsonl(tmp_path / "t.jsonl", *votes("a", 1))) == ["1", "a"]


@pytest.mark.parametrize(
    "name", ["AAAAAAAA-0000-0000-0000-00000000000A", "2024-01-02T00:00:00", "2024-01-02 00:00:00+02:00", "007", "1e3"]
)
def test_a_name_is_never_rewritten_because_it_looks_like_something(tmp_path: Path, name: str):
    assert names_counted(jsonl(tmp_path / "t.jsonl", *votes(name, name))) == [name]


def test_two_long_numbers_stay_two_names(tmp_path: Path):  # they differ in the 30th digit, a double has 16
    path = jsonl(tmp_path / "t.jsonl", *votes(123456789012345678901234567890, 123456789012345678901234567891))
    assert len(names_counted(path)) == 2


def test_a_key_that_no_column_can_be_called_is_left_aside(tmp_path: Path):
    rows = [vote | {"": 1, "a\0b": 2, "Model_A": 3} for vote in votes("a", "c")]
    assert names_counted(jsonl(tmp_path / "t.jsonl", *rows)) == ["a", "c"]


@pytest.mark.parametrize("value", [7.5, True, {"id": 1}, ["a"]])
def test_what_is_neither_text_nor_number_is_never_counted_as_a_text(tmp_path: Path, value: Any):
    path = jsonl(tmp_path / "t.jsonl", *votes(value, str(value), repr(value), json.dumps(value)))
    # One of the four stands apart from all texts that look like it.
    others = {str(value), repr(value), json.dumps(value)}
    assert len(set(names_counted(path)) - others) == 1


def test_json_lines_may_have_hundreds_of_keys(tmp_path: Path):
    rows = [vote | {f"key{n}": 1} for n, vote in enumerate(votes(*["a"] * 300))]
    assert "winner" in table.columns_of(jsonl(tmp_path / "t.jsonl", *rows))


@pytest.mark.parametrize(
    "line",
    [
        '{"model_a": "a", "model_b": "b", "winner": "tie", "x": NaN}',
        '{"model_a": NaN, "model_b": "b", "winner": "tie"}',
        '{"model_a": "a", "model_b": "b", "winner": "tie", "x": Infinity}',
        '{"model_a": "a", "model_a": "c", "model_b": "b", "winner": "tie"}',
        '{"model_a": "\\ud800", "model_b": "b", "winner": "tie"}',
        '{"model_a": "a", "model_b"',
        '{"model_a": "a",}',
        "model_a,model_b,winner",
    ],
    ids=["NaN", "NaN as a name", "Infinity", "repeated key", "lone surrogate", "cut off", "trailing comma", "CSV"],
)
def test_what_is_no_json_is_refused_with_its_line(tmp_path: Path, line: str):
    message = refusal(jsonl(tmp_path / "t.jsonl", *votes("a", "c"), line))
    # Two sound lines stand before it.
    assert "line 3" in message or "row 3" in message
    assert "\n" not in message


def test_bad_utf8_in_json_lines_is_called_by_its_name(tmp_path: Path):
    assert "UTF-8" in refusal(text_file(tmp_path / "t.jsonl", b'{"v": "\xff"}\n'))


@pytest.mark.parametrize("content", ["[1, 2]\n", '"text"\n', "5\n", '[{"model_a": "a"}]\n'])
def test_a_line_that_is_no_object_is_not_taken_as_a_row(tmp_path: Path, content: str):
    with pytest.raises(BadInput):
        list(table.rows_of(text_file(tmp_path / "t.jsonl", content)))


# Parquet


@pytest.mark.parametrize("content", [b"model_a\na\n", b"PAR1", b"PAR1" + b"\0" * 40 + b"PAR1"])
def test_what_is_no_parquet_is_refused_in_one_line(tmp_path: Path, content: bytes):
    message = refusal(text_file(tmp_path / "t.parquet", content))
    assert "t.parquet" in message
    assert "\n" not in message


def test_a_parquet_file_that_was_cut_off_is_refused(tmp_path: Path):
    path = tmp_path / "t.parquet"
    table.write(path, SCHEMA, ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    assert "t.parquet" in refusal(path)


def test_parquet_enumerations_and_numbers_are_counted_by_their_text(tmp_path: Path):
    path = tmp_path / "t.parquet"
    with duckdb.connect() as con:
        con.execute(
            "copy (select 1 as model_a, 'b' as model_b, 'tie'::enum('tie', 'model_a') as winner) "
            f"to '{path}' (format parquet)"
        )
    assert counted(path) == [("1", "b", "tie", 1)]


# Counting, and finding the row again


def test_counts_add_up_and_the_first_row_is_found(tmp_path: Path):
    path = jsonl(tmp_path / "t.jsonl", *votes("a", "b", "a", "c", "a"))
    found = counted(path, ["model_a"])
    assert found == [("a", 3), ("b", 1), ("c", 1)]
    assert [table.first_row_where(path, {"model_a": name}) for name, _ in found] == [1, 2, 4]


def test_the_row_of_a_missing_value_is_found(tmp_path: Path):
    path = jsonl(tmp_path / "t.jsonl", *votes("a", None, "a"))
    assert table.first_row_where(path, {"model_a": None, "winner": "tie"}) == 2


# Writing


def test_a_written_file_leaves_no_draft(tmp_path: Path):
    table.write(tmp_path / "new" / "folder" / "t.csv", SCHEMA, ROWS)
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["t.csv"]


def test_an_earlier_file_survives_a_failed_write(tmp_path: Path):
    path = text_file(tmp_path / "t.csv", "earlier\n")
    with pytest.raises(BadInput):
        table.write(path, {"n": "integer"}, [("not a number",)])
    assert path.read_text() == "earlier\n"
    assert [each.name for each in tmp_path.iterdir()] == ["t.csv"]


def test_a_failed_write_leaves_nothing_behind_in_memory(tmp_path: Path):
    # DuckDB warns when an appender is dropped with rows in it, whenever the collector comes by.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with suppress(BadInput):
            table.write(tmp_path / "t.csv", {"n": "integer"}, [(1,), ("not a number",)])
        gc.collect()
    assert [str(each.message) for each in caught] == []


@pytest.mark.parametrize("place", ["file/t.csv", "folder.csv"])
def test_a_place_that_cannot_be_written_is_refused_by_its_name(tmp_path: Path, place: str):
    text_file(tmp_path / "file", "a file, and no folder")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.csv" / "inside").mkdir()
    with pytest.raises(BadInput, match="cannot be written"):
        table.write(tmp_path / place, SCHEMA, ROWS)


def test_an_unknown_ending_is_not_written(tmp_path: Path):
    with pytest.raises(BadInput, match="ending that is not known"):
        table.write(tmp_path / "t.xlsx", SCHEMA, ROWS)
    assert not list(tmp_path.iterdir())
