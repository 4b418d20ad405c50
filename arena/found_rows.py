"""What a query for votes has found, column by column: as rows, and in an order of their own."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.battle import Verdict
from arena.rows import Rows

_MIX = 0.7390851332151607


def in_an_order_of_their_own(found: Mapping[str, Any], style: Sequence[str]) -> Mapping[str, Any]:
    """The rows so that neither the order in which they come nor their sides matter.

    By time if it is asked for, then by a number that is made of models, winner, style and unit. Rows of one time are in
    no order that means anything: `Rows.shuffled` takes care of that.
    """
    moment = found.get("moment")
    if moment is not None:
        order = np.argsort(moment, kind="stable")
        if (np.diff(moment[order]) > 0).all():
            return {name: values[order] for name, values in found.items()}
    a, b, verdict = (found[name].astype(np.int64) for name in ("a", "b", "verdict"))
    is_turned = a > b
    winner = verdict ^ (is_turned & (verdict < 2))
    how = (np.minimum(a, b) * (int(max(a.max(), b.max())) + 1) + np.maximum(a, b)) * len(Verdict) + winner
    dress = np.zeros(len(a))
    for name in style:  # one number for all of them, which tells any two styles apart that are not equal
        dress = dress * _MIX + found[f"style_{name}"]
    dress = np.where(is_turned, -dress, dress) + 0.0  # there is a negative zero
    number = _mixed(how.view(np.uint64), dress.view(np.uint64))
    if "unit" in found:
        number = _mixed(number, np.ma.filled(found["unit"], 0).astype(np.uint64))
    if "weight" in found:
        number = _mixed(number, np.asarray(found["weight"], dtype=np.float64).view(np.uint64))
    # Rows that differ in nothing but their sides stand together: sides matter where a term for them is asked for.
    number = (number << np.uint64(1)) | is_turned.astype(np.uint64)
    order = np.argsort(number) if moment is None else np.lexsort((number, moment))
    return {name: values[order] for name, values in found.items()}


def _mixed(number: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One number for two, a different one for any other two (but for one chance in 2^64), in no order that means
    anything: rows that agree in it are alike. The multipliers are those of SplitMix64 (Steele et al. 2014,
    doi:10.1145/2660193.2660195), the shifts bring what is high down."""
    mixed = (number ^ (other * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x94D049BB133111EB)


def rows_of(found: Mapping[str, Any], style: Sequence[str]) -> Rows:
    """The columns as rows, units numbered from 0."""
    unit, keys = found.get("unit"), None
    if unit is not None:
        is_known = ~np.ma.getmaskarray(unit)
        keys, number = np.unique(np.asarray(unit)[is_known], return_inverse=True)
        unit = np.empty(len(is_known), dtype=np.int64)
        unit[is_known] = number
        unit[~is_known] = len(keys) + np.arange(np.count_nonzero(~is_known))
    return Rows(
        model_a=found["a"].astype(np.int64),
        model_b=found["b"].astype(np.int64),
        verdict=found["verdict"].astype(np.int64),
        unit=unit,
        unit_keys=keys,
        moment=found.get("moment"),
        weight=np.asarray(found["weight"], dtype=np.float64) if "weight" in found else None,
        style={name: np.asarray(found[f"style_{name}"], dtype=np.float64) for name in style},
    )
