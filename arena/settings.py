"""Settings of one running arena. The only file that reads the environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from arena.battle import Source
from arena.errors import BadInput
from arena.voter import open_secrets

PREFIX = "BAKEOFF_"


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
    rate_after_votes: int = Field(default=10, ge=1, description="Recompute the board after this many new votes.")

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

    @field_validator("sources", mode="before")
    @classmethod
    def _by_commas(cls, value: object) -> object:
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **options: object) -> "Settings":
        """Read the BAKEOFF_ variables; options, as of a command line, win over them.

        Raises BadInput for an unknown name or a value that cannot be used.
        """
        values = {name.removeprefix(PREFIX).lower(): text for name, text in environ.items() if name.startswith(PREFIX)}
        # These belong to the test suite, not to the arena.
        values = {name: text for name, text in values.items() if not name.startswith(("require_", "test_"))}
        if environ.get("SPACE_ID"):
            values.setdefault("cookies", "embedded")
        try:
            return cls.model_validate(values | options)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            field = str(problem["loc"][0])
            name = f"--{field}" if field in options else f"the environment variable {PREFIX}{field.upper()}"
            if problem["type"] == "extra_forbidden":
                known = ", ".join(PREFIX + field.upper() for field in cls.model_fields)
                raise BadInput(f"{name} is no setting; known: {known}") from error
            shown = "" if field in ("secret", "old_secrets") else f" {problem['input']!r}"
            raise BadInput(f"{name} has an unusable value{shown}: {problem['msg']}") from error

    def open_secrets(self) -> tuple[bytes, ...]:
        """The secret that is set, or else those in the key file, which is made when missing; then the old ones."""
        newest = (self.secret.get_secret_value().encode(),) if self.secret else open_secrets(self.secret_file)
        old = _parts(self.old_secrets) if self.old_secrets else []
        return (*newest, *(secret.encode() for secret in old))

    @property
    def database_file(self) -> Path:
        """The database: each pack has its own unless another is named, so that two bake-offs never mix by accident."""
        return self.database or (self.pack or Path("data")) / "arena.duckdb"

    @property
    def secret_file(self) -> Path:
        """Where the secret is kept when no variable sets it."""
        return self.database_file.with_name(self.database_file.name + ".key")


def _parts(secrets: SecretStr) -> list[str]:
    return [part.strip() for part in secrets.get_secret_value().split(",")]
