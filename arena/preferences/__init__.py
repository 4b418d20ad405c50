"""Votes become preference rows. Pure: what each vote becomes, and the shape of each format, one small file a format."""

from arena.preferences.preference import PairTally, Preference, Selection, select

__all__ = ["PairTally", "Preference", "Selection", "select"]
