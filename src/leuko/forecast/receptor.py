"""Filgrastim and pegfilgrastim by their receptor on neutrophils (Melhem 2018): equations of its own.

A growth factor injected under the skin binds to receptors in quasi-equilibrium; what is bound speeds production and
maturation of cells that carry receptors, and is taken up with them. Chemotherapy and corticosteroid act without
kinetics, after a lag. For questions of mechanism (which factor, from which day); a person's posterior uses the marrow
models with the added growth factor instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any, Literal

import numpy as np

from leuko.forecast.model import Floats
from leuko.frozen import Frozen
from leuko.knowledge.schema.forecast import ModelRow

Factor = Literal["filgrastim", "pegfilgrastim"]


class Injected(Frozen, frozen=True, kw_only=True):
    """A dose in mg at an hour: of the growth factor, of chemotherapy (unit unclear in the source), of a steroid."""

    hour: float
    amount: float
    what: Literal["factor", "chemotherapy", "steroid"] = "factor"


def course(
    row: ModelRow,
    doses: Sequence[Injected],
    *,
    hours: Floats,
    factor: Factor = "filgrastim",
    weight: float | None = None,
    healthy: bool = False,
    individual: Mapping[str, float] | None = None,
    rtol: float = 1e-8,
) -> Floats:
    """Neutrophils (T,) [10*9/L] at `hours` (T,) of a person of `weight` [kg] (None: the source's typical one), who is
    at the drug-free steady state before.

    `individual` sets parameters of the row by name, in place of the typical ones.
    """
    at = _parameters(row, factor, weight, healthy=healthy, individual=individual or {})
    arrivals = sorted(_arrivals(doses, at), key=lambda one: one[0])
    state = _steady(at)
    edges = sorted({min(0.0, *(hour for hour, _, _ in arrivals), 0.0), *(hour for hour, _, _ in arrivals)})
    found = np.full(len(hours), state[_RB] / at["sr"])
    for low, high in zip(edges, [*edges[1:], float(np.max(hours)) + 1.0], strict=True):
        for _, place, amount in (one for one in arrivals if one[0] == low):
            state[place] += amount
        inside = (hours >= low) & (hours < high)
        state = _piece(at, state, low, high, hours, inside, found, rtol)
    return found


# places in the state: depot, drug in the body, five stages of cells that carry receptors, steroid, chemotherapy
_DEPOT, _BODY, _SM, _MT, _PM1, _PM2, _RB, _STEROID, _CHEMO = range(9)


def _parameters(
    row: ModelRow, factor: Factor, weight: float | None, *, healthy: bool, individual: Mapping[str, float]
) -> dict[str, float]:
    values = {one.name: one.value for one in row.parameters} | dict(individual)
    own = {name.removeprefix(f"{factor}."): value for name, value in values.items() if name.startswith(f"{factor}.")}
    size = 1.0 if weight is None else weight / values["weight.reference"]
    return {
        **values,
        **own,
        "v1": own["v1"] * size ** values["weight.v1"],
        "cl": own["cl"] * size ** values["weight.cl"],
        "kint": values["kint_healthy"] if healthy else values["kint"],
        "stm2": values["stm2_healthy"] if healthy else values["stm2"],
    }


def _arrivals(doses: Sequence[Injected], at: Mapping[str, float]) -> list[tuple[float, int, float]]:
    """Hour, place and amount of each dose, after its lag."""
    found = []
    for one in doses:
        if one.what == "factor":
            found.append((one.hour, _DEPOT, one.amount * at["per_mg"] * at["f"]))
        else:
            place = _CHEMO if one.what == "chemotherapy" else _STEROID
            found.append((one.hour + at[f"{one.what}.lag"], place, one.amount))
    return found


def _steady(at: Mapping[str, float]) -> Floats:
    marrow = at["kp"] / at["ktr"]
    return np.array([0.0, 0.0, marrow, marrow, marrow, marrow, at["kp"] / at["kc"], 0.0, 0.0])


def _piece(  # noqa: PLR0917
    at: Mapping[str, float],
    state: Floats,
    low: float,
    high: float,
    hours: Floats,
    inside: Any,
    found: Floats,
    rtol: float,
) -> Floats:
    """From one dose to the next."""
    from scipy.integrate import solve_ivp  # noqa: PLC0415 (heavy, and only where it is used)

    def rates(_: float, amounts: Floats) -> list[float]:
        return list(receptor_rates(at, amounts))

    solved = solve_ivp(rates, (low, high), state, "LSODA", t_eval=[*hours[inside], high], rtol=rtol, atol=1e-12)
    found[inside] = solved.y[_RB][:-1] / at["sr"]
    last: Floats = solved.y[:, -1]
    return last


def receptor_rates(at: Mapping[str, float], state: Floats) -> tuple[float, ...]:
    """Rates of change per hour; growth factor in nmol, cells as receptors in nmol/L, the others in mg."""
    depot, body, sm, mt, pm1, pm2, rb, steroid, chemo = state
    total = body / at["v1"]
    rest = total - rb - at["kd"]
    free = 0.5 * (rest + sqrt(rest * rest + 4.0 * at["kd"] * total))
    bound = total - free
    pulse = at["steroid.kde"] * steroid
    spurred = pulse / (at["steroid.ec50"] + pulse)
    drive = (1.0 - spurred) * bound / rb + spurred
    speed = at["ktr"] * (1.0 + at["stm2"] * drive)
    kill = at["chemotherapy.slope"] * at["chemotherapy.kde"] * chemo
    return (
        -at["ka"] * depot,
        at["ka"] * depot - at["cl"] * free - at["kint"] * bound * at["v1"],
        at["kp"] * (1.0 + at["stm1"] * drive) - speed * sm,
        speed * sm - (speed + kill) * mt,
        speed * (mt - pm1),
        speed * (pm1 - pm2),
        speed * pm2 - at["kc"] * rb,
        -at["steroid.kde"] * steroid,
        -at["chemotherapy.kde"] * chemo,
    )
