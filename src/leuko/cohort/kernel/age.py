"""Ages at a draw as `leuko.ages` counts them, and the cells of the tables that they lie in."""

from __future__ import annotations

import math

import numpy as np

from leuko.ages import YEAR_DAYS
from leuko.cohort.kernel.compiled import compiled
from leuko.cohort.kernel.layout import DAY_US, MISSING

# The Gregorian calendar repeats every 400 years; days are counted from 1970, years here from March.
_ERA_DAYS, _ERA_YEARS, _TO_1970 = 146_097, 400, 719_468


@compiled
def day_of(taken):
    """The calendar day of an instant."""
    return taken // DAY_US


@compiled
def _civil(day):
    shifted = day + _TO_1970
    era = shifted // _ERA_DAYS
    of_era = shifted - era * _ERA_DAYS
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * of_year + 2) // 153
    day_of_month = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year = year_of_era + era * _ERA_YEARS + (1 if month <= 2 else 0)
    return year, month, day_of_month


@compiled
def _days(year, month, day):
    year -= 1 if month <= 2 else 0
    era = year // _ERA_YEARS
    year_of_era = year - era * _ERA_YEARS
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * _ERA_DAYS + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + of_year - _TO_1970


@compiled
def _birthday(month, day, year):
    if month == 2 and day == 29 and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)):
        return _days(year, 3, 1)
    return _days(year, month, day)


@compiled
def age_days(born, day):
    """The age on a day [days], completed years counting 365.25 each; negative before birth."""
    year, _, _ = _civil(day)
    born_year, born_month, born_day = _civil(born)
    years = year - born_year
    if day < _birthday(born_month, born_day, year):
        years -= 1
    if years < 0:
        return float(day - born)
    return years * YEAR_DAYS + (day - _birthday(born_month, born_day, born_year + years))


@compiled
def cell_of(limits, age):
    """The cell that an age lies in."""
    at = np.searchsorted(limits, age)
    return 2 * at + (1 if at < len(limits) and limits[at] == age else 0)


@compiled
def cells_on(limits, born_first, born_last, day):
    """The first and the last cell that an age may lie in on a day."""
    if born_first == MISSING:
        return cell_of(limits, 0.0), 2 * len(limits)
    most = age_days(born_first, day)
    least = most if born_first == born_last else age_days(born_last, day)
    return cell_of(limits, max(least, 0.0) if most >= 0.0 else most), cell_of(limits, most)


@compiled
def whole_seconds_in_days(taken):
    """Days since 1970 to the nearest second, half a second to the even one."""
    second, rest = taken // 1_000_000, taken % 1_000_000
    if rest > 500_000 or (rest == 500_000 and second % 2 != 0):
        second += 1
    return second / 86_400.0


@compiled
def nothing():
    """No number."""
    return math.nan
