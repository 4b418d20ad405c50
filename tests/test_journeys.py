"""The list of journeys is true: each test that it names exists, and runs at the sizes that it says."""

import ast
import re

import pytest

from ground import ROOT

# What a test asks for tells its size; of the others (a browser that it sets up itself) the list is believed.
SIZES = {"desktop": "D", "phone": "P", "context": "D P"}


def sizes_by_test() -> dict[str, list[str | None]]:
    """The sizes of every test of the pages by its name; None where it does not tell."""
    found: dict[str, list[str | None]] = {}
    for path in sorted((ROOT / "tests" / "ui").glob("test_*.py")):
        for each in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
                size = next((SIZES[argument.arg] for argument in each.args.args if argument.arg in SIZES), None)
                found.setdefault(each.name, []).append(size)
    return found


ROWS = re.findall(
    r"^\| .+ \| (D|P|D P) \| `(test_\w+)` \|$",
    (ROOT / "docs" / "journeys.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


@pytest.mark.parametrize(("sizes", "name"), ROWS)
def test_a_journey_has_its_test_at_its_sizes(sizes: str, name: str):
    known = sizes_by_test()
    assert name in known
    assert sizes in known[name] or None in known[name]


def test_every_row_is_understood_and_the_journeys_at_both_sizes_are_all_there():
    page = (ROOT / "docs" / "journeys.md").read_text(encoding="utf-8")
    assert len(ROWS) == len(re.findall(r"^\| .+`test_", page, re.MULTILINE))
    source = (ROOT / "tests" / "ui" / "test_both_sizes.py").read_text(encoding="utf-8")
    assert set(re.findall(r"^def (test_\w+)", source, re.MULTILINE)) <= {name for _, name in ROWS}
