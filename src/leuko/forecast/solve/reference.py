"""One person, solved slowly and tightly by SciPy: what the fast solver is measured against.

The same equations (`marrow`, called as they stand), but the kinetics as differential equations of compartments, and no
grid of our own: nothing is shared with the fast solver but the reading of the model's parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from math import log
from typing import Any

import numpy as np

from leuko.forecast import marrow
from leuko.forecast.model import DrugPart, Floats, Model, Schedule
from leuko.forecast.solve.reading import (
    SATURABLE,
    Arrival,
    Values,
    arrivals,
    beginning,
    micro,
    saturable_form,
    values,
)
from leuko.frozen import Frozen, replace

TIGHT = 1e-11
LEAST = 1e-30  # a concentration that counts as none in a logarithm

Amounts = Sequence[float]


class Channel(Frozen, frozen=True):
    """What one medicine does: `size` compartments, the one `into` which a dose goes, their rates given an inflow,
    and the concentration that acts. `share` of a dose arrives."""

    size: int
    into: int
    rates: Callable[[Amounts, float], tuple[float, ...]]
    conc: Callable[[Amounts], float]
    share: float = 1.0


def reference(
    model: Model, theta: Floats, schedule: Schedule, *, hours: Floats, start: float | None = None, rtol: float = TIGHT
) -> Floats:
    """The counts (T,) [10*9/L] of one person, `theta` (P,), at `hours` (T,) from the origin, by LSODA."""
    at = values(model, np.asarray(theta, dtype=np.float64))
    doses = [_snapped(one) for one in arrivals(model, schedule, lambda drug: float(at(f"{drug}.lag", 0.0)))]
    person = _Person(model, at)
    return person.solve(doses, np.asarray(hours, dtype=np.float64), beginning(schedule, start), rtol)


def _snapped(dose: Arrival) -> Arrival:
    """To a billionth of an hour: events a rounding apart are one, and no piece is too short for the solver."""
    return replace(dose, hour=round(dose.hour, 9), hours=round(dose.hours, 9))


class _Person:
    """One person's equations: marrow states first, then the compartments of each channel."""

    def __init__(self, model: Model, at: Values) -> None:
        self.model, self.at = model, at
        self.channels = [_kinetics(part, model, at) for part in model.drugs]
        self.effects = [_effect(part, at) for part in model.drugs]
        if model.growth:
            self.channels.append(_growth(at))
        if model.dexamethasone:
            rate = 1 / at("mit")
            self.channels.append(Channel(1, 0, lambda a, flow: (flow - rate * a[0],), lambda a: rate * a[0], at("ip0")))
        self.marrow, self.begin, self.circ = _marrow(model, at)
        self.offsets = np.cumsum([len(self.begin), *(one.size for one in self.channels)])

    def rates(self, _hour: float, state: Floats, flows: list[float]) -> list[float]:
        """All rates of change, for what flows into each channel."""
        parts = [state[a:b].tolist() for a, b in pairwise(self.offsets)]
        conc = [one.conc(part) for one, part in zip(self.channels, parts, strict=True)]
        kill = sum(effect(c) for effect, c in zip(self.effects, conc, strict=False))
        gain, speed = self._growth(conc)
        influx = conc[-1] if self.model.dexamethasone else 0.0
        out = list(self.marrow(state[: len(self.begin)].tolist(), kill, gain, speed, influx))
        for one, part, flow in zip(self.channels, parts, flows, strict=True):
            out.extend(one.rates(part, flow))
        return out

    def _growth(self, conc: list[float]) -> tuple[float, float]:
        if not self.model.growth:
            return 1.0, 1.0
        amount, ec50 = conc[len(self.effects)], self.at("growth.ec50")
        return (
            1 + marrow.emax_effect(amount, self.at("growth.emax_proliferation"), ec50),
            1 + marrow.emax_effect(amount, self.at("growth.emax_maturation"), ec50),
        )

    def solve(self, doses: list[Arrival], hours: Floats, start: float, rtol: float) -> Floats:
        """From event to event, so that no step runs over a dose."""
        edges = sorted(
            {start, *(d.hour for d in doses), *(d.hour + d.hours for d in doses), float(hours.max(initial=0))}
        )
        state = np.concatenate([self.begin, np.zeros(self.offsets[-1] - len(self.begin))])
        found = np.full(len(hours), self.circ(self.begin))
        for low, high in pairwise(edges):
            for dose in doses:
                if dose.hour == low and dose.hours == 0:
                    one = self.channels[dose.channel]
                    state[self.offsets[dose.channel] + one.into] += dose.amount * one.share
            inside = (hours > low) & (hours <= high)
            state = self._piece(state, low, high, self._flows(doses, low), hours, inside, found, rtol)
        return found

    def _flows(self, doses: list[Arrival], hour: float) -> list[float]:
        flows = [0.0] * len(self.channels)
        for dose in doses:
            if dose.hours > 0 and dose.hour <= hour < dose.hour + dose.hours:
                flows[dose.channel] += dose.amount * self.channels[dose.channel].share / dose.hours
        return flows

    def _piece(
        self,
        state: Floats,
        low: float,
        high: float,
        flows: list[float],
        hours: Floats,
        inside: Any,
        found: Floats,
        rtol: float,
    ) -> Floats:
        from scipy.integrate import solve_ivp  # noqa: PLC0415

        ends = np.unique(np.append(hours[inside], high))
        done = solve_ivp(
            partial(self.rates, flows=flows), (low, high), state, "LSODA", ends, rtol=rtol, atol=1e-13, max_step=24.0
        )
        if not done.success:
            raise ArithmeticError(f"The reference solver stopped between hours {low} and {high}: {done.message}")
        values_at = np.array([self.circ(one) for one in done.y.T])
        found[inside] = values_at[np.searchsorted(ends, hours[inside])]
        return np.asarray(done.y[:, -1], dtype=np.float64)


def _kinetics(part: DrugPart, model: Model, at: Values) -> Channel:
    name, share = part.drug, at(f"{part.drug}.f", 1.0)
    if part.pk == "kpd":
        kde = at(f"{name}.kde")
        return Channel(1, 0, lambda a, flow: (flow - kde * a[0],), lambda a: a[0], share)
    if part.pk in ("compartments", "micro"):
        ka, v1, k = at(f"{name}.ka", 0.0), at(f"{name}.v1"), micro(part, at)
        return _linear(ka, k, v1, share)
    return _saturable(part, model, at, share)


def _linear(ka: float, k: tuple[float, ...], v1: float, share: float) -> Channel:
    def rates(a: Amounts, flow: float) -> tuple[float, ...]:
        into_depot = flow if ka else 0.0
        depot, *rest = marrow.linear_kinetics(
            a[0], a[1], a[2], a[3], ka, k[0], k[1], k[2], k[3], k[4], flow - into_depot
        )
        return depot + into_depot, *rest

    return Channel(4, 0 if ka else 1, rates, lambda a: a[1] / v1, share)


def _saturable(part: DrugPart, model: Model, at: Values, share: float) -> Channel:
    form = saturable_form(part, model.names)
    own = [at(f"{part.drug}.{role}", 0.0) for role in SATURABLE[form]]
    law: Callable[..., tuple[float, ...]] = getattr(marrow, form)
    if form.endswith("thiopurine"):
        return Channel(3, 0, lambda a, _flow: law(*a, *own), lambda a: a[2], share)
    v1 = at(f"{part.drug}.v1")
    if form == "parallel_loss":
        into = 0 if own[0] else 1
        return Channel(3, into, lambda a, flow: law(*a, *own, flow), lambda a: a[1] / v1, share)
    return Channel(3, 0, lambda a, flow: law(*a, *own, flow), lambda a: a[0] / v1, share)


def _growth(at: Values) -> Channel:
    ka, ke = at("growth.ka"), at("growth.ke")
    return _linear(ka, (ke, 0.0, 0.0, 0.0, 0.0), 1.0, 1.0)


def _effect(part: DrugPart, at: Values) -> Callable[[float], float]:
    name = part.drug
    if part.effect == "linear":
        return partial(_swap, marrow.linear_effect, (at(f"{name}.slope"),))
    emax, ec50, hill = at(f"{name}.emax"), at(f"{name}.ec50"), at(f"{name}.hill", 0.0)
    if not hill:
        return partial(_swap, marrow.emax_effect, (emax, ec50))
    return partial(_swap, marrow.sigmoid_effect, (emax, log(ec50), hill, LEAST, 1.0))


def _swap(law: Callable[..., float], rest: tuple[float, ...], conc: float) -> float:
    return law(conc, *rest)


def _marrow(model: Model, at: Values) -> tuple[Callable[..., Any], Floats, Callable[[Floats], float]]:
    """The rates of the marrow, its drug-free steady state, and the circulating count of a state."""
    circ0 = at("circ0")
    if model.marrow == "turnover":
        kout = at("kout")

        def loss(s: list[float], kill: float, _gain: float, _speed: float, _influx: float) -> tuple[float, ...]:
            return (marrow.turnover(s[0], circ0, kout, kill),)

        return loss, np.array([circ0]), lambda s: float(s[0])
    ktr = (model.transits + 1) / at("mtt")
    kcirc = at("kcirc") if model.own_kcirc else ktr
    before, first, gamma = circ0 * kcirc / ktr, log(circ0), at("gamma")
    chain = [log(before), before, before, before, circ0]
    if model.marrow == "friberg":

        def rates(s: list[float], kill: float, gain: float, speed: float, influx: float) -> tuple[float, ...]:
            return marrow.friberg(*s, first, gamma, ktr * speed, kcirc, kill, gain, influx)  # type: ignore[call-arg]

        return rates, np.array(chain), lambda s: float(s[4])
    ftr = at("ftr")

    def stem(s: list[float], kill: float, gain: float, speed: float, influx: float) -> tuple[float, ...]:
        k = ktr * speed
        return marrow.pool(*s, first, gamma, k, kcirc, ftr * k, (1 - ftr) * k, kill, gain, influx)  # type: ignore[call-arg]

    return stem, np.array([log(before), *chain]), lambda s: float(s[5])
