"""What is known of AI judges on paper: columns of text for a terminal."""

from collections.abc import Sequence

from arena.agreement_printout import judge_to_text
from arena.judge_report import JudgeReport
from arena.quality.figure import Figure
from arena.quality.report import in_words

_TITLES = {
    "position": "Position",
    "length": "Length",
    "self_preference": "Self-preference",
}


def to_text(reports: Sequence[JudgeReport]) -> str:
    """A paragraph a judge and what moves its verdicts, and one on its agreement with people where that is known."""
    sections = []
    for report in reports:
        pairs = f"{report.n_pairs:,} pair{'' if report.n_pairs == 1 else 's'} of answers in both orders"
        lines = [f"{report.label}: {pairs}, {report.n_flips:,} flipped, {report.n_without_verdict:,} without a verdict"]
        for name, title in _TITLES.items():
            lines += [f"  {title}", *(_line(figure) for figure in getattr(report, name))]
        sections.append("\n".join(lines))
        if report.agreement is not None:
            sections.append(judge_to_text(report.agreement))
    return "\n\n".join(sections)


def _line(figure: Figure) -> str:
    told = in_words(figure.to_record())
    if figure.value is None:
        return f"    {figure.label}: {told}"
    why = f"; {figure.reason}" if figure.reason else ""
    return f"    {figure.label}: {told}, {figure.n:,} {figure.unit}{why}"
