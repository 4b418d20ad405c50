"""Bakeoff: a blind arena for language models, from the ballot to the rating and the preference pair."""

__version__ = "0.1.0"
