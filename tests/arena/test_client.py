"""One endpoint, asked over real HTTP: what comes back, what is tried again, and a name for every way to fail."""

import asyncio
import json
import re
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from model_server import ModelServer, Reply, serving

from arena.battle import Message
from arena.contenders.client import Client, Completion, Patience, clients_of, share_encryption
from arena.contenders.endpoint import Endpoint, Price
from arena.errors import BadInput, EndpointFailed, Failure
from arena.settings import named_secrets

HELLO = (Message("user", "Hello?"),)
HASTY = Patience(pause_seconds=0.01, stall_seconds=0.3)
KEY = "sk-never-to-be-seen"


@pytest.fixture(scope="module", autouse=True)
def _encryption() -> None:
    share_encryption()


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with serving() as models:
        yield models


def ask(server: ModelServer, model: str = "m", *, key: str | None = KEY, told: list[str] | None = None, **more: Any):
    endpoint = Endpoint.model_validate({"model": model, "base_url": server.url, "timeout_seconds": 5} | more)

    async def run() -> Completion:
        return await Client(endpoint, key, rng=Random(0), patience=HASTY).answer(
            HELLO, None if told is None else told.append
        )

    return asyncio.run(run())


def failure_of(server: ModelServer, reply: Reply, **more: Any) -> EndpointFailed:
    server.says("faulty", reply)
    with pytest.raises(EndpointFailed) as raised:
        ask(server, "faulty", **more)
    return raised.value


def event(**parts: Any) -> Reply:
    """A stream of one event with the whole answer, some parts of it as they should not be."""
    choice = {"index": 0, "delta": {"content": "Hi."}, "finish_reason": "stop"}
    return Reply(raw=f"data: {json.dumps({'id': 'x', 'created': 1, 'model': 'm', 'choices': [choice]} | parts)}\n\n")


def test_an_answer_comes_piece_by_piece_and_whole(server: ModelServer):
    told: list[str] = []

    completion = ask(server, told=told)

    assert told == ["Hello", ", ", "world."]
    assert (completion.text, completion.finish_reason, completion.model) == ("Hello, world.", "stop", "m")
    assert (completion.n_prompt_tokens, completion.n_tokens, completion.n_tries) == (7, 3, 1)
    assert 0 < completion.first_word_ms <= completion.latency_ms


def test_params_go_into_the_request_as_they_are_and_the_system_prompt_comes_first(server: ModelServer):
    ask(server, "p", params={"temperature": 0.5, "top_k": 3, "max_tokens": 9}, system_prompt="Be brief.")

    (body,) = server.bodies("p")
    assert body == {
        "model": "p",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "top_k": 3,
        "max_tokens": 9,
    }


def test_a_prompt_with_a_system_message_gets_both_in_one(server: ModelServer):
    endpoint = Endpoint(model="m", base_url=server.url, system_prompt="Be brief.")

    asked = endpoint.asked((Message("system", "You are a gardener."), Message("user", "What now?")))

    assert [each["content"] for each in asked] == ["Be brief.\n\nYou are a gardener.", "What now?"]


def test_the_key_is_sent_and_without_one_no_other_secret_of_this_machine(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_TOKEN", "hf_of_this_machine")

    ask(server)
    ask(server, key=None)

    assert [each["authorization"] for each in server.headers[-2:]] == [f"Bearer {KEY}", "Bearer none"]
    assert not any("hf_of_this_machine" in value for each in server.headers for value in each.values())


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_what_a_model_reasons_is_no_part_of_its_answer(server: ModelServer, key: str):
    server.says("thinks", Reply(reasoning=("Let me", " see"), reasoning_key=key))

    assert ask(server, "thinks").text == "Hello, world."


def test_an_empty_answer_that_came_to_its_end_is_an_answer(server: ModelServer):
    server.says("silent", Reply(pieces=()))

    assert (ask(server, "silent").text, ask(server, "silent").finish_reason) == ("", "stop")


@pytest.mark.parametrize(
    ("reply", "failure", "detail"),
    [
        (Reply(status=401, error={"message": "bad key"}), Failure.NO_KEY, "HTTP 401: bad key"),
        (Reply(status=403, error="not for you"), Failure.NO_KEY, "HTTP 403: not for you"),
        (Reply(status=400, error={"message": "no top_k"}), Failure.REJECTED, "HTTP 400: no top_k"),
        (Reply(status=404, error={"message": "no such model"}), Failure.REJECTED, "HTTP 404: no such model"),
        (Reply(status=422), Failure.REJECTED, "HTTP 422: a page of somebody else's"),
        (Reply(status=429, error="slow down"), Failure.LIMITED, "HTTP 429: slow down"),
        (Reply(status=500, error="boom"), Failure.BROKEN, "HTTP 500: boom"),
        (Reply(status=504), Failure.SLOW, "HTTP 504: a page"),
        (Reply(fails_after=0, how="error", error={"message": "out of memory"}), Failure.BROKEN, "out of memory"),
        (Reply(fails_after=1, how="error", error="out of memory"), Failure.BROKEN, "out of memory"),
        (Reply(fails_after=1, how="cut"), Failure.CUT, "without sending complete message body"),
        (Reply(fails_after=1, how="end"), Failure.CUT, "without an end of the answer"),
        (Reply(raw="<html>Welcome</html>"), Failure.CUT, "without an end of the answer"),
        (Reply(fails_after=1, how="malformed"), Failure.MALFORMED, "Expecting property name"),
        (Reply(fails_after=1, how="list"), Failure.MALFORMED, "'list' object"),
        (Reply(fails_after=1, how="hang"), Failure.SLOW, "and then nothing more came"),
        (Reply(finish_reason="content_filter"), Failure.FILTERED, "content_filter"),
        (Reply(raw="data: " + "[" * 200_000), Failure.MALFORMED, "recursion"),
        (Reply(raw="data: " + '{"a":' * 200_000), Failure.MALFORMED, "recursion"),
        (Reply(raw="Hi.", headers={"Content-Encoding": "gzip"}), Failure.MALFORMED, "header check"),
        (Reply(status=500, headers={"Content-Encoding": "gzip"}), Failure.MALFORMED, "header check"),
        (event(choices={"delta": {}}), Failure.MALFORMED, ""),
        (event(choices=[None]), Failure.MALFORMED, ""),
        (event(choices=[{"delta": {"content": 5}, "finish_reason": "stop"}]), Failure.MALFORMED, "content"),
        (event(choices=[{"delta": {"content": ["Hi."]}, "finish_reason": "stop"}]), Failure.MALFORMED, "content"),
        (event(choices=[{"delta": {"content": "Hi."}, "finish_reason": 3}]), Failure.CUT, "without an end"),
        (event(choices=[{"delta": {"content": "Hi."}, "finish_reason": {"a": 1}}]), Failure.CUT, "without an end"),
    ],
)
def test_every_fault_has_its_name(server: ModelServer, reply: Reply, failure: Failure, detail: str):
    failed = failure_of(server, reply)

    assert failed.failure is failure
    assert detail in failed.detail


def test_a_refusal_nested_too_deeply_to_be_read_is_a_refusal(server: ModelServer):
    deep: Any = "why"
    for _ in range(400):
        deep = {"message": [deep]}

    failed = failure_of(server, Reply(status=400, error=deep))

    assert failed.failure is Failure.REJECTED


@pytest.mark.parametrize("bug", [ValueError, TypeError, AttributeError, KeyError, RecursionError, TimeoutError])
def test_a_bug_of_who_listens_is_no_failure_of_the_endpoint(server: ModelServer, bug: type[Exception]):
    endpoint = Endpoint(model="m", base_url=server.url)
    asked = len(server.requests)

    def listen(_: str) -> None:
        raise bug("a fault of our own")

    async def run() -> None:
        await Client(endpoint, None, rng=Random(0), patience=HASTY).answer(HELLO, listen)

    with pytest.raises(bug, match="a fault of our own"):
        asyncio.run(run())
    assert len(server.requests) - asked == 1


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 0}, (7, 0)),
        ({"prompt_tokens": 2**31 - 1, "completion_tokens": 2**31}, (2**31 - 1, None)),
        ({"prompt_tokens": -3, "completion_tokens": 10**30}, (None, None)),
        ({"prompt_tokens": 3.5, "completion_tokens": "7"}, (None, None)),
        ({"prompt_tokens": True, "completion_tokens": [7]}, (None, None)),
        ("none", (None, None)),
        ([], (None, None)),
        ([{"prompt_tokens": 1}], (None, None)),
        (7, (None, None)),
    ],
)
def test_a_number_of_tokens_that_is_none_is_not_known(server: ModelServer, usage: Any, counts: tuple[Any, Any]):
    server.says("odd", event(usage=usage))

    completion = ask(server, "odd")

    assert (completion.text, completion.n_prompt_tokens, completion.n_tokens) == ("Hi.", *counts)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (5, None),
        ({"a": 1}, None),
        ("", None),
        ("m\x00", "m\ufffd"),
        ("m\ud800", "m\ufffd"),
        ("m\ud83d\ude00", "m\U0001f600"),
        ("m" * 1000, "m" * 200),
    ],
)
def test_a_name_that_cannot_be_stored_is_mended_or_left_out(server: ModelServer, told: Any, kept: str | None):
    choice = {"delta": {"content": "Hi."}, "finish_reason": told}
    server.says("odd", event(model=told), event(choices=[choice]))

    assert ask(server, "odd").model == kept
    if kept is not None:
        assert ask(server, "odd").finish_reason == kept


def test_a_server_that_is_not_there_refuses(server: ModelServer):
    with pytest.raises(EndpointFailed, match="refused the connection") as raised:
        ask(server, base_url="http://127.0.0.1:9/v1")
    assert raised.value.failure is Failure.REFUSED


def test_a_server_that_says_nothing_for_longer_than_the_whole_answer_may_take_was_slow(server: ModelServer):
    failed = failure_of(server, Reply(before=60), timeout_seconds=0.2)

    assert failed.failure is Failure.SLOW
    assert failed.detail.endswith("and nothing came")


def test_a_slow_first_word_is_waited_for_although_a_pause_of_that_length_in_the_stream_is_not(server: ModelServer):
    server.says("slow", Reply(before=2 * HASTY.stall_seconds))

    assert ask(server, "slow").text == "Hello, world."


@pytest.mark.parametrize("reasoning", [(), ("Let me", " see")])
def test_who_thinks_for_longer_before_the_first_word_is_waited_for(server: ModelServer, reasoning: tuple[str, ...]):
    server.says("thoughtful", Reply(thinking=2 * HASTY.stall_seconds, reasoning=reasoning))

    assert ask(server, "thoughtful").n_tries == 1


def test_who_thinks_for_longer_than_the_whole_answer_may_take_was_slow(server: ModelServer):
    failed = failure_of(server, Reply(thinking=60), timeout_seconds=0.2)

    assert failed.failure is Failure.SLOW
    assert failed.detail.endswith("and nothing came")


def test_what_may_pass_is_tried_again_until_it_answers(server: ModelServer):
    server.says("shaky", Reply(status=500), Reply(status=429), Reply(fails_after=0, how="cut"), Reply())

    assert ask(server, "shaky").n_tries == 4


def test_so_many_tries_and_no_more(server: ModelServer):
    before = len(server.bodies("faulty"))

    failure_of(server, Reply(status=500))

    assert len(server.bodies("faulty")) - before == HASTY.n_tries


@pytest.mark.parametrize("status", [400, 401, 404])
def test_what_will_not_pass_is_not_tried_again(server: ModelServer, status: int):
    before = len(server.bodies("faulty"))

    failure_of(server, Reply(status=status))

    assert len(server.bodies("faulty")) - before == 1


@pytest.mark.parametrize("how", ["cut", "end", "hang", "error"])
def test_after_the_first_word_nothing_is_tried_again(server: ModelServer, how: str):
    before, told = len(server.bodies("faulty")), list[str]()

    failure_of(server, Reply(fails_after=1, how=how, error="boom"), told=told)

    assert told == ["Hello"]
    assert len(server.bodies("faulty")) - before == 1


def test_the_pause_that_an_endpoint_asks_for_is_given():
    failed = EndpointFailed(Failure.LIMITED, "slow down", retry_after=7.0)

    pauses = [Patience().pause(1, failed, Random(seed)) for seed in range(50)]

    assert all(pause is not None and 7.0 <= pause <= 7.7 for pause in pauses)


def test_a_pause_longer_than_anybody_waits_is_a_failure_at_once_and_tells_for_how_long():
    failed = EndpointFailed(Failure.LIMITED, "come back tomorrow", retry_after=3600.0)

    assert Patience().pause(1, failed, Random(0)) is None


def test_pauses_double_with_chance_in_them():
    failed = EndpointFailed(Failure.BROKEN, "boom")

    for n_failed, expected in ((1, 1.0), (2, 2.0), (3, 4.0)):
        pauses = [Patience().pause(n_failed, failed, Random(seed)) or 0 for seed in range(200)]
        assert expected / 2 <= min(pauses) < 0.6 * expected
        assert 1.4 * expected < max(pauses) <= 1.5 * expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [({"Retry-After": "7"}, 7.0), ({"Retry-After": "soon"}, None), ({}, None)],
)
def test_retry_after_is_read(server: ModelServer, header: dict[str, str], expected: float | None):
    failed = failure_of(server, Reply(status=400, headers=header))

    assert failed.retry_after == expected


def test_retry_after_as_a_date_is_held_against_the_date_of_the_reply(server: ModelServer):
    dates = {"Date": "Sun, 22 Nov 2026 10:00:00 GMT", "Retry-After": "Sun, 22 Nov 2026 10:01:30 GMT"}

    assert failure_of(server, Reply(status=400, headers=dates)).retry_after == 90.0


def test_a_key_that_a_server_repeats_is_not_in_the_error(server: ModelServer):
    failed = failure_of(server, Reply(status=401, error={"message": f"Incorrect key: {KEY}\nTry\tagain\x1b[2J"}))

    assert failed.detail == "HTTP 401: Incorrect key: [key] Try again [2J"
    assert KEY not in str(failed)


def test_a_key_is_not_in_the_error_where_a_server_writes_it_as_a_program_would(server: ModelServer):
    key = "sk-it's\\never"

    failed = failure_of(server, Reply(status=401, error={"message": f"bad {key!r}, {json.dumps(key)}"}), key=key)

    assert failed.detail.count("[key]") == 2
    assert "never" not in failed.detail


@pytest.mark.parametrize(
    "key", ["sk-secret-123\n", "sk-secret\x00-9", " sk-secret", "sk-s\xe9cret", "sk-\u20acsecret", ""]
)
def test_a_key_that_no_request_can_carry_is_refused_by_the_name_of_its_variable(key: str):
    endpoint = Endpoint(model="m", base_url="https://models.example.org/v1", api_key_env="FERN_KEY")

    with pytest.raises(BadInput, match="FERN_KEY") as raised:
        clients_of({"fern": endpoint}, {"FERN_KEY": key}, rng=Random(0))
    assert not re.search("sk-|cret", str(raised.value))


def test_blanks_around_a_key_are_no_part_of_it():
    environ = {"FERN_KEY": " sk-1\n", "MOSS_KEY": " \n", "OTHER": "x"}

    assert named_secrets(environ, ["FERN_KEY", "MOSS_KEY", "REED_KEY"]) == {"FERN_KEY": "sk-1"}


def test_a_long_message_is_cut(server: ModelServer):
    assert len(failure_of(server, Reply(status=400, error="x" * 10_000)).detail) == 300


def test_no_more_requests_are_under_way_than_the_endpoint_allows(server: ModelServer):
    server.says("busy", Reply(between=0.02))
    server.most_open = 0
    endpoint = Endpoint(model="busy", base_url=server.url, concurrency=3)

    async def run() -> None:
        client = Client(endpoint, None, rng=Random(0), patience=HASTY)
        await asyncio.gather(*(client.answer(HELLO) for _ in range(12)))

    asyncio.run(run())
    assert server.most_open == 3


def test_who_leaves_closes_the_connection(server: ModelServer):
    server.says("endless", Reply(pieces=("x",) * 1000, between=0.02))
    endpoint = Endpoint(model="endless", base_url=server.url)

    async def run() -> None:
        begun = asyncio.Event()
        client = Client(endpoint, None, rng=Random(0), patience=HASTY)
        call = asyncio.create_task(client.answer(HELLO, lambda _: begun.set()))
        await begun.wait()
        assert server.n_open == 1
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(5):
            while server.n_open:
                await asyncio.sleep(0.01)

    asyncio.run(run())


def test_a_cost_is_known_where_the_price_and_the_numbers_are():
    endpoint = Endpoint(model="m", base_url="http://h/v1", price=Price(input=0.5, output=2.0))

    assert endpoint.cost(1000, 3000) == pytest.approx(0.0065)
    assert endpoint.cost(None, 3000) is None
    assert Endpoint(model="m", base_url="http://h/v1").cost(1000, 3000) is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"base_url": "localhost:8000"}, "give the address of an OpenAI-compatible server"),
        ({"base_url": "http://me:secret@host/v1"}, "a key belongs to the environment"),
        ({"base_url": "http://host/v1?key=secret"}, "a key belongs to the environment"),
        ({"base_url": "http://host/v1/chat/completions"}, "leave /chat/completions out"),
        ({"base_url": None}, "either base_url or provider"),
        ({"provider": "auto"}, "either base_url or provider"),
        ({"base_url": None, "provider": "auto"}, "wants a key"),
        ({"api_key_env": "sk-1234567890"}, "never the key itself"),
        ({"api_key_env": "BAKEOFF_SECRET"}, "a variable of the arena itself"),
        ({"api_key_env": "KEY", "base_url": "http://models.example.org/v1"}, "use https"),
        ({"api_key_env": "KEY", "base_url": "http://8.8.8.8/v1"}, "use https"),
        ({"api_key_env": "KEY", "base_url": "http://134744072/v1"}, "use https"),
        ({"api_key_env": "KEY", "base_url": "http://[2001:4860:4860::8888]/v1"}, "use https"),
        ({"api_key_env": "KEY", "base_url": "http://[::ffff:8.8.8.8]/v1"}, "use https"),
        ({"params": {"stream": False}}, "params holds 'stream'"),
        ({"concurrency": 0}, "greater than or equal to 1"),
        ({"timeout_seconds": 0}, "greater than 0"),
        ({"temperature": 1}, "Extra inputs are not permitted"),
    ],
)
def test_an_endpoint_that_cannot_be_meant_is_refused(wrong: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        Endpoint.model_validate({"model": "m", "base_url": "http://host/v1"} | wrong)
    assert "sk-1234567890" not in "".join(str(raised.value).split("[type=")[:1])


@pytest.mark.parametrize(
    "url",
    [
        "https://models.example.org/v1",
        *(
            f"http://{host}:8000/v1"
            for host in ("localhost", "127.0.0.1", "[::1]", "vllm", "gpu-2", "host.docker.internal")
        ),
        *(f"http://{host}/v1" for host in ("10.1.2.3", "192.168.0.7", "172.16.0.1", "100.64.0.9", "[fd00::1]")),
    ],
)
def test_a_key_goes_over_encryption_or_stays_at_home(url: str):
    assert Endpoint(model="m", base_url=url, api_key_env="KEY").base_url == url


def test_without_a_key_plain_http_reaches_everybody():
    assert Endpoint(model="m", base_url="http://models.example.org/v1").api_key_env is None
