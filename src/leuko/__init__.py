"""leuko: low white blood cell counts, with a reason and a source behind every line.

    import leuko
    records = leuko.read("patient.json").records
    assessment = leuko.assess(records[0], as_of=date(2026, 1, 31))

Names load on first use, so that `import leuko` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "assess": "leuko.assessment",
    "cohort": "leuko.cohort",
    "grade": "leuko.grading",
    "load_library": "leuko.knowledge",
    "read": "leuko.intake",
}

if TYPE_CHECKING:
    from leuko.assessment import assess as assess
    from leuko.grading import grade as grade
    from leuko.intake import read as read
    from leuko.knowledge import load_library as load_library

    cohort: Any  # the package `leuko.cohort`, which can be called: as `leuko.cohort.flow.cohort`

__all__ = ["__version__", "assess", "cohort", "grade", "load_library", "read"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'leuko' has no attribute {name!r}")
