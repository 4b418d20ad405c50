"""Prompts that are nearly the same: character 5-grams, Jaccard similarity, found by MinHash.

The method is that of Broder (1997), doi:10.1109/SEQUEN.1997.666900, with the bands of Leskovec, Rajaraman and Ullman,
*Mining of Massive Datasets*, section 3.4. The signatures are datasketch's; its MinHashLSH keeps some 10 kB of a text in
Python's sets, and here a text takes 256 bytes in arrays, which are sorted band by band instead.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

NEAR = 0.8
"""From which Jaccard similarity of their 5-grams two texts are nearly the same."""

SHORT = 20
"""Texts with fewer characters are the same only if they are equal: one word decides what is asked."""

_GRAM = 5
_N_PERMUTATIONS = 128
# 32 bands of 4: of two texts with a similarity of 0.8, one pair in 50 million shares no band, (1 - 0.8^4)^32.
_N_BANDS, _IN_BAND = 32, 4
# What is estimated below this is not compared: of two texts with a similarity of 0.8, one pair in 50,000, as the
# estimate has a standard deviation of 0.035.
_WORTH_A_LOOK = 0.65
_MIX = np.array([pow(0x100000001B3, power, 1 << 64) for power in range(_GRAM)], np.uint64)


def normalised(text: str) -> str:
    """The text without what people do not read: compatibility forms, case, blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def similarity(one: str, other: str) -> float:
    """The Jaccard similarity of the 5-grams of two normalised texts; 1 for equal ones, however short."""
    if one == other:
        return 1.0
    first, second = _grams(one), _grams(other)
    return len(first & second) / len(first | second) if first and second else 0.0


class NearTexts:
    """Finds, among distinct normalised texts, those that are near a given one. Memory: 256 bytes a text beside it."""

    def __init__(self, texts: Sequence[str]):
        self._texts = texts
        self._long = np.array([n for n, text in enumerate(texts) if len(text) >= SHORT], np.int64)
        self._signatures = np.zeros((len(self._long), _N_PERMUTATIONS), np.uint8)
        bands = np.zeros((_N_BANDS, len(self._long)), np.uint32)
        for row, number in enumerate(self._long):
            signature = _signature(texts[int(number)])
            # Of each of the 128 values its lowest byte is kept: of two that differ, one in 256 looks equal.
            self._signatures[row] = signature.astype(np.uint8)
            bands[:, row] = _hashed(signature[: _N_BANDS * _IN_BAND].reshape(_N_BANDS, _IN_BAND))
        self._buckets: dict[int, list[NDArray[np.int64]]] = {}
        for band in bands:
            order = np.argsort(band, kind="stable")
            ends = np.flatnonzero(np.diff(band[order])) + 1
            for bucket in np.split(order, ends) if len(ends) < len(order) - 1 else ():
                for row in bucket if len(bucket) > 1 else ():
                    self._buckets.setdefault(int(row), []).append(bucket)
        self._rows = {int(number): row for row, number in enumerate(self._long)}

    def candidates(self, number: int) -> list[int]:
        """The texts that may be near text `number`, the likeliest first. `is_near` decides."""
        row = self._rows.get(number)
        if row is None or row not in self._buckets:
            return []
        others = np.unique(np.concatenate(self._buckets[row]))
        others = others[others != row]
        equal = (self._signatures[others] == self._signatures[row]).mean(axis=1)
        order = np.lexsort((others, -equal))
        return [int(self._long[others[each]]) for each in order if equal[each] >= _WORTH_A_LOOK]

    def is_near(self, one: int, other: int) -> bool:
        """Whether two texts are nearly the same, by all their 5-grams."""
        return similarity(self._texts[one], self._texts[other]) >= NEAR

    def near(self, number: int) -> Iterator[int]:
        """The texts that are near text `number`."""
        return (other for other in self.candidates(number) if self.is_near(number, other))


def _grams(text: str) -> set[str]:
    """The 5-grams of a text; none of a short one."""
    return {text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)} if len(text) >= SHORT else set()


def _signature(text: str) -> NDArray[np.uint32]:
    """The 128 smallest hashes of a text's 5-grams."""
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    grams = (np.lib.stride_tricks.sliding_window_view(letters, _GRAM) * _MIX).sum(axis=1, dtype=np.uint64)
    grams ^= grams >> np.uint64(33)
    grams *= np.uint64(0xFF51AFD7ED558CCD)
    grams ^= grams >> np.uint64(33)
    minhash = _empty().copy()
    minhash.update_batch(grams >> np.uint64(32))
    return minhash.hashvalues


@cache
def _empty() -> MinHash:
    """That of no grams, to be copied: to draw the permutations, always the same, takes as long as to apply them. The
    grams are hashed already."""
    return MinHash(_N_PERMUTATIONS, hashfunc=int)


def _hashed(rows: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """One number for each row of numbers."""
    mixed = (rows.astype(np.uint64) * _MIX[:_IN_BAND]).sum(axis=1, dtype=np.uint64)
    mixed ^= mixed >> np.uint64(33)
    mixed *= np.uint64(0xFF51AFD7ED558CCD)
    return (mixed >> np.uint64(32)).astype(np.uint32)
