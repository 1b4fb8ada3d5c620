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
        """Read a cohort and answer for it: see `leuko.cohort.flow.cohort`."""
        from leuko.cohort.flow import cohort  # noqa: PLC0415 (loads Polars)

        return cohort(*sources, **options)


cohort = sys.modules[__name__]
"""`leuko.cohort`, however it is reached."""
cohort.__class__ = _Package
