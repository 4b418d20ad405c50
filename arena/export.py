"""The export: read the votes, make examples of them, write a dataset folder with a card and a manifest."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from arena import __version__, judgement_table, table
from arena.agreement import Chance
from arena.agreement_report import Report
from arena.battle import Adjudication, PromptId, Source, VoterId
from arena.dataset.card import card
from arena.dataset.cleaning import Cleaner, Recogniser
from arena.dataset.folder import CARD, digest, files_of, whole, write_manifest
from arena.dataset.increment import Group, groups, increments, replaced_file
from arena.dataset.pseudonym import Pseudonyms, export_key
from arena.dataset.rights import Rights
from arena.dataset.split import Split, SplitRule, Splits, compared_text
from arena.dataset.split import place as placed
from arena.dataset.summary import Summary
from arena.errors import BadInput
from arena.preferences.account import Account
from arena.preferences.cast import reason_against
from arena.preferences.choices import Choices
from arena.preferences.conversation import unrolled
from arena.preferences.example import Example
from arena.preferences.formats import Format, formats
from arena.preferences.judgement import Judge, PairKey
from arena.quality.audits import audit_votes
from arena.quality.report import summary
from arena.shards import MOST_BYTES, Shard, Sheets, sheets
from arena.store import VoteStore
from arena.tally import Selection, default_sources
from arena.vote_sheet import MOST_WORDED, read_sheet

PREFERENCE = "preference"
GOLD = "gold"

IN_GOLD = "in the gold set"
NOT_GOLD = "not in the gold set"
NOT_TEST = "not in the test split"
UNCHANGED = "in an earlier export, and unchanged since"

# The memory in MB that DuckDB may take, beside that of the tables that are written (`arena.shards`). Agreement joins
# every vote with its voter and with digests of both answers; with 300 MB that fails at a million votes.
_TO_READ, _TO_MEASURE = 300, 500

# Of comparisons with others, before anything is said of a voter.
LEAST_COMPARED = 10

Progress = Callable[[int, int], None]
"""Called with how many votes are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a dataset is to be, beside its formats: its splits, and what its card says beside the numbers.

    gold are the prompts of the gold set, beside those that the store marks. since is the manifest of an earlier export:
    then only what has changed is written. bias is a summary that somebody else has made, for the card. is_forced: votes
    that do not agree well enough (`arena.gate`) are written all the same, and the card says so.
    """

    split: SplitRule = field(default_factory=SplitRule)
    gold: Collection[PromptId] = ()
    licence: str | None = None
    title: str = "Preferences"
    recogniser: Recogniser | None = None
    recogniser_name: str | None = None
    since: Mapping[str, Any] | None = None
    is_forced: bool = False
    bias: Mapping[str, Any] | None = None
    most_bytes: int = MOST_BYTES


Alias = Callable[[VoterId], str | None]
"""The name that a voter has in an export, or None where it names nobody."""


def nobody(_voter: VoterId) -> None:
    """An export that tells no voter from another."""


@dataclass(frozen=True, slots=True)
class Export:
    """What was written."""

    files: tuple[Path, ...]
    manifest: dict[str, Any]


def sources_to_export(store: VoteStore, asked: Collection[Source] | None, up_to: int) -> tuple[Source, ...]:
    """Whose votes an export takes: those asked for, else as the arena's rules say, else as `default_sources`."""
    return tuple(
        asked or store.catalogue.rules().rating.sources or default_sources(store.votes.n_by_source(up_to=up_to))
    )


def examples(
    store: VoteStore, choices: Choices, account: Account, *, up_to: int, alias: Alias = nobody
) -> Iterator[Example]:
    """The examples of all votes up to an act of the log, in the order of prompts and pairs; their places counted.

    What is left out goes to the account; what is given is not in it yet. A thousand pairs are held at a time.
    """
    unlike: Collection[VoterId] = ()
    if choices.min_voter_agreement is not None:
        unlike = store.casts.voters_unlike_others(
            choices.sources, choices.min_voter_agreement, least=LEAST_COMPARED, up_to=up_to
        )
    judge = Judge(
        choices,
        against=reason_against(choices, store.catalogue.models(), unlike),
        texts_of=store.casts.texts,
        alias=alias,
        named=store.named.ids(),
        adjudicated=_adjudicated(store, up_to) if choices.use_adjudications else {},
    )
    found = unrolled(judge.examples(store.casts.pairs(up_to), account), choices.unroll, account)
    for _, of_prompt in groupby(found, key=lambda example: example.prompt.id):
        for place, example in enumerate(of_prompt):
            yield example if example.place == place else replace(example, place=place)


def _adjudicated(store: VoteStore, up_to: int) -> dict[PairKey, Adjudication]:
    """The adjudications that hold as of an act of the log, by pair."""
    return {(act.prompt_id, act.answer_a, act.answer_b): act for act in store.gold.standing(up_to).values()}


def export(
    store: VoteStore,
    out: Path,
    *,
    names: Collection[str] = (PREFERENCE,),
    order: Order | None = None,
    sources: Collection[Source] | None = None,
    choices: Choices | None = None,
    secret: bytes | None = None,
    key: bytes | None = None,
    alias: Alias | None = None,
    on_progress: Progress | None = None,
) -> Export:
    """Write the dataset into a folder, which is there when it is whole. An earlier export in it is replaced.

    Voters are named by `alias`, else by `key`; without these by a key that follows from the arena's secret, the log and
    the order; without a secret not at all. So the same votes and the same order give the same bytes, and another export
    other names. Raises BadInput for a folder that holds something else, an order that cannot be met, or a log without
    votes.
    """
    order = order or Order()
    n_log, log_hash = store.log.position()
    n_votes = sum(tally.n for tally in store.votes.tallies(n_log))
    if n_votes == 0:
        raise BadInput("there is no vote to export")
    wanted = _formats(names)
    choices = _completed(store, choices or Choices(), sources_to_export(store, sources, n_log))
    gold = _gold(store, order, n_log)
    options = _options(order, choices, wanted, gold)
    _check_since(store, order.since, options, wanted)
    with store.casts.sparing(_TO_MEASURE), ThreadPoolExecutor(1) as beside:
        measuring = beside.submit(_agreement, store, choices.sources, order, n_log)
        splits = _splits(store, order.split, gold, n_log)
        agreement = measuring.result()
    if key is None and secret is not None:
        key = export_key(secret, json.dumps([log_hash, options, (order.since or {}).get("watermark")]))
    if alias is None:
        alias = nobody if key is None else Pseudonyms(key).of
    with whole(out) as draft, store.casts.sparing(_TO_READ):
        account = Account()
        found: Iterator[Group] = groups(examples(store, choices, account, up_to=n_log, alias=alias))
        if order.since is not None:
            before = examples(store, choices, Account(), up_to=order.since["watermark"]["n_log"], alias=alias)
            found = increments(groups(before), found)
        with sheets(draft, most_bytes=order.most_bytes) as opened:
            writer = _Writer(opened, wanted, splits, Cleaner(order.recogniser), account)
            with replaced_file(draft, is_increment=order.since is not None) as note_replaced:
                for group in found:
                    note_replaced(group)
                    writer.write(group)
                    if on_progress is not None:
                        on_progress(account.n_votes, n_votes)
            shards = opened.finish()
        manifest = _manifest(store, order, options, writer, _Written(draft, shards))
        manifest["adjudication"] |= {
            "is_used": choices.use_adjudications,
            "n_standing": len(store.gold.standing(n_log)),
        }
        manifest["choices"] = options["choices"]
        manifest["agreement"] = agreement
        manifest["watermark"] = {"n_log": n_log, "log_hash": log_hash}
        (draft / CARD).write_text(card(manifest, order.title, writer.first_row), encoding="utf-8")
        manifest["files"][CARD] = _file(draft / CARD)
        write_manifest(draft, manifest)
        names = files_of(draft)
    return Export(tuple(out / name for name in names), manifest)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What an export in the format `preference` would keep and leave out."""

    account: Account
    summary: Summary


def rehearse(store: VoteStore, *, sources: Collection[Source], up_to: int) -> Rehearsal:
    """An export of the log up to an act, in which nothing is left to choose and nothing is written."""
    order, wanted = Order(), _formats((PREFERENCE,))
    choices = _completed(store, Choices(), tuple(sources))
    splits = _splits(store, order.split, _gold(store, order, up_to), up_to)
    writer = _Writer(None, wanted, splits, Cleaner(), Account())
    for group in groups(examples(store, choices, writer.account, up_to=up_to)):
        writer.write(group)
    return Rehearsal(writer.account, writer.summary)


def _completed(store: VoteStore, choices: Choices, sources: tuple[Source, ...]) -> Choices:
    """The choices with what the arena says: where it asks for consent, it is needed."""
    return replace(choices, sources=sources, needs_consent=store.catalogue.rules().consent is not None, keep_gold=True)


def biases(
    store: VoteStore, sources: Collection[Source] | None = None, *, most_worded: int = MOST_WORDED
) -> dict[str, Any]:
    """What the audits say of the votes that an export takes, for its card; texts are read of `most_worded` votes."""
    n_log, _ = store.log.position()
    if n_log == 0:
        return {"not_measured": "there is no vote"}
    selection = Selection(sources_to_export(store, sources, n_log))
    with store.casts.sparing(_TO_READ), store.votes.table(selection, up_to=n_log) as votes:
        sheet = read_sheet(votes, most_worded=most_worded)
    return summary(audit_votes(sheet)) if len(sheet) else {"not_measured": "no vote between two models counts"}


@dataclass(slots=True)
class _Writer:
    """Puts examples where they belong, and counts them; without sheets it only counts."""

    sheets: Sheets | None
    wanted: Mapping[str, Format]
    splits: Splits
    cleaner: Cleaner
    account: Account
    summary: Summary = field(default_factory=Summary)
    rights: Rights = field(default_factory=Rights)
    first_row: dict[str, Any] | None = None
    _place: tuple[PromptId | None, int] = (None, 0)
    _of: dict[Split, dict[str, Format]] = field(default_factory=dict)

    def write(self, group: Group) -> None:
        """Write the examples of one prompt that have changed, for each format."""
        if not group.examples:
            return
        prompt, link = group.examples[0].prompt, group.examples[0].conversation_id
        split = self.splits.of(prompt.id, link)
        clean, is_changed = [], False
        for example in group.examples:
            done = split if not isinstance(split, Split) else self.cleaner.cleaned(example)
            if isinstance(done, str):
                self.account.leave_out_example(done, example)
            else:
                # Counted anew: an example before it may be left out here.
                place = self._next_place(prompt.id)
                clean.append(done if done.place == place else replace(done, place=place))
                is_changed |= example.id in group.changed
        assert isinstance(split, Split) or not clean  # noqa: S101 - for the type
        if not is_changed or not isinstance(split, Split):
            for example in clean:
                self.account.leave_out_example(UNCHANGED, example)
            return
        self.summary.note_prompt(split)
        changed = [example for example in clean if example.id in group.changed]
        for example in changed:
            self.summary.note(example, split)
            self.rights.note(example)
        self._count(clean, group.changed, split)
        for name, format_ in self._here(split).items():
            part = clean if _is_by_prompt(format_) else changed
            self._rows(name, format_, split, part)

    def _here(self, split: Split) -> dict[str, Format]:
        if split not in self._of:
            self._of[split] = _of_split(self.wanted, split)
        return self._of[split]

    def _next_place(self, prompt_id: PromptId) -> int:
        last, place = self._place
        self._place = prompt_id, (place + 1 if last == prompt_id else 0)
        return self._place[1]

    def _count(self, clean: Iterable[Example], changed: Collection[str], split: Split) -> None:
        here = self._here(split)
        by_prompt = {name: format_ for name, format_ in here.items() if _is_by_prompt(format_)}
        for example in clean:
            takers = here if example.id in changed else by_prompt
            self.account.take(example, takers)
            for name in self.wanted:
                if name in takers:
                    continue
                reason = UNCHANGED if name in here else _not_here(name, split)
                self.account.pass_over(name, reason, len(example.opinions))

    def _rows(self, name: str, format_: Format, split: Split, part: list[Example]) -> None:
        if self.sheets is None:
            return
        told = _name_of(Split.TEST if split is Split.GOLD else split, format_)
        assert told is not None  # noqa: S101 - for the type
        sheet = self.sheets.sheet(name, told, format_.schema)
        for row in format_.rows_of(part):
            sheet.add(row)
            if self.first_row is None and name != GOLD:
                self.first_row = {"config": name} | dict(zip(format_.schema, row, strict=True))


@dataclass(frozen=True, slots=True)
class _Written:
    """What is in the folder before its card and its manifest."""

    folder: Path
    shards: Mapping[tuple[str, str], list[Shard]]

    def files(self, wanted: Mapping[str, Format]) -> dict[str, Any]:
        """All files with digest and size; the small ones that go beside the rows of a format are written by this."""
        rows = {
            shard.path.relative_to(self.folder).as_posix(): shard.n_rows
            for shards in self.shards.values()
            for shard in shards
        }
        for name, format_ in wanted.items():
            trained = [each for each in rows if each.startswith(f"{name}/{Split.TRAIN.value}-")]
            for file, text in (format_.files(trained) if format_.files and trained else {}).items():
                table.write_text(self.folder / file, text)
        return {
            name: _file(self.folder / name) | ({"rows": rows[name]} if name in rows else {})
            for name in files_of(self.folder)
        }


def _of_split(wanted: Mapping[str, Format], split: Split) -> dict[str, Format]:
    """The formats that examples of a split go into. Formats for evaluation have no train."""
    if split is Split.GOLD:
        return {GOLD: wanted[GOLD]}
    return {n: f for n, f in wanted.items() if n != GOLD and (_name_of(split, f) is not None)}


def _name_of(split: Split, format_: Format) -> str | None:
    """What a format calls a split: train and test, or a word with train in it and the same with test; else it is for
    evaluation, and has one split."""
    if Split.TRAIN.value in format_.split:
        return format_.split.replace(Split.TRAIN.value, split.value)
    return format_.split if split is Split.TEST else None


def _not_here(name: str, split: Split) -> str:
    if split is Split.GOLD:
        return IN_GOLD
    return NOT_GOLD if name == GOLD else NOT_TEST


def _is_by_prompt(format_: Format) -> bool:
    """Whether a row is about a whole prompt, so that it is written anew when any of the prompt's pairs has changed."""
    return format_.rows_of_prompt is not None or "pair_id" not in format_.schema


def _formats(names: Collection[str]) -> dict[str, Format]:
    """The formats by their names, those asked for in their order, and the one of the gold set."""
    known = formats()
    for name in names:
        if name not in known:
            raise BadInput(f"{name!r} is no format; known: {', '.join(known)}")
    gold = replace(known[PREFERENCE], name=GOLD, meaning="The gold set, in the format `preference`.")
    return {name: known[name] for name in dict.fromkeys(names)} | {GOLD: gold}


def _agreement(store: VoteStore, sources: Collection[Source], order: Order, n_log: int) -> dict[str, Any]:
    """What the card says of agreement, over all votes of these sources. Raises BadInput where it is too poor."""
    with store.votes.table(Selection(sources=tuple(sources)), up_to=n_log) as votes:
        report = Report.of(judgement_table.read(votes), Chance(), force=order.is_forced)
    if not report.gate.may_go_ahead:
        raise BadInput(f"{report.gate.reason} (--force)")
    return report.to_card()


def _gold(store: VoteStore, order: Order, n_log: int) -> frozenset[PromptId]:
    """The prompts of the gold set: those that were named, those that were drawn as gold, and those on which the verdict
    is known, by the pack or by an adjudication."""
    known = {each.prompt_id for each in store.gold.all().values()}
    return frozenset(order.gold) | store.arrivals.gold(n_log) | known


def _splits(store: VoteStore, rule: SplitRule, gold: Collection[PromptId], n_log: int) -> Splits:
    texts = {prompt_id: compared_text(messages) for prompt_id, messages in store.arrivals.messages()}
    if unknown := sorted(set(gold) - texts.keys()):
        raise BadInput(f"the gold set names {unknown[0]!r}, and there is no prompt with this id")
    return placed(store.arrivals.up_to(n_log), texts, rule, gold)


def _options(
    order: Order, choices: Choices, wanted: Mapping[str, Format], gold: Collection[PromptId]
) -> dict[str, Any]:
    """What decides which rows there are: two exports with the same go together."""
    told = "\n".join(sorted(gold))
    return {
        "formats": [name for name in wanted if name != GOLD],
        "choices": choices.to_record(),
        "split": {"share": str(order.split.share), "salt": order.split.salt},
        "gold": {"n_prompts": len(gold), "sha256": hashlib.sha256(told.encode()).hexdigest()},
        "recogniser": order.recogniser_name,
    }


def _check_since(
    store: VoteStore, since: Mapping[str, Any] | None, options: Mapping[str, Any], wanted: Mapping[str, Format]
) -> None:
    """Refuse an increment that would not add up with the export that it goes on from."""
    if since is None:
        return
    mark = since["watermark"]
    found = store.log.hashes_at([mark["n_log"]]).get(mark["n_log"])
    if found != mark["log_hash"]:
        raise BadInput(
            f"the manifest is of another log: its act {mark['n_log']:,} has the hash {mark['log_hash'][:16]}..., "
            f"and here it has {'none' if found is None else found[:16] + '...'}"
        )
    for name, value in options.items():
        if since["options"].get(name) != value:
            raise BadInput(
                f"an increment must be made with the same choices as the export it goes on from: {name} was "
                f"{json.dumps(since['options'].get(name))}, and is {json.dumps(value)}. Make a whole export instead"
            )
    for name, format_ in wanted.items():
        column = "prompt_id" if _is_by_prompt(format_) else "pair_id"
        if column not in format_.schema:
            raise BadInput(
                f"format {name!r} names neither pairs nor prompts in its columns, so increments of it could not be put "
                "together. Make a whole export instead"
            )


def _manifest(
    store: VoteStore, order: Order, options: Mapping[str, Any], writer: _Writer, written: _Written
) -> dict[str, Any]:
    account, models = writer.account, store.catalogue.models()
    rows = {key: sum(shard.n_rows for shard in shards) for key, shards in written.shards.items()}
    summary = writer.summary.record()
    return {
        "formats": {
            name: {
                "meaning": format_.meaning,
                "n_rows": sum(n for (config, _), n in rows.items() if config == name),
                "splits": {split: n for (config, split), n in rows.items() if config == name},
                **account.of(name),
            }
            for name, format_ in writer.wanted.items()
        },
        "n_votes": account.n_votes,
        "left_out": {reason: account.left_out[reason] for reason in sorted(account.left_out)},
        **summary,
        "models": {each: models[each].name for each in summary["examples_by_model"] if each in models},
        "personal_data": {
            "n_texts": writer.cleaner.n_texts,
            "n_changed": writer.cleaner.n_changed,
            "kinds": dict(sorted(writer.cleaner.found.items())),
            "recogniser": order.recogniser_name,
        },
        "rights": writer.rights.record(models, order.licence, store.consents.licenses()),
        "bias": dict(order.bias or {"not_measured": "no audit was given to this export"}),
        "since": None if order.since is None else order.since["watermark"],
        "split": options["split"],
        "options": dict(options),
        "app_version": __version__,
        "files": written.files(writer.wanted),
    }


def _file(path: Path) -> dict[str, Any]:
    return {"sha256": digest(path), "bytes": path.stat().st_size}
