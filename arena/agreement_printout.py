"""Agreement on paper: columns of text for a terminal."""

from collections.abc import Iterable, Mapping, Sequence

from arena.agreement import CALLED, Against, Agreement, Chance, Figure, Part, VoterFigures
from arena.agreement_report import Report
from arena.judges import Judge, JudgePart
from arena.label_agreement import LabelAgreement
from arena.matters import Kind

# Of a long list the first so many are printed; JSON has all.
_SHOWN = 10

_PARTS = {
    "all": "Four verdicts",
    "merged": "Tie and both bad as one, between A and B",
    "decisive": "A or B alone",
}


def to_text(report: Report) -> str:
    """The report in paragraphs; what cannot be said is a dash with its reason."""
    sections = [_all(report), *map(_label, report.labels), _consistency(report)]
    for group, parts in report.by.items():
        told = [_row(name, found) for name, found in parts.items()]
        untold = report.untold[group]
        note = [f"  {untold:,} vote{'s tell' if untold != 1 else ' tells'} no {group}"] if untold else []
        sections.append("\n".join([f"By {group}", *_columns([_BY, *told]), *note]))
    if report.voters is not None:
        sections.append(_voters(report.voters))
    if report.judges is not None:
        sections += [judge_to_text(judge) for judge in report.judges]
    sections.append(f"Gate: {report.gate.outcome}\n  {report.gate.reason}")
    return "\n\n".join(sections)


def _all(report: Report) -> str:
    found = report.agreement
    part = found.all
    counts = f"{part.n_votes:,} votes by {part.n_voters:,} voters, {part.n_pairs:,} pairs of votes"
    lines = [f"{part.n_items:,} of {report.n_items:,} pairs of answers were judged by several voters: {counts}"]
    for name, title in _PARTS.items():
        part: Part = getattr(found, name)
        # Why there is no kappa of two voters is said once, and not again with each kind of weights.
        is_of_two = part.figures["cohen"].value is not None
        shown = [key for key in part.figures if is_of_two or not key.startswith("cohen_")]
        lines += ["", f"{title}: {_labels(part.labels)}", *_columns([_row_of(key, part) for key in shown])]
        same = part.same_number
        if same is not None:
            fleiss = f"{_number(same.fleiss)} {_interval(same.fleiss)}".strip()
            on = f"the {same.n_items:,} with {same.votes_per_item} votes"
            lines.append(f"  Fleiss' kappa of {on}: {fleiss}{_because(same.fleiss)}")
        lines += _without_interval(part.figures[key] for key in shown)
    return "\n".join(lines)


_OF_KIND = {
    Kind.DIMENSION: "Dimension {}",
    Kind.SCALE: "By how much, {}",
    Kind.RATING: "Ratings of each answer",
    Kind.THUMB: "Thumbs on each answer",
    Kind.CONFIDENCE: "Confidence",
}


def _label(found: LabelAgreement) -> str:
    """One matter beside the verdict; of ratings and thumbs the things are answers."""
    things = "answers" if found.kind in (Kind.RATING, Kind.THUMB) else "pairs of answers"
    counts = (
        f"{found.n_said:,} votes say it; of {found.n_items:,} {things} two voters or more do, "
        f"{found.n_pairs:,} pairs of voters"
    )
    rows = []
    for key in found.figures:
        called = CALLED[key].replace("pairs of answers", things).replace("pairs of votes", "pairs of voters")
        rows.append((called, *_row_of(key, found)[1:]))
    head = f"{_OF_KIND[found.kind].format(found.name)}: {_labels(found.labels)}"
    return "\n".join([head, f"  {counts}", *_columns(rows), *_without_interval(found.figures.values())])


def _row_of(key: str, part: Part | LabelAgreement) -> tuple[str, ...]:
    figure = part.figures[key]
    called = figure.band or (figure.reason if figure.value is None else None) or ""
    if figure.reliability is not None:
        called = f"{called}; Krippendorff: {figure.reliability}"
    return CALLED[key], _number(figure), _interval(figure), called


def _without_interval(figures: Iterable[Figure]) -> list[str]:
    """Why some have a value and no interval, each reason once."""
    reasons = {figure.reason: None for figure in figures if figure.value is not None and figure.reason is not None}
    return [f"  no interval: {reason}" for reason in reasons]


def _labels(labels: Mapping[str, int]) -> str:
    total = sum(labels.values())
    if not total:
        return "no votes on the same answers"
    return ", ".join(f"{name.replace('_', ' ')} {n / total:.1%}" for name, n in labels.items())


def _consistency(report: Report) -> str:
    found = report.consistency
    if not found.n:
        return f"Voters against themselves: – ({found.raw.reason})"
    return (
        f"Voters against themselves, {found.n:,} pairs of votes: {_number(found.raw)} {_interval(found.raw)}, "
        f"Cohen's kappa {_number(found.kappa)} {_interval(found.kappa)}{_because(found.kappa)}"
    )


_BY = ("", "pairs of answers", "pairs of votes", "raw", "", "alpha", "", "AC1", "A or B: raw", "alpha")


def _row(name: str, found: Agreement) -> tuple[str, ...]:
    part, decisive = found.merged, found.decisive
    raw, alpha = part.figures["raw_pooled"], part.figures["krippendorff_nominal"]
    return (
        *(name, f"{part.n_items:,}", f"{part.n_pairs:,}", _number(raw), _interval(raw)),
        *(_number(alpha), _interval(alpha), _number(part.figures["gwet_ac1"])),
        *(_number(decisive.figures[each]) for each in ("raw_pooled", "krippendorff_nominal")),
    )


def _voters(found: Sequence[VoterFigures]) -> str:
    head = ("", "pairs of answers", "pairs of votes", "raw", "", "kappa", "", "A or B: raw", "kappa")
    alone = [each for each in found if each.voter is not None]
    pooled = [each for each in found if each.voter is None]
    rows = [_voter(each.voter or "", each) for each in alone[:_SHOWN]]
    rows += [_voter(f"{each.n_voters:,} with fewer, pooled", each) for each in pooled]
    more = f" (the first {_SHOWN} of {len(alone):,}; --json has all)" if len(alone) > _SHOWN else ""
    lines = _columns([head, *rows]) if rows else ["  – (no two voters have judged the same two answers)"]
    return "\n".join([f"Each voter against the others{more}", *lines])


def _voter(name: str, found: VoterFigures) -> tuple[str, ...]:
    every, decisive = found.all, found.decisive
    return (
        *(name, f"{every.n_items:,}", f"{every.n_pairs:,}", _number(every.raw), _interval(every.raw)),
        *(_number(every.kappa), _interval(every.kappa), _number(decisive.raw), _number(decisive.kappa)),
    )


def judge_to_text(judge: Judge) -> str:
    """One judge against the people, and the people among themselves."""
    lines = [f"Judge {judge.voter}" + (f" ({judge.file})" if judge.file else "")]
    for name in ("merged", "decisive"):
        part: JudgePart = getattr(judge, name)
        rows: list[tuple[str, ...]] = [("", "pairs of answers", "pairs of votes", "raw", "", "kappa", "")]
        rows.append(_against("against each vote of the people", part.single))
        majority = part.majority.figures
        rows.append(
            (
                *("against their majority", f"{part.majority.n_items:,}", ""),
                *(_number(majority["raw"]), _interval(majority["raw"])),
                *(_number(majority["cohen"]), _interval(majority["cohen"])),
            )
        )
        people, alpha = part.people.figures["raw_pooled"], part.people.figures["krippendorff_nominal"]
        rows.append(
            (
                *("the people among themselves (alpha)", f"{part.people.n_items:,}", f"{part.people.n_pairs:,}"),
                *(_number(people), _interval(people), _number(alpha), _interval(alpha)),
            )
        )
        without = part.majority.n_without
        lines += [f"  {_PARTS[name]}: the judge says {_labels(part.labels)}", *_columns(rows)]
        lines += [f"    without a majority: {without:,} pairs of answers"] if without else []
        reasons = {part.single.raw.reason, part.single.kappa.reason} - {None}
        lines += [f"    {each}" for each in sorted(map(str, reasons))]
    for group, parts in judge.by.items():
        head = (
            "",
            "pairs of answers",
            "raw",
            "",
            "kappa",
            "",
            "majority: raw",
            "kappa",
            "A or B: raw",
            "kappa",
            "people: raw",
        )
        lines += [
            f"  By {group}, tie and both bad as one",
            *_columns([head, *(_slice(*each) for each in parts.items())]),
        ]
    return "\n".join(lines)


def _against(name: str, found: Against) -> tuple[str, ...]:
    counts = (name, f"{found.n_items:,}", f"{found.n_pairs:,}")
    return (*counts, _number(found.raw), _interval(found.raw), _number(found.kappa), _interval(found.kappa))


def _slice(name: str, found: Judge) -> tuple[str, ...]:
    part, decisive = found.merged, found.decisive.single
    return (
        *(name, f"{part.single.n_items:,}", _number(part.single.raw), _interval(part.single.raw)),
        *(_number(part.single.kappa), _interval(part.single.kappa)),
        *(_number(part.majority.figures[each]) for each in ("raw", "cohen")),
        *(_number(decisive.raw), _number(decisive.kappa), _number(part.people.figures["raw_pooled"])),
    )


def counted_as(chance: Chance) -> str:
    """How intervals came about, in a sentence."""
    return (
        f"intervals: {chance.confidence * 100:g} %, pairs of answers drawn again {chance.rounds:,} times, "
        f"seed {chance.seed}"
    )


def _number(figure: Figure) -> str:
    return "–" if figure.value is None else f"{figure.value:.3f}"


def _interval(figure: Figure) -> str:
    return "" if figure.low is None or figure.high is None else f"{figure.low:.3f} to {figure.high:.3f}"


def _because(figure: Figure) -> str:
    return f" ({figure.reason})" if figure.reason else ""


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned: the first column and the last to the left, the others to the right, each line indented."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            f"{row[0]:<{widths[0]}}",
            *(f"{text:>{width}}" for text, width in zip(row[1:], widths[1:], strict=True)),
        ]
        if len(row) == 4:  # the last column of a list of figures is words
            cells[-1] = row[-1]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines
