"""At which temperature to call: what each body prints, and which limit holds here.

The site's setting decides. Without one it is the most cautious of the confirmed limits for the person's age.
"""

from __future__ import annotations

from typing import Literal

from leuko.advice.situation import rules_of
from leuko.errors import UsageError
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.schema.advice import FeverLimitRow
from leuko.knowledge.schema.infection import FeverRow
from leuko.result import Reason
from leuko.result.advice import FeverLimit
from leuko.site import SiteSettings
from leuko.wording import say_number

Side = Literal["high", "low"]


class Limits(Frozen, frozen=True, kw_only=True):
    """The limits that hold [Cel], why, every body's own, and what is odd about the site's."""

    fever: float
    fever_reason: Reason
    low: float | None
    low_reason: Reason | None
    bodies: tuple[FeverLimit, ...]
    cautions: tuple[Reason, ...]


def limits_of(site: SiteSettings, *, child: bool | None, library: Library) -> Limits:
    """The limits for a person; UsageError where the site's own is none at all (Fahrenheit, a typing error)."""
    rows = [row for row in library.rows(FeverLimitRow) if row.basis.drives]
    own = site.fever_limit_child if child and site.fever_limit_child is not None else site.fever_limit
    if own is not None:
        _require_plausible(own, site, library)
    high = _cautious(rows, "high", child)
    low = _cautious(rows, "low", child)
    fever, reason = _decided(own, high, site, library)
    own_low = site.low_limit
    if own_low is not None and own_low >= fever:
        raise UsageError("low_limit lies above the fever limit", where=site.source, do="correct one of the two")
    chosen_low, low_reason = _decided(own_low, low, site, library)
    return Limits(
        fever=fever,
        fever_reason=reason,
        low=chosen_low,
        low_reason=low_reason,
        bodies=tuple(_shown(row, library, used=row in (high, low)) for row in rows if _for(row, child)),
        cautions=_cautions(own, rows, child, site, library),
    )


def _require_plausible(own: float, site: SiteSettings, library: Library) -> None:
    band = rules_of(library).plausible
    lower, upper = float(band.lower or 0), float(band.upper or 0)
    if lower <= own <= upper:
        return
    fahrenheit = (own - 32) * 5 / 9
    hint = f"write {say_number(round(fahrenheit, 1))}" if lower <= fahrenheit <= upper else "write it in Celsius"
    raise UsageError(
        f"a fever limit of {say_number(own)} °C cannot be meant",
        where=site.source,
        why=f"a limit lies between {say_number(lower)} and {say_number(upper)} °C",
        do=hint,
    )


def _for(row: FeverLimitRow, child: bool | None) -> bool:
    """Whether a leaflet's readers are of the person's age; where that is not known, all are."""
    if child is None or (row.ages.low_days is None and row.ages.high_days is None):
        return True
    return (row.ages.high_days is not None) is child


def _cautious(rows: list[FeverLimitRow], side: Side, child: bool | None) -> FeverLimitRow:
    """The row that calls soonest: the lowest fever limit, the highest low limit."""
    found = [row for row in rows if row.side == side and row.hours is None and _for(row, child)]
    sign = 1 if side == "high" else -1
    return min(found, key=lambda row: (sign * row.celsius, not row.inclusive))


def _decided(own: float | None, cautious: FeverLimitRow, site: SiteSettings, library: Library) -> tuple[float, Reason]:
    default = f"the most cautious confirmed limit is {cautious.text} ({cautious.body})"
    cited = (library.cite(cautious.basis),)
    if own is None:
        return cautious.celsius, Reason(
            rule="advice:limit:default", text=f"No setting of the site: {default}.", citations=cited
        )
    where = f" ({site.name})" if site.name else ""
    text = f"The site's own setting{where}: {say_number(own)} °C; {default}."
    return own, Reason(rule="advice:limit:site", text=text, citations=cited)


def _shown(row: FeverLimitRow, library: Library, *, used: bool) -> FeverLimit:
    reason = Reason(rule=row.id, text=f"{row.body}: {row.text}", citations=(library.cite(row.basis),))
    return FeverLimit(
        id=row.id,
        body=row.body,
        side=row.side,
        celsius=row.celsius,
        inclusive=row.inclusive,
        audience=row.audience,
        text=row.text,
        used=used,
        reason=reason,
    )


def _cautions(
    own: float | None, rows: list[FeverLimitRow], child: bool | None, site: SiteSettings, library: Library
) -> tuple[Reason, ...]:
    high = sorted((row for row in rows if row.side == "high" and _for(row, child)), key=lambda row: row.celsius)
    least, most = high[0], high[-1]
    cited = tuple(dict.fromkeys(library.cite(row.basis) for row in (least, most)))
    differ = f"Bodies disagree on the fever limit: from {least.text} ({least.body}) to {most.text} ({most.body})."
    found = [Reason(rule="advice:limits-differ", text=differ, citations=cited)]
    if own is not None and own > most.celsius:
        text = f"The site's fever limit of {say_number(own)} °C is above every limit known: {most.text} ({most.body})."
        found.append(Reason(rule="advice:limit-high", text=text, citations=(library.cite(most.basis),)))
    known = {row.body.casefold() for row in library.rows(FeverRow)}
    strange = [body for body in site.bodies if body.casefold() not in known]
    if strange:
        text = f"The site prefers {', '.join(strange)}, which leuko knows no definition of."
        found.append(Reason(rule="advice:body-unknown", text=text))
    return tuple(found)
