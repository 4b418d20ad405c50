"""The card of a dataset: README.md, as the Hub shows it. Every number in it comes from the manifest."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from arena.agreement import CALLED
from arena.dataset.near import NEAR
from arena.dataset.readiness import told_of
from arena.dataset.rights import missing

# What the Hub calls sizes of datasets.
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_LONGEST_IN_ROW = 300

_FAILURES = """\
- People prefer longer, well formatted and agreeable answers even where they are not better. A model trained on these
  pairs learns that too; compare its answers by length and by criterion before and after.
- `chosen` is better than `rejected`, and nothing else: both may be good, both may be wrong.
- The voters are those who came to one arena, with its prompts and its guideline. Other people may judge otherwise.
- Votes can be cast to help a model. What looked rigged is left out only where the host decided so.
- A reward model can be over-optimised; a policy can find what its training rewards without what people meant.
- Personal data are looked for by their shape. Names and stories are not found by that.
"""


def card(manifest: Mapping[str, Any], title: str, example: Mapping[str, Any] | None) -> str:
    """The text of the card. `example` is a row of the first config, as it is in the files."""
    configs = configs_of(manifest)
    parts = [
        "---\n" + yaml.safe_dump(_front(manifest, title, configs), sort_keys=False, allow_unicode=True) + "---",
        f"# {title}",
        _what(manifest),
        _readiness(manifest),
        _table("Files", ("config", "split", "rows"), _rows_of_configs(manifest)),
        *(_account(name, told) for name, told in manifest["formats"].items() if told["splits"] or name != "gold"),
        _load(configs),
        _example(example, configs),
        _models(manifest),
        _splits(manifest),
        _voters(manifest),
        _adjudicated(manifest["adjudication"]),
        _agreement(manifest["agreement"]),
        _biases(manifest["bias"]),
        _personal(manifest),
        _rights(manifest),
        "## Known ways to fail\n\n" + _FAILURES.strip(),
        _again(manifest),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def configs_of(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """The configs that have rows, with their splits; the default one first."""
    return {name: list(told["splits"]) for name, told in manifest["formats"].items() if told["splits"]}


def _front(manifest: Mapping[str, Any], title: str, configs: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    n_rows = max((sum(told["splits"].values()) for told in manifest["formats"].values()), default=0)
    sources = manifest["votes_by_source"]
    languages = sorted(each for each in manifest["examples_by_language"] if each.islower() and 2 <= len(each) <= 3)
    front: dict[str, Any] = {"pretty_name": title}
    if manifest["rights"]["license"] is not None:
        front["license"] = manifest["rights"]["license"]
    if languages:
        front["language"] = languages
    front |= {
        "size_categories": [next((name for least, name in _SIZES if n_rows < least), "n>10M")],
        "task_categories": ["text-generation"],
        "tags": ["preference", *(["human-feedback"] if "human" in sources else []), "dpo", "trl", "bakeoff"],
    }
    if configs:
        front["configs"] = [
            {
                "config_name": name,
                **({"default": True} if number == 0 else {}),
                "data_files": [{"split": split, "path": f"{name}/{split}-*"} for split in splits],
            }
            for number, (name, splits) in enumerate(configs.items())
        ]
    return front


def _what(manifest: Mapping[str, Any]) -> str:
    n_in = manifest["n_votes"] - sum(manifest["left_out"].values())
    dates = "at times that are not known"
    if manifest["first_vote"] is not None:
        dates = f"from {manifest['first_vote'][:10]} to {manifest['last_vote'][:10]}"
    sources = ", ".join(f"{n:,} by source {name}" for name, n in manifest["votes_by_source"].items()) or "none"
    part = ""
    if manifest["since"] is not None:
        part = f" This is an increment: what has changed since act {manifest['since']['n_log']:,} of the log."
    return (
        "Two answers to one prompt at a time, and the verdicts of those who compared them. Made by Bakeoff "
        f"{manifest['app_version']}, from {manifest['n_votes']:,} votes, cast {dates}; {n_in:,} of them are in this "
        f"dataset ({sources}), the others are left out, each for a reason that is named below.{part}"
    )


def _readiness(manifest: Mapping[str, Any]) -> str:
    return "## Readiness\n\n" + "\n".join(f"- {_plain(each)}" for each in told_of(manifest))


def _rows_of_configs(manifest: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (f"`{name}`", split, f"{n:,}")
        for name, told in manifest["formats"].items()
        for split, n in (told["splits"] or {"(no rows)": 0}).items()
    ]


def _account(name: str, told: Mapping[str, Any]) -> str:
    rows = [("in its rows", f"{told['kept']:,}"), *((reason, f"{n:,}") for reason, n in told["left_out"].items())]
    return f"{_table(f'What became of the votes in `{name}`', ('votes', 'number'), rows)}\n\n{told['meaning']}"


def _load(configs: Mapping[str, Sequence[str]]) -> str:
    if not configs:
        return ""
    name, splits = next(iter(configs.items()))
    return (
        "## Loading\n\n```python\nfrom datasets import load_dataset\n\n"
        f'rows = load_dataset("ORGANIZATION/NAME", "{name}", split="{splits[0]}")\n```'
    )


def _example(example: Mapping[str, Any] | None, configs: Mapping[str, Sequence[str]]) -> str:
    if example is None:
        return ""
    shown = json.dumps(_short(example), indent=2, ensure_ascii=False, default=str)
    fence = "`" * max(3, 1 + max((len(run) for run in _runs(shown, "`")), default=0))
    return f"A row of `{next(iter(configs))}`, long texts cut:\n\n{fence}json\n{shown}\n{fence}"


def _models(manifest: Mapping[str, Any]) -> str:
    rows = [
        (f"`{each}`", _plain(manifest["models"].get(each, each)), f"{n:,}")
        for each, n in manifest["examples_by_model"].items()
    ]
    return _table("Models", ("model", "name", "pairs of answers"), rows)


def _splits(manifest: Mapping[str, Any]) -> str:
    split, prompts = manifest["split"], manifest["prompts"]
    return f"""\
## Splits

{prompts["train"]:,} prompts are in train, {prompts["test"]:,} in test, {prompts["gold"]:,} in gold. Prompts whose \
character 5-grams are the same to {NEAR:.0%} (Jaccard), and those of one conversation or list, are one group, and a \
group is on one side. A new group goes to test with probability {split["share"]}, by a hash of its text and the salt \
`{split["salt"]}`; later prompts go where their group is, and one that is near both sides is left out. So nothing \
moves as the data grow. Gold is never in train or test, nor is anything near it."""


def _voters(manifest: Mapping[str, Any]) -> str:
    guidelines = ", ".join(f"{name} ({n:,} votes)" for name, n in manifest["votes_by_guideline"].items()) or "none"
    return f"""\
## Voters

{manifest["n_voters"]:,} voters, under names that were made for this export. Votes by people who had seen who wrote an \
answer are left out, where the log tells. Guideline versions that they judged by: {_plain(guidelines)}."""


def _adjudicated(told: Mapping[str, Any]) -> str:
    if not told["n_standing"]:
        return ""
    if not told["is_used"]:
        return f"""\
## Adjudication

A verdict was adjudicated on {told["n_standing"]:,} pairs of answers. This export takes no account of it: every row \
is by its votes."""
    return f"""\
## Adjudication

{told["n_pairs"]:,} pairs of answers have the verdict of an adjudicator in place of that of the votes, which stay in \
the log; {told["n_rows"]:,} of them prefer one answer. On {told["votes_say_the_same"]:,} the votes alone say the same, \
on {told["votes_say_otherwise"]:,} otherwise, on {told["votes_say_nothing"]:,} they do not decide. All are in gold, \
with `verdict_by` = `adjudication`."""


def _agreement(told: Mapping[str, Any]) -> str:
    """Each measure with its interval and how it is called; why there is none, where there is none."""
    figures = [
        # Why there is no kappa of two voters is said once, and not again with each kind of weights.
        *((CALLED[key], each) for key, each in told["figures"].items() if each["value"] is not None or "_" not in key),
        *((f"A or B alone: {CALLED[key]}", each) for key, each in told["without_ties"].items()),
        (f"a voter with themselves, {told['consistency']['n']:,} pairs of votes: raw", told["consistency"]["raw"]),
        ("a voter with themselves: Cohen's kappa", told["consistency"]["kappa"]),
    ]
    rows = [(what, _figure(each), _words_for(each)) for what, each in figures]
    labels = ", ".join(f"{name} {n:,}" for name, n in told["labels"].items())
    counted = (
        f"Over {told['n_votes']:,} votes by {told['n_voters']:,} voters on {told['n_items']:,} pairs of answers, "
        f"{told['n_items_judged_by_several']:,} of them judged by several, with "
        f"{told['n_pairs_of_votes']:,} pairs of votes. The votes on these say {labels}, a tie and both bad being "
        "*neither*."
    )
    gate = f"{_sentence(told['gate']['reason'])} Outcome: {told['gate']['outcome']}."
    table = _table("Agreement of voters", ("measure", "value, with its interval", "called"), rows)
    return f"{table}\n\n{counted} {gate}"


def _figure(told: Mapping[str, Any]) -> str:
    if told["value"] is None:
        return _plain(told["reason"] or "not known")
    interval = "" if told["low"] is None else f" ({told['low']:.3f} to {told['high']:.3f})"
    return f"{told['value']:.3f}{interval}"


def _words_for(told: Mapping[str, Any]) -> str:
    by_krippendorff = told["reliability"] and f"Krippendorff: {told['reliability']}"
    return "; ".join(each for each in (told["band"], by_krippendorff) if each)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{_plain(text)[1:]}."


def _measured(title: str, told: Mapping[str, Any]) -> str:
    if told.keys() == {"not_measured"}:
        return f"## {title}\n\nNot measured: {told['not_measured']}."
    return _table(title, ("what", "value"), list(_flat(told)))


def _biases(told: Mapping[str, Any]) -> str:
    """What the audits say and their figures; any other report as it is."""
    title = "Biases of voters"
    if not all(_is_audit(each) for each in told.values()):
        return _measured(title, told)
    rows = []
    for name, audit in told.items():
        rows.append((f"**{_plain(name)}**: {_plain(audit['sentence'])}", "", ""))
        for each in audit["figures"].values():
            mark = " (speaks)" if each["speaks"] else ""
            n = "" if each["value"] is None else f"{each['n']:,} {each['unit']}"
            rows.append((_plain(each["label"] + mark), _plain(each["told"]), _plain(n)))
    return _table(title, ("what", "value, with its interval", "of"), rows)


def _is_audit(told: Any) -> bool:
    """Whether this says what an audit found, and not something else that somebody measured."""
    match told:
        case {"sentence": str(), "figures": Mapping() as figures}:
            return all(map(_is_figure, figures.values()))
    return False


def _is_figure(told: Any) -> bool:
    match told:
        case {
            "label": str(),
            "told": str(),
            "speaks": bool(),
            "n": int(),
            "unit": str(),
            "value": int() | float() | None,
        }:
            return True
    return False


def _personal(manifest: Mapping[str, Any]) -> str:
    told = manifest["personal_data"]
    kinds = ", ".join(f"`<{kind}>` in {n:,}" for kind, n in told["kinds"].items()) or "none found"
    more = f", and by {told['recogniser']}" if told["recogniser"] else ""
    return f"""\
## Personal data

Looked for by shape in {told["n_texts"]:,} texts{more}, and replaced in {told["n_changed"]:,}: {kinds}. Voters have no \
names but those of this export."""


def _rights(manifest: Mapping[str, Any]) -> str:
    rights = manifest["rights"]
    lines = [f"- The dataset: {rights['license'] or 'no licence is given'}"]
    lines += [f"- Answers of `{each}`: {_plain(licence)}" for each, licence in rights["model_licenses"].items()]
    lines += [f"- Prompts: {_plain(licence)} ({n:,})" for licence, n in rights["prompt_licenses"].items()]
    lines += [f"- Consent {_plain(each)}: {n:,} votes" for each, n in rights["consents"].items()]
    lines += [f"- Purpose {_plain(each)}: {n:,} votes" for each, n in rights["purposes"].items()]
    lines += [f"- Not known: {each}" for each in missing(rights)]
    return "## Rights\n\n" + "\n".join(lines)


def _again(manifest: Mapping[str, Any]) -> str:
    mark = manifest["watermark"]
    return (
        "## The same again\n\n`manifest.json` has the SHA-256 and the rows of every file, the choices of this export "
        f"and the act of the log that it ends at: number {mark['n_log']:,}, hash `{mark['log_hash']}`."
    )


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * (len(head) - 1)}---:|"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return f"## {title}\n\n" + "\n".join(lines)


def _flat(told: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    for key, value in told.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}, ")
        elif isinstance(value, list) and any(isinstance(each, Mapping | list) for each in value):
            numbered = {str(number): each for number, each in enumerate(value, 1)}
            yield from _flat(numbered, f"{name}, ")
        else:
            yield _plain(name), _plain(_said(value))


def _said(value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(_said, value)) if isinstance(value, list) else str(value)


def _plain(text: str) -> str:
    """On one line, and without what Markdown would make of it."""
    return " ".join(str(text).split()).replace("<", "&lt;")


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST_IN_ROW:
        return value[:_LONGEST_IN_ROW] + " ..."
    if isinstance(value, Mapping):
        return {key: _short(each) for key, each in value.items()}
    return [_short(each) for each in value] if isinstance(value, list | tuple) else value


def _runs(text: str, letter: str) -> list[str]:
    return "".join(each if each == letter else " " for each in text).split()
