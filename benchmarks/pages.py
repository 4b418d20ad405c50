"""Times the pages in a real browser, on real servers: the first ballot, the reveal after a vote, and the next ballot.

    python benchmarks/pages.py                   all, in some three minutes
    python benchmarks/pages.py --quick           few repeats and a short log, in half a minute
    python benchmarks/pages.py --out pages.json  every figure as JSON as well

Three servers run at the same time, each a process: a bare page of Gradio with one line of Markdown, an arena without
votes, and the same arena with 100,000 imported ones. They are measured in turns (A B C A B C), each visit with a new
context of the browser, whose cache is empty.

- *first ballot* is from the start of the navigation until the first frame with the ballot on it; *bare* the same with
  the bare page's line.
- *reveal* is from the key press until the first frame with the names on it, *next* from Enter until the first frame
  with the next ballot on it. One voter casts all these votes, and reads each name for a moment.
- *bytes* are those that come over the wire for a page, with the headers.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "ui"))

import gradio
from playwright.sync_api import Browser, Page, sync_playwright

from arena.battle import Battle, BattleId, Source, Verdict, Vote, VoteId, VoterId
from arena.store import VoteStore
from chromium import MISSING, launch
from pack import stock

N_MODELS, N_PROMPTS = 30, 120
PATIENCE_SECONDS = 120
READING_MS = 150
"""How long the voter looks at the names, so that a vote does not meet the one before."""

TARGETS = {"first ballot / bare": 1.5, "reveal": 150.0, "next": 100.0}
PATHS = ("/", "/leaderboard", "/analysis", "/model?id=model-00", "/guidelines", "/api")

_BARE = """
import gradio
with gradio.Blocks(analytics_enabled=False) as page:
    gradio.Markdown("One line of text.")
page.launch(server_name="127.0.0.1", server_port=None, share=False, quiet=False, show_error=False)
"""

# When something is first on the page, and when the frame with it is done.
_WATCH = """
window.seen = {};
const after = (name) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => { window.seen[name] = performance.now(); };
  port2.postMessage(0);
});
const look = () => {
  const state = document.querySelector("#arena")?.dataset.state;
  if (state !== window.last) after(window.last = state);
  if (!window.isBare && [...document.querySelectorAll(".prose p")].some((p) => p.textContent === "One line of text.")) {
    window.isBare = true;
    after("bare");
  }
};
new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true });
addEventListener("keydown", (event) => { window.seen = { pressed: event.timeStamp }; }, true);
"""


# ---- the servers ----


def write(database: Path, n_votes: int) -> None:
    """An arena with so many imported votes, the same in every run."""
    rng = random.Random(0)  # noqa: S311 - the same in every run
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with VoteStore.open(database) as store:
        answers = stock(store, N_MODELS, N_PROMPTS, rng=rng, now=now)
        prompts, votes = list(answers), []
        for number in range(n_votes):
            prompt, pair = rng.choice(prompts), rng.sample(range(N_MODELS), 2)
            a, b = (answers[prompt][m] for m in pair)
            battle = Battle(BattleId(f"b{number}"), a.model_id, b.model_id, prompt, a.id, b.id)
            is_first = rng.random() < 1 / (1 + 2.7 ** ((pair[0] - pair[1]) / 10))
            verdict = rng.choice(list(Verdict)) if rng.random() < 0.3 else Verdict.A if is_first else Verdict.B
            voter = VoterId(f"voter-{rng.randrange(1 + n_votes // 20)}")
            when = now + timedelta(minutes=number)
            votes.append((battle, Vote(VoteId(f"v{number}"), battle.id, verdict, Source.HUMAN, voter, when)))
        store.votes.add_imported(votes, now)


@contextmanager
def process(command: Sequence[str], log: Path) -> Iterator[str]:
    """A server as a process of its own; gives the address that it says."""
    environ = os.environ | {"GRADIO_ANALYTICS_ENABLED": "False", "PYTHONUNBUFFERED": "1"}
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environ)
    try:
        stop = time.monotonic() + PATIENCE_SECONDS
        while (address := _address(log)) is None:
            if server.poll() is not None or time.monotonic() > stop:
                sys.exit(f"a server did not start: {log.read_text()}")
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _address(log: Path) -> str | None:
    words = log.read_text().split()
    return next((word.rstrip("/") for word in words if word.startswith("http://127.0.0.1:")), None)


# ---- what is measured ----


def first_seen(browser: Browser, url: str, name: str) -> float:
    """Milliseconds from the start of the navigation until the frame with it is done, with an empty cache."""
    with _visit(browser) as page:
        page.goto(url, wait_until="commit")
        return _seen(page, name)


def votes_by_keys(page: Page, n: int) -> tuple[list[float], list[float]]:
    """Milliseconds until the reveal, and until the next ballot, of so many votes."""
    reveals, nexts = [], []
    for number in range(n):
        page.keyboard.press("abtn"[number % 4])
        reveals.append(_since_press(page, "revealed"))
        page.wait_for_timeout(READING_MS)
        page.keyboard.press("Enter")
        nexts.append(_since_press(page, "voting"))
        page.wait_for_timeout(READING_MS)
    return reveals, nexts


def traffic(browser: Browser, url: str) -> tuple[int, int, int]:
    """Requests of a page, their bytes, and how many of them went to another host; with an empty cache."""
    with _visit(browser) as page:
        devtools = page.context.new_cdp_session(page)
        sizes: list[float] = []
        addresses: list[str] = []
        devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        devtools.on("Network.requestWillBeSent", lambda event: addresses.append(event["request"]["url"]))
        devtools.send("Network.enable")
        page.goto(url)
        page.wait_for_load_state("networkidle")
    own = urlsplit(url).netloc
    asked = [address for address in addresses if address.startswith("http")]
    return len(asked), int(sum(sizes)), sum(urlsplit(address).netloc != own for address in asked)


@contextmanager
def _visit(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en")
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    page = context.new_page()
    page.add_init_script(_WATCH)
    yield page
    context.close()


def _seen(page: Page, name: str) -> float:
    page.wait_for_function("(name) => window.seen?.[name]", arg=name, polling=20)
    return page.evaluate("(name) => window.seen[name]", name)


def _since_press(page: Page, name: str) -> float:
    return _seen(page, name) - page.evaluate("window.seen.pressed")


# ---- the run ----


def main() -> None:
    parser = argparse.ArgumentParser(description="Times the pages in a real browser.")
    parser.add_argument("--quick", action="store_true", help="few repeats and a short log")
    parser.add_argument("--repeats", type=int, help="visits of each first page; default 15")
    parser.add_argument("--votes", type=int, help="votes that are timed on each arena; default 100")
    parser.add_argument("--log", type=int, help="imported votes of the third server; default 100,000")
    parser.add_argument("--out", type=Path, help="write every figure as JSON")
    given = parser.parse_args()
    few, several, many = (3, 10, 5_000) if given.quick else (15, 100, 100_000)
    n_visits, n_votes, n_log = given.repeats or few, given.votes or several, given.log or many

    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory()))
        say(f"Three servers, one with {n_log:,} votes ...")
        urls = {"bare": exits.enter_context(process([sys.executable, "-c", _BARE], folder / "bare.log"))}
        for name, size in (("new", 0), ("full", n_log)):
            database = folder / f"{name}.duckdb"
            write(database, size)
            command = [sys.executable, "-m", "arena", "serve", "--db", str(database), "--port", "0"]
            urls[name] = exits.enter_context(process(command, folder / f"{name}.log"))
        browser = launch(exits.enter_context(sync_playwright()))
        if browser is None:
            sys.exit(MISSING)
        exits.callback(browser.close)
        figures: dict[str, list[float]] = {}
        loads = [os.getloadavg()[0]]

        def add(name: str, values: Sequence[float]) -> None:
            figures.setdefault(name, []).extend(values)

        say(f"{n_visits} first visits of each ...")
        first_seen(browser, urls["bare"], "bare")  # the browser's own beginning
        for _ in range(n_visits):
            add("bare", [first_seen(browser, urls["bare"], "bare")])
            for name in ("new", "full"):
                add(f"first ballot, {name}", [first_seen(browser, urls[name], "voting")])
        loads.append(os.getloadavg()[0])

        say(f"{n_votes} votes on each arena ...")
        with _visit(browser) as new, _visit(browser) as full:
            for name, page in (("new", new), ("full", full)):
                page.goto(urls[name])
                _seen(page, "voting")
            for done in range(0, n_votes, 10):
                for name, page in (("new", new), ("full", full)):
                    reveals, nexts = votes_by_keys(page, min(10, n_votes - done))
                    add(f"reveal, {name}", reveals)
                    add(f"next, {name}", nexts)
        loads.append(os.getloadavg()[0])

        say("What each page brings ...")
        pages = {path: traffic(browser, urls["full"] + path) for path in PATHS}
        pages["bare"] = traffic(browser, urls["bare"])
    report(figures, pages, loads)
    if given.out:
        record = {"load": loads, "milliseconds": figures, "pages": pages}
        given.out.write_text(json.dumps(record, indent=1), encoding="utf-8")


def report(
    figures: Mapping[str, Sequence[float]], pages: Mapping[str, tuple[int, int, int]], loads: Sequence[float]
) -> None:
    """Print the tables that docs/performance.md holds."""
    load = " then ".join(f"{each:.1f}" for each in loads)
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, load {load}; Python {platform.python_version()}, ", end=""
    )
    print(f"Gradio {gradio.__version__}")
    print("\n| what | median ms | p95 ms | n | target |\n|---|---:|---:|---:|---|")
    bare = statistics.median(figures["bare"])
    for name, values in figures.items():
        middle, high = statistics.median(values), p95(values)
        print(f"| {name} | {middle:.0f} | {high:.0f} | {len(values)} | {_target(name, middle, high, bare)} |")
    print("\n| page | requests | kB | to other hosts |\n|---|---:|---:|---:|")
    for path, (n, size, foreign) in pages.items():
        print(f"| {path} | {n} | {size / 1000:.0f} | {foreign} |")


def _target(name: str, middle: float, high: float, bare: float) -> str:
    kind = name.partition(",")[0]
    if kind == "first ballot":
        ratio, most = middle / bare, TARGETS["first ballot / bare"]
        return f"≤ {most} bare: {ratio:.2f}, {'reached' if ratio <= most else 'not reached'}"
    if kind in TARGETS:
        return f"p95 ≤ {TARGETS[kind]:.0f} ms: {'reached' if high <= TARGETS[kind] else 'not reached'}"
    return ""


def p95(values: Sequence[float]) -> float:
    """The value that 95 of 100 do not exceed."""
    return sorted(values)[ceil(0.95 * len(values)) - 1]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
