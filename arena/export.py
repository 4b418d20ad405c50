"""The export: read the votes, select the preferences, write a dataset folder with a manifest."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from arena import __version__, table
from arena.battle import Source
from arena.errors import BadInput
from arena.preferences import Selection, explicit, select
from arena.store import VoteStore
from arena.tally import default_sources

MANIFEST = "manifest.json"


class Format(StrEnum):
    """What an export looks like."""

    PREFERENCE = "preference"


@dataclass(frozen=True, slots=True)
class Export:
    """What was written."""

    files: tuple[Path, ...]
    selection: Selection
    manifest: dict[str, Any]


def export(
    store: VoteStore,
    out: Path,
    *,
    format_: Format = Format.PREFERENCE,
    sources: Collection[Source] | None = None,
    min_agreement: Fraction = Fraction(0),
) -> Export:
    """Write the dataset as Parquet and JSON Lines, and manifest.json last, which counts every vote.

    The same votes give the same bytes. An export replaces an earlier one in the folder; the manifest goes first then,
    so that a folder with a manifest is always complete. Raises BadInput for a folder that holds something else.
    """
    _look_at(out)
    n_log, log_hash = store.log.position()
    if n_log == 0:
        raise BadInput("there is no vote to export")
    by_source = store.votes.n_by_source(up_to=n_log)
    chosen_sources = tuple(sources or store.catalogue.rules().rating.sources or default_sources(by_source))
    tallies = store.votes.pair_tallies(up_to=n_log)
    ids = {answer for tally in tallies for answer in (tally.answer_first, tally.answer_second) if answer is not None}
    texts = store.catalogue.texts(ids)
    selection = select(tallies, texts, sources=chosen_sources, min_agreement=min_agreement)
    prompts = store.catalogue.prompts()
    models = store.catalogue.models()
    named = {each for row in selection.preferences for each in (row.chosen_model, row.rejected_model)}
    rows = [explicit.to_row(preference, prompts, texts) for preference in selection.preferences]
    _make_room(out)
    files = tuple(out / f"{format_.value}{ending}" for ending in (".parquet", ".jsonl"))
    for file in files:
        table.write(file, explicit.SCHEMA, rows)
    manifest = {
        "format": format_.value,
        "n_votes": selection.n_kept + sum(selection.left_out.values()),
        "n_log": n_log,
        "n_rows": len(rows),
        "kept": selection.n_kept,
        "left_out": dict(selection.left_out),
        "sources": [source.value for source in chosen_sources],
        "min_agreement": float(min_agreement),
        "log_hash": log_hash,
        "models": {each: models[each].name for each in sorted(named) if each in models},
        "app_version": __version__,
        "files": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
    }
    table.write_text(out / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return Export((*files, out / MANIFEST), selection, manifest)


def _look_at(out: Path) -> None:
    """Refuse a place that holds something else than an earlier export."""
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; --out names a folder")
    ours = {MANIFEST, *(f"{each.value}{ending}" for each in Format for ending in (".parquet", ".jsonl"))}
    ours |= {table.draft_of(out / name).name for name in ours}  # as an export that was killed leaves one
    strange = sorted(path.name for path in out.iterdir() if path.name not in ours) if out.is_dir() else []
    if strange:
        raise BadInput(f"{out} holds other files ({', '.join(strange[:3])}). Name a new or an empty folder")


def _make_room(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / MANIFEST).unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror}") from error
