"""The pictures hold what the board holds, nothing is cut off, and the same board makes the same bytes."""

import html
import re
import sys
from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from arena.battle import Model, ModelId, Verdict
from arena.errors import BadInput
from arena.plan import BothBad, Method, Plan
from arena.plots import write_plots
from arena.plots.intervals import MOST_UNRATED, intervals
from arena.plots.matrices import MOST_IN_A_MATRIX
from arena.rating import rate
from arena.rows import Counted
from arena.tally import Tally
from tallies import tally

A, B, TIE, BOTH_BAD = Verdict
NAMES = ["battles.png", "battles.svg", "intervals.png", "intervals.svg", "wins.png", "wins.svg"]


# ada beats bob 30 to 10; they tie with cleo, 20 times each.
THREE = [
    tally("ada", "bob", A, 30),
    tally("bob", "ada", A, 10),
    tally("ada", "cleo", TIE, 20),
    tally("cleo", "bob", TIE, 20),
]


def drawn(
    folder: Path, tallies: Sequence[Tally], models: Sequence[Model] = (), **options: object
) -> dict[str, list[str]]:
    """The lines of text in each picture, in the order in which they were drawn; Matplotlib leaves them as comments."""
    counted = Counted.of(tallies)
    board = rate(counted, {model.id: model for model in models}, Plan(**options))  # type: ignore[arg-type]
    paths = write_plots(folder, board, counted)
    assert sorted(path.name for path in paths) == NAMES
    assert sorted(path.name for path in folder.iterdir()) == NAMES
    return {
        path.stem: [html.unescape(line) for line in re.findall("<!-- (.*?) -->", path.read_text(encoding="utf-8"))]
        for path in paths
        if path.suffix == ".svg"
    }


def crowd(n_models: int) -> list[Tally]:
    """Everybody beats everybody; the first more often."""
    return [
        tally(f"m{one:03}", f"m{other:03}", verdict, n)
        for one, other in combinations(range(n_models), 2)
        for verdict, n in ((A, 3), (B, 1))
    ]


def test_intervals_show_rank_score_and_votes_of_each_model(tmp_path: Path) -> None:
    lines = drawn(tmp_path, THREE)["intervals"]
    for text in ("Scores", "Rank", "Model", "Score", "Votes", "ada", "bob", "cleo", "60", "40"):
        assert text in lines
    board = rate(Counted.of(THREE), {})
    for entry in board.entries:
        assert f"{entry.score:,.0f}" in lines
    caption = " ".join(lines)
    assert "Method bradley-terry; 80 votes counted, 0 left out. Lines are 95 % intervals" in caption
    assert "provisional" not in caption
    assert "Not rated" not in caption


def test_battles_show_the_votes_of_each_pair_on_both_sides(tmp_path: Path) -> None:
    lines = drawn(tmp_path, THREE)["battles"]
    assert "80 votes on 3 of 3 pairs." in " ".join(lines)
    assert lines.count("20") == 4  # two pairs, each from both sides
    assert lines.count("40") == 3  # one pair, and the end of the scale


def test_wins_show_the_share_of_the_row_with_ties_as_halves(tmp_path: Path) -> None:
    lines = drawn(tmp_path, THREE)["wins"]
    # ada against bob: 30 of 40. All others are ties: 50 from each side, for two pairs.
    assert (lines.count("75"), lines.count("25"), lines.count("50")) == (1, 1, 4)
    # The better of a pair stands above: its 75 comes before the 25 of the other.
    assert lines.index("75") < lines.index("25")


def test_both_bad_is_half_a_win_or_is_not_there(tmp_path: Path) -> None:
    votes = [tally("ada", "bob", A, 3), tally("bob", "ada", A, 1), tally("ada", "bob", BOTH_BAD, 4)]
    as_tie = drawn(tmp_path / "tie", votes)["wins"]
    dropped = drawn(tmp_path / "drop", votes, both_bad=BothBad.DROP)["wins"]
    # (3 + 4 / 2) / 8 = 62.5 %, which rounds to the even 62, and 37.5 to 38; without them 3 / 4.
    assert {"62", "38", "8"} <= set(as_tie)
    assert {"75", "25", "4"} <= set(dropped)
    assert "A tie, or a both-bad verdict, is half a win." in " ".join(as_tie)
    assert "A tie is half a win." in " ".join(dropped)


def test_votes_of_a_model_against_itself_are_in_no_picture(tmp_path: Path) -> None:
    lines = drawn(tmp_path, [*THREE, tally("ada", "ada", A, 99)])
    assert "80 votes on 3 of 3 pairs." in " ".join(lines["battles"])
    assert "99" not in lines["battles"]


def test_provisional_models_are_marked_and_models_without_a_rating_listed_with_the_reason(tmp_path: Path) -> None:
    lines = drawn(tmp_path, [*THREE, tally("dora", "ada", TIE, 2), tally("new", "ada", A), tally("x", "y", A)])
    caption = " ".join(lines["intervals"])
    assert "Hollow: provisional, fewer than 30 votes." in caption
    assert "Not rated" in lines["intervals"]
    assert "has met none of the rated models, directly or through others" in lines["intervals"]
    assert any(line.startswith("has not lost a vote yet") for line in lines["intervals"])
    assert "84 votes on 6 of 21 pairs." in " ".join(lines["battles"])


def test_where_nobody_can_be_rated_the_pictures_say_so(tmp_path: Path) -> None:
    lines = drawn(tmp_path, [tally("ada", "bob", A), tally("bob", "cleo", A)])
    assert "Not rated" in lines["intervals"]
    assert "Rank" not in lines["intervals"]
    assert "2 votes on 2 of 3 pairs." in " ".join(lines["wins"])


def test_many_models_without_a_rating_are_counted(tmp_path: Path) -> None:
    lines = drawn(tmp_path, [*THREE, *(tally(f"new{n:02}", "ada", A) for n in range(MOST_UNRATED + 3))])["intervals"]
    assert "and 3 more" in lines
    assert sum(line.startswith("new") for line in lines) == MOST_UNRATED


def test_a_matrix_shows_the_first_of_many_models_and_says_so(tmp_path: Path) -> None:
    n = MOST_IN_A_MATRIX + 5
    lines = drawn(tmp_path, crowd(n))
    for name in ("battles", "wins"):
        assert f"The first {MOST_IN_A_MATRIX} of {n} models." in " ".join(lines[name])
        assert sum(bool(re.fullmatch(r"m\d{3}", line)) for line in lines[name]) == 2 * MOST_IN_A_MATRIX
    # Four votes on each of the pairs that are shown: 60 * 59 / 2 * 4.
    assert "7,080 votes on 1,770 of 1,770 pairs." in " ".join(lines["battles"])
    assert sum(bool(re.fullmatch(r"m\d{3}", line)) for line in lines["intervals"]) == n


def test_lines_between_tiers_are_explained(tmp_path: Path) -> None:
    clear = [tally("ada", "bob", A, 900), tally("ada", "bob", B, 100)]
    assert "Lines across part tiers: the models of one cannot be told apart from its first." in " ".join(
        drawn(tmp_path, clear)["intervals"]
    )
    assert "tier" not in " ".join(drawn(tmp_path, [tally("ada", "bob", TIE, 40)])["intervals"])


def test_pairs_that_never_met_look_like_no_share_of_wins(tmp_path: Path) -> None:
    # ada and bob are level with cleo, 50 %, and have not met each other: no pixel of one cell is one of the other's.
    halves = [tally("ada", "cleo", TIE, 40), tally("cleo", "bob", TIE, 40)]
    lines = drawn(tmp_path, halves)
    assert "No vote" in lines["wins"]
    assert "No vote" in lines["battles"]
    svg = (tmp_path / "wins.svg").read_text(encoding="utf-8")
    hatched = re.findall(r"fill: url\(#\w+\)", svg)
    assert len(hatched) == 3  # both sides of the one pair, and the legend
    assert "No vote" not in drawn(tmp_path, THREE)["wins"]


@pytest.mark.parametrize("names", [("a", "b"), ("ada", "bob")])
def test_the_heads_of_columns_keep_clear_of_the_scale_beside_them(tmp_path: Path, names: tuple[str, str]) -> None:
    # Equal scores: the scale goes from 999 to 1,001, and its first and last numbers stand at its very ends.
    drawn(tmp_path, [tally(*names, TIE, 40)])
    sheet = intervals(rate([tally(*names, TIE, 40)], {}))
    renderer = sheet.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = {text.get_text(): text.get_window_extent(renderer) for text in sheet.figure.axes[0].texts}
    assert {"Model", "999", "1,001", "Score"} <= boxes.keys()
    row = [boxes[head] for head in ("Rank", "Model", "999", "999.5", "1,000.5", "1,001", "Score", "Votes")]
    for left, right in pairwise(row):
        assert left.x1 + 5 < right.x0  # pixels, of which 100 are an inch


def test_one_vote_is_a_vote(tmp_path: Path) -> None:
    lines = drawn(tmp_path, [tally("ada", "bob", TIE)])
    assert "1 vote counted, 0 left out." in " ".join(lines["intervals"])
    assert "1 vote on 1 of 1 pairs." in " ".join(lines["battles"])


def test_win_rates_are_shown_with_a_decimal(tmp_path: Path) -> None:
    lines = drawn(tmp_path, THREE, method=Method.WIN_RATE)["intervals"]
    assert "66.7" in lines  # ada: (30 + 10) of 60


STRANGE = {
    "a": "costs $5 & more than $4 <b>",
    "b": "多言語モデル",
    "c": "a name\nthat goes on " + "and on " * 30,
    "d": "_under--score_",
}


def test_strange_names_are_drawn_as_they_are_and_long_ones_cut(tmp_path: Path) -> None:
    models = [Model(ModelId(key), name) for key, name in STRANGE.items()]
    votes = [tally(a, b, TIE, 40) for a, b in combinations(STRANGE, 2)]
    for name, lines in drawn(tmp_path, votes, models).items():
        assert "costs $5 & more than $4 <b>" in lines, name
        assert "多言語モデル" in lines
        assert any(line.startswith("a name that goes on and on") and line.endswith("…") for line in lines)


@pytest.mark.parametrize(
    "tallies",
    [
        THREE[:2],
        [*THREE, tally("new", "ada", A)],
        crowd(22),
        [tally("x" * 80, "y" * 80, TIE, 10**9), tally("x" * 80, "island", TIE), tally("z" * 80, "x" * 80, A)],
    ],
    ids=["two", "three and one", "twenty-two", "long"],
)
def test_nothing_is_cut_off_at_the_edges(tallies: list[Tally], tmp_path: Path) -> None:
    drawn(tmp_path, tallies)
    for path in tmp_path.glob("*.png"):
        pixels = imread(path)[..., :3]
        inside = np.zeros(pixels.shape[:2], dtype=bool)
        inside[20:-20, 20:-20] = True  # 20 pixels are 0.13 inches
        assert (pixels[~inside] == 1).all(), path.name
        assert (pixels[inside] < 1).any()


def test_the_same_votes_make_the_same_bytes_in_any_order_and_under_any_settings_of_matplotlib(tmp_path: Path) -> None:
    drawn(tmp_path / "one", THREE)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "none", "savefig.bbox": "tight"}):
        drawn(tmp_path / "two", THREE[::-1])
        assert (mpl.rcParams["font.size"], mpl.rcParams["svg.fonttype"]) == (30, "none")
    for name in NAMES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_pictures_of_before_are_replaced(tmp_path: Path) -> None:
    drawn(tmp_path, THREE)
    before = (tmp_path / "wins.svg").read_bytes()
    drawn(tmp_path, THREE[:2])
    assert (tmp_path / "wins.svg").read_bytes() != before


def test_without_matplotlib_the_way_to_install_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(BadInput, match=r"pictures need Matplotlib: pip install 'bakeoff-arena\[plots\]'"):
        write_plots(tmp_path / "pictures", rate(THREE, {}), Counted.of(THREE))
    assert not (tmp_path / "pictures").exists()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("", encoding="utf-8")
    with pytest.raises(BadInput, match="cannot be written"):
        write_plots(tmp_path / "pictures", rate(THREE, {}), Counted.of(THREE))
