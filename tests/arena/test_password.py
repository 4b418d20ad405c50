"""A host's password: a salted hash in the settings, and no more tries than a person needs."""

import hashlib
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.attempts import MOST_IN_ALL, MOST_OF_ONE, Attempts
from arena.errors import BadInput
from arena.password import PasswordHash

PASSWORD = "three old walnut trees"
SALT = bytes(range(16))
START = timedelta(days=3)  # so long the clock has run
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def kept() -> PasswordHash:
    return PasswordHash.of(PASSWORD, salt=SALT)


def test_the_right_password_matches_and_others_do_not(kept: PasswordHash):
    assert kept.matches(PASSWORD)
    for wrong in ("", PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), "\ud800"):
        assert not kept.matches(wrong)


def test_what_is_printed_is_read_again_and_holds_no_password(kept: PasswordHash):
    assert PasswordHash.parse(f" {kept}\n") == kept
    assert PASSWORD not in str(kept)
    assert "$" not in str(kept)  # shells and Compose read it
    assert repr(kept) == "PasswordHash(...)"


def test_the_hash_is_that_of_the_standard_library(kept: PasswordHash):
    expected = hashlib.scrypt(PASSWORD.encode(), salt=SALT, n=2**15, r=8, p=3, maxmem=2**27, dklen=32)
    assert kept.hash == expected
    assert str(kept).startswith("scrypt:32768:8:3:AAECAwQFBgcICQoLDA0ODw:")


def test_two_salts_give_two_hashes(kept: PasswordHash):
    assert PasswordHash.of(PASSWORD, salt=bytes(16)).hash != kept.hash


def test_a_short_password_is_refused_with_its_length():
    with pytest.raises(BadInput, match="this password has 11 characters; at least 12 are needed"):
        PasswordHash.of("a" * 11, salt=SALT)


_TAIL = f"{'A' * 22}:{'A' * 43}"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "walnut",
        f"bcrypt:32768:8:3:{_TAIL}",
        f"scrypt:32768:8:{_TAIL}",
        f"scrypt:x:8:3:{_TAIL}",
        f"scrypt:-1:8:3:{_TAIL}",
        f"scrypt:32767:8:3:{_TAIL}",  # no power of two
        f"scrypt:1024:8:3:{_TAIL}",  # too weak
        f"scrypt:1073741824:8:3:{_TAIL}",  # 1 TB
        f"scrypt:32768:8:99:{_TAIL}",
        f"scrypt:32768:0:3:{_TAIL}",
        f"scrypt:32768:8:3:{'A' * 4}:{'A' * 43}",  # a salt of 3 bytes
        f"scrypt:32768:8:3:{'A' * 22}:{'A' * 4}",
        f"scrypt:32768:8:3:{'A' * 22}:not base64!",
    ],
)
def test_a_line_that_is_none_is_refused_without_being_repeated(line: str):
    with pytest.raises(BadInput) as caught:
        PasswordHash.parse(line)
    assert not line or line not in str(caught.value)


@given(st.text(max_size=120))
def test_no_line_gives_anything_but_a_hash_or_a_refusal(line: str):
    with pytest.raises(BadInput):
        PasswordHash.parse(f"scrypt:{line}")


# ---- tries ----


def test_after_five_tries_each_pause_is_twice_as_long():
    attempts = Attempts()
    now = START
    assert [attempts.begin("one", now) for _ in range(MOST_OF_ONE)] == [None] * MOST_OF_ONE
    for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
        pause = minutes * MINUTE
        assert attempts.begin("one", now) == pause
        assert attempts.begin("one", now + pause - timedelta(seconds=1)) == timedelta(seconds=1)
        now += pause
        assert attempts.begin("one", now) is None


def test_another_address_does_not_wait():
    attempts = Attempts()
    for _ in range(MOST_OF_ONE + 1):
        attempts.begin("one", START)
    assert attempts.begin("another", START) is None


def test_a_right_try_starts_anew():
    attempts = Attempts()
    for _ in range(MOST_OF_ONE):
        attempts.begin("one", START)
    attempts.succeeded("one")
    assert [attempts.begin("one", START) for _ in range(MOST_OF_ONE)] == [None] * MOST_OF_ONE


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20)), max_size=200))
def test_no_minute_has_more_tries_than_the_most_and_nobody_is_forgotten_too_soon(tries: list[tuple[int, int]]):
    attempts = Attempts()
    now = START
    taken: list[tuple[timedelta, int]] = []
    for who, seconds in tries:
        now += timedelta(seconds=seconds)
        if attempts.begin(str(who), now) is None:
            taken.append((now, who))
    for at, who in taken:
        within = [(then, other) for then, other in taken if at <= then < at + MINUTE]
        assert len(within) <= MOST_IN_ALL
        assert sum(other == who for _, other in within) <= MOST_OF_ONE


def test_thirty_addresses_have_a_try_each_in_a_minute_and_the_next_one_waits():
    attempts = Attempts()
    times = [START + timedelta(seconds=number) for number in range(MOST_IN_ALL)]
    assert [attempts.begin(str(number), at) for number, at in enumerate(times)] == [None] * MOST_IN_ALL
    assert attempts.begin("another", times[-1]) == MINUTE - (times[-1] - START), "until the first try is a minute old"
    assert attempts.begin("another", START + MINUTE) is None
    assert attempts.begin("one more", START + MINUTE) == timedelta(seconds=1)


def test_an_address_is_forgotten_after_an_hour_in_which_it_could_have_tried():
    attempts = Attempts()
    for number in range(20):
        attempts.begin(str(number), START)
    attempts.begin("late", START + timedelta(hours=1))
    assert len(attempts._records) == 1
