"""An empty picture, laid out in inches from the size of its texts, and how it becomes a file."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import BadInput
from arena.table import draft_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.floating[Any]]
Colours = NDArray[np.floating[Any]]
"""Red, green, blue from 0 to 1 in the last axis."""


INK, SOFT, LINE, PAPER = "#1d1b16", "#6b675d", "#e4e1d8", "#ffffff"
ACCENT, SIDE_A = "#2f5bd3", "#b4541a"
FEWEST, EVEN = "#dfe6fa", "#dcd6ca"
_HATCH = "#c9c4b6"  # of pairs without a vote: no colour of the scale has lines
TIER = "#a39d8d"  # darker than the lines of the scale

TEXT, SMALL, TINY, TITLE = 9.0, 8.0, 6.5, 12.0  # points
MARGIN = 0.3
LONGEST_NAME = 2.8
SMALL_LINE = 0.17
NARROWEST = 6.0
FITS_ON_A_SCREEN = 30
_DPI = 150
_MOST_PIXELS = 60_000  # on a side; Agg draws no more than 65,535
# Matplotlib's own font has no Chinese, Japanese, Korean or emoji; where one of these is installed it fills in.
_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans", "Noto Sans Arabic", "Noto Sans Devanagari")


@contextmanager
def matplotlib() -> Iterator[None]:
    """Matplotlib as it comes, whatever this machine's settings for it are, and these as before at the end."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - not installed everywhere, and slow to load
    except ImportError as error:
        raise BadInput("pictures need Matplotlib: pip install 'bakeoff-arena[plots]'") from error
    from matplotlib.font_manager import fontManager  # noqa: PLC0415

    installed = set(fontManager.get_font_names())
    with mpl.rc_context(), warnings.catch_warnings():
        # A name in a script that no font here has is drawn as boxes, which everybody sees.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        mpl.rcdefaults()
        mpl.rcParams["font.family"] = ["DejaVu Sans", *(font for font in _FONTS if font in installed)]
        mpl.rcParams["svg.hashsalt"] = "bakeoff"
        mpl.rcParams["hatch.linewidth"] = 0.5
        yield


ENDINGS = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
"""What would change with the day or the version stays out of the files."""


def write(figure: "Figure", path: Path) -> Path:
    draft = draft_of(path)
    ending = path.suffix[1:]
    dpi = min(_DPI, _MOST_PIXELS / max(figure.get_size_inches()))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(draft, format=ending, dpi=dpi, metadata=ENDINGS[ending])
        draft.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error
    return path


class Sheet:
    """An empty picture with a title, measured in inches from its upper left corner."""

    def __init__(self, width: float, height: float, title: str):
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415

        self.width = width
        self.figure = Figure(figsize=(width, height), facecolor=PAPER)
        FigureCanvasAgg(self.figure)
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set(xlim=(0, width), ylim=(height, 0))
        self._axes.axis("off")
        self.text(MARGIN, 0.38, title, size=TITLE, is_bold=True)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = TEXT,
        colour: str = INK,
        align: str = "left",
        is_bold: bool = False,
        is_upright: bool = False,
    ) -> None:
        """A line whose small letters are centred on y; upright it runs upwards from there, centred on x."""
        self._axes.text(
            x,
            y,
            text,
            size=size,
            color=colour,
            weight="bold" if is_bold else "normal",
            ha="center" if is_upright else align,
            va="bottom" if is_upright else "center_baseline",
            rotation=90 if is_upright else 0,
            parse_math=False,  # a dollar in a name is a dollar
        )

    def paragraph(self, lines: Sequence[str]) -> None:
        """Quiet words below the title."""
        for number, line in enumerate(lines):
            self.text(MARGIN, 0.68 + number * SMALL_LINE, line, size=SMALL, colour=SOFT)

    def line(self, x: Sequence[float], y: Sequence[float], *, colour: str, width: float = 0.75) -> None:
        """Straight from point to point."""
        self._axes.plot(x, y, color=colour, linewidth=width, solid_capstyle="butt", zorder=1, clip_on=False)

    def mark(self, x: float, y: float, kind: str, *, fill: str, edge: str, size: float = 5.5) -> None:
        """A point."""
        self._axes.plot(
            [x], [y], marker=kind, markersize=size, markerfacecolor=fill, markeredgecolor=edge, zorder=3, clip_on=False
        )

    def squares(self, x: Floats, y: Floats, sides: Floats, colours: Colours) -> None:
        """Squares by their centres."""
        from matplotlib.collections import PolyCollection  # noqa: PLC0415

        at = np.stack((x, y), axis=-1)[:, np.newaxis] + sides[:, np.newaxis, np.newaxis] * _CORNERS
        self._axes.add_collection(PolyCollection(list(at), facecolors=colours, edgecolors="none", zorder=2))

    def hatched(self, x: Floats, y: Floats, side: float) -> None:
        """Squares of which only the hatching is seen, by their centres."""
        from matplotlib.collections import PolyCollection  # noqa: PLC0415

        at = np.stack((x, y), axis=-1)[:, np.newaxis] + side * _CORNERS
        # The colour of the edges is that of the hatching, and as wide as nothing they are not seen themselves.
        cells = PolyCollection(list(at), facecolors="none", edgecolors=_HATCH, linewidths=0, hatch="/////", zorder=2)
        self._axes.add_collection(cells)


_CORNERS = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2


def length_of(text: str, size: float = TEXT, *, is_bold: bool = False) -> float:
    """Of a line of text, in inches."""
    from matplotlib.backends.backend_agg import RendererAgg  # noqa: PLC0415
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415

    font = FontProperties(size=size, weight="bold" if is_bold else "normal")
    return RendererAgg(1, 1, 72).get_text_width_height_descent(text, font, ismath=False)[0] / 72


def fitted(text: str, length: float, size: float = TEXT) -> str:
    """The text on one line, its end cut off where it is longer than this many inches."""
    text = " ".join(text.split())
    if length_of(text, size) <= length:
        return text
    while text and length_of(text + "…", size) > length:
        text = text[:-1]
    return text.rstrip() + "…"


def wrapped(sentences: Iterable[str], width: float) -> list[str]:
    """The words in lines that fit between the margins."""
    lines = [""]
    for word in " ".join(sentences).split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and length_of(longer, SMALL) > width - 2 * MARGIN:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def said_votes(n: float) -> str:
    return f"{n:,.0f} vote{'' if n == 1 else 's'}"


def _rgb(colour: str) -> Colours:
    return np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255


def readable_on(background: Colours) -> str:
    """Ink or paper, whichever stands out more: the relative luminance of WCAG 2, where both do equally at 0.2."""
    linear = np.where(background <= 0.04045, background / 12.92, ((background + 0.055) / 1.055) ** 2.4)
    return INK if linear @ (0.2126, 0.7152, 0.0722) > 0.2 else PAPER


def blended(colour: str, other: str, share: Floats) -> Colours:
    """From the one colour (share 0) to the other (share 1), shape (*shape of share, 3)."""
    return _rgb(colour) + np.asarray(share)[..., np.newaxis] * (_rgb(other) - _rgb(colour))
