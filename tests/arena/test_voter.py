"""Voters: a signed cookie, a keyed hash, and a secret that is made once and kept."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena.errors import DatabaseUnavailable
from arena.voter import VoterKey, open_secrets

KEY = VoterKey(b"a secret of the tests, 32 bytes.")
OTHER = VoterKey(b"another secret of the same size.")
COOKIE = KEY.issue()

OPEN_SECRET = """
import sys
from pathlib import Path
from arena.voter import open_secrets
print(open_secrets(Path(sys.argv[1]))[0].hex())
"""


def test_a_cookie_always_names_the_same_voter():
    assert KEY.voter_id(COOKIE) == KEY.voter_id(COOKIE) is not None


def test_a_thousand_cookies_are_a_thousand_voters():
    cookies = {KEY.issue() for _ in range(1000)}
    assert len({KEY.voter_id(cookie) for cookie in cookies}) == len(cookies) == 1000


def test_the_stored_voter_tells_nothing_of_the_cookie():
    told = KEY.voter_id(COOKIE)
    assert told is not None
    assert len(told) == 32
    assert not set(told) - set("0123456789abcdef")
    assert COOKIE.split(".")[0] not in told


def test_another_secret_knows_no_cookie_and_gives_other_pseudonyms():
    assert OTHER.voter_id(COOKIE) is None
    assert OTHER.pseudonym("cookie", "x") != KEY.pseudonym("cookie", "x")


def test_a_kind_keeps_its_pseudonyms_apart():
    assert KEY.pseudonym("cookie", "x") != KEY.pseudonym("imported voter", "x")


FORGED = {
    "none": None,
    "empty": "",
    "a dot": ".",
    "short": "a.b",
    "umlauts": "ü.ü",
    "half a letter": "\udc80",
    "a zero": "\x00",
    "long": "x" * 100_000,
    "a letter too many": COOKIE + "x",
}


@pytest.mark.parametrize("cookie", FORGED.values(), ids=FORGED)
def test_a_cookie_that_was_not_issued_names_nobody(cookie: str | None):
    assert KEY.voter_id(cookie) is None


@pytest.mark.parametrize("place", range(len(COOKIE) - 1))
def test_no_character_of_a_cookie_can_be_changed(place: int):
    # Without the last one: it carries 2 bits that base64 leaves unused.
    changed = "A" if COOKIE[place] != "A" else "B"
    assert KEY.voter_id(COOKIE[:place] + changed + COOKIE[place + 1 :]) is None


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.text())
def test_no_text_is_taken_for_a_cookie(text: str):
    assert KEY.voter_id(text) is None


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="at least 16"):
        VoterKey(b"short")


def test_a_new_secret_is_32_bytes_that_only_its_owner_may_read(tmp_path: Path):
    path = tmp_path / "new" / "arena.key"
    [secret] = open_secrets(path)
    assert len(secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["arena.key"]


def test_a_secret_is_made_once(tmp_path: Path):
    assert open_secrets(tmp_path / "arena.key") == open_secrets(tmp_path / "arena.key")
    assert open_secrets(tmp_path / "other.key") != open_secrets(tmp_path / "arena.key")


def test_processes_that_start_at_once_read_the_same_secret(tmp_path: Path):
    command = [sys.executable, "-c", OPEN_SECRET, str(tmp_path / "arena.key")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    secrets = {process.communicate(timeout=60)[0].strip() for process in running}
    assert len(secrets) == 1
    assert len(secrets.pop()) == 64
    assert [each.name for each in tmp_path.iterdir()] == ["arena.key"]


@pytest.mark.parametrize("content", [b"", b"not hex\n", b"abcd\n", b"\xff\xfe", b"zz" * 32, "ü".encode() * 32])
def test_a_file_that_holds_no_secret_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes):
    path = tmp_path / "arena.key"
    path.write_bytes(content)
    with pytest.raises(DatabaseUnavailable, match=r"arena\.key"):
        open_secrets(path)
    assert path.read_bytes() == content


def test_a_place_without_room_for_a_secret_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder.key").mkdir()
    for path in (tmp_path / "file" / "arena.key", tmp_path / "folder.key"):
        with pytest.raises(DatabaseUnavailable, match="key"):
            open_secrets(path)
