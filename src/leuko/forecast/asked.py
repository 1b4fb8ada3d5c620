"""What a caller asks of the next cycle, held against what is planned: nothing that was asked goes without an answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from leuko.errors import UsageError
from leuko.forecast.wish import Change, Wish
from leuko.frozen import replace
from leuko.result import Gap
from leuko.result.forecast import Forecast
from leuko.wording import say_date

if TYPE_CHECKING:
    from leuko.forecast.treatment import Treatment  # loads arrays, which most assessments do without


def check_changes(changes: Sequence[Change], treatment: Treatment) -> None:
    """Refuse a change of what is not planned, which would look like a change without effect. Raises UsageError."""
    drugs = tuple(dict.fromkeys(one.drug for one in treatment.coming))
    for change in changes:
        unknown = [drug for drug in change.dose if drug and drug not in drugs]
        if unknown:
            raise UsageError(
                f"no {unknown[0]!r} is planned for the next cycle, so its dose cannot be changed",
                why=f"planned: {', '.join(drugs)}",
                do=f"write for example dose:{drugs[0]}=80%, or dose=80% for all",
            )
        if change.drop is not None and change.drop not in treatment.days:
            raise UsageError(
                f"nothing is planned for day {change.drop} of the next cycle, so it cannot be left out",
                why=f"treatment is planned for {_days(treatment.days)}",
                do="name one of the days of treatment",
            )
        if change.drop is not None and len(treatment.days) == 1:
            raise UsageError(
                "without its only day of treatment nothing is left of the next cycle",
                do="ask for a delay or a lower dose",
            )


def _days(days: Sequence[int]) -> str:
    return f"day{'s' if len(days) > 1 else ''} {', '.join(map(str, days))}"


def factor_gap(treatment: Treatment, *, knows_growth: bool) -> Gap | None:
    """Why a growth factor that was asked for cannot be weighed; None where it can."""
    what = "what the growth factor that was asked for would change"
    if treatment.factors:
        return Gap(what=what, why="one is planned on record already", settle="a record without it")
    if not knows_growth:
        why = "not every model that speaks for this person says what a growth factor does"
        return Gap(what=what, why=why, settle="a model that does (--model)")
    return None


def check_day(wish: Wish, as_of: date) -> None:
    """Refuse a next cycle that would lie before the day of the forecast. Raises UsageError."""
    if wish.next_day_1 is not None and wish.next_day_1 < as_of:
        raise UsageError(
            f"the next cycle cannot begin on {say_date(wish.next_day_1)}: the forecast is of {say_date(as_of)}",
            do="name a day on or after it; a dose that was given belongs into the record",
        )


def with_unanswered(found: Forecast, wish: Wish) -> Forecast:
    """The same, with a gap for what was asked and is not answered: changes or a search where nothing could be weighed,
    limits that nothing keeps to, a model of a medicine where none acts."""
    gaps = []
    if not found.options and (wish.changes or wish.limits is not None):
        gaps.append(
            Gap(
                what="what the changes that were asked for would do",
                why="no next cycle that a model speaks of is known",
                settle="the first day of the next cycle (--next), the regimen (--regimen), or its doses in the record",
            )
        )
    if found.options and wish.limits is not None and not found.front:
        gaps.append(
            Gap(
                what="a way to go on that keeps to the limits",
                why=f"none of those looked at does: {found.front_text}",
                settle="wider limits, or a change of another kind",
            )
        )
    if wish.model is not None and found.method != "marrow":
        gaps.append(
            Gap(
                what=f"what the model {wish.model} would say",
                why="no dose of a medicine that it speaks of is on record for these weeks",
                settle="the doses of that medicine, with their days",
            )
        )
    return replace(found, gaps=(*found.gaps, *gaps)) if gaps else found
