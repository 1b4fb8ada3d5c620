"""How the parameters of a model and the doses of a schedule are read, for one person or for many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from leuko.forecast.model import DrugPart, Floats, Model, Schedule
from leuko.frozen import Frozen

# The value of a parameter by name (a number, or one for each person); the second argument where the model has none.
Values = Callable[..., Any]

DEXAMETHASONE = "dexamethasone"
# The saturable forms of `marrow`, each with its parameters in the order that the function takes them.
SATURABLE: dict[str, tuple[str, ...]] = {
    "paclitaxel": ("v1", "v3", "vmel", "kmel", "vmtr", "kmtr", "k21", "q3"),
    "nab_paclitaxel": ("v1", "v2", "v3", "vmel", "kmel", "vmtr", "kmtr", "q3"),
    "parallel_loss": ("ka", "v1", "v2", "q2", "cl", "vmax", "km"),
    "saturable_thiopurine": ("ka", "ke", "v1", "vmax", "km", "kme"),
    "thiopurine": ("ka", "ke", "conversion", "kme"),
}


def values(model: Model, theta: Floats) -> Values:
    """Parameters by name out of `theta` (P,) or (P, N)."""
    rows = {name: row for row, name in enumerate(model.names)}

    def at(name: str, default: float | None = None) -> Any:
        if name in rows:
            return theta[rows[name]]
        if default is None:
            raise ValueError(f"The model {model.id!r} has no parameter {name!r}, which its structure needs.")
        return default

    return at


def saturable_form(part: DrugPart, model_names: tuple[str, ...]) -> str:
    """Which of the saturable forms a medicine follows, told by the parameters that the model has."""
    has = {name.removeprefix(f"{part.drug}.") for name in model_names if name.startswith(f"{part.drug}.")}
    if part.pk == "thiopurine":
        return "saturable_thiopurine" if "vmax" in has else "thiopurine"
    if "vmtr" not in has:
        return "parallel_loss"
    return "paclitaxel" if "k21" in has else "nab_paclitaxel"


def micro(part: DrugPart, at: Values) -> tuple[Any, Any, Any, Any, Any]:
    """k10, k12, k21, k13, k31 [1/h] of a linear medicine."""
    name = part.drug
    if part.pk == "micro":
        return at(f"{name}.k10"), *(at(f"{name}.{k}", 0.0) for k in ("k12", "k21", "k13", "k31"))
    v1, q2, q3 = at(f"{name}.v1"), at(f"{name}.q2", 0.0), at(f"{name}.q3", 0.0)
    second, third = at(f"{name}.v2", 1.0), at(f"{name}.v3", 1.0)
    return at(f"{name}.cl") / v1, q2 / v1, q2 / second, q3 / v1, q3 / third


class Arrival(Frozen, frozen=True, kw_only=True):
    """A dose as the model feels it: the hour it arrives, how much, over how long, and at which of the model's channels.

    Channels are numbered: the medicines in the model's order, then the growth factor, then dexamethasone.
    """

    channel: int
    hour: float
    amount: float
    hours: float


def channels(model: Model) -> tuple[str, ...]:
    """The names of the medicines that act in a model, in the order of their channels."""
    names = [part.drug for part in model.drugs]
    names += [model.growth.drug] if model.growth else []
    return (*names, DEXAMETHASONE) if model.dexamethasone else tuple(names)


def arrivals(model: Model, schedule: Schedule, lag: Callable[[str], float]) -> list[Arrival]:
    """The doses of a schedule in time order. A medicine that the model does not know is refused."""
    names = channels(model)
    given = set(schedule.drug)
    unknown = sorted(given - {*names, DEXAMETHASONE})
    if unknown:
        raise ValueError(f"The model {model.id!r} knows nothing of {', '.join(unknown)}; it has {', '.join(names)}.")
    found = []
    for hour, drug, amount, hours in zip(schedule.hour, schedule.drug, schedule.amount, schedule.hours, strict=True):
        if not (np.isfinite(hour) and np.isfinite(amount) and np.isfinite(hours) and amount >= 0 and hours >= 0):
            raise ValueError(f"A dose of {drug} that is no dose: hour {hour}, amount {amount}, over {hours} h.")
        if drug in names:
            at = names.index(drug)
            shift = lag(drug) if drug != DEXAMETHASONE else 0.0
            found.append(Arrival(channel=at, hour=float(hour) + shift, amount=float(amount), hours=float(hours)))
    if model.dexamethasone and DEXAMETHASONE not in given:
        found += _premedication(model, schedule, names.index(DEXAMETHASONE))
    return sorted(found, key=lambda one: one.hour)


def _premedication(model: Model, schedule: Schedule, channel: int) -> list[Arrival]:
    """Dexamethasone that nobody wrote down goes before each dose of the first medicine, as in the trial."""
    first = model.drugs[0].drug
    hours = [float(hour) for hour, drug in zip(schedule.hour, schedule.drug, strict=True) if drug == first]
    return [Arrival(channel=channel, hour=hour, amount=1.0, hours=0.0) for hour in hours]


def beginning(schedule: Schedule, start: float | None) -> float:
    """The hour at which everybody is still at the drug-free steady state."""
    first = min(0.0, float(np.min(schedule.hour))) if len(schedule.hour) else 0.0
    if start is None:
        return first
    if start > first:
        raise ValueError(f"The start at hour {start} lies after the first dose or the origin (hour {first}).")
    return start
