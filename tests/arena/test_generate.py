"""`bakeoff generate` and `bakeoff doctor`, on real servers: every answer once, paid once, whatever happens between."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from model_server import ModelServer, Reply, serving

from arena.contenders.asking import FAILURES_TO_REST
from arena.pack import read_pack
from command import ROOT, bakeoff, error_of

KEY = "sk-never-to-be-seen"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as models:
        yield models


def write_pack(
    folder: Path, server: ModelServer, *names: str, n_prompts: int = 3, free: tuple[str, ...] = (), **endpoint: Any
) -> Path:
    """A pack of live models; those in `free` have no price."""
    folder.mkdir()
    models = [
        {
            "id": name,
            "name": name.upper(),
            "endpoint": {"base_url": server.url, "model": name, "params": {"temperature": 0.7, "max_tokens": 50}}
            | ({} if name in free else {"price": {"input": 1.0, "output": 10.0}})
            | endpoint,
        }
        for name in names
    ]
    prompts = [
        {"id": f"p{number}", "messages": [{"role": "user", "content": f"Question {number}?"}]}
        for number in range(n_prompts)
    ]
    (folder / "arena.toml").write_text("")
    (folder / "models.jsonl").write_text("".join(json.dumps(each) + "\n" for each in models))
    (folder / "prompts.jsonl").write_text("".join(json.dumps(each) + "\n" for each in prompts))
    return folder


def answers(pack: Path, file: str = "answers.jsonl") -> list[dict[str, Any]]:
    path = pack / file
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_every_prompt_is_answered_by_every_model_with_how_it_was_made(tmp_path: Path, server: ModelServer):
    server.says("one", Reply(calls_itself="one-2026-05-01"))
    pack = write_pack(tmp_path / "pack", server, "one", "two", system_prompt="Be brief.")

    said = bakeoff("generate", pack)

    assert said.code == 0
    # 3 answers each of 7 + 3 tokens: 6 * (7 * 1 + 3 * 10) / 1,000,000
    assert said.out == "6 answers made, $0.0002, 0 failed, 0 not asked for\n"
    made = answers(pack)
    assert {(row["prompt_id"], row["model_id"]) for row in made} == {
        (f"p{number}", model) for number in range(3) for model in ("one", "two")
    }
    row = next(row for row in made if row["model_id"] == "one")
    assert row.pop("latency_ms") > 0
    assert row | {"prompt_id": "p0"} == {
        "prompt_id": "p0",
        "model_id": "one",
        "text": "Hello, world.",
        "revision": "one-2026-05-01",
        "params": {"temperature": 0.7, "max_tokens": 50, "system_prompt": "Be brief."},
        "tokens": 3,
        "finish_reason": "stop",
    }
    assert "revision" not in next(
        row for row in made if row["model_id"] == "two"
    )  # it calls itself what it was asked for
    assert len(read_pack(pack).answers) == 6


def test_what_is_there_is_not_asked_for_again(tmp_path: Path, server: ModelServer):
    pack = write_pack(tmp_path / "pack", server, "one", "two")
    bakeoff("generate", pack, "--model", "one", "--prompt", "p0,p1")
    assert len(server.requests) == 2

    bakeoff("generate", pack)
    again = bakeoff("generate", pack)

    assert len(server.requests) == 6
    assert again.err == "nothing is missing\n"


def test_a_dry_run_asks_nobody_and_says_what_it_would_take(tmp_path: Path, server: ModelServer):
    pack = write_pack(tmp_path / "pack", server, "one", "two", free=("two",))

    said = bakeoff("generate", pack, "--dry-run", "--json")

    assert server.requests == []
    # "Question 0?" is 11 characters, so 3 tokens; 50 tokens of an answer at most.
    assert said.record["planned"] == {
        "one": {"n": 3, "n_prompt_tokens": 9, "n_tokens": 150, "usd": pytest.approx(0.001509), "seconds": None},
        "two": {"n": 3, "n_prompt_tokens": 9, "n_tokens": 150, "usd": None, "seconds": None},
    }


def test_estimates_follow_the_answers_that_are_there(tmp_path: Path, server: ModelServer):
    pack = write_pack(tmp_path / "pack", server, "one", concurrency=2)
    row = {"prompt_id": "p0", "model_id": "one", "text": "So.", "tokens": 8, "latency_ms": 3000.0}
    (pack / "answers.jsonl").write_text(json.dumps(row) + "\n")

    [planned] = bakeoff("generate", pack, "--dry-run", "--json").record["planned"].values()

    assert (planned["n"], planned["n_tokens"], planned["seconds"]) == (2, 16, 3.0)


def test_failures_are_listed_and_asked_for_again_alone(tmp_path: Path, server: ModelServer):
    server.says("one", Reply(), Reply(status=400, error={"message": f"no top_k for {KEY}"}), Reply())
    pack = write_pack(tmp_path / "pack", server, "one", concurrency=1)

    first = bakeoff("generate", pack)
    second = bakeoff("generate", pack)

    assert first.code == 1
    assert first.out.startswith("2 answers made, $0.0001, 1 failed, 0 not asked for\n")
    assert "       1  one rejected the request (HTTP 400: no top_k" in first.out
    assert "failed: p1 by one: rejected the request" in first.err
    assert "1 answer still missing: the same command asks for them alone" in first.err
    assert second.code == 0
    assert [row["prompt_id"] for row in answers(pack)] == ["p0", "p2", "p1"]


def test_a_model_that_fails_again_and_again_is_left_alone_and_the_others_go_on(tmp_path: Path, server: ModelServer):
    server.says("ill", Reply(status=400))
    pack = write_pack(tmp_path / "pack", server, "ill", "well", n_prompts=20, concurrency=1)

    said = bakeoff("generate", pack, "--json")

    assert len(server.bodies("ill")) == FAILURES_TO_REST
    assert said.record["rested"] == {"ill": "rejected"}
    assert said.record["n_made"] == 20
    assert said.record["n_not_asked"] == 20 - FAILURES_TO_REST


def test_a_key_that_is_refused_is_not_tried_with_every_prompt(
    tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KEY_OF_THE_TEST", KEY)
    server.says("one", Reply(status=401, error={"message": f"wrong key {KEY}"}))
    pack = write_pack(tmp_path / "pack", server, "one", n_prompts=9, concurrency=1, api_key_env="KEY_OF_THE_TEST")

    said = bakeoff("generate", pack)

    assert len(server.requests) == 1
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in said.out + said.err
    assert "[key]" in said.out


def test_a_key_with_a_line_break_at_its_end_is_sent_without_it_and_one_with_others_is_refused_unquoted(
    tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
):
    pack = write_pack(tmp_path / "pack", server, "one", n_prompts=1, api_key_env="KEY_OF_THE_TEST")
    monkeypatch.setenv("KEY_OF_THE_TEST", f" {KEY[:4]}\n{KEY[4:]}\n")
    refused = [bakeoff(command, pack) for command in ("generate", "doctor")]
    monkeypatch.setenv("KEY_OF_THE_TEST", f" {KEY}\n")
    made = bakeoff("generate", pack)

    assert [each.code for each in refused] == [1, 1]
    assert all("in KEY_OF_THE_TEST cannot be sent" in each.err and KEY[4:] not in each.err for each in refused)
    assert made.code == 0
    assert [each["authorization"] for each in server.headers] == [f"Bearer {KEY}"]


def test_a_key_that_is_not_there_is_asked_for_by_its_name(tmp_path: Path, server: ModelServer):
    pack = write_pack(tmp_path / "pack", server, "one", api_key_env="KEY_OF_NOBODY")

    said = bakeoff("generate", pack)

    assert said.code == 1
    assert "the key of 'one' is not there: set the environment variable KEY_OF_NOBODY" in said.err
    assert server.requests == []


def test_a_budget_is_kept(tmp_path: Path, server: ModelServer):
    # A request may cost (3 + 50 * 10) / 1,000,000 dollars before it is known; it costs 37 / 1,000,000.
    pack = write_pack(tmp_path / "pack", server, "one", n_prompts=40, concurrency=1)

    said = bakeoff("generate", pack, "--budget", "0.001", "--json")

    # The n-th is asked for as long as 37 n + 503 <= 1000.
    assert said.record["n_made"] == 14
    assert said.record["usd"] == pytest.approx(14 * 37e-6)
    assert said.record["is_over_budget"]
    assert said.code == 1


def test_a_budget_without_prices_is_refused(tmp_path: Path, server: ModelServer):
    pack = write_pack(tmp_path / "pack", server, "one", "two", free=("two",))

    assert "'two' has none: add endpoint.price" in error_of(bakeoff("generate", pack, "--budget", "1"))


def test_an_answer_without_a_number_of_tokens_is_counted_by_its_length(tmp_path: Path, server: ModelServer):
    server.says("one", Reply(pieces=("x" * 400,), tells_usage=False))
    pack = write_pack(tmp_path / "pack", server, "one", n_prompts=1)

    record = bakeoff("generate", pack, "--json").record

    assert record["n_uncounted"] == 1
    assert record["usd"] == pytest.approx((3 + 100 * 10) / 1e6)


def test_further_samples_stand_in_a_file_of_their_own_and_are_never_served(tmp_path: Path, server: ModelServer):
    pack = write_pack(tmp_path / "pack", server, "one", n_prompts=2)

    bakeoff("generate", pack, "--samples", "3")

    assert len(answers(pack)) == 2
    assert sorted((row["prompt_id"], row["sample"]) for row in answers(pack, "samples.jsonl")) == [
        ("p0", 2),
        ("p0", 3),
        ("p1", 2),
        ("p1", 3),
    ]
    read = read_pack(pack)
    assert (len(read.answers), len(read.samples)) == (2, 4)
    assert bakeoff("generate", pack, "--samples", "3").err == "nothing is missing\n"


def test_each_model_is_asked_as_often_at_a_time_as_it_allows(tmp_path: Path, server: ModelServer):
    server.says("one", Reply(between=0.05))
    pack = write_pack(tmp_path / "pack", server, "one", n_prompts=12, concurrency=4)

    bakeoff("generate", pack)

    assert server.most_open == 4


def test_a_slow_model_holds_no_other_up(tmp_path: Path, server: ModelServer):
    server.says("slow", Reply(before=0.3))
    pack = write_pack(tmp_path / "pack", server, "slow", "fast", n_prompts=3, concurrency=1)

    bakeoff("generate", pack)

    assert [row["model_id"] for row in answers(pack)][:3] == ["fast"] * 3


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_after_any_interruption_what_was_paid_for_is_there_and_the_rest_is_asked_once(
    tmp_path: Path, server: ModelServer, blow: signal.Signals
):
    """Stopped twice in the middle of the run; what was under way then is all that is asked twice."""
    server.says("one", Reply(between=0.01))
    pack = write_pack(tmp_path / "pack", server, "one", n_prompts=60, concurrency=3)
    n_blows = 2
    for number in range(n_blows):
        run = subprocess.Popen(
            [sys.executable, "-m", "arena", "generate", str(pack)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        n_wanted = 20 * (number + 1)
        while len(answers_or_half(pack)) < n_wanted and run.poll() is None:
            time.sleep(0.005)
        run.send_signal(blow)
        _, told = run.communicate(timeout=60)
        if blow is signal.SIGINT:
            assert run.returncode == 130
            assert b"the same command asks for the rest" in told

    said = bakeoff("generate", pack)

    assert said.code == 0
    made = [row["prompt_id"] for row in answers(pack)]
    assert sorted(made) == sorted(f"p{number}" for number in range(60))
    assert len(server.requests) <= 60 + 3 * n_blows


def answers_or_half(pack: Path) -> list[bytes]:
    path = pack / "answers.jsonl"
    return path.read_bytes().splitlines() if path.exists() else []


def test_a_half_line_is_put_aside_and_its_answer_made_again(tmp_path: Path, server: ModelServer):
    pack = write_pack(tmp_path / "pack", server, "one", n_prompts=2)
    bakeoff("generate", pack)
    data = (pack / "answers.jsonl").read_bytes()
    (pack / "answers.jsonl").write_bytes(data[:-20])

    said = bakeoff("generate", pack)

    assert "the last line of answers.jsonl was not whole; it stands in answers.jsonl.torn now" in said.err
    assert len(read_pack(pack).answers) == 2


def test_two_runs_at_the_same_time_do_not_pay_twice(tmp_path: Path, server: ModelServer):
    server.says("one", Reply(between=0.3))
    pack = write_pack(tmp_path / "pack", server, "one", n_prompts=2)
    first = subprocess.Popen(
        [sys.executable, "-m", "arena", "generate", str(pack)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    while not server.requests and first.poll() is None:
        time.sleep(0.005)

    second = bakeoff("generate", pack)
    first.wait(60)

    assert "another process makes answers" in error_of(second)
    assert (first.returncode, len(server.requests)) == (0, 2)


def test_a_pack_without_endpoints_is_told_so(tmp_path: Path):
    bakeoff("init", tmp_path / "pack")

    assert "no model of" in error_of(bakeoff("generate", tmp_path / "pack"))
    assert "no model of" in error_of(bakeoff("doctor", tmp_path / "pack"))


@pytest.mark.parametrize(("option", "told"), [("--model", "has no endpoint in"), ("--prompt", "is no prompt of")])
def test_an_unknown_name_is_refused(tmp_path: Path, server: ModelServer, option: str, told: str):
    pack = write_pack(tmp_path / "pack", server, "one")

    assert told in error_of(bakeoff("generate", pack, option, "nobody"))


def test_the_doctor_says_in_a_line_each_what_is_wrong(
    tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KEY_OF_THE_TEST", KEY)
    server.says("well", Reply(pieces=("Hello.",)))
    server.says("other", Reply(calls_itself="somebody-else", tells_usage=False, finish_reason="length", pieces=()))
    server.says("locked", Reply(status=401, error={"message": f"no {KEY}"}))
    server.says("wrong", Reply(status=404, error={"message": "no such model"}))
    pack = write_pack(tmp_path / "pack", server, "well", "other", "locked", "wrong", api_key_env="KEY_OF_THE_TEST")

    said = bakeoff("doctor", pack)

    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0].startswith("ok    well    answered in 0.")
    assert lines[0].endswith("1 token")
    assert [line.strip() for line in lines[2:6]] == [
        "the answer is empty",
        "the answer was cut at max_tokens",
        "asked for 'other', it calls itself 'somebody-else': answers are noted under that",
        "it tells no number of tokens, so costs are taken from lengths",
    ]
    assert lines[6] == "FAIL  locked  refused the key (HTTP 401: no [key]): check the key in KEY_OF_THE_TEST"
    assert lines[7] == "FAIL  wrong   rejected the request (HTTP 404: no such model): check model and params"
    assert said.err == "2 of 4 endpoints cannot be used\n"


def test_the_doctor_names_a_key_that_is_not_there_and_tries_the_others(tmp_path: Path, server: ModelServer):
    pack = write_pack(tmp_path / "pack", server, "one", api_key_env="KEY_OF_NOBODY")

    said = bakeoff("doctor", pack, "--json")

    [found] = said.record["endpoints"]
    assert (found["is_well"], found["failure"]) == (False, "no_key")
    assert "the environment variable KEY_OF_NOBODY, which should hold its key, is not set" in found["told"]


def test_check_knows_the_keys_of_an_endpoint(tmp_path: Path, server: ModelServer):
    pack = write_pack(tmp_path / "pack", server, "one", api_key="sk-1234")

    said = bakeoff("check", pack)

    assert said.code == 1
    assert "unknown key 'endpoint.api_key'; known here: model, base_url, provider, api_key_env" in said.out
