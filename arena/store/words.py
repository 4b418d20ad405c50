"""What a voter wrote with a vote, and how the chain covers it: by a digest, so that it can go and leave the vote whole.

The words are the stored text of `comments`. A random salt goes into the digest and goes with the words: who guesses a
short comment cannot test the guess on what is left. The chain covers the digest and neither of the two.
"""

import hashlib

NOTHING = "none"
"""In the place of a digest where nothing was written."""


def digest_of(words: str | None, salt: str | None) -> str:
    """SHA-256 over the salt and the words, or NOTHING. Raises ValueError where there is one without the other."""
    if words is None and salt is None:
        return NOTHING
    if words is None or salt is None:
        raise ValueError("words and their salt come together, or neither of them does")
    return hashlib.sha256(f"{salt}\n{words}".encode()).hexdigest()


def fault_of(words: str | None, salt: str | None, digest: str, *, are_taken_out: bool) -> str | None:
    """How a vote's words are not what its digest says; None where they are.

    `are_taken_out` says whether the log took them out, after the vote was withdrawn: nothing but that lets them go.
    """
    if are_taken_out or digest == NOTHING:
        is_empty = words is None and salt is None
        return None if is_empty else "words were put to it that are not its own, or that were taken out"
    if words is None:
        return "what its voter wrote is gone, and no act of the log took it out of a withdrawn vote"
    if salt is None or digest_of(words, salt) != digest:
        return "what its voter wrote was changed"
    return None
