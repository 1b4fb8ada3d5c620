"""The compiled part of a cohort run: every rule of one person's counts, in one pass over the rows of many.

rows of a person in their own order -> screen -> draws -> one result per draw -> derived counts -> grades, episodes

Answers are those of `leuko.counts`, `leuko.grading` and `leuko.course`. What is too rich for the kernel is not answered
here: the person is flagged (`Flag`) and goes through those modules.
"""

from __future__ import annotations

import sys


def is_compiling() -> bool:
    """Whether the kernel is wanted and not there yet: it is compiled once for each version on a machine.

    Asked from another thread: a kernel that is still being imported is not compiling yet.
    """
    judge = getattr(sys.modules.get("leuko.cohort.kernel.people"), "judge", None)
    return judge is not None and not judge.signatures
