"""Settings of one running arena. The only file that reads the environment."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from arena.address import PRIVATE_NETWORKS, Network
from arena.battle import Source
from arena.errors import BadInput
from arena.limits import Act, Limit, Whose
from arena.login import Login, OpenId
from arena.password import PasswordHash
from arena.role import Members, Right
from arena.voter import open_secrets, secret_file_of

PREFIX = "BAKEOFF_"

# What is wrong with these is said without their value: secrets, and names of people.
_NOT_SHOWN = {
    *("hub_token", "secret", "old_secrets", "host_password_hash", "oidc_client_secret", "signal_token"),
    *("hosts", "researchers", "annotators"),
}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Settings(BaseModel):
    """What a host may set, each as the environment variable BAKEOFF_<NAME IN CAPITALS>.

    docs/settings.md says the same at length; a test keeps the two in step.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: Path | None = Field(
        default=None,
        description="The database file; created when missing. Unset: arena.duckdb in the pack's folder, or in data/.",
    )
    pack: Path | None = Field(
        default=None, description="The pack to serve. Unset: what the database holds, or the starter pack if it is new."
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="The address to listen on.")
    port: int = Field(default=7860, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    secret: SecretStr | None = Field(
        default=None,
        description="The secret behind voter cookies and pseudonyms. Unset: a file of its own beside the database.",
    )
    old_secrets: SecretStr | None = Field(
        default=None,
        description="Secrets that came before, separated by commas: voters who came under them stay the same.",
    )
    cookies: Literal["lax", "secure", "embedded"] = Field(
        default="lax",
        description="How the voter cookie is sent: lax (plain HTTP), secure (HTTPS), embedded (HTTPS inside the frame "
        "of another site, as on a Hugging Face Space; the default there).",
    )
    sources: tuple[Source, ...] | None = Field(
        default=None,
        min_length=1,
        description="Whose votes make the board, separated by commas (human,import). Unset: as the rules say.",
    )
    rate_every_seconds: float = Field(
        default=300, gt=0, allow_inf_nan=False, description="Recompute the board after this time, if votes came in."
    )
    rate_after_votes: int = Field(
        default=10,
        ge=1,
        description="Recompute the board after this many new votes, or a hundredth of all if those are more.",
    )

    trusted_proxies: tuple[Network, ...] | None = Field(
        default=None,
        description="The proxies in front of the arena, addresses or networks separated by commas, whose "
        "X-Forwarded-For is believed. Private networks on a Space.",
    )
    connections_per_address: int = Field(
        default=256, ge=1, description="Connections at the same time of one address that is no trusted proxy."
    )
    requests_per_voter: Limit = Field(
        default=Limit.parse("240/minute"), description="Requests that cost something, of one voter."
    )
    requests_per_address: Limit = Field(default=Limit.parse("3000/minute"), description="The same of one address.")
    requests_in_all: Limit = Field(default=Limit.parse("300/second"), description="The same of everybody.")
    ballots_per_voter: Limit = Field(default=Limit.parse("60/minute,600/hour"), description="New ballots of a voter.")
    ballots_per_address: Limit = Field(default=Limit.parse("300/minute,4000/hour"), description="Of one address.")
    ballots_in_all: Limit = Field(default=Limit.parse("6000/minute"), description="New ballots of everybody.")
    prompts_per_voter: Limit = Field(
        default=Limit.parse("6/minute,60/hour"), description="Prompts of a voter that models are asked (live battles)."
    )
    prompts_per_address: Limit = Field(default=Limit.parse("30/minute,300/hour"), description="Of one address.")
    prompts_in_all: Limit = Field(default=Limit.parse("60/minute,2000/day"), description="Such prompts of everybody.")
    votes_per_voter: Limit = Field(default=Limit.parse("30/minute,400/hour"), description="Votes of one voter.")
    votes_per_address: Limit = Field(default=Limit.parse("240/minute,3000/hour"), description="Votes of one address.")
    votes_in_all: Limit = Field(default=Limit.parse("6000/minute"), description="Votes of everybody.")
    host_password_hash: SecretStr | None = Field(
        default=None, description="The line that `bakeoff password` prints: whoever knows that password is the host."
    )
    oidc_issuer: str | None = Field(default=None, description="The address of a provider of OpenID.")
    oidc_client_id: str | None = Field(default=None, min_length=1, description="What the provider calls this arena.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="The secret that the provider gave to this arena."
    )
    oidc_scopes: str = Field(default="openid profile", description="What the provider is asked for, with spaces.")
    oidc_claim: str = Field(
        default="preferred_username",
        min_length=1,
        description="Which claim names an account; email only where the provider says that it is verified.",
    )
    public_url: str | None = Field(default=None, description="Where browsers find this arena; needed with a provider.")
    hosts: tuple[str, ...] | None = Field(default=None, min_length=1, description="Accounts that are hosts.")
    researchers: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="Accounts that see results where these are not open."
    )
    annotators: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="Accounts that vote where voting is by invitation."
    )
    voting: Literal["open", "annotators"] = Field(default="open", description="Who may vote.")
    results: Literal["open", "researchers"] = Field(
        default="open", description="Who may see the leaderboard, the analysis, samples and downloads."
    )
    session_hours: float = Field(
        default=8, gt=0, le=24 * 31, allow_inf_nan=False, description="After so many hours one has to sign in again."
    )
    signal_token: SecretStr | None = Field(
        default=None,
        description="What a product sends along with signals of its users (thumbs, edits, tries). Unset: off.",
    )
    signed_as: str | None = Field(
        default=None,
        min_length=1,
        max_length=80,
        description="The name that all acts on the host's page are signed with. Unset: the one typed there.",
    )
    hub_token: SecretStr | None = Field(
        default=None, description="What `bakeoff push` shows to the Hub; it needs to write datasets. Else HF_TOKEN."
    )
    hub_endpoint: str = Field(default="https://huggingface.co", description="Where the Hub is. Else HF_ENDPOINT.")

    @field_validator("signal_token")
    @classmethod
    def _is_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[!-~]{32,1000}", value.get_secret_value()):
            raise ValueError("it needs 32 to 1,000 letters, digits and signs of ASCII, without blanks")
        return value

    @field_validator("secret")
    @classmethod
    def _is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("it has fewer than 32 characters, and could be guessed")
        return value

    @field_validator("old_secrets")
    @classmethod
    def _are_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and min(map(len, _parts(value))) < 32:
            raise ValueError("one of them has fewer than 32 characters; separate them by commas")
        return value

    @field_validator("database", "pack", mode="before")
    @classmethod
    def _is_named(cls, value: object) -> object:
        if value == "":
            raise ValueError("it is empty; name a place, or leave the variable out")
        return value

    @field_validator("host_password_hash")
    @classmethod
    def _is_hash(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                PasswordHash.parse(value.get_secret_value())
            except BadInput as error:
                raise ValueError(str(error)) from None
        return value

    @field_validator("oidc_client_secret")
    @classmethod
    def _is_given(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value():
            raise ValueError("it is empty; leave the variable out")
        return value

    @field_validator("hub_endpoint")
    @classmethod
    def _is_safe_for_tokens(cls, value: str) -> str:
        if not _is_safe(value):
            raise ValueError("a token is sent over https only")
        return value.rstrip("/")

    @field_validator("oidc_issuer", "public_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment or "@" in value:
            raise ValueError("it is no address such as https://arena.example.org")
        return value.rstrip("/")

    @field_validator("oidc_issuer")
    @classmethod
    def _is_private(cls, value: str | None) -> str | None:
        if value is not None and not _is_safe(value):
            raise ValueError("a provider is asked over https only")
        return value

    @field_validator("oidc_scopes")
    @classmethod
    def _asks_who(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("openid has to be among them, or the provider does not say who somebody is")
        return value

    @field_validator("hosts", "researchers", "annotators", mode="before")
    @classmethod
    def _names_by_commas(cls, value: object) -> object:
        names = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if isinstance(names, list) and not all(names):
            raise ValueError("a name between its commas is empty")
        return names

    @field_validator("sources", mode="before")
    @classmethod
    def _by_commas(cls, value: object) -> object:
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _are_networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(ip_network(part.strip()) for part in value.split(",")) if value.strip() else ()

    @field_validator(*(f"{act}_{whose}" for act in Act for whose in Whose), mode="before")
    @classmethod
    def _is_a_limit(cls, value: object) -> object:
        return Limit.parse(value) if isinstance(value, str) else value

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **options: object) -> "Settings":
        """Read the BAKEOFF_ variables; options, as of a command line, win over them.

        Raises BadInput for an unknown name or a value that cannot be used.
        """
        values = {name.removeprefix(PREFIX).lower(): text for name, text in environ.items() if name.startswith(PREFIX)}
        # These belong to the test suite, not to the arena.
        values = {name: text for name, text in values.items() if not name.startswith(("require_", "test_"))}
        values = {field: environ[name] for name, field in _OF_HUB.items() if environ.get(name)} | values
        if environ.get("SPACE_ID"):
            values = _of_space(environ) | values
        if str(values.get("public_url", "")).startswith("https:"):
            values.setdefault("cookies", "secure")
        try:
            return cls.model_validate(values | options)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            field = str(problem["loc"][0])
            name = f"--{field}" if field in options else f"the environment variable {PREFIX}{field.upper()}"
            if problem["type"] == "extra_forbidden":
                known = ", ".join(PREFIX + field.upper() for field in cls.model_fields)
                raise BadInput(f"{name} is no setting; known: {known}") from error
            shown = "" if field in _NOT_SHOWN else f" {problem['input']!r}"
            raise BadInput(f"{name} has an unusable value{shown}: {problem['msg']}") from error

    def open_secrets(self) -> tuple[bytes, ...]:
        """The secret that is set, or else those in the key file, which is made when missing; then the old ones."""
        newest = (self.secret.get_secret_value().encode(),) if self.secret else open_secrets(self.secret_file)
        old = _parts(self.old_secrets) if self.old_secrets else []
        return (*newest, *(secret.encode() for secret in old))

    def login(self) -> Login:
        """The ways in. Raises BadInput where settings of the login do not go together."""
        provider = self._provider()
        members = Members(*(frozenset(each or ()) for each in (self.hosts, self.researchers, self.annotators)))
        if members and provider is None:
            raise BadInput(
                f"{PREFIX}HOSTS, {PREFIX}RESEARCHERS and {PREFIX}ANNOTATORS name accounts of an OpenID provider, and "
                f"none is set: set {PREFIX}OIDC_ISSUER (on a Space: hf_oauth: true in README.md), or leave them out"
            )
        password = self.host_password_hash
        login = Login(
            password=PasswordHash.parse(password.get_secret_value()) if password else None,
            provider=provider,
            members=members,
            open_to_all=frozenset(
                right for right, who in ((Right.VOTE, self.voting), (Right.RESULTS, self.results)) if who == "open"
            ),
            lasts=timedelta(hours=self.session_hours),
            signed_as=self.signed_as,
        )
        for name, value in (("VOTING", self.voting), ("RESULTS", self.results)):
            if value != "open" and not login.is_set:
                raise BadInput(
                    f"{PREFIX}{name}={value} shuts everybody out: no login is set. Set {PREFIX}HOST_PASSWORD_HASH or "
                    f"{PREFIX}OIDC_ISSUER too"
                )
        return login

    def _provider(self) -> OpenId | None:
        given = {
            "OIDC_ISSUER": self.oidc_issuer,
            "OIDC_CLIENT_ID": self.oidc_client_id,
            "OIDC_CLIENT_SECRET": self.oidc_client_secret,
        }
        if not any(given.values()):
            return None
        missing = [PREFIX + name for name, value in (given | {"PUBLIC_URL": self.public_url}).items() if not value]
        if not (self.oidc_issuer and self.oidc_client_id and self.oidc_client_secret and self.public_url):
            raise BadInput(f"signing in by an OpenID provider also needs {', '.join(missing)}")
        return OpenId(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            client_secret=self.oidc_client_secret.get_secret_value(),
            scopes=self.oidc_scopes,
            claim=self.oidc_claim,
            public_url=self.public_url,
        )

    @property
    def limits(self) -> dict[tuple[Act, Whose], Limit]:
        """What is limited, of whom, to how much."""
        return {(act, whose): getattr(self, f"{act}_{whose}") for act in Act for whose in Whose}

    @property
    def database_file(self) -> Path:
        """The database: each pack has its own unless another is named, so that two bake-offs never mix by accident."""
        return self.database or (self.pack or Path("data")) / "arena.duckdb"

    @property
    def secret_file(self) -> Path:
        """Where the secret is kept when no variable sets it."""
        return secret_file_of(self.database_file)


# What others who talk to the Hub are told by, too.
_OF_HUB: Mapping[str, str] = {"HF_TOKEN": "hub_token", "HF_ENDPOINT": "hub_endpoint"}

# What the Hub sets on a Space with `hf_oauth: true` in the head of its README.
_HUB: Mapping[str, str] = {
    "OPENID_PROVIDER_URL": "oidc_issuer",
    "OAUTH_CLIENT_ID": "oidc_client_id",
    "OAUTH_CLIENT_SECRET": "oidc_client_secret",
    "OAUTH_SCOPES": "oidc_scopes",
}


def named_secrets(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The secrets that a pack names by environment variable, without blanks and line breaks around them; those that
    are not set, or blank, are not in it."""
    found = {name: environ.get(name, "").strip() for name in names}
    return {name: secret for name, secret in found.items() if secret}


def _of_space(environ: Mapping[str, str]) -> dict[str, str]:
    """The defaults on a Space of Hugging Face."""
    values = {"cookies": "embedded", "trusted_proxies": ",".join(PRIVATE_NETWORKS)}
    if environ.get("OAUTH_CLIENT_ID"):
        values |= {name: environ[variable] for variable, name in _HUB.items() if environ.get(variable)}
    if environ.get("SPACE_HOST"):
        # With a domain of its own a Space has two names; the first is the one that the Hub knows.
        values["public_url"] = f"https://{environ['SPACE_HOST'].partition(',')[0]}"
    return values


def _is_safe(address: str) -> bool:
    """Whether nobody on the way can read or change what is said to this address."""
    parts = urlsplit(address)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


def _parts(secrets: SecretStr) -> list[str]:
    return [part.strip() for part in secrets.get_secret_value().split(",")]
