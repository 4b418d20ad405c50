"""Pictures of every page in every state, in both themes and at every size, with a sheet of all of them.

    python tests/ui/screenshot.py                    all, into build/screenshots/; open its index.html
    python tests/ui/screenshot.py leaderboard arena  those whose names begin so
    python tests/ui/screenshot.py --readme           the pictures of the README, into docs/pictures/

Everything is served from this machine and ended here: the starter pack, and the LLMFAO arena of the walkthrough where
its tables are. Nothing is asked of another host.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Literal, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from chromium import MISSING, launch
from ground import LLMFAO, ROOT
from scene import SCENES, Scene, state
from stage import Stage, staged

OUT = ROOT / "build" / "screenshots"
PICTURES = ROOT / "docs" / "pictures"

Size = Literal["desktop", "tablet", "phone"]
Theme = Literal["light", "dark"]
SIZES: dict[Size, ViewportSize] = {
    "desktop": {"width": 1440, "height": 900},
    "tablet": {"width": 820, "height": 1180},
    "phone": {"width": 390, "height": 844},
}
# A tablet differs in its layout alone.
THEMES: dict[Size, tuple[Theme, ...]] = {
    "desktop": ("light", "dark"),
    "tablet": ("light",),
    "phone": ("light", "dark"),
}

# What is looked at with real answers and many models as well.
_WITH_LLMFAO = (
    "arena-first-ballot",
    "arena-revealed",
    "leaderboard",
    "leaderboard-filter",
    "leaderboard-method",
    "analysis",
    "model",
    "quality",
)
_TALLEST = 12_000  # pixels of one picture

# As docs/walkthrough.md brings them in.
_IMPORTS = (
    ("models.jsonl", "--as", "models", "--map", "org=organization"),
    ("prompts.jsonl", "--as", "prompts", "--map", "type=category", "--set", "language=en"),
    ("results.jsonl", "--as", "answers", "--map", "prompt=prompt_id,model=model_id,result=text,duration=latency_ms"),
    (
        "crowd-comparisons.csv",
        "--source",
        "human",
        "--map",
        "prompt=prompt_id,model_x=model_a,model_y=model_b,worker=voter",
        "--values",
        "left=model_a,right=model_b",
    ),
)


class Shot(NamedTuple):
    """One picture."""

    scene: str
    size: Size
    theme: Theme

    @property
    def file(self) -> str:
        """The name of the file that it is in."""
        return f"{self.scene}-{self.size}-{self.theme}.png"


def take(browser: Browser, scene: Scene, name: str, url: str, out: Path) -> Iterator[Shot]:
    """Both themes at each size, as a new visitor of each size."""
    for size in SIZES:
        if scene.only not in (None, size):
            continue
        with _page(browser, size) as page:
            scene.open(page, url)
            for theme in THEMES[size]:
                page.emulate_media(color_scheme=theme)
                shot = Shot(name, size, theme)
                if scene.is_long:
                    width, height = SIZES[size]["width"], page.evaluate("document.documentElement.scrollHeight")
                    clip = {"x": 0, "y": 0, "width": width, "height": min(height, _TALLEST)}
                    page.screenshot(path=out / shot.file, full_page=True, clip=clip)  # type: ignore[arg-type]
                else:
                    page.screenshot(path=out / shot.file)
                yield shot


@contextmanager
def _page(browser: Browser, size: Size) -> Iterator[Page]:
    is_touched = size != "desktop"
    # Without motion nothing is caught halfway.
    context = browser.new_context(
        viewport=SIZES[size], is_mobile=is_touched, has_touch=is_touched, reduced_motion="reduce", locale="en"
    )
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def sheet(shots: Sequence[Shot]) -> str:
    """All pictures on one page, a row a scene."""
    rows = []
    for name in dict.fromkeys(shot.scene for shot in shots):
        pictures = "".join(
            f'<a class="{shot.size}" href="{escape(shot.file)}"><img src="{escape(shot.file)}" loading="lazy" '
            f'alt="{escape(name)}, {shot.size}, {shot.theme}"></a>'
            for shot in shots
            if shot.scene == name
        )
        rows.append(f'<section id="{escape(name)}"><h2>{escape(name)}</h2><div>{pictures}</div></section>')
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pages and states</title><style>'
        "body { font: 15px system-ui; margin: 20px; background: #888; } h2 { font-size: 16px; margin: 18px 0 6px; }"
        "div { display: flex; gap: 10px; align-items: start; } img { width: 100%; height: 340px; object-fit: cover; "
        "object-position: top; display: block; } .desktop { width: 540px; } "
        ".tablet { width: 236px; } .phone { width: 158px; }"
        f"</style><h1>Pages and states</h1>{''.join(rows)}</html>\n"
    )


@contextmanager
def llmfao() -> Iterator[Path | None]:
    """A database of the LLMFAO arena, or None where its tables are not."""
    if not LLMFAO.is_dir():
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "llmfao.duckdb"
        for table, *options in _IMPORTS:
            command = [sys.executable, "-m", "arena", "import", str(LLMFAO / table), "--db", str(database), *options]
            subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        yield database


def all_pictures(browser: Browser, stage: Stage, starts: Sequence[str]) -> None:
    """Every scene whose name begins with one of the words, or every one."""
    wanted = [(scene, scene.name) for scene in SCENES] + [
        (replace(scene, name=f"llmfao-{scene.name}"), f"llmfao-{scene.name}")
        for scene in SCENES
        if scene.name in _WITH_LLMFAO
    ]
    wanted = [(scene, name) for scene, name in wanted if not starts or name.startswith(tuple(starts))]
    OUT.mkdir(parents=True, exist_ok=True)
    shots: list[Shot] = []
    with llmfao() as database:
        for number, (scene, name) in enumerate(wanted, 1):
            is_llmfao = name.startswith("llmfao-")
            if is_llmfao and database is None:
                continue
            say(f"{number:3} of {len(wanted)}  {name}")
            url = stage.url_of(database) if is_llmfao and database else stage.url(scene.ground)
            shots += take(browser, scene, name, url, OUT)
    # Of an earlier run, what was not taken now is still there.
    order = [*(scene.name for scene in SCENES), *(f"llmfao-{name}" for name in _WITH_LLMFAO)]
    there = [Shot(name, size, theme) for name in order for size in SIZES for theme in THEMES[size]]
    (OUT / "index.html").write_text(sheet([shot for shot in there if (OUT / shot.file).exists()]), encoding="utf-8")
    say(f"{len(shots)} pictures: {OUT / 'index.html'}")


# ---- the README ----

_PRESSED = """(key) => {
  const cap = document.body.appendChild(document.createElement("div"));
  cap.id = "pressed";
  cap.textContent = key;
  cap.style = `position:fixed; left:50%; top:44%; translate:-50% -50%; z-index:99; padding:26px 34px;
    font:600 44px/1 ui-monospace,monospace; border-radius:18px; color:#fff; background:#1d1b16e0;`;
}"""


def readme_pictures(browser: Browser, stage: Stage) -> None:
    """An open ballot, its reveal, the leaderboard; and one vote as a moving picture."""
    url = stage.url("voted")
    with _page(browser, "desktop") as page:
        page.goto(f"{url}/leaderboard")
        page.wait_for_selector("#board-page[data-state=shown]")
        _as_png(page.screenshot(), PICTURES / "leaderboard.png")
    with _page(browser, "desktop") as page:
        page.goto(url)
        page.wait_for_selector(state("voting"))
        _as_png(page.screenshot(), PICTURES / "arena.png")
        frames = [(page.screenshot(), 2000)]
        for key, then, pause in (("B", "revealed", 3200), ("Enter", "voting", 2200), ("T", "revealed", 3200)):
            page.evaluate(_PRESSED, "↵" if key == "Enter" else key)
            frames.append((page.screenshot(), 600))
            page.evaluate("document.getElementById('pressed').remove()")
            page.keyboard.press(key.lower() if key != "Enter" else key)
            page.wait_for_selector(state(then))
            frames.append((page.screenshot(), pause))
            if len(frames) == 3:
                _as_png(frames[-1][0], PICTURES / "reveal.png")
        _as_gif(frames, PICTURES / "vote.gif")


def _as_png(picture: bytes, file: Path) -> None:
    with Image.open(BytesIO(picture)) as image:
        image.convert("RGB").save(file, optimize=True)
    say(f"{file.stat().st_size // 1024:5} kB  {file}")


def _as_gif(frames: Sequence[tuple[bytes, int]], file: Path) -> None:
    """`frames` with the milliseconds that each is shown; one palette for all, so that nothing flickers."""
    width, height = 960, 600
    strip = Image.new("RGB", (width, height * len(frames)))
    for number, (picture, _) in enumerate(frames):
        with Image.open(BytesIO(picture)) as image:
            strip.paste(image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS), (0, number * height))
    # By coverage: the usual way goes by areas, and the few pixels of a coloured line would lose their colour.
    strip = strip.quantize(colors=256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    first, *others = [strip.crop((0, top, width, top + height)) for top in range(0, strip.height, height)]
    pauses = [pause for _, pause in frames]
    first.save(file, save_all=True, append_images=others, duration=pauses, loop=0, optimize=True)
    say(f"{file.stat().st_size // 1024:5} kB  {file}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command's story


def main() -> None:
    parser = argparse.ArgumentParser(description="Pictures of every page in every state.")
    parser.add_argument("starts", nargs="*", help="take only those whose names begin so")
    parser.add_argument("--readme", action="store_true", help="take the pictures of the README instead")
    given = parser.parse_args()
    with staged() as stage, sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is None:
            sys.exit(MISSING)
        if given.readme:
            readme_pictures(browser, stage)
        else:
            all_pictures(browser, stage, given.starts)
        browser.close()


if __name__ == "__main__":
    main()
