"""The forecast of one person: by a marrow model where a medicine acts on the marrow, else by how counts move alone.

doses -> models in whose domain the person lies -> posterior -> course -> outcome, chances, options
no medicine: a rhythm, a recovery after a medicine or an infection, a level of the person's own, or why none of them
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from leuko.forecast.asked import check_day, with_unanswered
from leuko.forecast.case import Case
from leuko.result import Gap
from leuko.result.forecast import Forecast

LINES: Final = ("neutrophils", "wbc")
NEEDED: Final = "numba"


def forecasts_of(case: Case) -> tuple[Forecast, ...]:
    """The forecasts of a person: of the neutrophils, and of the white count where only that has a model.

    Empty where nothing is low, was low, or is treated. Where nothing can be said the forecast says why, in its gaps.
    Raises UsageError where what is asked cannot be: a next cycle in the past, a change of what is not planned.
    """
    check_day(case.wish, case.as_of)
    return tuple(with_unanswered(one, case.wish) for one in _found(case))


def _found(case: Case) -> tuple[Forecast, ...]:
    acting = _acts(case)
    if acting and find_spec(NEEDED) is None:
        return (_not_installed(case),)
    if acting:
        from leuko.forecast.treated import treated  # noqa: PLC0415 (loads the solver)

        for analyte in _lines(case):
            found = treated(case, analyte)
            if found:
                return found
    from leuko.forecast.untreated import untreated  # noqa: PLC0415 (loads arrays)

    return untreated(case)


def _lines(case: Case) -> tuple[str, ...]:
    """The neutrophils; the white count before them where only that was measured."""
    exact = any(count.bound == "=" and count.taken is not None for count in case.series.get(LINES[0], ()))
    return LINES if exact or not case.series.get(LINES[1]) else LINES[::-1]


def _acts(case: Case) -> bool:
    """Whether a medicine that a model speaks of may act: cheap, so that everybody else waits for nothing."""
    from leuko.drugs.shelf import cytotoxic, medicines_of, shelf_of  # noqa: PLC0415
    from leuko.knowledge.schema.forecast import ModelRow  # noqa: PLC0415

    if not case.record.doses:
        return False
    shelf = shelf_of(case.library)
    modelled = {drug for row in case.library.rows(ModelRow) for drug in row.drugs if row.role == "medicine"}
    named = {drug for dose in case.record.doses for drug in medicines_of(dose, shelf, case.library)}
    return bool(set(cytotoxic(named, shelf)) | (named & modelled))


def _not_installed(case: Case) -> Forecast:
    from leuko.result import Reason  # noqa: PLC0415

    gap = Gap(
        what="the coming counts",
        why="the solver of the marrow models is not installed here",
        settle="`pip install 'leuko[forecast]'`",
    )
    return Forecast(
        analyte=LINES[0],
        method="marrow",
        start=None,
        start_text="",
        horizon_days=case.ask.horizon,
        headline=f"{case.library.analytes[LINES[0]].label}: no forecast; {gap.why}",
        models=(),
        fan=None,
        outcome=None,
        fitting=None,
        options=(),
        dosing=(),
        reason=Reason(rule="forecast:withheld", text=gap.why),
        gaps=(gap,),
    )
