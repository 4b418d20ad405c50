"""Running the commands in tests, as a person would."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from arena.cli import main

ROOT = Path(__file__).parent.parent.parent
HEADER = "model_a,model_b,winner\n"
# Each beat the other, so both have a finite score.
VOTES = f"{HEADER}a,b,model_a\na,b,model_a\na,b,model_b\nb,a,tie\n"
FEW = ("--rounds", "100")


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> Any:
        """The one JSON object on stdout; NaN and the like are no JSON."""
        return json.loads(self.out, parse_constant=pytest.fail)


def bakeoff(*words: object) -> Said:
    """Run a command in this process, through the same entry as the console's."""
    out, err, before, code = io.StringIO(), io.StringIO(), sys.argv, 0
    sys.argv = ["bakeoff", *map(str, words)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    finally:
        sys.argv = before
    return Said(code, out.getvalue(), err.getvalue())


def process(*words: object, **environment: str) -> Said:
    """Run a command as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "arena", *map(str, words)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        check=False,
        timeout=120,
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def error_of(said: Said) -> str:
    """The one line of an error; nothing is on stdout."""
    assert said.code == 1, said
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith("bakeoff: ")
    return line


def usage_of(said: Said) -> str:
    assert said.code == 2, said
    assert said.out == ""
    return said.err


def few(*options: object) -> tuple[str, ...]:
    """FEW where these options have votes drawn again; elsewhere a number of rounds is wrong usage."""
    return FEW if {"bootstrap", "cluster", "elo"}.intersection(options) else ()


def rated(path: Path, *options: object) -> dict[str, Any]:
    said = bakeoff("rate", path, "--json", *few(*options), *options)
    assert said.code == 0, said
    return said.record
