"""Persons as the kernel takes them: parameters of marrow, kinetics and effects as rows, one column for each person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leuko.forecast.model import DrugPart, Floats, Model
from leuko.forecast.solve import rows
from leuko.forecast.solve.modes import disposition, through
from leuko.forecast.solve.reading import SATURABLE, Values, channels, micro, saturable_form, values

FORMS = {
    "paclitaxel": rows.PACLITAXEL,
    "nab_paclitaxel": rows.NAB_PACLITAXEL,
    "parallel_loss": rows.PARALLEL_LOSS,
    "saturable_thiopurine": rows.SATURABLE_THIOPURINE,
}
APART = {"float32": 3e-4, "float64": 1e-6}  # equal rates of a chain are held this far apart (relative)
FIRST_STEP, CURVED_STEP = 2.0, 0.3  # of the shortest time constant that matters; the latter for curved effects
ROLES = 8  # rows of parameters that every saturable form takes up
MATTERS = 0.02  # a mode with less of the exposure than this does not ask for fine steps


@dataclass(slots=True)
class Persons:
    """Everything of a batch that does not depend on the schedule.

    channel (K, 8) integers; rate, amplitude (M, N) of the modes; rows (Q, N) of effects and saturable kinetics; marrow
    (6, N); finest (K,) [h] the first step that a dose of a channel asks for; stiff (K,) [1/h] fastest rate of
    saturable channels: these two only where `grids` are to be made for the batch.
    """

    kind: int
    people: int
    channel: NDArray[np.int64]
    rate: list[Floats] = field(default_factory=list)
    amplitude: list[Floats] = field(default_factory=list)
    rows: list[Floats] = field(default_factory=list)
    marrow: list[Floats] = field(default_factory=list)
    finest: list[float] = field(default_factory=list)
    stiff: list[float] = field(default_factory=list)
    grids: bool = True

    @property
    def table(self) -> Iterator[Floats]:
        """All rows in the order of the kernel's table: rates, amplitudes, effects and saturable kinetics, marrow."""
        return chain(self.rate, self.amplitude, self.rows, self.marrow)

    def wide(self, value: Any) -> Floats:
        """One value for each person."""
        if isinstance(value, np.ndarray) and value.shape == (self.people,):
            return value
        return np.full(self.people, value, dtype=np.float64)


def persons_of(model: Model, theta: Floats, precision: str, *, grids: bool = True) -> Persons:
    """The batch of `theta` (P, N); without `grids` nothing that a grid is made from."""
    if model.transits != 3:
        raise ValueError(f"The model {model.id!r} has {model.transits} transits; the solver knows three.")
    at = values(model, theta)
    names = channels(model)
    found = Persons(
        kind=rows.MARROWS[model.marrow], people=theta.shape[1], channel=np.zeros((len(names), 8), dtype=np.int64),
        grids=grids,
    )  # fmt: skip
    for number, part in enumerate(model.drugs):
        _drug(found, number, part, model, at, APART[precision])
    if model.growth:
        _growth(found, names.index(model.growth.drug), at, APART[precision])
    if model.dexamethasone:
        _bump(found, len(names) - 1, at)
    _marrow(found, model, at)
    return found


def _middle(values: Any) -> float:
    """The upper median: of few values much cheaper than NumPy's own."""
    half = np.size(values) // 2
    return float(np.partition(np.ravel(values), half)[half])


def _marrow(found: Persons, model: Model, at: Values) -> None:
    circ0 = found.wide(at("circ0"))
    if model.marrow == "turnover":
        kout, zero = found.wide(at("kout")), found.wide(0.0)
        found.marrow = [circ0, zero, kout, zero, zero, zero]
        if found.grids:
            found.finest = [min(one, CURVED_STEP / _middle(kout)) for one in found.finest]  # the count follows
        return
    ktr = found.wide((model.transits + 1) / at("mtt"))
    kcirc = found.wide(at("kcirc")) if model.own_kcirc else ktr
    ftr = at("ftr") if model.marrow == "pool" else 1.0
    found.marrow = [np.log(circ0), found.wide(at("gamma")), ktr, kcirc, ftr * ktr, (1 - ftr) * ktr]


def _drug(found: Persons, number: int, part: DrugPart, model: Model, at: Values, least: float) -> None:
    name = part.drug
    share = at(f"{name}.f", 1.0)
    form = saturable_form(part, model.names) if part.pk in ("saturable", "thiopurine") else ""
    if form in FORMS:
        _stepwise(found, number, part, form, share, at)
        _effect(found, number, part, at)
        return
    rates, amplitudes = _thiopurine(name, at, least) if form else _linear(part, at, least)
    linear = part.effect == "linear"
    scale = share * (at(f"{name}.slope") if linear else 1.0)
    _modes(found, number, rows.KILLS, rates, [scale * one for one in amplitudes], linear)
    _effect(found, number, part, at)


def _linear(part: DrugPart, at: Values, least: float) -> tuple[list[Any], list[Any]]:
    name = part.drug
    if part.pk == "kpd":
        return [at(f"{name}.kde")], [1.0]
    rates, amplitudes = disposition(micro(part, at), part.compartments)
    ka = at(f"{name}.ka", 0.0)
    if np.any(ka):
        rates, amplitudes = through(np.asarray(ka, dtype=np.float64), rates, amplitudes, least)
    return rates, [one / at(f"{name}.v1") for one in amplitudes]


def _thiopurine(name: str, at: Values, least: float) -> tuple[list[Any], list[Any]]:
    """Gut into blood into red cells: the red cells' own loss, behind two depots."""
    ke, kme = at(f"{name}.ke"), np.asarray(at(f"{name}.kme"), dtype=np.float64)
    rates, amplitudes = through(np.asarray(ke, dtype=np.float64), [kme], [np.ones_like(kme)], least)
    rates, amplitudes = through(np.asarray(at(f"{name}.ka"), dtype=np.float64), rates, amplitudes, least)
    return rates, [one * at(f"{name}.conversion") / ke for one in amplitudes]


def _growth(found: Persons, number: int, at: Values, least: float) -> None:
    ke = np.asarray(at("growth.ke"), dtype=np.float64)
    rates, amplitudes = through(np.asarray(at("growth.ka"), dtype=np.float64), [ke], [np.ones_like(ke)], least)
    _modes(found, number, rows.GROWS, rates, amplitudes, linear=False)
    found.channel[number, [rows.EFFECT, rows.EFFECT_ROW]] = rows.EMAX, len(found.rows)
    found.rows += [found.wide(at(f"growth.{one}")) for one in ("ec50", "emax_maturation", "emax_proliferation")]


def _bump(found: Persons, number: int, at: Values) -> None:
    rate = 1 / at("mit")
    _modes(found, number, rows.FLOWS, [rate], [rate * at("ip0")])


def _modes(
    found: Persons, number: int, role: int, rates: list[Any], amplitudes: list[Any], linear: bool = True
) -> None:
    """A channel solved in closed form."""
    channel = found.channel[number]
    channel[rows.FORM], channel[rows.ROLE] = rows.MODES, role
    channel[rows.FIRST], channel[rows.COUNT] = len(found.rate), len(rates)
    found.rate += [found.wide(one) for one in rates]
    found.amplitude += [found.wide(one) for one in amplitudes]
    if not found.grids:
        return
    exposure = [float(np.mean(np.abs(b / k))) for k, b in zip(rates, amplitudes, strict=True)]
    matter = [_middle(k) for k, part in zip(rates, exposure, strict=True) if part > MATTERS * sum(exposure)]
    first = (FIRST_STEP if linear else CURVED_STEP) / max(matter, default=1.0)
    if not linear:  # how fast a concentration rises tells, however soon the rise is over
        size = [float(np.mean(np.abs(b))) for b in amplitudes]
        rise = [_middle(k) for k, part in zip(rates, size, strict=True) if part > MATTERS * sum(size)]
        first = min(first, FIRST_STEP / max(rise, default=1.0))
    found.finest.append(first)
    found.stiff.append(0.0)


def _stepwise(found: Persons, number: int, part: DrugPart, form: str, share: Any, at: Values) -> None:
    """A channel with saturable kinetics, solved step by step."""
    ka = at(f"{part.drug}.ka", 0.0)
    into = 1 if form == "parallel_loss" and not np.any(ka) else 0
    found.channel[number, [rows.FORM, rows.ROLE, rows.INTO]] = FORMS[form], rows.KILLS, into
    found.channel[number, [rows.FIRST, rows.COUNT]] = len(found.rate), 1
    found.rate.append(found.wide(1.0))
    found.amplitude.append(found.wide(share))
    found.channel[number, rows.RATE_ROW] = len(found.rows)
    found.rows += [found.wide(at(f"{part.drug}.{role}", 0.0)) for role in SATURABLE[form]]
    found.rows += [found.wide(1.0)] * (ROLES - len(SATURABLE[form]))
    if not found.grids:
        return
    fastest = _fastest(form, {role: at(f"{part.drug}.{role}", 0.0) for role in SATURABLE[form]})
    found.stiff.append(float(np.max(fastest)))
    found.finest.append(CURVED_STEP / _middle(fastest))


def _fastest(form: str, p: dict[str, Any]) -> Any:
    """An upper bound on the rates [1/h] of a saturable form: every process at its fastest, far below saturation."""
    if form == "saturable_thiopurine":
        return p["ka"] + p["ke"] + p["kme"]
    if form == "parallel_loss":
        return p["ka"] + (p["cl"] + p["q2"] + p["vmax"] / p["km"]) / p["v1"] + p["q2"] / p["v2"]
    out = (p["vmel"] / p["kmel"] + p["vmtr"] / p["kmtr"] + p["q3"]) / p["v1"]
    back = p["k21"] if "k21" in p else p["vmtr"] / p["kmtr"] / p["v2"]
    return out + back + p["q3"] / p["v3"]


def _effect(found: Persons, number: int, part: DrugPart, at: Values) -> None:
    name = part.drug
    found.channel[number, rows.EFFECT_ROW] = len(found.rows)
    if part.effect == "linear":
        found.channel[number, rows.EFFECT] = rows.LINEAR
        found.rows.append(found.wide(at(f"{name}.slope")))
        return
    emax, ec50, hill = at(f"{name}.emax"), at(f"{name}.ec50"), at(f"{name}.hill", 0.0)
    found.channel[number, rows.EFFECT] = rows.SIGMOID if np.any(hill) else rows.EMAX
    found.rows += [found.wide(one) for one in ((emax, np.log(ec50), hill) if np.any(hill) else (emax, ec50))]
