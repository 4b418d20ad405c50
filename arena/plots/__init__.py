"""Three pictures of a board: the scores with their intervals, who met whom, and who beat whom.

A picture is laid out in inches on an empty sheet, from the size of its names and the number of its models, so that two
models and two hundred can both be read. The same board gives the same bytes with the same version of Matplotlib, which
is needed here only and is no part of a plain installation.
"""

from pathlib import Path

from arena.leaderboard import Leaderboard
from arena.plots.intervals import intervals
from arena.plots.matrices import Meetings, battles, wins
from arena.plots.sheet import ENDINGS, matplotlib, write
from arena.rows import Counted

__all__ = ["write_plots"]


def write_plots(directory: Path, board: Leaderboard, counted: Counted) -> list[Path]:
    """Write intervals, battles and wins, each as .svg and .png, and return their paths.

    `counted` are the votes behind the board. The folder is made if it is not there, files in it are replaced. Raises
    BadInput if Matplotlib is not installed or a file cannot be written.
    """
    with matplotlib():
        meetings = Meetings.of(board, counted)
        sheets = {"intervals": intervals(board), "battles": battles(meetings), "wins": wins(board, meetings)}
        return [
            write(sheet.figure, directory / f"{name}.{ending}") for name, sheet in sheets.items() for ending in ENDINGS
        ]
