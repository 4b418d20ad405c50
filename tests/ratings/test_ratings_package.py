import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ratings
from ratings import (
    DidNotConverge,
    InvalidComparisons,
    InvalidInterval,
    InvalidSetting,
    NotConnected,
    NotDetermined,
    RatingError,
)

FOLDER = Path(ratings.__file__).parent
SITUATIONS = [InvalidComparisons, InvalidInterval, InvalidSetting, NotConnected, NotDetermined, DidNotConverge]


def test_only_numpy_scipy_choix_and_the_standard_library_are_imported():
    allowed = {"ratings", "numpy", "scipy", "choix"} | set(sys.stdlib_module_names)
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [str(node.module)]
            else:
                continue
            assert {name.split(".")[0] for name in names} <= allowed, file.name


def test_every_public_name_exists():
    assert all(hasattr(ratings, name) for name in ratings.__all__)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_error_is_public_in_the_tree_and_drawn_in_it(situation):
    assert issubclass(situation, RatingError)
    assert issubclass(situation, ValueError)
    assert situation.__name__ in ratings.__all__
    drawing = sys.modules[situation.__module__].__doc__
    assert drawing is not None
    assert situation.__name__ in drawing


def test_no_error_is_missing_from_the_list():
    assert set(RatingError.__subclasses__()) == set(SITUATIONS)


def test_many_groups_of_many_items_make_a_sentence_of_bounded_length():
    sentence = str(NotConnected([tuple(range(1000))] + [(item,) for item in range(1000, 2000)]))
    assert sentence.startswith("2000 items fall into 1001 groups")
    assert "996 more" in sentence
    assert "... 1000 items" in sentence
    assert len(sentence) < 500


def test_the_number_of_threads_does_not_change_a_bit():
    # From about 130 items on, LAPACK's last bits depend on its threads; ours must not.
    program = (
        "import numpy as np, hashlib; from ratings import *\n"
        "rng = np.random.default_rng(0); a = rng.integers(0, 150, 20000); b = (a + rng.integers(1, 150, 20000)) % 150\n"
        "c = Comparisons.from_outcomes(150, a, b, rng.integers(0, 3, 20000))\n"
        "samples = bootstrap_bradley_terry(c, rounds=10, rng=rng)\n"
        "print(hashlib.sha256(fit_bradley_terry(c).strengths.tobytes() + samples.tobytes()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "OPENBLAS_NUM_THREADS": n_threads, "PYTHONPATH": str(FOLDER.parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n_threads in ("1", "2", "4")
    }
    assert len(digests) == 1


def test_the_library_is_loaded_without_scipy():
    """Loading it takes as long as rating a million votes; whoever needs it loads it then."""
    told = "import sys, ratings; print(sorted(name for name in sys.modules if name.partition('.')[0] == 'scipy'))"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout == "[]\n"
