"""What the kernel reads and writes: columns as arrays, and the codes in them."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, NamedTuple

MISSING: Final = -(2**63)
"""No time, no number of a version, no date of birth."""
DAY_US: Final = 86_400_000_000
UNMET: Final = -2
"""No grade yet, in `Scratch.memo`."""
LESS, AT_MOST, EQUAL, MORE, AT_LEAST = range(5)
"""Codes of bounds, as `tables.BOUNDS`."""


class Flag(IntEnum):
    """Why a person is not answered by the kernel."""

    NONE = 0
    SAMPLES = 1  # samples of several names at one instant contradict each other
    DIGITS = 2  # a number of more digits than the exact arithmetic of the kernel holds
    WIDE = 3  # more rules at once than fit


class Columns(NamedTuple):
    """Columns of whole numbers and of real ones, [column, place]: few arrays, for each is a burden to the compiler."""

    whole: Any
    real: Any


class Results(NamedTuple):
    """Rows of results as they come, each column of its own length: one of length 1 says the same of every row."""

    analyte: Any
    taken: Any
    timed: Any
    bound: Any
    draw: Any
    status: Any
    sequence: Any
    digits: Any
    file: Any
    row: Any
    value: Any
    low: Any
    high: Any


class People(NamedTuple):
    """People as columns; the rows of person p are those from first[p] up to first[p + 1], likewise of cycles."""

    whole: Any
    cycle_lo: Any
    cycle_hi: Any


class Counts(NamedTuple):
    """Counts that are used; `source` is the row that a count stands in, or the first that it was made from.

    `low` and `high` have length 1 where no row tells the interval of its laboratory. `least` and `most` are the grades
    [scheme, count], -1: cannot be graded.
    """

    person: Any
    analyte: Any
    taken: Any
    timed: Any
    bound: Any
    derived: Any
    source: Any
    value: Any
    low: Any
    high: Any
    least: Any
    most: Any


class Episodes(NamedTuple):
    """Episodes, [place, column]: what is written lies together, however much room there is."""

    whole: Any
    real: Any


class Found(NamedTuple):
    """What is found of each person: the flag, numbers of counts and episodes, the worst grades [pair, person]."""

    flag: Any
    counts: Any
    episodes: Any
    least: Any
    most: Any


class Notes(NamedTuple):
    """Notices: the number of the code, and the row."""

    code: Any
    source: Any


class Scratch(NamedTuple):
    """Room for one person: rows (`rows`, from 0 on) and draws, the counts before they are put in order, the slots of a
    draw, points.

    A slot holds what a draw says of one analyte: the row that stands (-1: none) with its interval, and the entry made
    from it (-1: none). `memo` holds the grades of every case that was met, [case, twice the scheme: least, most],
    UNMET where it was not; the last row is for counts of no case.
    """

    whole: Any
    real: Any
    rows: Columns
    entries: Columns
    slots: Columns
    points: Columns
    memo: Any


# Rows of results of one person. Times are microseconds since 1970, days are days since then.
(
    R_ANALYTE,
    R_TAKEN,
    R_TIMED,
    R_BOUND,
    R_DRAW,
    R_STATUS,
    R_SEQUENCE,
    R_DIGITS,
    R_FILE,
    R_ROW,
) = range(10)
(
    R_VALUE,
    R_LOW,
    R_HIGH,
) = range(3)
# People; `cycle_first` tells where the cycles of each begin.
(
    H_FIRST,
    H_BORN_FIRST,
    H_BORN_LAST,
    H_SEX,
    H_CYCLE_FIRST,
) = range(5)
# Episodes, as `leuko.cohort.frames.EPISODES`.
(
    EP_PERSON,
    EP_ANALYTE,
    EP_ONSET_EARLIEST,
    EP_ONSET_LATEST,
    EP_NADIR_TAKEN,
    EP_RECOVERY_EARLIEST,
    EP_RECOVERY_LATEST,
    EP_CONFIRMED,
    EP_COUNTS,
) = range(9)
(
    EP_CUT,
    EP_NADIR,
    EP_DAYS_LEAST,
    EP_DAYS_MOST,
) = range(4)
# Counts of one person before they are put in order; kind 0: measured, 1: derived, 2: from a derived one.
(
    E_ANALYTE,
    E_TAKEN,
    E_TIMED,
    E_BOUND,
    E_KIND,
    E_SOURCE,
    E_PLACE,
    E_LEAST_CELL,
    E_MOST_CELL,
) = range(9)
(
    E_VALUE,
    E_LOW,
    E_HIGH,
) = range(3)
# Slots of a draw.
(
    S_ROW,
    S_DERIVED,
) = range(2)
(
    S_LOW,
    S_HIGH,
) = range(2)
# Windows of time of one series.
(
    P_START,
    P_END,
    P_FIRST,
    P_NUMBER,
    P_SIDE,
    P_TOLD,
) = range(6)
(
    P_LO,
    P_HI,
) = range(2)
# Room for one person.
(
    W_ORDER,
    W_PLACE,
    W_BUFFER,
    W_KEPT,
    W_PARENT,
    W_NAMED,
    W_BY_DRAW,
    W_MEMBERS,
    W_DRAW_FIRST,
    W_DRAW_STATE,
    W_GROUP,
    W_SAME,
    W_FIRST_OF,
    W_ENTRY_ORDER,
    W_SIDE,
) = range(15)
(W_CUT,) = range(1)
# What the tables say of an analyte.
(
    T_ABSOLUTE,
    T_ROLE,
    T_COURSE,
    T_RECOVERY_VALUES,
) = range(4)
(
    T_RECOVERY_DAYS,
    T_HOLE_DAYS,
) = range(2)

CODES: Final = (
    "LK601", "LK602", "LK603", "LK605", "LK606", "LK607", "LK608", "LK609", "LK610",
    "LK611", "LK613", "LK614", "LK615", "LK616", "LK617", "LK619", "LK620",
)  # fmt: skip
"""The notices that the kernel can give; their places here are their numbers."""
(
    LK601, LK602, LK603, LK605, LK606, LK607, LK608, LK609, LK610,
    LK611, LK613, LK614, LK615, LK616, LK617, LK619, LK620,
) = range(len(CODES))  # fmt: skip
