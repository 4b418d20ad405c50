"""The folder of a dataset: written beside its place, and put there when it is whole."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from arena import json_line, table
from arena.errors import BadInput

MANIFEST = "manifest.json"
CARD = "README.md"


class _Part(BaseModel):
    """What is read of a manifest again; there may be more."""

    model_config = ConfigDict(strict=True)


class _Watermark(_Part):
    n_log: int = Field(ge=0, lt=2**63)
    log_hash: str


class _File(_Part):
    sha256: str


class _Rights(_Part):
    license: str | None
    votes_without_consent: int
    votes_without_purpose: int
    consent_licenses: dict[str, str] = Field(default_factory=dict)
    models_without_license: list[str]
    prompts_without_license: int


class _Manifest(_Part):
    watermark: _Watermark
    files: dict[str, _File]
    options: dict[str, Any]
    rights: _Rights
    n_votes: int


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A folder to write into, that becomes `out` at the end; after an error, or a kill, `out` is what it was before.

    An earlier export in `out` is replaced. What a killed one has left beside it is removed. Raises BadInput where `out`
    holds anything else, or a card that somebody has edited.
    """
    look_at(out)
    out = out.absolute()
    draft, earlier = _beside(out, "part"), _beside(out, "earlier")
    try:
        if earlier.exists() and not out.exists():  # killed between the two steps below
            earlier.rename(out)
        for leftover in (draft, earlier):
            if leftover.exists():
                shutil.rmtree(leftover)
        draft.mkdir(parents=True)
        yield draft
        if out.exists():
            out.rename(earlier)
        draft.rename(out)
        if earlier.exists():
            shutil.rmtree(earlier)
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def look_at(out: Path) -> None:
    """Refuse a place that holds something else than an earlier export. Raises BadInput."""
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; --out names a folder")
    if not out.is_dir() or not any(out.iterdir()):
        return
    known = read_manifest(out)["files"] if (out / MANIFEST).is_file() else {}
    strange = [name for name in files_of(out) if name not in known and name != MANIFEST]
    if strange:
        raise BadInput(f"{out} holds other files ({', '.join(strange[:3])}). Name a new or an empty folder")
    card = out / CARD
    if card.is_file() and digest(card) != known.get(CARD, {}).get("sha256"):
        raise BadInput(f"{card} was edited since it was written, and would be lost. Move it, or name another folder")


def files_of(folder: Path) -> list[str]:
    """All files below a folder, as the Hub names them."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an export's folder. Raises BadInput where there is none, or it is none of an export."""
    path = folder / MANIFEST if folder.is_dir() else folder
    try:
        found = json_line.parse(path.read_bytes())
        _Manifest.model_validate(found)
    except OSError as error:
        raise BadInput(f"{folder} holds no export: {path.name} cannot be read ({error.strerror})") from error
    except json_line.NoJson as error:
        raise BadInput(f"{path} is no manifest of an export: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInput(
            f"{path} is no manifest of an export, or of an earlier version of one: {where}: {first['msg'].lower()}"
        ) from error
    return found


def check_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Raises BadInput where a folder does not hold exactly the files that its manifest names, byte by byte."""
    there = set(files_of(folder)) - {MANIFEST}
    wanted = manifest["files"]
    if strange := sorted(there - wanted.keys()):
        raise BadInput(f"{folder} holds files that its manifest does not name: {', '.join(strange[:3])}")
    if lost := sorted(wanted.keys() - there):
        raise BadInput(f"{folder} lacks files that its manifest names: {', '.join(lost[:3])}")
    for name, told in wanted.items():
        if digest(folder / name) != told["sha256"]:
            raise BadInput(f"{folder / name} is not what was exported: its SHA-256 differs from the manifest's")


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest, as the last of all files."""
    table.write_text(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _beside(out: Path, word: str) -> Path:
    return out.parent / f".{out.name or 'export'}.{word}"
