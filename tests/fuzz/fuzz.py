"""Fuzz one reader, guided by the lines and branches that an input reaches: make fuzz TARGET=votes_csv SECONDS=180.

What breaks a promise, hangs for ten seconds, or takes two gigabytes is written to build/fuzz/TARGET/. Put it into
tests/fuzz/cases/TARGET/ under a name that says what it is, and mend the reader: the tests run it from then on.
"""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

import os
import sys
from pathlib import Path

import atheris  # installed by `make fuzz` alone  # pyright: ignore[reportMissingModuleSource]

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)]

# Read with counters in their branches: our own code, and what it hands foreign bytes to.
with atheris.instrument_imports(include=["arena", "json", "csv", "tomllib", "yaml", "markdown_it", "latex2mathml"]):
    from seeds import seeds, words
    from targets import TARGETS

_MOST_BYTES = 4096
_SLOW_SECONDS = 10
_MOST_MEGABYTES = 2048


def main(name: str, seconds: int) -> None:
    """Fuzz until the time is over, or until a promise is broken; ends the process."""
    found = ROOT / "build" / "fuzz" / name
    corpus = found / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    dictionary = found / "words"
    lines = ["".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words(name)]
    dictionary.write_text("".join(f'"{line}"\n' for line in lines), encoding="ascii")
    options = [f"-max_total_time={seconds}", f"-max_len={_MOST_BYTES}", f"-timeout={_SLOW_SECONDS}"]
    options += [f"-rss_limit_mb={_MOST_MEGABYTES}", f"-artifact_prefix={found}/", "-print_final_stats=1"]
    options += [f"-dict={dictionary}"] if lines else []
    atheris.Setup([sys.argv[0], *options, str(corpus)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in TARGETS or not sys.argv[2].isdecimal():
        sys.exit(f"usage: {sys.argv[0]} TARGET SECONDS; targets: {', '.join(TARGETS)}")
    os.nice(10)
    main(sys.argv[1], int(sys.argv[2]))
