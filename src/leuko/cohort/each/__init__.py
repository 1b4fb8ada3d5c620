"""What is told of each person by the flow for one person (`leuko.assessment`), as tables: causes, forecast.

    records          -> the frames of a batch as the record of each person
    causes, forecast -> rows of what the assessment says, with reasons and sources
    told             -> everybody of a batch

Nobody is left out: whoever nothing can be said of has a row that says why. What is told of a person depends on their
own rows alone, so that neither batches nor engines leave a trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from leuko.errors import UsageError
from leuko.wording import say_list

PARTS: Final = ("causes", "forecast")


def parts_of(names: Sequence[str]) -> tuple[str, ...]:
    """The parts that were asked for, in the order of `PARTS`; UsageError for a name that is none."""
    asked = {one.strip() for name in names for one in name.split(",")} - {""}
    unknown = sorted(asked - set(PARTS))
    if unknown:
        raise UsageError(f"no part {unknown[0]!r}", why=f"known: {say_list(list(PARTS))}", do="name one of them")
    return tuple(name for name in PARTS if name in asked)
