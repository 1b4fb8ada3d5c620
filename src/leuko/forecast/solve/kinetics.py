"""What acts on the marrow during a step: doses, concentrations and effects, for a block of persons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from leuko.forecast import marrow
from leuko.forecast.solve.fastmath import INNER, compiled, fast_exp
from leuko.forecast.solve.rows import (
    BESIDE,
    CONC,
    COUNT,
    EFFECT,
    EFFECT_ROW,
    EMAX,
    END,
    ENTRY,
    ERROR,
    FIRST,
    FLOWS,
    FORM,
    FOURTH,
    FREE,
    GAIN,
    GROWS,
    INFLUX,
    INTO,
    KILL,
    KTR,
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

QUARTER = np.float32(0.25)  # exact in either precision
GONE = 40.0  # time constants after which nothing is left of a mode

emax_effect = compiled(marrow.emax_effect)
sigmoid_effect = compiled(marrow.sigmoid_effect)
paclitaxel = compiled(marrow.paclitaxel)
nab_paclitaxel = compiled(marrow.nab_paclitaxel)
parallel_loss = compiled(marrow.parallel_loss)
saturable_thiopurine = compiled(marrow.saturable_thiopurine)


def _table(w: Any, base: Any, channel: Any, rate: Any, amplitude: Any, at: Any, lengths: Any) -> None:
    """For every length of step: what each mode keeps, and the parabola nearest to it (exact in the first moments).

    Modes whose effect is linear act by that parabola; of the others the concentration itself is followed, in quarters.
    """
    modes = rate.shape[0]
    for k in range(channel.shape[0]):
        if channel[k, FORM] != MODES:
            continue
        linear = channel[k, EFFECT] == LINEAR
        for m in range(channel[k, FIRST], channel[k, FIRST] + channel[k, COUNT]):
            if m < 0 or at < 0:
                return
            for i in range(LANES):
                w[FREE + m * MODE + LANES + i] = amplitude[m, at + i] / rate[m, at + i]
            for n in range(lengths.size):
                row = base + (n * modes + m) * ENTRY
                if linear:
                    parabola(w, row, rate, m, at, lengths[n])
                else:
                    for i in range(LANES):
                        w[row + i] = fast_exp(-rate[m, at + i] * lengths[n] * QUARTER)


def _parabola(w: Any, row: Any, rate: Any, m: Any, at: Any, length: Any) -> None:
    """exp(-z u) over u = 0..1 projected on Legendre's first three polynomials, in double precision."""
    if row < 0 or at < 0 or m < 0:
        return  # told to the compiler: an index is never from the end
    for i in range(LANES):
        z = float(rate[m, at + i]) * length
        kept = fast_exp(-z)
        mean = (1.0 - kept) / z
        first = (mean - kept) / z
        second = (2.0 * first - kept) / z
        tilt, bend = 3.0 * (2.0 * first - mean), 5.0 * (6.0 * second - 6.0 * first + mean)
        small = z < 0.03  # where the differences above lose their digits, their series
        mean = 1.0 - z * (0.5 - z * (1.0 / 6.0 - z / 24.0)) if small else mean
        tilt = -z * (0.5 - z * (0.25 - z * 0.075)) if small else tilt
        bend = z * z * (1.0 / 12.0 - z / 24.0) if small else bend
        w[row + i] = kept
        w[row + LANES + i] = mean - tilt + bend
        w[row + 2 * LANES + i] = mean - 0.5 * bend
        w[row + 3 * LANES + i] = mean + tilt + bend


def _add_dose(w: Any, row: Any, amplitude: Any, mode: Any, at: Any, amount: Any) -> None:
    if row < 0 or at < 0 or mode < 0:
        return  # told to the compiler: an index is never from the end
    for i in range(LANES):
        w[row + i] += amount * amplitude[mode, at + i]


def _act_linear(w: Any, row: Any, now: Any, flow: Any, target: Any) -> None:
    """Adds a mode whose effect is linear, and carries it to the end of the step."""
    if row < 0 or now < 0 or target < 0:
        return  # told to the compiler: an index is never from the end
    for i in range(LANES):
        settled = flow * w[row + LANES + i]
        excess = w[row + i] - settled
        w[target + i] += settled + excess * w[now + LANES + i]
        w[target + LANES + i] += settled + excess * w[now + 2 * LANES + i]
        w[target + 2 * LANES + i] += settled + excess * w[now + 3 * LANES + i]
        w[row + i] = settled + excess * w[now + i]


def _concentration(w: Any, row: Any) -> None:
    if row < 0:
        return
    for i in range(LANES):
        w[CONC + i] += w[row + i]


def _advance(w: Any, row: Any, now: Any, flow: Any) -> None:
    """Carries a mode over a quarter of the step."""
    if row < 0 or now < 0:
        return
    for i in range(LANES):
        settled = flow * w[row + LANES + i]
        w[row + i] = settled + (w[row + i] - settled) * w[now + i]


def _fill(w: Any, row: Any, value: Any) -> None:
    if row < 0:
        return  # told to the compiler: an index is never from the end
    for i in range(LANES):
        w[row + i] = value


act_linear = njit(**INNER)(_act_linear)
concentration = njit(**INNER)(_concentration)
advance = njit(**INNER)(_advance)
fill = njit(**INNER)(_fill)
parabola = njit(**INNER)(_parabola)
table = njit(**INNER)(_table)
add_dose = njit(**INNER)(_add_dose)


def _project(w: Any, target: Any, i: Any, value: Any, share: Any) -> None:
    """One of five even nodes of a step into the parabola nearest to all (Boole's rule for its moments)."""
    w[target + i] += share[0] * value
    w[target + MID + i] += share[1] * value
    w[target + END + i] += share[2] * value


project = njit(**INNER, forceinline=True)(_project)


def _apply(w: Any, role: Any, effect: Any, params: Any, row: Any, at: Any, share: Any, c: Any) -> None:
    """Adds the effect of the concentrations in CONC, at one of the five nodes, to what acts during the step."""
    if row < 0 or at < 0:
        return  # told to the compiler: an index is never from the end
    if role == GROWS:
        for i in range(LANES):
            ec50, amount = params[row, at + i], w[CONC + i]
            project(w, SPEED, i, emax_effect(amount, params[row + 1, at + i], ec50), share)
            value = emax_effect(amount, params[row + 2, at + i], ec50)
            project(w, GAIN, i, value, share)
            w[FOURTH + i] += share[3] * value
            w[BESIDE + i] += share[4] * value
    elif effect == LINEAR:
        for i in range(LANES):
            value = w[CONC + i] * params[row, at + i]
            project(w, KILL, i, value, share)
            w[FOURTH + i] += share[3] * value
            w[BESIDE + i] += share[4] * value
    elif effect == EMAX:
        for i in range(LANES):
            value = emax_effect(w[CONC + i], params[row, at + i], params[row + 1, at + i])
            project(w, KILL, i, value, share)
            w[FOURTH + i] += share[3] * value
            w[BESIDE + i] += share[4] * value
    else:
        for i in range(LANES):
            emax, ln_ec50, hill = params[row, at + i], params[row + 1, at + i], params[row + 2, at + i]
            value = sigmoid_effect(w[CONC + i], emax, ln_ec50, hill, c[6], c[1])
            project(w, KILL, i, value, share)
            w[FOURTH + i] += share[3] * value
            w[BESIDE + i] += share[4] * value


apply_effect = njit(**INNER)(_apply)


def _parallel(
    x: Any, y: Any, z: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, _h: Any, flow: Any
) -> Any:
    return parallel_loss(x, y, z, a, b, c, d, e, f, g, flow)


def _thiopurine(
    x: Any, y: Any, z: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, _g: Any, _h: Any, _flow: Any
) -> Any:
    return saturable_thiopurine(x, y, z, a, b, c, d, e, f)


def _stepper(law: Any) -> Any:
    """Carries three compartments over `length` hours in `many` even steps of the classical Runge-Kutta scheme."""

    def carry(w: Any, row: Any, p: Any, k: Any, at: Any, flow: Any, length: Any, many: Any, q: Any) -> None:
        h = length / many
        half, sixth, third = h * q[2], h * q[3], h * q[4]
        if row < 0 or k < 0 or at < 0:
            return
        for _ in range(many):
            for i in range(LANES):
                n = at + i
                a, b, c, d = p[k, n], p[k + 1, n], p[k + 2, n], p[k + 3, n]
                e, f, g, o = p[k + 4, n], p[k + 5, n], p[k + 6, n], p[k + 7, n]
                x, y, z = w[row + i], w[row + LANES + i], w[row + 2 * LANES + i]
                x1, y1, z1 = law(x, y, z, a, b, c, d, e, f, g, o, flow)
                x2, y2, z2 = law(x + half * x1, y + half * y1, z + half * z1, a, b, c, d, e, f, g, o, flow)
                x3, y3, z3 = law(x + half * x2, y + half * y2, z + half * z2, a, b, c, d, e, f, g, o, flow)
                x4, y4, z4 = law(x + h * x3, y + h * y3, z + h * z3, a, b, c, d, e, f, g, o, flow)
                w[row + i] = x + sixth * (x1 + x4) + third * (x2 + x3)
                w[row + LANES + i] = y + sixth * (y1 + y4) + third * (y2 + y3)
                w[row + 2 * LANES + i] = z + sixth * (z1 + z4) + third * (z2 + z3)

    return njit(**INNER)(carry)


carry_paclitaxel, carry_nab_paclitaxel = _stepper(paclitaxel), _stepper(nab_paclitaxel)
carry_parallel = _stepper(njit(**INNER, forceinline=True)(_parallel))
carry_thiopurine = _stepper(njit(**INNER, forceinline=True)(_thiopurine))


def _saturable(
    w: Any, form: Any, row: Any, p: Any, k: Any, at: Any, flow: Any, length: Any, many: Any, c: Any,
    pac: Any, nab: Any, parallel: Any, thiopurine: Any,
) -> None:  # fmt: skip
    """Carries a channel with saturable kinetics. A form that is None is not compiled."""
    if pac is not None:
        if form == PACLITAXEL:
            carry_paclitaxel(w, row, p, k, at, flow, length, many, c)
    if nab is not None:
        if form == NAB_PACLITAXEL:
            carry_nab_paclitaxel(w, row, p, k, at, flow, length, many, c)
    if parallel is not None:
        if form == PARALLEL_LOSS:
            carry_parallel(w, row, p, k, at, flow, length, many, c)
    if thiopurine is not None:
        if form == SATURABLE_THIOPURINE:
            carry_thiopurine(w, row, p, k, at, flow, length, many, c)


saturable = njit(**INNER)(_saturable)


def _read(w: Any, form: Any, row: Any, p: Any, p_row: Any, at: Any) -> None:
    """The concentration that acts, out of the compartments, into CONC."""
    if row < 0 or p_row < 0 or at < 0:
        return  # told to the compiler: an index is never from the end
    if form == SATURABLE_THIOPURINE:
        for i in range(LANES):
            w[CONC + i] = w[row + 2 * LANES + i]
    elif form == PARALLEL_LOSS:
        for i in range(LANES):
            w[CONC + i] = w[row + LANES + i] / p[p_row + 1, at + i]
    else:
        for i in range(LANES):
            w[CONC + i] = w[row + i] / p[p_row, at + i]


read = njit(**INNER)(_read)


def _within(w: Any, size: Any, h: Any, c: Any) -> None:
    """The error of Boole's rule: its embedded difference where the effect is rough, far less where it is smooth."""
    if size < 0:
        return
    for i in range(LANES):
        rough = abs(w[FOURTH + i])
        share = h * w[KTR + i]
        speed = share / (c[1] + share * share)  # a fast loss forgets what happened within the step
        w[ERROR + i] += c[8] * speed * rough * rough / (rough + c[15] * abs(w[size + i]) + c[6])


within = njit(**INNER)(_within)


def _act_curved(
    w: Any, channel: Any, k: Any, flow: Any, p: Any, at: Any, entry: Any, h: Any, many: Any, shares: Any, c: Any,
    pac: Any, nab: Any, parallel: Any, thiopurine: Any,
) -> None:  # fmt: skip
    """A channel whose effect is not linear, or whose kinetics are not: its effect at five even nodes of the step."""
    form, count, first = channel[k, FORM], channel[k, COUNT], channel[k, FIRST]
    row, role, at_rate = FREE + first * MODE, channel[k, ROLE], channel[k, RATE_ROW]
    if role == GROWS:
        for place in range(3):
            fill(w, SPEED + place * LANES, c[1])
            fill(w, GAIN + place * LANES, c[1])
    fill(w, FOURTH, c[0])
    fill(w, BESIDE, c[0])
    for node in range(5):
        if form == MODES:
            fill(w, CONC, c[0])
            for m in range(first, first + count):
                if node > 0:
                    advance(w, FREE + m * MODE, entry + m * ENTRY, flow)
                concentration(w, FREE + m * MODE)
        else:
            if node > 0:
                saturable(w, form, row, p, at_rate, at, flow, h * c[2] * c[2], many, c, pac, nab, parallel, thiopurine)
            read(w, form, row, p, at_rate, at)
        apply_effect(w, role, channel[k, EFFECT], p, channel[k, EFFECT_ROW], at, shares[node], c)
    size = GAIN + MID if role == GROWS else KILL + MID
    within(w, size, h, c)


act_curved = njit(**INNER)(_act_curved)


def _act(
    w: Any, channel: Any, flows: Any, quiet: Any, slowest: Any, left: Any, p: Any, at: Any, entry: Any, h: Any,
    many: Any, s: Any, shares: Any, c: Any, curved: Any, pac: Any, nab: Any, parallel: Any, thiopurine: Any,
) -> None:  # fmt: skip
    """Fills the rows of what acts during a step of `h` hours and carries the kinetics to its end.

    quiet (K,): hours since a channel's last dose; slowest (M,): the least rate of each mode among these persons;
    left (M,): room for the modes of which something is left (read from memory, so that LLVM does not ask for all of
    them at once whether their rows overlap: together they seem to, and the loop over lanes stays scalar).
    """
    for i in range(3 * LANES):
        w[KILL + i] = c[0]
    for k in range(channel.shape[0]):
        if channel[k, FORM] == MODES and channel[k, EFFECT] == LINEAR:
            target = KILL
            if channel[k, ROLE] == FLOWS:
                target = INFLUX
                for i in range(3 * LANES):
                    w[INFLUX + i] = c[0]
            some = 0
            for m in range(channel[k, FIRST], channel[k, FIRST] + channel[k, COUNT]):
                if quiet[k] * slowest[m] <= GONE:
                    left[some] = m
                    some += 1
            for n in range(some):
                act_linear(w, FREE + left[n] * MODE, entry + left[n] * ENTRY, flows[k], target)
        elif curved is not None:
            act_curved(w, channel, k, flows[k], p, at, entry, h, many[s, k], shares, c, pac, nab, parallel, thiopurine)


act = njit(**INNER)(_act)


def _take_dose(w: Any, channel: Any, k: Any, amplitude: Any, at: Any, amount: Any) -> None:
    """A dose at once: into every mode, or into the compartment where it arrives (`amplitude` 0: the share)."""
    if channel[k, FORM] == MODES:
        for m in range(channel[k, COUNT]):
            mode = channel[k, FIRST] + m
            add_dose(w, FREE + mode * MODE, amplitude, mode, at, amount)
    else:
        row = FREE + channel[k, FIRST] * MODE + channel[k, INTO] * LANES
        add_dose(w, row, amplitude, channel[k, FIRST], at, amount)


take_dose = njit(**INNER)(_take_dose)
