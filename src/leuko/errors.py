"""Errors and notices: what went wrong, where, why, and what to do about it.

    LeukoError
     ├─ UsageError            the call's words are off                         exit code 2
     ├─ UnreadableInput       a source that cannot be read at all              exit code 3
     └─ KnowledgeError        a knowledge file that breaks its own schema      exit code 2

An error stops the work. A `Notice` does not: it says what could not be read or believed, and travels with the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal


class ExitCode(IntEnum):
    """Exit codes of the command line."""

    DONE = 0
    USAGE = 2
    UNREADABLE = 3
    GAPS = 4


class LeukoError(Exception):
    """Base of every error that leuko raises on purpose; `str()` is written for people.

    `what` says what happened, `where` names file, line or pointer, `why` the cause, `do` the next step.
    """

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, what: str, *, where: str = "", why: str = "", do: str = "") -> None:
        self.what, self.where, self.why, self.do = what, where, why, do
        super().__init__(what)

    def __str__(self) -> str:
        lines = [self.what]
        lines += [f"  --> {self.where}"] if self.where else []
        lines += [f"   = {self.why}"] if self.why else []
        lines += [f"help: {self.do}"] if self.do else []
        return "\n".join(lines)


class UsageError(LeukoError):
    """The call cannot be understood: a wrong option, an unknown name."""


class UnreadableInput(LeukoError):  # noqa: N818 (named for people: it is the input that is unreadable)
    """A source that cannot be read at all: truncated, binary, encrypted, empty."""

    exit_code = ExitCode.UNREADABLE


class KnowledgeError(LeukoError):
    """A knowledge file that breaks the schema, or names a source that does not exist."""


def place_of(error: BaseException) -> str:
    """Where in leuko an error arose (` in leuko.x, line 7`), without its message, which may hold a person's data."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if name.startswith("leuko."):
            place = f" in {name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the input something stands: `labs.csv:17`, `patient.json#/entry/4/resource/valueQuantity`."""

    source: str
    line: int | None = None
    pointer: str | None = None

    def __str__(self) -> str:
        text = self.source if self.line is None else f"{self.source}:{self.line}"
        return text if self.pointer is None else f"{text}#{self.pointer}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One finding about the input, like a compiler's diagnostic.

    `code` is stable (`LK204`) and explained by `leuko explain`; `text` is one sentence about this very value; `read`
    says how the value was read, if it was; `help` says what to do. `severity`: `error` = a result could not be used,
    `warning` = used, but look at it, `info` = worth knowing. `data_lost` is true where content that could hold a
    blood count or a fact was set aside. `person` is the id of the person it is about, where the input says whose it is.
    """

    code: str
    severity: Severity
    text: str
    place: Place
    read: str | None = None
    help: str | None = None
    data_lost: bool = False
    person: str | None = None
