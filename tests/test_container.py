"""The container's steps, as far as they can be tried without a container engine."""

import json
import os
import re
import shlex
import shutil
import subprocess
import time
import urllib.request
import venv
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from ground import ROOT

Step = tuple[str, str]


def steps() -> list[Step]:
    """The Dockerfile's instructions, continued lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", " ", "\n".join(line for line in text.split("\n") if not line.startswith("#")))
    return [(name, rest.strip()) for name, rest in re.findall(r"^([A-Z]+)\s+(.*)$", joined, re.MULTILINE)]


def step(name: str) -> str:
    [found] = [rest for each, rest in steps() if each == name]
    return found


def copies() -> Iterator[tuple[list[str], str]]:
    for name, rest in steps():
        if name == "COPY":
            *sources, target = rest.split()
            yield sources, target


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for name, rest in steps() if name == "ENV" for pair in shlex.split(rest))


def test_everything_that_is_copied_exists_and_reaches_the_build():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    let_in = [line[1:] for line in ignored if line.startswith("!")]
    for sources, _ in copies():
        for source in sources:
            assert (ROOT / source).exists(), source
            assert any(fnmatch(source, pattern) for pattern in let_in), f".dockerignore keeps {source} out"


def test_no_database_and_no_key_gets_into_the_image():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {"**/*.duckdb", "**/*.duckdb.*"} <= set(ignored)
    assert ignored.index("!data") < ignored.index("**/*.duckdb")  # the last match counts


def test_it_is_slim_runs_as_nobody_special_keeps_votes_on_a_volume_and_tells_its_health():
    assert re.fullmatch(r"python:3\.\d+-slim", step("FROM"))
    assert step("USER") == "arena"
    [volume] = json.loads(step("VOLUME"))
    assert environment()["BAKEOFF_DATABASE"].startswith(f"{volume}/")
    assert step("EXPOSE") == environment()["BAKEOFF_PORT"]
    assert f":{step('EXPOSE')}/healthz" in step("HEALTHCHECK")


def test_the_space_front_matter_fits_the_container():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["sdk"] == "docker"
    assert str(front["app_port"]) == step("EXPOSE")
    assert front["license"] == "apache-2.0"


def run(command: str, *, cwd: Path, env: dict[str, str]) -> None:
    done = subprocess.run(shlex.split(command), cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.proof
def test_the_start_command_runs_as_written_in_a_clean_environment(tmp_path: Path):
    """COPY, pip, CMD and HEALTHCHECK as the Dockerfile has them, with a virtual environment in place of the image."""
    app = tmp_path / "app"
    venv.create(tmp_path / "venv", with_pip=True)
    volume = tmp_path / "data"
    env = os.environ | environment() | {
        "PATH": f"{tmp_path / 'venv' / 'bin'}:{os.environ['PATH']}",
        "BAKEOFF_DATABASE": str(volume / "arena.duckdb"),
        "BAKEOFF_HOST": "127.0.0.1",
        "BAKEOFF_PORT": "7879",
    }  # fmt: skip
    env.pop("PYTHONPATH", None)
    for sources, target in copies():
        for source in sources:
            place = app / target if target != "./" else app / source
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("*.duckdb*", "__pycache__"))
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, place)
    for name, command in steps():
        if name == "RUN" and command.startswith("python -m pip"):
            run(command, cwd=app, env=env)
    check = json.loads(step("HEALTHCHECK").split("CMD ")[1])
    healthy = [part.replace(":7860/", ":7879/") for part in check]
    with subprocess.Popen(json.loads(step("CMD")), cwd=app, env=env, stderr=subprocess.PIPE, text=True) as server:
        try:
            deadline = time.monotonic() + 60
            while subprocess.run(healthy, env=env, capture_output=True, check=False).returncode:
                assert server.poll() is None, server.stderr and server.stderr.read()
                assert time.monotonic() < deadline, "not healthy within a minute"
                time.sleep(0.5)
            with urllib.request.urlopen("http://127.0.0.1:7879/", timeout=10) as page:
                assert page.status == 200
        finally:
            server.terminate()
            server.wait(timeout=20)
    assert (volume / "arena.duckdb").exists()


def test_the_lock_holds_names_versions_and_hashes_and_no_address():
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"://|--index-url|--find-links|--extra-index-url|file:", text), name
        pinned = re.split(r"\n(?=[a-z0-9])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
        for requirement in filter(str.strip, pinned):
            assert re.match(r"[a-z0-9._-]+==", requirement), requirement[:80]
            assert "--hash=sha256:" in requirement, requirement[:80]


def test_the_development_lock_agrees_with_the_one_that_people_run():
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9._-]+==\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))

    assert pins("requirements.txt") <= pins("requirements-dev.txt")
