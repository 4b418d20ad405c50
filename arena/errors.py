"""What can go wrong, as one tree. Each error says what happened, with which value, and what to do.

    ArenaError
    ├── BadInput                a file, a row or an option that cannot be understood
    │   ├── UnknownVerdict      a word that is no verdict
    │   ├── BadRows             faults of a table, each with its row
    │   ├── SignalTaken         the id of a signal is stored with another content
    │   └── BadPack             faults of a pack, each with file and line
    ├── NothingToRate           no vote is left to rate
    ├── RatingFailed            the votes are there, and the mathematics gave no answer
    ├── StoreError              the database
    │   ├── DatabaseInUse       another process holds the file
    │   ├── DatabaseTooNew      written by a newer version
    │   ├── NotADatabase        the file is something else, or damaged
    │   ├── DatabaseUnavailable it cannot be opened or read (missing, no permission, a disk fault)
    │   │   └── DatabaseDamaged the file is not what was written to it
    │   ├── NotWhole            the log in a file was changed, or lost acts
    │   ├── KeyTaken            a unique key or a check refused a row
    │   └── VoteNotSaved        the commit failed; the vote is not stored and may be sent again
    ├── HubFailed               the Hub cannot be reached, or did not take what was sent
    ├── EndpointFailed          a model did not answer, or not to the end
    ├── TooMany                 a limit of this arena; nothing was stored, and the same may be sent again later
    └── BallotError             a ballot cannot be opened, voted on, skipped, or its vote withdrawn
        ├── NoBallotLeft        this voter has judged everything there is
        ├── UnknownBallot       no such ballot, or somebody else's
        ├── BallotExpired       too late
        ├── AlreadyVoted        this ballot already has another verdict by its voter
        ├── AlreadyRanked       this list already has another order by its voter
        ├── NotALabel           what was said beside the verdict is not what this arena asks for
        ├── BallotSkipped       its voter has skipped this ballot
        ├── VoteWithdrawn       its voter has taken the vote on this ballot back
        ├── NothingToWithdraw   there is no vote on this ballot
        ├── TooLateToWithdraw   its voter has voted on another ballot since
        ├── NotOffered          the rules of this arena do not allow it
        ├── UnknownExample      no such worked example in the calibration
        ├── NotAPrompt          what was typed cannot be put to models
        ├── NotAsked            this arena does not ask for consent to that
        └── ConsentNeeded       this arena takes votes under its consent alone

They are translated once, at the rim: `cli.py` prints one line and exits with 1, `ui/` answers with a calm sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from arena.battle import BallotId, Labels, Verdict


class ArenaError(Exception):
    """Any situation that this project foresees; its text is one sentence for a person."""


class BadInput(ArenaError):
    """A file, a row or an option that cannot be understood."""


class UnknownVerdict(BadInput):
    """A word that is no verdict. Nothing unknown becomes a tie."""

    def __init__(self, value: object, accepted: Sequence[str]):
        self.value = value
        self.accepted = tuple(accepted)
        super().__init__(f"{value!r} is no verdict; accepted: {', '.join(self.accepted)}")


class SignalTaken(BadInput):
    """A signal's id is stored, and what came with it then was something else."""

    def __init__(self, id_: str):
        super().__init__(f"the signal {id_!r} is stored with another content; give this one an id of its own")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file.

    place counts from 1: lines as an editor counts them, rows of a table without its header. None: the whole file.
    """

    file: str
    place: int | None
    message: str
    unit: Literal["line", "row"] = "line"

    def __str__(self) -> str:
        where = self.file if self.place is None else f"{self.file}, {self.unit} {self.place:,}"
        return f"{where}: {self.message}"


def _listed(faults: Sequence[Fault], shown: int) -> str:
    more = "" if len(faults) <= shown else f" (and {len(faults) - shown:,} more)"
    return "; ".join(str(fault) for fault in faults[:shown]) + more


class BadRows(BadInput):
    """Rows of a table that were refused; nothing of the file was taken."""

    def __init__(self, faults: Sequence[Fault], *, advice: str):
        self.faults = tuple(faults)
        super().__init__(f"{_listed(self.faults, 1)}. {advice}")


class BadPack(BadInput):
    """A pack that cannot be used; `bakeoff check` lists every fault."""

    def __init__(self, directory: Path, faults: Sequence[Fault]):
        self.directory = directory
        self.faults = tuple(faults)
        super().__init__(f"{_listed(self.faults, 1)}. Run `bakeoff check {directory}` for the whole list")


class NothingToRate(ArenaError):
    """No vote is left that a rating could use."""


class RatingFailed(ArenaError):
    """The votes are there, and the mathematics gave no answer."""


class StoreError(ArenaError):
    """The database."""


class DatabaseInUse(StoreError):
    """Another process holds the file. DuckDB allows one process at a time, even for reading."""

    def __init__(self, path: Path, holder: str | None):
        self.path = path
        self.holder = holder
        who = f"process {holder}" if holder else "another process"
        super().__init__(
            f"{path} is in use by {who}. Stop that one first (an arena that is being served holds its database; "
            "`bakeoff backup` copies it meanwhile), or name another file (--db or BAKEOFF_DATABASE)"
        )


class DatabaseTooNew(StoreError):
    """The file was written by a newer version of this program."""

    def __init__(self, path: Path, found: int, known: int):
        self.path = path
        super().__init__(
            f"{path} has schema version {found} and this program knows versions up to {known}. "
            "Update bakeoff, or name another file with --db"
        )


class NotADatabase(StoreError):
    """The file is something else, or damaged."""

    def __init__(self, path: Path, why: str):
        self.path = path
        super().__init__(f"{path} is not a Bakeoff database: {why}. Name another file with --db")


class DatabaseUnavailable(StoreError):
    """The file cannot be opened, read or written."""


class DatabaseDamaged(DatabaseUnavailable):
    """The file is a database and not what was written to it: torn, or overwritten in part."""

    def __init__(self, path: Path, why: str):
        self.path = path
        super().__init__(
            f"{path} is damaged: {why}. Nothing was changed. `bakeoff restore BACKUP --db {path} --replace` puts a "
            "backup in its place and keeps this file aside"
        )


class NotWhole(StoreError):
    """The log in a database was changed, or lost acts."""


class KeyTaken(StoreError):
    """A unique key or a check of the database refused a row; nothing of its transaction was stored."""


class VoteNotSaved(StoreError):
    """The commit failed. Nothing was stored, and the same vote may be sent again."""

    def __init__(self, why: str):
        self.why = why
        super().__init__(f"the vote was not saved: {why}. It can be sent again")


class HubFailed(ArenaError):
    """The Hub cannot be reached, or did not take what was sent."""


class Failure(StrEnum):
    """Why a model did not answer, or not to the end. Of the host's pages, never of a voter's."""

    REFUSED = "refused the connection"
    NO_KEY = "refused the key"
    LIMITED = "is at its limit"
    REJECTED = "rejected the request"
    BROKEN = "has an error of its own"
    SLOW = "took too long"
    CUT = "cut its answer off"
    MALFORMED = "sent what is no answer"
    FILTERED = "held its answer back"
    ENDLESS = "did not come to an end"

    @property
    def may_pass(self) -> bool:
        """Whether the same request may well succeed a moment later."""
        return self in (Failure.REFUSED, Failure.LIMITED, Failure.BROKEN, Failure.SLOW, Failure.CUT)

    @property
    def is_illness(self) -> bool:
        """Whether it tells of the endpoint, and not of the prompt, which a voter may choose."""
        return self not in (Failure.REJECTED, Failure.FILTERED, Failure.ENDLESS)

    @property
    def is_lasting(self) -> bool:
        """Whether no request to this endpoint can succeed before somebody changes something."""
        return self is Failure.NO_KEY


class EndpointFailed(ArenaError):
    """A model did not answer, or not to the end.

    `detail` is what the endpoint or the network said of it, in one line and without the key; it may name the model.
    `retry_after` is after how many seconds the endpoint asked to be tried again.
    """

    def __init__(self, failure: Failure, detail: str, retry_after: float | None = None):
        self.failure = failure
        self.detail = detail
        self.retry_after = retry_after
        super().__init__(f"the endpoint {failure}: {detail}")


class TooMany(ArenaError):
    """A limit of this arena. Nothing was stored, and the same may be sent again after so many seconds."""

    def __init__(self, what: str, seconds: int):
        self.seconds = seconds
        super().__init__(f"too many {what} in a short time; the next one is allowed in {seconds} s")


class BallotError(ArenaError):
    """A ballot cannot be opened, voted on, skipped, or its vote withdrawn."""


class NoBallotLeft(BallotError):
    """This voter has judged every pair that they can judge blind, or no prompt has two answers."""

    def __init__(self, *, is_arena_empty: bool):
        self.is_arena_empty = is_arena_empty
        super().__init__(
            "this arena has no two answers to compare yet"
            if is_arena_empty
            else "you have judged or skipped every pair in this arena that you can still judge blind"
        )


class UnknownBallot(BallotError):
    """No such ballot for this voter. One answer for both cases, so that nobody learns which ballots exist."""

    def __init__(self, ballot_id: str):
        super().__init__(f"there is no ballot {ballot_id!r} for you; load the page for a new one")


class BallotExpired(BallotError):
    """The ballot was open for too long."""

    def __init__(self, ballot_id: BallotId):
        self.ballot_id = ballot_id
        super().__init__("this ballot was open for too long and has been closed; the next one is ready")


class AlreadyVoted(BallotError):
    """The ballot has a vote with another verdict, or other labels; the first one stays: `kept`, with its `labels`."""

    def __init__(self, ballot_id: BallotId, kept: Verdict, labels: Labels):
        self.ballot_id = ballot_id
        self.kept = kept
        self.labels = labels
        super().__init__(f"this ballot already has your vote ({kept.value}); the first vote stays")


class AlreadyRanked(BallotError):
    """The list has been put in another order by its voter; the first one stays."""

    def __init__(self, ballot_id: BallotId):
        self.ballot_id = ballot_id
        super().__init__("this list already has your order; the first one stays")


class NotALabel(BallotError):
    """What was said beside the verdict is not what the rules of this arena ask for. `label` is its key."""

    def __init__(self, label: str, accepted: str):
        self.label = label
        self.accepted = accepted
        super().__init__(f"{label} of a vote cannot be that here; accepted: {accepted}. Nothing was stored")


class BallotSkipped(BallotError):
    """The ballot was closed by its voter without a vote."""

    def __init__(self, ballot_id: BallotId):
        self.ballot_id = ballot_id
        super().__init__("you have skipped this ballot, and it takes no vote any more; the next one is ready")


class VoteWithdrawn(BallotError):
    """The vote on the ballot was withdrawn. The names were shown, so nobody votes on it again."""

    def __init__(self, ballot_id: BallotId):
        self.ballot_id = ballot_id
        super().__init__("you have withdrawn your vote on this ballot, which stays closed; the next one is ready")


class NothingToWithdraw(BallotError):
    """The ballot has no vote."""

    def __init__(self, ballot_id: BallotId):
        self.ballot_id = ballot_id
        super().__init__("there is no vote on this ballot that could be withdrawn")


class TooLateToWithdraw(BallotError):
    """A voter can take the last vote back, and this was not the last."""

    def __init__(self, ballot_id: BallotId):
        self.ballot_id = ballot_id
        super().__init__("you have voted on another ballot since, and only the last vote can be withdrawn")


class NotOffered(BallotError):
    """The rules of this arena do not allow what was asked for."""

    def __init__(self, what: str):
        self.what = what
        super().__init__(f"this arena does not offer to {what}; its arena.toml can, under [ballot]")


class UnknownExample(BallotError):
    """The calibration has no such worked example, as after a new guideline."""

    def __init__(self, number: int):
        self.number = number
        super().__init__(f"the calibration has no worked example {number}; load the page for the ones that it has")


class NotAPrompt(BallotError):
    """What was typed cannot be put to models: `why` is a word for the page, of PROMPT_FAULTS."""

    def __init__(self, why: "PromptFault", most: int):
        self.why = why
        self.most = most
        super().__init__(f"{_PROMPT_FAULTS[why].format(most=most)}; nothing was asked")


PromptFault = Literal["empty", "too_long", "control", "identity"]
_PROMPT_FAULTS: dict[PromptFault, str] = {
    "empty": "there is no question in it",
    "too_long": "it has more than {most:,} characters",
    "control": "it holds a control character",
    "identity": "it asks who answers, which nobody may know before the vote",
}


class NotAsked(BallotError):
    """This arena does not ask for consent to terms of this version, or not any more."""

    def __init__(self, version: str):
        self.version = version
        super().__init__(f"this arena does not ask for consent to version {version!r}; load the page for what it asks")


class ConsentNeeded(BallotError):
    """The rules of this arena take votes under its consent alone, and this voter has not given it."""

    def __init__(self) -> None:
        super().__init__("this arena takes votes only from voters who let them be published; nothing was stored")
