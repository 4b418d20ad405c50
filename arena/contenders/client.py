"""One endpoint, asked. The only file that calls models.

`huggingface_hub.AsyncInferenceClient` speaks to OpenAI-compatible servers and to the Hub's providers alike. What it
does not do is done here: tries again before the first word, limits, an end to every wait, a name for each way to fail.
"""

import asyncio
import email.utils
import json
import re
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

import httpx2
from huggingface_hub import AsyncInferenceClient, ChatCompletionStreamOutput, set_async_client_factory
from huggingface_hub.errors import HfHubHTTPError, InferenceTimeoutError, TextGenerationError

from arena.battle import Message
from arena.contenders.endpoint import Endpoint
from arena.contenders.incoming import Incoming, count_of, name_of
from arena.errors import BadInput, EndpointFailed, Failure

_NO_KEY = "none"
"""What is sent where a server wants no key. Without any, the library would send this machine's token of the Hub."""

_LONGEST_DETAIL = 300
_STATUS_LIMITED, _STATUS_TOO_SLOW = 429, (408, 504)
_STATUS_NO_KEY = (401, 403)
_FIRST_BROKEN = 500

# What the library raises at events that are no JSON, or nested without end, or no objects, or objects of another kind.
_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an endpoint is waited for, and how often it is tried again.

    A stream that sends nothing for `stall_seconds` after its first word has failed; the first word itself may take as
    long as the whole answer, whatever the stream sends before it. A request that failed before its first word is made
    up to `n_tries` times; the pause before the next try doubles from `pause_seconds`, with chance in it, so that many
    do not come back at the same time. An endpoint that names a pause itself is given it, up to
    `longest_pause_seconds`.
    """

    n_tries: int = 4
    pause_seconds: float = 1.0
    longest_pause_seconds: float = 60.0
    stall_seconds: float = 30.0

    def pause(self, n_failed: int, failed: EndpointFailed, rng: Random) -> float | None:
        """How long to wait after so many failures; None if it is not worth another try."""
        if n_failed >= self.n_tries or not failed.failure.may_pass:
            return None
        pause = self.pause_seconds * 2 ** (n_failed - 1) * rng.uniform(0.5, 1.5)
        if failed.retry_after is not None:
            pause = failed.retry_after * rng.uniform(1.0, 1.1)
            return pause if failed.retry_after <= self.longest_pause_seconds else None
        return min(pause, self.longest_pause_seconds)


HASTY = Patience(n_tries=2, pause_seconds=0.5, longest_pause_seconds=3.0, stall_seconds=15.0)
"""Where somebody sits and waits."""


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer that came to its end.

    finish_reason is the endpoint's ("stop", "length"). model is what the endpoint calls the model that has answered.
    Numbers of tokens are None where the endpoint tells none, or none that can be. Times are from the start of the try
    that succeeded, to its first word and to its last event.
    """

    text: str
    finish_reason: str
    model: str | None
    n_prompt_tokens: int | None
    n_tokens: int | None
    first_word_ms: float
    latency_ms: float
    n_tries: int

    def revision_at(self, endpoint: Endpoint) -> str | None:
        """The revision that has answered: what the host says it is, else what it calls itself, if that is another name
        than it was asked by."""
        return endpoint.revision or (self.model if self.model != endpoint.model else None)


def share_encryption() -> None:
    """Read the certificates of this machine once, and not for each request, which would take 20 ms of each.

    For the whole process: call it where the process begins. Redirects are not followed: a key is for one server.
    """
    context = ssl.create_default_context()

    async def read_refusal(response: httpx2.Response) -> None:
        if response.status_code >= 400:
            await response.aread()

    set_async_client_factory(
        lambda: httpx2.AsyncClient(verify=context, timeout=None, event_hooks={"response": [read_refusal]})
    )


class Client:
    """One endpoint, with at most as many requests under way as it allows.

    Belongs to one event loop. `key` is the secret itself, None where the server wants none. Raises BadInput for a key
    that no request can carry.
    """

    def __init__(self, endpoint: Endpoint, key: str | None, *, rng: Random, patience: Patience = Patience()):
        if key is not None and not re.fullmatch("[!-~]+", key):
            # Not repeated: it may be a key all the same, with a line break at its end.
            raise BadInput(
                f"the key of {endpoint.model!r}{f' in {endpoint.api_key_env}' if endpoint.api_key_env else ''} cannot "
                "be sent: a key is letters, digits and signs of ASCII, without blanks and line breaks; set it anew"
            )
        self.endpoint = endpoint
        self._key = key
        self._rng = rng
        self._patience = patience
        self._places = asyncio.Semaphore(endpoint.concurrency)

    async def answer(self, messages: tuple[Message, ...], on_text: Callable[[str], None] | None = None) -> Completion:
        """Ask, and wait for the whole answer; `on_text` gets each new piece of it as it comes.

        Tried again only as long as nothing of an answer has come. To stop, cancel: that closes the connection.
        Raises EndpointFailed.
        """
        async with self._places:
            n_failed = 0
            while True:
                attempt = _Attempt(self.endpoint, self._key, self._patience.stall_seconds)
                try:
                    return await attempt.run(messages, on_text, n_tries=n_failed + 1)
                except EndpointFailed as failed:
                    n_failed += 1
                    pause = None if attempt.has_begun else self._patience.pause(n_failed, failed, self._rng)
                    if pause is None:
                        raise
                await asyncio.sleep(pause)


Who = TypeVar("Who", bound=str)
"""The id of a model, or of a judge."""


def missing_keys(endpoints: Mapping[Who, Endpoint], keys: Mapping[str, str]) -> dict[Who, str]:
    """Those whose key is not among these, by its name, with that name."""
    named = {model: each.api_key_env for model, each in endpoints.items()}
    return {model: name for model, name in named.items() if name is not None and name not in keys}


def clients_of(
    endpoints: Mapping[Who, Endpoint], keys: Mapping[str, str], *, rng: Random, patience: Patience = Patience()
) -> dict[Who, Client]:
    """A client for each endpoint, with its key by name; one whose key is missing is refused by its server.

    Raises BadInput for a key that no request can carry.
    """
    return {
        model: Client(each, keys.get(each.api_key_env or ""), rng=rng, patience=patience)
        for model, each in endpoints.items()
    }


@dataclass(frozen=True, slots=True)
class _Event:
    """What one event of a stream says, with nothing in it that could not be stored."""

    text: str
    finish_reason: str | None
    model: str | None
    n_prompt_tokens: int | None
    n_tokens: int | None

    @classmethod
    def of(cls, chunk: ChatCompletionStreamOutput) -> "_Event":
        """Raises one of _UNREADABLE: the library hands on values of whatever type the server sent."""
        choice = next(iter(chunk.choices or ()), None)
        text = (choice.delta.content or "") if choice is not None else ""
        if not isinstance(text, str):
            raise TypeError(f"content is no text: {type(text).__name__}")
        return cls(
            text=text,
            finish_reason=name_of(choice.finish_reason) if choice is not None else None,
            model=name_of(chunk.model),
            n_prompt_tokens=count_of(getattr(chunk.usage, "prompt_tokens", None)),
            n_tokens=count_of(getattr(chunk.usage, "completion_tokens", None)),
        )


class _Attempt:
    """One request."""

    def __init__(self, endpoint: Endpoint, key: str | None, stall_seconds: float):
        self._endpoint = endpoint
        self._key = key
        self._stall_seconds = stall_seconds
        self._incoming = Incoming()
        self.has_begun = False

    async def run(
        self, messages: tuple[Message, ...], on_text: Callable[[str], None] | None, *, n_tries: int
    ) -> Completion:
        """Make it. Raises EndpointFailed, whatever went wrong with the endpoint; what `on_text` raises goes through."""
        clock = asyncio.get_running_loop().time
        started = ended = clock()
        first: float | None = None
        finish_reason = model = n_prompt_tokens = n_tokens = None

        def take(new: str) -> None:
            nonlocal first
            if not new:
                return
            self.has_begun = True
            first = ended if first is None else first
            if on_text is not None:
                on_text(new)

        async with aclosing(self._events(messages)) as events:
            async for event in events:
                ended = clock()
                take(self._incoming.add(event.text))
                finish_reason = event.finish_reason or finish_reason
                model = event.model or model
                n_prompt_tokens = n_prompt_tokens if event.n_prompt_tokens is None else event.n_prompt_tokens
                n_tokens = n_tokens if event.n_tokens is None else event.n_tokens
        take(self._incoming.end())
        if finish_reason is None:
            raise EndpointFailed(Failure.CUT, "the stream ended without an end of the answer")
        if finish_reason == "content_filter":
            raise EndpointFailed(Failure.FILTERED, "finish_reason is content_filter")
        return Completion(
            text=self._incoming.text,
            finish_reason=finish_reason,
            model=model,
            n_prompt_tokens=n_prompt_tokens,
            n_tokens=n_tokens,
            first_word_ms=((ended if first is None else first) - started) * 1000,
            latency_ms=(ended - started) * 1000,
            n_tries=n_tries,
        )

    async def _events(self, messages: tuple[Message, ...]) -> AsyncGenerator[_Event, None]:
        """What the endpoint sends. Whatever is raised here is a failure of the endpoint, and told as one."""
        clock = asyncio.get_running_loop().time
        started = clock()
        try:
            async with asyncio.timeout(self._endpoint.timeout_seconds), self._client() as client:
                stream = await client.chat_completion(
                    self._endpoint.asked(messages), model=self._endpoint.model, stream=True, **self._params()
                )
                async with asyncio.timeout(None) as stall:
                    async for chunk in stream:
                        yield _Event.of(chunk)
                        if self.has_begun:
                            stall.reschedule(clock() + self._stall_seconds)
        except (TimeoutError, InferenceTimeoutError, httpx2.TimeoutException) as error:
            what = "and then nothing more came" if self.has_begun else "and nothing came"
            raise EndpointFailed(Failure.SLOW, f"{clock() - started:.1f} s, {what}") from error
        except HfHubHTTPError as error:
            raise self._refusal(error) from error
        except TextGenerationError as error:
            raise EndpointFailed(Failure.BROKEN, self._told(error)) from error
        except (httpx2.ConnectError, httpx2.InvalidURL) as error:
            raise EndpointFailed(Failure.REFUSED, self._told(error)) from error
        except httpx2.TransportError as error:
            raise EndpointFailed(Failure.CUT, self._told(error)) from error
        except (httpx2.HTTPError, httpx2.StreamError, *_UNREADABLE) as error:
            raise EndpointFailed(Failure.MALFORMED, self._told(error)) from error

    def _client(self) -> AsyncInferenceClient:
        endpoint, key = self._endpoint, self._key or _NO_KEY
        if endpoint.base_url is not None:
            return AsyncInferenceClient(base_url=endpoint.base_url, api_key=key, timeout=endpoint.timeout_seconds)
        return AsyncInferenceClient(provider=endpoint.provider, api_key=key, timeout=endpoint.timeout_seconds)  # pyright: ignore[reportArgumentType] - any name that the library knows

    def _params(self) -> dict[str, Any]:
        params = {"stream_options": {"include_usage": True}} | self._endpoint.params
        options = params.pop("stream_options")
        return {"stream_options": options, "extra_body": params}

    def _refusal(self, error: HfHubHTTPError) -> EndpointFailed:
        response = error.response
        status = response.status_code
        if status == _STATUS_LIMITED:
            failure = Failure.LIMITED
        elif status in _STATUS_NO_KEY:
            failure = Failure.NO_KEY
        elif status in _STATUS_TOO_SLOW:
            failure = Failure.SLOW
        else:
            failure = Failure.BROKEN if status >= _FIRST_BROKEN else Failure.REJECTED
        told = f"HTTP {status}: {_message_in(response)}"
        return EndpointFailed(failure, self._clean(told), _retry_after(response.headers))

    def _told(self, error: Exception) -> str:
        return self._clean(str(error) or type(error).__name__)

    def _clean(self, text: str) -> str:
        """In one line, of a bounded length, and without the key, which some servers repeat."""
        if self._key:
            # As it is, and as programs quote it.
            for written in (repr(self._key)[1:-1], json.dumps(self._key)[1:-1], self._key):
                text = text.replace(written, "[key]")
        line = "".join(each if each.isprintable() else " " for each in " ".join(text.split()))
        return line if len(line) <= _LONGEST_DETAIL else line[: _LONGEST_DETAIL - 3] + "..."


def _message_in(response: httpx2.Response) -> str:
    """What a refusal says: the message of its error where it has one, else its text."""
    try:
        error = response.json()["error"]
        return str(error.get("message", error) if isinstance(error, dict) else error)
    except httpx2.ResponseNotRead:
        return response.reason_phrase
    except _UNREADABLE:
        return response.text or response.reason_phrase


def _retry_after(headers: httpx2.Headers) -> float | None:
    """The seconds that a Retry-After asks for (RFC 9110, 10.2.3), None if it says nothing that can be read.

    A date is held against the date of the reply itself, so that no two clocks have to agree.
    """
    told = headers.get("retry-after", "").strip()
    if told.isdecimal():
        return float(told)
    try:
        until, now = (email.utils.parsedate_to_datetime(each) for each in (told, headers.get("date", "")))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError, LookupError, OverflowError):  # no date, or one with a zone and one without
        return None
