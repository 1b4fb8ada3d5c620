"""Each person's forecast as rows: one that says what it rests on, then one a quantity that is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from leuko.cohort.each.words import listed, sources_of
from leuko.result import Assessment, Gap
from leuko.result.citing import citations_in
from leuko.result.forecast import Forecast, Outcome, Spread

NOTHING: Final = "nothing is low, was low, or is treated: there is nothing to foretell"
_QUANTITIES: Final = (
    "`forecast` (what it rests on), `nadir`, `nadir_day`, `below`, `days_below`, `recovery_day`, `recovery_baseline`, "
    "`option`, `option_ready`, or the id of a chance"
)
# The type of each column (as in `leuko.cohort.frames`), and what it holds.
COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "person": ("String|Int64", "the person; everybody has a row"),
    "as_of": ("Date", "the day as of which: that asked for (`--as-of`), else the day of their last count"),
    "said": ("Boolean", "false: nothing can be said, and `text` and `gaps` say why"),
    "analyte": ("String", "the line that is forecast"),
    "method": ("String", "`marrow`: a model of a medicine; `state_space`: how counts move alone"),
    "start": ("Datetime", "the instant that days are counted from"),
    "quantity": ("String", _QUANTITIES),
    "cut": ("Float64", "the cut that is asked at"),
    "unit": ("String", "the unit of the numbers"),
    "median": ("Float64", "the middle of the distribution"),
    "low_50": ("Float64", "lower end of the central 50 %"),
    "high_50": ("Float64", "upper end of it"),
    "low_80": ("Float64", "lower end of the central 80 %"),
    "high_80": ("Float64", "upper end of it"),
    "low_95": ("Float64", "lower end of the central 95 %"),
    "high_95": ("Float64", "upper end of it"),
    "probability": ("Float64", "of `below` and chances; of `option` to fall below the severe cut in the next cycle"),
    "never": ("Float64", "share for whom it does not happen within the horizon"),
    "not_needed": ("Float64", "share for whom it need not: the count does not fall so low"),
    "on": ("Date", "the day that a chance is of"),
    "text": ("String", "the headline, what a chance or an option is, or why nothing can be said"),
    "models": ("String", "the models with their weights and whether the person lies in their domain"),
    "khat": ("Float64", "Pareto k-hat of the fit"),
    "effective": ("Float64", "effective sample size of the fit"),
    "cautions": ("String", "what is true of the whole forecast"),
    "gaps": ("String", "what cannot be said, why, and what would settle it"),
    "reason": ("String", "how it was made"),
    "sources": ("String", "the sources that it rests on, with the place in each"),
}


def rows_of(said: Assessment) -> Iterator[dict[str, Any]]:
    """The rows of every forecast of one person."""
    for forecast in said.forecasts:
        known = {"analyte": forecast.analyte, "method": forecast.method, "start": forecast.start}
        told = forecast.outcome is not None or forecast.fan is not None
        for row in (_rests_on(forecast), *(_quantities(forecast) if told else ())):
            yield {"said": told, **known, **row}


def _rests_on(forecast: Forecast) -> dict[str, Any]:
    fit = forecast.fitting
    return {
        "quantity": "forecast",
        "text": forecast.headline,
        "models": listed(f"{one.id} ({one.weight:.3f}, {one.domain})" for one in forecast.models),
        "khat": None if fit is None else fit.khat,
        "effective": None if fit is None else fit.effective,
        "cautions": listed(forecast.cautions),
        "gaps": listed(map(_gap, forecast.gaps)),
        "reason": listed((forecast.reason.text, forecast.fan_text)),
        "sources": sources_of(citations_in(forecast)),
    }


def _gap(gap: Gap) -> str:
    return f"{gap.what}: {gap.why}" + (f" (to settle it: {gap.settle})" if gap.settle else "")


def _quantities(forecast: Forecast) -> Iterator[dict[str, Any]]:
    if forecast.outcome is not None:
        yield from _outcome(forecast.outcome)
    for option in forecast.options:
        yield {"quantity": "option", "cut": forecast.severe_cut, "text": option.text, "probability": option.severe}
        if option.ready is not None:
            yield {"quantity": "option_ready", "text": option.text, "probability": option.ready}


def _outcome(outcome: Outcome) -> Iterator[dict[str, Any]]:
    yield {"quantity": "nadir", **_spread(outcome.nadir)}
    yield {"quantity": "nadir_day", **_spread(outcome.nadir_day)}
    for cut in outcome.cuts:
        yield {"quantity": "below", "cut": cut.cut, "probability": cut.below}
        yield {"quantity": "days_below", "cut": cut.cut, **_spread(cut.days_below)}
        yield {"quantity": "recovery_day", "cut": cut.cut, **_spread(cut.recovery)}
    yield {"quantity": "recovery_baseline", **_spread(outcome.recovery_baseline)}
    for chance in outcome.chances:
        yield {
            "quantity": chance.id,
            "text": chance.text,
            "probability": chance.probability,
            "on": chance.on,
            "reason": chance.reason.text,
            "sources": sources_of(chance.reason.citations),
        }


def _spread(spread: Spread) -> dict[str, Any]:
    ends = {"50": spread.inner, "80": spread.middle, "95": spread.outer}
    found: dict[str, Any] = {
        "unit": spread.unit,
        "median": spread.median,
        "never": spread.never,
        "not_needed": spread.not_needed,
    }
    for share, pair in ends.items():
        found[f"low_{share}"], found[f"high_{share}"] = pair if pair is not None else (None, None)
    return found
