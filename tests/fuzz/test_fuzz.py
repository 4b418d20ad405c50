"""Every reader keeps its promise: on inputs that once broke it, on any bytes, and on sound files with a fault in them.

`make fuzz` looks for more of them, guided by what an input reaches.
"""

import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seeds import cases, seeds, words
from targets import TARGETS, BrokenPromise, promise

# The same examples in every run, and nothing kept on disk.
bounded = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CASES = [(name, case) for name in TARGETS for case in cases(name)]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}-{what}" for name, (what, _) in CASES])
def test_what_once_broke_a_promise_breaks_it_no_more(name: str, case: tuple[str, bytes]):
    TARGETS[name](case[1])


@pytest.mark.parametrize("name", TARGETS)
def test_sound_inputs_are_taken(name: str):
    assert seeds(name)
    for seed in seeds(name):
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
@bounded
@given(data=st.data())
def test_any_bytes_are_read_or_refused(name: str, data: st.DataObject):
    TARGETS[name](data.draw(st.binary(max_size=200)))


@pytest.mark.parametrize("name", TARGETS)
@bounded
@given(data=st.data())
def test_a_sound_input_with_a_fault_is_read_or_refused(name: str, data: st.DataObject):
    text = bytearray(data.draw(st.sampled_from(seeds(name))))
    pieces = st.one_of(st.binary(max_size=4), st.sampled_from([word.encode() for word in words(name)] or [b"\0"]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        text[at : at + data.draw(st.integers(0, 8))] = data.draw(pieces)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of a pattern that a later Python will read in another way
        TARGETS[name](bytes(text))


def test_a_broken_promise_is_said():
    with pytest.raises(BrokenPromise, match="three and two"):
        promise(False, "three and two are six")
