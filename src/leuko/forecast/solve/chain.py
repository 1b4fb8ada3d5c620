"""The marrow's chain solved exactly: the scheme for models in which nothing but medicines acts on the marrow.

Transits and circulation are linear in the proliferating cells, so a step needs no small stages for them: with P a
parabola through the start, the middle and the end of the step, what arrives is a fixed linear map for each length of
step and each person. Of the proliferating cells themselves d ln P/dt = ktr ((1 - kill) F - 1): the feedback F
follows the smooth circulating count and is extrapolated by a cubic through past nodes, then corrected (Adams' scheme
on F alone); the kill comes as a parabola with exact moments. One logarithm and three exponentials a step, against
twelve of the classical scheme. The map restates `marrow.friberg`; a test holds both to the same course.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from leuko.forecast import marrow
from leuko.forecast.solve.fastmath import INNER, compiled, copy_lanes, fast_exp, moment0, moment1, moment2
from leuko.forecast.solve.rows import (
    CIRC,
    END,
    ERROR,
    FED,
    FED1,
    FED2,
    FED3,
    FED_END,
    FED_FAR,
    FED_MID,
    GAMMA,
    KCIRC,
    KILL,
    KTR,
    LANES,
    LAST,
    LN_CIRC0,
    MAP,
    MID,
    NEW,
    NEW1,
    NEW2,
    NEW3,
    NOW,
    PAST,
    PROL,
    PROL1,
    PROL2,
    TRANSIT1,
    TRANSIT2,
    TRANSIT3,
    WORST,
)

feedback = compiled(marrow.feedback)


def _map(w: Any, t: Any, row: Any, h: Any, nodes: Any, c: Any) -> None:
    """The linear map of the chain over `h` hours into `t`, by Gauss-Legendre's rule for the weights of P."""
    if row < 0:
        return
    for i in range(LANES):
        z, zc = w[KTR + i] * h, w[KCIRC + i] * h
        kept, d = fast_exp(-z), z - zc
        left = fast_exp(-zc)
        t[row + i] = kept
        t[row + LANES + i] = kept * z
        t[row + 2 * LANES + i] = kept * z * z * c[2]
        t[row + 3 * LANES + i] = left
        t[row + 4 * LANES + i] = left * z * moment0(d)
        t[row + 5 * LANES + i] = left * z * z * moment1(d)
        t[row + 6 * LANES + i] = left * z * z * z * c[2] * moment2(d)
    for i in range(12 * LANES):
        t[row + 7 * LANES + i] = c[0]
    for n in range(nodes.shape[0]):
        after, share0, share1, share2 = nodes[n, 0], nodes[n, 1], nodes[n, 2], nodes[n, 3]
        for i in range(LANES):
            z, zc = w[KTR + i] * h, w[KCIRC + i] * h
            one, s = z * fast_exp(-z * after), z * after
            two, three = one * s, one * s * s * c[2]
            four = z * s * s * s * c[2] * fast_exp(-zc * after) * moment2((z - zc) * after)
            t[row + 7 * LANES + i] += share0 * one
            t[row + 8 * LANES + i] += share1 * one
            t[row + 9 * LANES + i] += share2 * one
            t[row + 10 * LANES + i] += share0 * two
            t[row + 11 * LANES + i] += share1 * two
            t[row + 12 * LANES + i] += share2 * two
            t[row + 13 * LANES + i] += share0 * three
            t[row + 14 * LANES + i] += share1 * three
            t[row + 15 * LANES + i] += share2 * three
            t[row + 16 * LANES + i] += share0 * four
            t[row + 17 * LANES + i] += share1 * four
            t[row + 18 * LANES + i] += share2 * four


def _extrapolate(w: Any, h: Any, q: Any, s: Any, c: Any) -> None:
    """Proliferating cells at the middle and the end of a step, with the feedback that past nodes suggest.

    q (S, 12) and s: the coefficients of the cubics, and which of them. In the units of the step `drive` is
    (1 - kill) F; its integrals to the middle and the end are those of a parabola.
    """
    if s < 0:
        return
    a0, a1, a2, a3 = q[s, 0], q[s, 1], q[s, 2], q[s, 3]
    b0, b1, b2, b3 = q[s, 4], q[s, 5], q[s, 6], q[s, 7]
    for i in range(LANES):
        k, prol = w[KTR + i] * h, w[PROL + i]
        before, past1, past2, past3 = w[FED + i], w[FED1 + i], w[FED2 + i], w[FED3 + i]
        middle = a0 * before + a1 * past1 + a2 * past2 + a3 * past3
        end = b0 * before + b1 * past1 + b2 * past2 + b3 * past3
        drive0 = before - w[KILL + i] * before
        drive1, drive2 = middle - w[KILL + MID + i] * middle, end - w[KILL + END + i] * end
        w[PROL1 + i] = prol * fast_exp(k * ((c[9] * drive0 + c[4] * drive1 - c[10] * drive2) - c[2]))
        w[PROL2 + i] = prol * fast_exp(k * (c[3] * (drive0 + drive2) + c[11] * drive1 - c[1]))
        w[FED_MID + i], w[FED_FAR + i] = middle, end


def _carry(w: Any) -> None:
    """Transits and circulation over a step by the map in NOW, and the feedback that the new count gives."""
    for i in range(LANES):
        prol, prol1, prol2 = w[PROL + i], w[PROL1 + i], w[PROL2 + i]
        t1, t2, t3, y = w[TRANSIT1 + i], w[TRANSIT2 + i], w[TRANSIT3 + i], w[CIRC + i]
        e1, e2, e3 = w[NOW + i], w[NOW + LANES + i], w[NOW + 2 * LANES + i]
        w[NEW1 + i] = (
            e1 * t1 + w[NOW + 7 * LANES + i] * prol + w[NOW + 8 * LANES + i] * prol1 + w[NOW + 9 * LANES + i] * prol2
        )
        w[NEW2 + i] = (
            e1 * t2 + e2 * t1
            + w[NOW + 10 * LANES + i] * prol + w[NOW + 11 * LANES + i] * prol1 + w[NOW + 12 * LANES + i] * prol2
        )  # fmt: skip
        w[NEW3 + i] = (
            e1 * t3 + e2 * t2 + e3 * t1
            + w[NOW + 13 * LANES + i] * prol + w[NOW + 14 * LANES + i] * prol1 + w[NOW + 15 * LANES + i] * prol2
        )  # fmt: skip
        w[NEW + i] = (
            w[NOW + 3 * LANES + i] * y + w[NOW + 4 * LANES + i] * t3 + w[NOW + 5 * LANES + i] * t2
            + w[NOW + 6 * LANES + i] * t1 + w[NOW + 16 * LANES + i] * prol + w[NOW + 17 * LANES + i] * prol1
            + w[NOW + 18 * LANES + i] * prol2
        )  # fmt: skip
    for i in range(LANES):
        w[FED_END + i] = feedback(w[LN_CIRC0 + i], w[NEW + i], w[GAMMA + i])


def _correct(w: Any, h: Any, q: Any, s: Any, c: Any) -> None:
    """The step again to first order, with the feedback that the new count gives; and what is estimated to be wrong."""
    if s < 0:
        return
    d0, d1, d2, d3 = q[s, 8], q[s, 9], q[s, 10], q[s, 11]
    one, half, sixth, third, two_thirds = c[1], c[2], c[3], c[4], c[11]
    late, eighth, of_feedback, of_cells, gone = c[10], c[12], c[13], c[14], c[17]
    for i in range(LANES):
        k, before, after = w[KTR + i] * h, w[FED + i], w[FED_END + i]
        prol, prol1, prol2 = w[PROL + i], w[PROL1 + i], w[PROL2 + i]
        live1, live2 = one - w[KILL + MID + i], one - w[KILL + END + i]
        more1 = live1 * (d0 * before + d1 * after + d2 * w[FED1 + i] + d3 * w[FED2 + i] - w[FED_MID + i])
        more2 = live2 * (after - w[FED_FAR + i])
        fix1, fix2 = k * (third * more1 - late * more2), k * (two_thirds * more1 + sixth * more2)
        gain1, gain2 = prol1 * (fix1 + half * fix1 * fix1), prol2 * (fix2 + half * fix2 * fix2)
        slope0 = prol * (before - w[KILL + i] * before - one)
        slope2 = (prol2 + gain2) * (live2 * after - one)
        bend = half * (prol + prol2 + gain2) + eighth * k * (slope0 - slope2) - prol1 - gain1
        new1 = w[NEW1 + i] + w[NOW + 8 * LANES + i] * gain1 + w[NOW + 9 * LANES + i] * gain2
        new = w[NEW + i] + w[NOW + 17 * LANES + i] * gain1 + w[NOW + 18 * LANES + i] * gain2
        w[PROL + i] = prol2 + gain2
        w[TRANSIT1 + i] = new1
        w[TRANSIT2 + i] = w[NEW2 + i] + w[NOW + 11 * LANES + i] * gain1 + w[NOW + 12 * LANES + i] * gain2
        w[TRANSIT3 + i] = w[NEW3 + i] + w[NOW + 14 * LANES + i] * gain1 + w[NOW + 15 * LANES + i] * gain2
        w[CIRC + i] = new
        wrong = w[ERROR + i] + of_feedback * abs(fix2) + of_cells * k * abs(bend) / new1
        worst = max(w[WORST + i], wrong)
        w[WORST + i] = gone if new < w[LAST + i] else worst
        w[ERROR + i] = wrong - wrong * min(k * half * half, one)


def _remember(w: Any, history: Any, past: Any, s: Any) -> None:
    """The feedback at the start of a step and at the past nodes, from the history to where the step looks."""
    copy_lanes(w, FED, w, history + (s + PAST) * LANES)
    copy_lanes(w, FED1, w, history + past[s, 0] * LANES)
    copy_lanes(w, FED2, w, history + past[s, 1] * LANES)
    copy_lanes(w, FED3, w, history + past[s, 2] * LANES)


def _keep(w: Any, row: Any) -> None:
    """The feedback at the end of a step, into the history."""
    copy_lanes(w, row, w, FED_END)


def _here(w: Any, t: Any, m: Any) -> None:
    """The map in row `m` of `t` to where the steps look: what lies at a fixed place needs no check for overlaps."""
    for row in range(0, MAP, LANES):
        copy_lanes(w, NOW + row, t, m + row)


def _slope(w: Any, row: Any) -> None:
    """How fast the count changes now, into a row: for what is asked for between nodes."""
    if row < 0:
        return
    for i in range(LANES):
        w[row + i] = w[KTR + i] * w[TRANSIT3 + i] - w[KCIRC + i] * w[CIRC + i]


remember, keep, here = njit(**INNER)(_remember), njit(**INNER)(_keep), njit(**INNER)(_here)
chain_map, chain_slope = njit(**INNER)(_map), njit(**INNER)(_slope)
extrapolate, carry, correct = njit(**INNER)(_extrapolate), njit(**INNER)(_carry), njit(**INNER)(_correct)
