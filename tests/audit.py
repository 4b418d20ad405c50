"""Ask whether a vulnerability is known in any package of the locks: make audit.

pip-audit asks PyPI's advisories, and runs in an environment of its own that uv makes. Exit code 0: none is known; 1:
some are, or a lock is not sound; 3: not everything could be checked.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-fuzz.txt")
NOT_CHECKED = 3


def unsound(text: str) -> Iterator[str]:
    """The requirements of a lock that name no single version, or no hash of it."""
    for requirement in re.split(r"\n(?=[A-Za-z0-9])", "\n" + text):
        line = requirement.strip().partition("\n")[0]
        if line and not line.startswith("#") and not (re.search(r"==\S", line) and "--hash=sha256:" in requirement):
            yield line


def main() -> int:
    """Check all locks, and say what came of each."""
    flaws = [f"{name}: {each}" for name in LOCKS for each in unsound((ROOT / name).read_text(encoding="utf-8"))]
    if flaws:
        print("\n".join(f"not locked by version and hash: {each}" for each in flaws))
        return 1
    print(f"Every package in {', '.join(LOCKS)} is locked by version and hash.")
    worst = 0
    for name in LOCKS:
        asked = ["tool", "run", "pip-audit", "--requirement", name, "--require-hashes", "--disable-pip"]
        uv = Path(sys.executable).with_name("uv")
        run = subprocess.run([str(uv), *asked], cwd=ROOT, capture_output=True, text=True, check=False)
        told = (run.stdout + run.stderr).strip()
        if re.search(r"^Found \d+ known", told, flags=re.MULTILINE):
            print(f"{name}: {told}")
            worst = 1
        elif run.returncode or "could not be audited" in told:
            print(f"{name}: NOT CHECKED: {told.splitlines()[-1] if told else 'pip-audit did not run'}")
            worst = worst or NOT_CHECKED
        else:
            print(f"{name}: {told}")
    return worst


if __name__ == "__main__":
    sys.exit(main())
