"""The terminal sessions in the docs: run as they stand, and compared with what really comes out.

python tests/console.py README.md docs/walkthrough.md     write the true outputs into the documents
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path

from ground import LLMFAO

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# These set up or need a machine of their own; that what they name exists is tested elsewhere.
NOT_RUN = ("make ", "docker ", "git ")

# While the docs say "open the page and vote", this many ties are cast over HTTP.
N_VOTES = 3


@dataclass
class Entry:
    """A command as the document shows it, and the lines shown below it."""

    command: str
    shown: list[str] = field(default_factory=list)

    @property
    def shell(self) -> str:
        return self.command.replace("\\\n", " ")

    @property
    def is_run(self) -> bool:
        return not self.shell.startswith(NOT_RUN)


def sessions(text: str) -> Iterator[list[Entry]]:
    """The console blocks of a document."""
    for block in _BLOCK.findall(text):
        entries: list[Entry] = []
        for line in block.rstrip("\n").split("\n"):
            if line.startswith("$ "):
                entries.append(Entry(line[2:]))
            elif entries[-1].command.endswith("\\") and not entries[-1].shown:
                entries[-1].command += f"\n{line}"
            else:
                entries[-1].shown.append(line)
        yield entries


def steady(lines: list[str]) -> list[str]:
    """Without what differs from run to run: digests, and the port of a server."""
    text = "\n".join(lines)
    text = re.sub(r"\b[0-9a-f]{16,64}\b", "<digest>", text)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:7860", text).split("\n")


class Shell:
    """Runs commands one after the other in one empty folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BAKEOFF_")}
        self.environment = kept | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LLMFAO": str(LLMFAO),
            "COLUMNS": "100",
            "PYTHONUNBUFFERED": "1",
            "NO_COLOR": "1",
        }

    def run(self, entry: Entry) -> list[str]:
        """What the command prints, both streams in the order in which they come."""
        shows = re.fullmatch(r"cat (\S+)", entry.shell)
        if shows and not (self.folder / shows[1]).exists():
            (self.folder / shows[1]).write_text("\n".join(entry.shown) + "\n", encoding="utf-8")
        if entry.shell.startswith("bakeoff serve"):
            return self._serve(entry.shell)
        done = subprocess.run(
            ["bash", "-c", entry.shell],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        shown = done.stdout.replace(str(LLMFAO), "$LLMFAO").rstrip("\n")
        return shown.split("\n") if shown else []

    def _serve(self, command: str) -> list[str]:
        """Start the arena, vote as the document tells its reader to, and close it as Ctrl+C would."""
        lines: list[str] = []
        with subprocess.Popen(
            ["bash", "-c", f"exec {command} --port 0"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as server:
            assert server.stdout is not None
            try:
                for line in server.stdout:
                    lines.append(line.rstrip("\n"))
                    if address := re.search(r"http://127\.0\.0\.1:\d+", line):
                        vote(address[0], N_VOTES)
                        break
            finally:
                server.send_signal(signal.SIGINT)
            lines += server.stdout.read().splitlines()
        return steady(lines)


def vote(address: str, n: int) -> None:
    """Cast n ties as a browser does: open the page for the cookie, then ask for ballots and answer them."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    browser.open(address, timeout=60).read()

    def post(path: str, body: dict[str, str]) -> dict[str, dict[str, str]]:
        request = urllib.request.Request(
            f"{address}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        return json.load(browser.open(request, timeout=60))

    for _ in range(n):
        ballot = post("/api/ballots", {})["ballot"]
        post(f"/api/ballots/{ballot['ballot_id']}/vote", {"verdict": "tie"})


def rewrite(document: Path) -> None:
    """Put the true outputs into a document."""
    text = document.read_text(encoding="utf-8")
    folder = Path(tempfile.mkdtemp())
    try:
        shell = Shell(folder)

        def run(match: re.Match[str]) -> str:
            [entries] = sessions(match[0])
            lines = []
            for entry in entries:
                output = shell.run(entry) if entry.is_run else entry.shown
                kept = entry.shown if steady(output) == steady(entry.shown) else output
                lines += [f"$ {entry.command}", *kept]
            return "```console\n" + "\n".join(lines) + "\n```"

        document.write_text(_BLOCK.sub(run, text), encoding="utf-8")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite(Path(name))
