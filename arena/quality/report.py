"""What the audits found, as lines for a terminal, and as the figures for a dataset card or a page."""

from collections.abc import Mapping, Sequence
from typing import Any

from arena.quality.figure import Audit, Figure

_MARK = "*"
_SHOWN = 5
_ENDS = ("value", "low", "high")

_STATES = {True: "speaks", False: "silent", None: "cannot tell"}


def summary(audits: Sequence[Audit]) -> dict[str, Any]:
    """By audit: whether it speaks, its sentence, and its figures by name. Plain values, for JSON; nobody is named."""
    return summarised([audit.to_record() for audit in audits])


def summarised(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The same from the records of audits, as `bakeoff audit --json` prints them."""
    kept = ("label", "value", "low", "high", "n", "unit", "form", "p_value", "q_value", "speaks", "reason")
    return {
        each["audit"]: {
            "speaks": each["speaks"],
            "sentence": each["sentence"] + _of_sample(each.get("n_sampled")),
            "n_sampled": each.get("n_sampled"),
            "figures": {
                figure["name"]: {name: figure[name] for name in kept} | {"told": in_words(figure)}
                for figure in each["figures"]
            },
        }
        for each in records
    }


def in_words(figure: Mapping[str, Any]) -> str:
    """The value with its interval, or why there is none."""
    if figure["value"] is None:
        return figure["reason"]
    value, *ends = (figure[name] if figure[name] is None else _written(figure["form"], figure[name]) for name in _ENDS)
    return value if None in ends else f"{value} ({' to '.join(ends)})"


def _of_sample(n_sampled: int | None) -> str:
    """A sentence that follows another one, where not all texts were read."""
    return "" if n_sampled is None else f" What goes by texts is of a random sample of {n_sampled:,} votes."


def to_text(audits: Sequence[Audit], *, confidence: float) -> str:
    """A paragraph an audit: what it means, then its figures in columns. A star stands at figures that speak."""
    rows = [(f"{100 * confidence:g} % interval", "", ""), *(_cells(f) for audit in audits for f in audit.figures)]
    label = max(len(f"  {_MARK} {f.label}") for audit in audits for f in audit.figures)
    value = max(len(row[1]) for row in rows)
    interval = max(len(row[0]) for row in rows)
    n = max(len(row[2]) for row in rows)
    lines = []
    for audit in audits:
        rate = "" if audit.q_value is None else f", q = {audit.q_value:.2g}"
        lines += [f"{audit.name} ({_STATES[audit.speaks]}{rate}): {audit.sentence}{_of_sample(audit.n_sampled)}"]
        for f in audit.figures:
            ends, told, count = _cells(f)
            mark = _MARK if f.speaks else " "
            head = f"  {mark} {f.label:<{label - 4}}"
            if f.value is None:
                lines.append(f"{head}  {f.reason}")
                continue
            p = "" if f.p_value is None else f"  p {_chance(f.p_value)}"
            lines.append(f"{head}  {told:>{value}}  {ends:<{interval}}  {count:>{n}} {f.unit}{p}".rstrip())
            if f.speaks or f.form != "points":
                lines += [f"        {_member(each)}" for each in f.listed[:_SHOWN]]
                lines += [f"        ... and {len(f.listed) - _SHOWN:,} more"] if len(f.listed) > _SHOWN else []
        lines.append("")
    return "\n".join(lines[:-1])


def _cells(figure: Figure) -> tuple[str, str, str]:
    """The interval, the value and the number that it was taken from."""
    if figure.value is None:
        return "", "", ""
    ends = ""
    if figure.low is not None and figure.high is not None:
        ends = f"{_told(figure, figure.low)} to {_told(figure, figure.high)}"
    return ends, _told(figure, figure.value), f"{figure.n:,}"


def _told(figure: Figure, value: float) -> str:
    return _written(figure.form, value)


def _written(form: str, value: float) -> str:
    match form:
        case "share":
            return f"{100 * value:.1f} %"
        case "points":
            return f"{100 * value:+.1f} %"
        case "logit":
            return f"{value:+.3f}"
        case _:
            return f"{value:,.0f}" if value == round(value) else f"{value:,.3f}"


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _member(member: Mapping[str, Any]) -> str:
    """One of a family, in a few words: who or what, and then its numbers."""
    told = []
    for name, value in member.items():
        match name:
            case "low" | "high" | "p_value":
                continue
            case "share":
                told.append(f"{100 * value:.1f} %")
            case "n":
                told.append(f"of {value:,}")
            case "q_value":
                told.append(f"q = {value:.2g}")
            case "logit":
                told.append(f"{value:+.3f}")
            case "after" | "longest":
                told.append(f"{name} {value:,}")
            case _:
                told.append(str(value))
    return ", ".join(told)
