"""What voters are asked about publishing their votes: `[consent]` of arena.toml. Pure."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from arena.battle import Purpose
from arena.record import Strict


def _shown(value: str) -> str:
    if value.strip() != value or not value.isprintable():
        raise ValueError(f"{value!r} has a blank at an end, or a character that cannot be shown")
    return value


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("the text of a consent is blank")
    if any(0xD800 <= ord(character) < 0xE000 for character in value):
        raise ValueError("the text of a consent holds half of a surrogate pair")
    return value


Shown = Annotated[str, AfterValidator(_shown)]
Text = Annotated[str, Field(max_length=2000), AfterValidator(_said)]


class ConsentRules(Strict):
    """`[consent]` in arena.toml: the terms on which votes may be published, and whether voting needs a yes to them.

    Under one version the terms never change: votes were cast on them.
    """

    version: Shown = Field(min_length=1, max_length=40)
    license: Shown = Field(min_length=1, max_length=100)
    purpose: Annotated[Purpose, Field(strict=False)]
    text: Text
    translations: Mapping[str, Text] = Field(default_factory=dict)
    required: bool = False

    @field_validator("translations")
    @classmethod
    def _are_languages(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for language in value:
            if not (2 <= len(language) <= 3 and language.isascii() and language.isalpha() and language.islower()):
                raise ValueError(f"translations has {language!r}, which is no language; write de, fr, zh")
        return value

    @property
    def digest(self) -> str:
        """See `terms_digest`."""
        return terms_digest(self.version, self.license, self.purpose, self.text, self.translations)

    def text_in(self, language: str) -> tuple[str, str | None]:
        """The text for a reader of this language, and the language that it is in; None where the pack does not say."""
        found = self.translations.get(language)
        return (self.text, None) if found is None else (found, language)


# Licences that data are given away under, as SPDX calls them: each has a page with its text. Others are words.
_LICENSES = (
    *("CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"),
    *("CC-BY-ND-4.0", "CC-BY-NC-ND-4.0", "ODC-By-1.0", "ODbL-1.0", "PDDL-1.0", "CDLA-Permissive-1.0"),
    *("CDLA-Permissive-2.0", "CDLA-Sharing-1.0", "MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD"),
)


def licence_page(name: str) -> str | None:
    """Where the text of a licence stands; None for one that is not known. Names go by SPDX, in any case of letters."""
    known = {each.lower(): each for each in _LICENSES}.get(name.lower())
    return None if known is None else f"https://spdx.org/licenses/{known}.html"


def terms_digest(version: str, license_: str, purpose: str, text: str, translations: Mapping[str, str]) -> str:
    """SHA-256 of what is agreed to: by it the log covers the terms of each yes and no."""
    told = [version, license_, str(purpose), text, dict(translations)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
