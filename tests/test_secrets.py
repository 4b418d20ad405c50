"""No secret is in the repository: what looks like one is found by detect-secrets, in every file that git knows."""

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

from ground import ROOT

_KINDS = (
    *(
        "ArtifactoryDetector",
        "AWSKeyDetector",
        "AzureStorageKeyDetector",
        "BasicAuthDetector",
        "DiscordBotTokenDetector",
    ),
    *("GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "MailchimpDetector", "NpmDetector"),
    *("OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector"),
    *("SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector"),
)
_SETTINGS = {"plugins_used": [{"name": name} for name in _KINDS]}
# Full of hashes of packages, which are no secrets.
_LOCKS = {"requirements.txt", "requirements-dev.txt", "requirements-fuzz.txt"}


def found_in(lines: Iterable[tuple[str, bytes]], folder: Path) -> list[str]:
    """Where something looks like a secret, and like which kind; all lines as one file, of which each costs time."""
    places: list[str] = []
    path = folder / "lines.txt"
    with path.open("wb") as file:
        for place, line in lines:
            if b"@evil.example" not in line:  # a hostile link may look like an address with a password in it
                places.append(place)
                file.write(line.rstrip(b"\r\n").replace(b"\r", b" ") + b"\n")
    secrets = SecretsCollection()
    with transient_settings(_SETTINGS):
        secrets.scan_file(str(path))
    return [f"{places[each.line_number - 1]}: {each.type}" for _, each in secrets]


def tracked() -> Iterator[tuple[str, bytes]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        if name and name not in _LOCKS and (ROOT / name).is_file():
            for number, line in enumerate((ROOT / name).read_bytes().split(b"\n"), 1):
                yield f"{name}, line {number}", line


def ever_committed() -> Iterator[tuple[str, bytes]]:
    patches = ["git", "log", "--all", "--patch", "--unified=0", "--no-color", "--format=commit %H", "--", "."]
    log = subprocess.run(
        [*patches, *(f":!{name}" for name in _LOCKS)], cwd=ROOT, capture_output=True, check=True
    ).stdout
    commit = ""
    for line in log.split(b"\n"):
        if line.startswith(b"commit "):
            commit = line.decode()
        elif line.startswith(b"+"):
            yield commit, line[1:]


def test_no_file_holds_a_secret(tmp_path: Path):
    assert found_in(tracked(), tmp_path) == []


@pytest.mark.proof
def test_no_line_that_was_ever_committed_holds_a_secret(tmp_path: Path):
    assert found_in(ever_committed(), tmp_path) == []


@pytest.mark.parametrize(
    "parts",
    [
        ("AKIA", "IOSFODNN7", "QWERTYU"),
        ("ghp_", "16C7e42F292c6912E7710c838347Ae178B4a"),
        ("-----BEGIN RSA ", "PRIVATE KEY-----"),
        ("xoxb-", "123456789012-1234567890123-", "4mt0t4l1yf4k3t0k3n1234ab"),
        ("https://somebody:", "hunter2hunter2", "@db.example/x"),
    ],
)
def test_what_looks_for_them_sees_them(tmp_path: Path, parts: tuple[str, ...]):
    leak = [("a.py, line 1", b"nothing"), ("a.py, line 2", b"key = " + "".join(parts).encode())]
    assert [each.partition(":")[0] for each in found_in(leak, tmp_path)][:1] == ["a.py, line 2"]
