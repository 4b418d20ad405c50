"""answers.jsonl while answers come in: a line at a time, and whole after any interruption."""

import json
import os
import resource
import signal
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.contenders.answer_log import append, held, mend
from arena.errors import BadInput

ROW = {"prompt_id": "p", "model_id": "m", "text": "Zeile\u2028 äöü\n", "tokens": None}


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_row_is_a_line_and_what_has_no_value_is_left_out(tmp_path: Path):
    append(tmp_path / "a.jsonl", ROW)
    append(tmp_path / "a.jsonl", ROW | {"text": "two"})

    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_bytes().split(b"\n")[:-1]] == [
        {"prompt_id": "p", "model_id": "m", "text": text} for text in (ROW["text"], "two")
    ]


@settings(deadline=None)
@given(st.integers(0, 200))
def test_wherever_a_line_was_torn_the_whole_ones_stay_and_the_half_one_is_put_aside(
    tmp_path_factory: pytest.TempPathFactory, n_bytes: int
):
    path = tmp_path_factory.mktemp("log") / "answers.jsonl"
    for number in range(3):
        append(path, ROW | {"text": str(number)})
    data = path.read_bytes()
    kept = data[: len(data) - n_bytes] if n_bytes < len(data) else b""
    path.write_bytes(kept)
    n_whole, half = kept.count(b"\n"), kept.rpartition(b"\n")[2]

    torn = mend(path)
    append(path, ROW | {"text": "next"})

    is_whole_without_end = half.endswith(b"}")
    texts = [str(number) for number in range(n_whole + is_whole_without_end)]
    assert [row["text"] for row in rows(path)] == [*texts, "next"]
    assert (torn.read_bytes() if torn else b"") == (half + b"\n" if half and not is_whole_without_end else b"")


def test_nothing_is_mended_where_nothing_is_torn(tmp_path: Path):
    path = tmp_path / "answers.jsonl"
    assert mend(path) is None
    append(path, ROW)
    before = path.read_bytes()
    assert mend(path) is None
    assert path.read_bytes() == before


def test_two_torn_lines_are_both_kept(tmp_path: Path):
    path = tmp_path / "answers.jsonl"
    for half in ('{"text": "on', '{"text": "tw'):
        path.write_text(half)
        torn = mend(path)
        assert path.read_bytes() == b""
    assert torn is not None
    assert torn.read_text() == '{"text": "on\n{"text": "tw\n'


def _on_a_small_disk(path: Path, result: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    append(path, ROW)
    try:
        append(path, ROW | {"text": "x" * 2000})
    except BadInput as error:
        os.write(1, b"")
        result.write_text(str(error))


def test_a_disk_that_is_full_leaves_the_file_as_it_was(tmp_path: Path):
    path, result = tmp_path / "answers.jsonl", tmp_path / "result"
    process = get_context("spawn").Process(target=_on_a_small_disk, args=(path, result))
    process.start()
    process.join(60)

    assert "an answer could not be written" in result.read_text()
    assert "File too large" in result.read_text()
    assert [row["text"] for row in rows(path)] == [ROW["text"]]


def test_a_second_process_is_told_that_the_first_one_is_at_work(tmp_path: Path):
    file = tmp_path / "models.jsonl"
    file.write_text("{}\n")

    with held(file), pytest.raises(BadInput, match="another process makes answers"), held(file):
        pass
    with held(file):
        """Free again."""


def test_a_folder_that_is_no_pack_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match=r"models\.jsonl cannot be read: No such file"), held(tmp_path / "models.jsonl"):
        pass
