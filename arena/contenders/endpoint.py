"""Where a model answers, and how it is asked: `endpoint` in a line of models.jsonl. Facts only; nothing is called."""

import re
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from arena.address import PRIVATE_NETWORKS
from arena.battle import Message
from arena.record import Id, Strict

# What the client says by itself.
_OURS = ("model", "messages", "stream")

# Variables of the arena's own, secrets among them: no pack has one sent to a server.
_OF_THE_ARENA = "BAKEOFF_"

# Names that no public server has (RFC 6761, 6762 and 8375, and .internal, which is kept for private use).
_AT_HOME = (".localhost", ".local", ".internal", ".home.arpa")

USD_PER = 1_000_000
"""Prices are in US dollars for so many tokens."""


def _is_a_server(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:  # a port that is no number, a bracket that is not closed
        raise ValueError(f"base_url is {url!r}, which is no address: {error}") from error
    if parts.scheme not in ("http", "https") or parts.hostname is None or port == 0 or re.search(r"\s", url):
        raise ValueError(
            f"base_url is {url!r}: give the address of an OpenAI-compatible server, as http://host:8000/v1"
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        # Not repeated: it may hold a key.
        raise ValueError("base_url holds a user, a query or a fragment; a key belongs to the environment (api_key_env)")
    if parts.path.rstrip("/").endswith("/chat/completions"):
        raise ValueError(f"base_url is {url!r}: leave /chat/completions out, it is added")
    return url


def _is_a_variable(name: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,99}", name):
        # Not repeated: whoever mistakes this for the key itself must not find it in a log.
        raise ValueError("api_key_env is the name of an environment variable, in capitals; never the key itself")
    if name.startswith(_OF_THE_ARENA):
        raise ValueError(
            f"api_key_env is {name!r}, a variable of the arena itself, which no server is sent: "
            f"put the key of this endpoint into one whose name does not begin with {_OF_THE_ARENA}"
        )
    return name


def _is_unread(url: str) -> bool:
    """Whether what is sent there is encrypted, or stays on this machine or in its private network."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        # A name that begins with a digit may be an address in another notation.
        return host.endswith(_AT_HOME) or ("." not in host and host[:1].isalpha())
    return any(address in ip_network(network) for network in PRIVATE_NETWORKS)


class Price(Strict):
    """What tokens cost, in US dollars a million."""

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)


class Endpoint(Strict):
    """An OpenAI-compatible server (`base_url`), or one of the Hub's inference providers (`provider`; "auto" is one).

    `model` is the name by which the endpoint knows the model. `params` go into the request as they are (temperature,
    max_tokens, top_p, seed, and whatever else the server takes). `system_prompt` stands before every prompt: it is part
    of the contender. `revision` is what the answers are noted under; unset, what the server calls itself. At most
    `concurrency` requests are under way at the same time; one that has not ended after `timeout_seconds` has failed.
    """

    model: Id
    base_url: Annotated[str, AfterValidator(_is_a_server)] | None = None
    provider: Id | None = None
    api_key_env: Annotated[str, AfterValidator(_is_a_variable)] | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    system_prompt: str | None = Field(default=None, min_length=1)
    revision: Id | None = None
    price: Price | None = None
    concurrency: int = Field(default=4, ge=1, le=1000)
    timeout_seconds: float = Field(default=120.0, gt=0, le=3600, strict=False)

    @model_validator(mode="after")
    def _can_be_reached(self) -> "Endpoint":
        if (self.base_url is None) == (self.provider is None):
            raise ValueError("an endpoint has either base_url or provider, and one of them")
        if self.provider is not None and self.api_key_env is None:
            raise ValueError("a provider of the Hub wants a key: name its environment variable in api_key_env")
        if self.base_url is not None and self.api_key_env is not None and not _is_unread(self.base_url):
            raise ValueError(
                f"base_url is {self.base_url!r}: the key in {self.api_key_env} would go over a public network where "
                "others can read it; use https, or a private address"
            )
        ours = next((name for name in _OURS if name in self.params), None)
        if ours is not None:
            raise ValueError(f"params holds {ours!r}, which is not for params: it is said by the arena itself")
        return self

    def asked(self, messages: tuple[Message, ...]) -> list[dict[str, str]]:
        """The messages as this contender gets them: its own system prompt first, then a prompt's own.

        Both in one message, as many chat templates take no second one.
        """
        told = [{"role": message.role, "content": message.content} for message in messages]
        if self.system_prompt is None:
            return told
        if told[0]["role"] == "system":
            return [{"role": "system", "content": f"{self.system_prompt}\n\n{told[0]['content']}"}, *told[1:]]
        return [{"role": "system", "content": self.system_prompt}, *told]

    def cost(self, n_prompt_tokens: int | None, n_tokens: int | None) -> float | None:
        """What a request of this many tokens costs, in US dollars; None where the price or a number is not known."""
        if self.price is None or n_prompt_tokens is None or n_tokens is None:
            return None
        return (self.price.input * n_prompt_tokens + self.price.output * n_tokens) / USD_PER
