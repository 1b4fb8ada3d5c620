"""What acts on the marrow during a step: doses, concentrations and effects, for a block of persons."""

from __future__ import annotations

from typing import Any

from numba import njit

from leuko.forecast import marrow
from leuko.forecast.solve.fastmath import compiled, fast_exp
from leuko.forecast.solve.rows import (
    CONC,
    COUNT,
    EFFECT,
    EFFECT_ROW,
    EMAX,
    END,
    FIRST,
    FLOWS,
    FORM,
    FREE,
    GAIN,
    GROWS,
    INFLUX,
    INTO,
    KILL,
    KILLS,
    LANES,
    LINEAR,
    MID,
    MODE,
    MODES,
    NAB_PACLITAXEL,
    PACLITAXEL,
    PARALLEL_LOSS,
    RATE_ROW,
    ROLE,
    SATURABLE_THIOPURINE,
    SPEED,
)

OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract", "nsz", "arcp"}, "nogil": True}

emax_effect = compiled(marrow.emax_effect)
sigmoid_effect = compiled(marrow.sigmoid_effect)
paclitaxel = compiled(marrow.paclitaxel)
nab_paclitaxel = compiled(marrow.nab_paclitaxel)
parallel_loss = compiled(marrow.parallel_loss)
saturable_thiopurine = compiled(marrow.saturable_thiopurine)


def _refresh(w: Any, first: Any, count: Any, rate: Any, amplitude: Any, at: Any, h: Any, c: Any) -> None:
    """What each mode keeps over half a step, and what a rate of one unit adds to it."""
    half = h * c[2]
    for m in range(count):
        row = FREE + (first + m) * MODE
        for i in range(LANES):
            k = rate[first + m, at + i]
            kept = fast_exp(-k * half)
            w[row + LANES + i] = kept
            w[row + 2 * LANES + i] = amplitude[first + m, at + i] * (c[1] - kept) / k


def _add_dose(w: Any, row: Any, amplitude: Any, mode: Any, at: Any, amount: Any) -> None:
    for i in range(LANES):
        w[row + i] += amount * amplitude[mode, at + i]


def _sum_modes(w: Any, first: Any, count: Any, target: Any) -> None:
    for m in range(count):
        row = FREE + (first + m) * MODE
        for i in range(LANES):
            w[target + i] += w[row + i]


def _advance(w: Any, first: Any, count: Any, flow: Any) -> None:
    for m in range(count):
        row = FREE + (first + m) * MODE
        for i in range(LANES):
            w[row + i] = w[row + i] * w[row + LANES + i] + flow * w[row + 2 * LANES + i]


def _fill(w: Any, row: Any, value: Any) -> None:
    for i in range(LANES):
        w[row + i] = value


sum_modes = njit(**OPTIONS)(_sum_modes)
advance = njit(**OPTIONS)(_advance)
fill = njit(**OPTIONS)(_fill)
refresh = njit(**OPTIONS)(_refresh)
add_dose = njit(**OPTIONS)(_add_dose)


def _apply(w: Any, role: Any, effect: Any, params: Any, row: Any, at: Any, place: Any, c: Any) -> None:
    """Adds the effect of the concentrations in CONC to the rows of one place (start, middle or end) of the step."""
    if role == FLOWS:
        for i in range(LANES):
            w[INFLUX + place + i] = w[CONC + i]
    elif role == GROWS:
        for i in range(LANES):
            ec50, amount = params[row, at + i], w[CONC + i]
            w[SPEED + place + i] = c[1] + emax_effect(amount, params[row + 1, at + i], ec50)
            w[GAIN + place + i] = c[1] + emax_effect(amount, params[row + 2, at + i], ec50)
    elif effect == LINEAR:
        for i in range(LANES):
            w[KILL + place + i] += w[CONC + i] * params[row, at + i]
    elif effect == EMAX:
        for i in range(LANES):
            w[KILL + place + i] += emax_effect(w[CONC + i], params[row, at + i], params[row + 1, at + i])
    else:
        for i in range(LANES):
            emax, ln_ec50, hill = params[row, at + i], params[row + 1, at + i], params[row + 2, at + i]
            w[KILL + place + i] += sigmoid_effect(w[CONC + i], emax, ln_ec50, hill, c[6], c[1])


apply_effect = njit(**OPTIONS)(_apply)


def _rates(form: Any, s0: Any, s1: Any, s2: Any, p: Any, row: Any, lane: Any, flow: Any) -> Any:
    """The rates of one person's compartments, by the form of the kinetics."""
    if form == PACLITAXEL:
        return paclitaxel(
            s0, s1, s2, p[row, lane], p[row + 1, lane], p[row + 2, lane], p[row + 3, lane], p[row + 4, lane],
            p[row + 5, lane], p[row + 6, lane], p[row + 7, lane], flow,
        )  # fmt: skip
    if form == NAB_PACLITAXEL:
        return nab_paclitaxel(
            s0, s1, s2, p[row, lane], p[row + 1, lane], p[row + 2, lane], p[row + 3, lane], p[row + 4, lane],
            p[row + 5, lane], p[row + 6, lane], p[row + 7, lane], flow,
        )  # fmt: skip
    if form == PARALLEL_LOSS:
        return parallel_loss(
            s0, s1, s2, p[row, lane], p[row + 1, lane], p[row + 2, lane], p[row + 3, lane], p[row + 4, lane],
            p[row + 5, lane], p[row + 6, lane], flow,
        )  # fmt: skip
    return saturable_thiopurine(
        s0, s1, s2, p[row, lane], p[row + 1, lane], p[row + 2, lane], p[row + 3, lane], p[row + 4, lane],
        p[row + 5, lane],
    )  # fmt: skip


rates = njit(**OPTIONS, forceinline=True)(_rates)


def _saturable(
    w: Any, form: Any, row: Any, p: Any, p_row: Any, at: Any, flow: Any, length: Any, many: Any, c: Any
) -> None:
    """Compartments over `length` hours in `many` even steps of the classical Runge-Kutta scheme."""
    h = length / many
    half, sixth, third = h * c[2], h * c[3], h * c[4]
    for _ in range(many):
        for i in range(LANES):
            x, y, z = w[row + i], w[row + LANES + i], w[row + 2 * LANES + i]
            x1, y1, z1 = rates(form, x, y, z, p, p_row, at + i, flow)
            x2, y2, z2 = rates(form, x + half * x1, y + half * y1, z + half * z1, p, p_row, at + i, flow)
            x3, y3, z3 = rates(form, x + half * x2, y + half * y2, z + half * z2, p, p_row, at + i, flow)
            x4, y4, z4 = rates(form, x + h * x3, y + h * y3, z + h * z3, p, p_row, at + i, flow)
            w[row + i] = x + sixth * (x1 + x4) + third * (x2 + x3)
            w[row + LANES + i] = y + sixth * (y1 + y4) + third * (y2 + y3)
            w[row + 2 * LANES + i] = z + sixth * (z1 + z4) + third * (z2 + z3)


saturable = njit(**OPTIONS)(_saturable)


def _read(w: Any, form: Any, row: Any, p: Any, p_row: Any, at: Any) -> None:
    """The concentration that acts, out of the compartments, into CONC."""
    if form == SATURABLE_THIOPURINE:
        for i in range(LANES):
            w[CONC + i] = w[row + 2 * LANES + i]
    elif form == PARALLEL_LOSS:
        for i in range(LANES):
            w[CONC + i] = w[row + LANES + i] / p[p_row + 1, at + i]
    else:
        for i in range(LANES):
            w[CONC + i] = w[row + i] / p[p_row, at + i]


read = njit(**OPTIONS)(_read)


def _act(w: Any, channel: Any, flows: Any, amplitude: Any, p: Any, at: Any, h: Any, many: Any, c: Any) -> None:
    """Fills the rows of what acts at the start, the middle and the end of a step of `h` hours."""
    for place in range(3):
        fill(w, KILL + place * LANES, c[0])
    for k in range(channel.shape[0]):
        form, count, row = channel[k, FORM], channel[k, COUNT], FREE + channel[k, FIRST] * MODE
        for place in range(3):
            if form == MODES:
                if place > 0:
                    advance(w, channel[k, FIRST], count, flows[k])
                if channel[k, ROLE] == KILLS and channel[k, EFFECT] == LINEAR:
                    sum_modes(w, channel[k, FIRST], count, KILL + place * LANES)
                    continue
                fill(w, CONC, c[0])
                sum_modes(w, channel[k, FIRST], count, CONC)
            else:
                if place > 0:
                    saturable(w, form, row, p, channel[k, RATE_ROW], at, flows[k], h * c[2], many[k], c)
                read(w, form, row, p, channel[k, RATE_ROW], at)
            apply_effect(w, channel[k, ROLE], channel[k, EFFECT], p, channel[k, EFFECT_ROW], at, place * LANES, c)


act = njit(**OPTIONS)(_act)


def _refresh_all(w: Any, channel: Any, rate: Any, amplitude: Any, at: Any, h: Any, c: Any) -> None:
    for k in range(channel.shape[0]):
        if channel[k, FORM] == MODES:
            refresh(w, channel[k, FIRST], channel[k, COUNT], rate, amplitude, at, h, c)


refresh_all = njit(**OPTIONS)(_refresh_all)


def _take_dose(w: Any, channel: Any, k: Any, amplitude: Any, p: Any, at: Any, amount: Any) -> None:
    """A dose at once: into every mode, or into the compartment where it arrives (`amplitude` 0: the share)."""
    if channel[k, FORM] == MODES:
        for m in range(channel[k, COUNT]):
            mode = channel[k, FIRST] + m
            add_dose(w, FREE + mode * MODE, amplitude, mode, at, amount)
    else:
        row = FREE + channel[k, FIRST] * MODE + channel[k, INTO] * LANES
        add_dose(w, row, amplitude, channel[k, FIRST], at, amount)


take_dose = njit(**OPTIONS)(_take_dose)
