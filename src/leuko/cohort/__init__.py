"""Cohorts: studies and databases, by the same rules as one person, batch by batch.

    found = leuko.cohort("omop/", out="found")
    found.episodes.filter(...).collect()

The package itself is what is called; `leuko.cohort.flow.cohort` is the same function under a name of its own.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leuko.cohort.flow import Cohort


class _Package(ModuleType):
    """The package, callable."""

    def __call__(self, *sources: Any, **options: Any) -> Cohort:
        """Read a cohort and answer for it; gives its tables as lazy Polars frames.

        The options are those of `leuko.cohort.flow.cohort`, whose help explains each: out, engine, master, definitions,
        as_published, with_, edition, as_of, options, strata, knowledge, batch_people, resume, format, workers,
        progress.
        """
        from leuko.cohort.flow import cohort  # noqa: PLC0415 (loads Polars)

        return cohort(*sources, **options)


cohort = sys.modules[__name__]
"""`leuko.cohort`, however it is reached."""
cohort.__class__ = _Package
