"""A block of persons, carried through the steps of a grid together.

One call advances `LANES` persons at once: every inner loop runs over lanes without a branch, so that LLVM turns it
into vector instructions. The rates are those of `marrow`, compiled; this module holds only the order of the work.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from leuko.forecast import marrow
from leuko.forecast.solve.chain import carry, chain_map, chain_slope, correct, extrapolate, here, keep, remember
from leuko.forecast.solve.fastmath import INNER, compiled, copy_lanes, fast_exp, fast_log
from leuko.forecast.solve.kinetics import act, fill, table, take_dose
from leuko.forecast.solve.rows import (
    BEFORE,
    BESIDE,
    CIRC,
    D_BEFORE,
    D_CIRC,
    D_PROL,
    D_STEM,
    D_TRANSIT1,
    D_TRANSIT2,
    D_TRANSIT3,
    END,
    ENTRY,
    ERROR,
    FREE,
    GAIN,
    GAMMA,
    INFLUX,
    KCIRC,
    KILL,
    KPROL,
    KSTEM,
    KTR,
    LANES,
    LAST,
    LN_CIRC0,
    LN_PROL,
    LN_STEM,
    MAP,
    MID,
    MODE,
    PAST,
    PROL,
    RENEWED,
    SPEED,
    TRANSIT1,
    TRANSIT2,
    TRANSIT3,
    WORST,
)

friberg = compiled(marrow.friberg)
renewal = compiled(marrow.renewal)
proliferation = compiled(marrow.proliferation)
pool = compiled(marrow.pool)
turnover = compiled(marrow.turnover)


def _friberg_rates(w: Any) -> None:
    for i in range(LANES):
        d = friberg(
            w[LN_PROL + i], w[TRANSIT1 + i], w[TRANSIT2 + i], w[TRANSIT3 + i], w[CIRC + i], w[LN_CIRC0 + i],
            w[GAMMA + i], w[KTR + i] * w[SPEED + i], w[KCIRC + i], w[KILL + i], w[GAIN + i], w[INFLUX + i],
        )  # fmt: skip
        w[D_PROL + i], w[D_TRANSIT1 + i], w[D_TRANSIT2 + i], w[D_TRANSIT3 + i], w[D_CIRC + i] = d


def _friberg_step(w: Any, h: Any, c: Any) -> None:
    """One step of the classical Runge-Kutta scheme from the rates in the D rows; leaves the rates at its end there.

    The difference of the last two evaluations at the end of the step is the embedded estimate of its error.
    """
    half, sixth, third = h * c[2], h * c[3], h * c[4]
    for i in range(LANES):
        x, a, b, t, y = w[LN_PROL + i], w[TRANSIT1 + i], w[TRANSIT2 + i], w[TRANSIT3 + i], w[CIRC + i]
        first, gamma, k, kc = w[LN_CIRC0 + i], w[GAMMA + i], w[KTR + i], w[KCIRC + i]
        km, ke = k * w[SPEED + MID + i], k * w[SPEED + END + i]
        kill, gain, flow = w[KILL + MID + i], w[GAIN + MID + i], w[INFLUX + MID + i]
        x1, a1, b1, t1, y1 = w[D_PROL + i], w[D_TRANSIT1 + i], w[D_TRANSIT2 + i], w[D_TRANSIT3 + i], w[D_CIRC + i]
        x2, a2, b2, t2, y2 = friberg(
            x + half * x1, a + half * a1, b + half * b1, t + half * t1, y + half * y1,
            first, gamma, km, kc, kill, gain, flow,
        )  # fmt: skip
        x3, a3, b3, t3, y3 = friberg(
            x + half * x2, a + half * a2, b + half * b2, t + half * t2, y + half * y2,
            first, gamma, km, kc, kill, gain, flow,
        )  # fmt: skip
        kill, gain, flow = w[KILL + END + i], w[GAIN + END + i], w[INFLUX + END + i]
        x4, a4, b4, t4, y4 = friberg(
            x + h * x3, a + h * a3, b + h * b3, t + h * t3, y + h * y3, first, gamma, ke, kc, kill, gain, flow
        )
        x += sixth * (x1 + x4) + third * (x2 + x3)
        a += sixth * (a1 + a4) + third * (a2 + a3)
        b += sixth * (b1 + b4) + third * (b2 + b3)
        t += sixth * (t1 + t4) + third * (t2 + t3)
        y += sixth * (y1 + y4) + third * (y2 + y3)
        x5, a5, b5, t5, y5 = friberg(x, a, b, t, y, first, gamma, ke, kc, kill, gain, flow)
        w[LN_PROL + i], w[TRANSIT1 + i], w[TRANSIT2 + i], w[TRANSIT3 + i], w[CIRC + i] = x, a, b, t, y
        w[D_PROL + i], w[D_TRANSIT1 + i], w[D_TRANSIT2 + i], w[D_TRANSIT3 + i], w[D_CIRC + i] = x5, a5, b5, t5, y5
        w[RENEWED + i] = renewal(first, y, gamma, ke, gain)
        w[ERROR + i] += (
            h * c[5] * (abs(x5 - x4) + abs(a5 - a4) / a + abs(b5 - b4) / b + abs(t5 - t4) / t + abs(y5 - y4) / y)
        )


def _friberg_again(w: Any) -> None:
    """The rates at the end of the last step hold on, but the medicines' effect begins anew."""
    for i in range(LANES):
        w[D_PROL + i] = proliferation(w[RENEWED + i], w[KILL + i], w[KTR + i])


def _pool_rates(w: Any) -> None:
    for i in range(LANES):
        speed = w[SPEED + i]
        d = pool(
            w[LN_STEM + i], w[LN_PROL + i], w[TRANSIT1 + i], w[TRANSIT2 + i], w[TRANSIT3 + i], w[CIRC + i],
            w[LN_CIRC0 + i], w[GAMMA + i], w[KTR + i] * speed, w[KCIRC + i], w[KPROL + i] * speed,
            w[KSTEM + i] * speed, w[KILL + i], w[GAIN + i], w[INFLUX + i],
        )  # fmt: skip
        w[D_STEM + i], w[D_PROL + i] = d[0], d[1]
        w[D_TRANSIT1 + i], w[D_TRANSIT2 + i], w[D_TRANSIT3 + i], w[D_CIRC + i] = d[2], d[3], d[4], d[5]


def _pool_step(w: Any, h: Any, c: Any) -> None:
    """The same for the marrow with a stem-cell pool."""
    half, sixth, third = h * c[2], h * c[3], h * c[4]
    for i in range(LANES):
        s, x, a = w[LN_STEM + i], w[LN_PROL + i], w[TRANSIT1 + i]
        b, t, y = w[TRANSIT2 + i], w[TRANSIT3 + i], w[CIRC + i]
        first, gamma, kc, v = w[LN_CIRC0 + i], w[GAMMA + i], w[KCIRC + i], w[SPEED + MID + i]
        k, kp, ks = w[KTR + i] * v, w[KPROL + i] * v, w[KSTEM + i] * v
        kill, gain, flow = w[KILL + MID + i], w[GAIN + MID + i], w[INFLUX + MID + i]
        s1, x1, a1 = w[D_STEM + i], w[D_PROL + i], w[D_TRANSIT1 + i]
        b1, t1, y1 = w[D_TRANSIT2 + i], w[D_TRANSIT3 + i], w[D_CIRC + i]
        s2, x2, a2, b2, t2, y2 = pool(
            s + half * s1, x + half * x1, a + half * a1, b + half * b1, t + half * t1, y + half * y1,
            first, gamma, k, kc, kp, ks, kill, gain, flow,
        )  # fmt: skip
        s3, x3, a3, b3, t3, y3 = pool(
            s + half * s2, x + half * x2, a + half * a2, b + half * b2, t + half * t2, y + half * y2,
            first, gamma, k, kc, kp, ks, kill, gain, flow,
        )  # fmt: skip
        v = w[SPEED + END + i]
        k, kp, ks = w[KTR + i] * v, w[KPROL + i] * v, w[KSTEM + i] * v
        kill, gain, flow = w[KILL + END + i], w[GAIN + END + i], w[INFLUX + END + i]
        s4, x4, a4, b4, t4, y4 = pool(
            s + h * s3, x + h * x3, a + h * a3, b + h * b3, t + h * t3, y + h * y3,
            first, gamma, k, kc, kp, ks, kill, gain, flow,
        )  # fmt: skip
        s += sixth * (s1 + s4) + third * (s2 + s3)
        x += sixth * (x1 + x4) + third * (x2 + x3)
        a += sixth * (a1 + a4) + third * (a2 + a3)
        b += sixth * (b1 + b4) + third * (b2 + b3)
        t += sixth * (t1 + t4) + third * (t2 + t3)
        y += sixth * (y1 + y4) + third * (y2 + y3)
        s5, x5, a5, b5, t5, y5 = pool(s, x, a, b, t, y, first, gamma, k, kc, kp, ks, kill, gain, flow)
        w[LN_STEM + i], w[LN_PROL + i], w[TRANSIT1 + i] = s, x, a
        w[TRANSIT2 + i], w[TRANSIT3 + i], w[CIRC + i] = b, t, y
        w[D_STEM + i], w[D_PROL + i], w[D_TRANSIT1 + i] = s5, x5, a5
        w[D_TRANSIT2 + i], w[D_TRANSIT3 + i], w[D_CIRC + i] = b5, t5, y5
        w[ERROR + i] += h * c[5] * (abs(x5 - x4) + abs(s5 - s4) + abs(a5 - a4) / a + abs(y5 - y4) / y)


def _turnover_rates(w: Any) -> None:
    for i in range(LANES):
        w[D_CIRC + i] = turnover(w[CIRC + i], w[LN_CIRC0 + i], w[KTR + i], w[KILL + i])


def _lobatto(y: Any, made: Any, p: Any, q: Any, r: Any, h: Any, c: Any) -> Any:
    """The count after `h` hours of production `made` and a rate of loss p, q, r at their start, middle and end."""
    half, sixth, twelfth = h * c[2], h * c[3], h * c[3] * c[2]
    third = h * c[4]
    a11, a12, a13 = c[1] + sixth * p, -third * q, sixth * r
    a21, a22, a23 = sixth * p, c[1] + (half - twelfth) * q, -twelfth * r
    a31, a32, a33 = sixth * p, (third + third) * q, c[1] + sixth * r
    r1, r2, r3 = y, y + half * made, y + h * made
    minor = a22 * a33 - a23 * a32
    det = a11 * minor - a12 * (a21 * a33 - a23 * a31) + a13 * (a21 * a32 - a22 * a31)
    top = a11 * (a22 * r3 - r2 * a32) - a12 * (a21 * r3 - r2 * a31) + r1 * (a21 * a32 - a22 * a31)
    return top / det


lobatto = njit(**INNER, forceinline=True)(_lobatto)


def _turnover_step(w: Any, h: Any, c: Any) -> None:
    """One step of Lobatto IIIC (order 4, good for any speed of loss): the equation is linear in the count.

    Here LN_CIRC0 holds circ0 itself and KTR the rate of loss. The error is against the scheme of order 2,
    less where loss is so fast that the count follows its effect (there both are as good).
    """
    for i in range(LANES):
        y, base, k = w[CIRC + i], w[LN_CIRC0 + i], w[KTR + i]
        made = turnover(c[0], base, k, c[0])
        p = made - turnover(c[1], base, k, w[KILL + i])
        q = made - turnover(c[1], base, k, w[KILL + MID + i])
        r = made - turnover(c[1], base, k, w[KILL + END + i])
        new = lobatto(y, made, p, q, r, h, c)
        half, r1, r3 = h * c[2], y, y + h * made
        b11, b12, b21, b22 = c[1] + half * p, -half * r, half * p, c[1] + half * r
        low = (b11 * r3 - b21 * r1) / (b11 * b22 - b12 * b21)
        w[CIRC + i] = new
        w[D_CIRC + i] = turnover(new, base, k, w[KILL + END + i])
        w[ERROR + i] += c[7] * abs(new - low) / (new + new * (h * q) * (h * q))


def _parabola_at(first: Any, middle: Any, last: Any, u: Any, c: Any) -> Any:
    """At a place 0..1 of a step, of its value at the start, the middle and the end."""
    two = c[1] + c[1]
    return (u - c[1]) * (two * u - c[1]) * first + two * two * u * (c[1] - u) * middle + u * (two * u - c[1]) * last


parabola_at = njit(**INNER, forceinline=True)(_parabola_at)


def _turnover_read(w: Any, h: Any, place: Any, out: Any, row: Any, at: Any, c: Any) -> None:
    """A count within the step, by four steps of its own from the same start: it may settle in a small part of one.

    Where it follows an effect that the parabola does not, that counts as error."""
    if row < 0 or at < 0:
        return  # told to the compiler: an index is never from the end
    part = place * c[2] * c[2]
    for i in range(LANES):
        out[row, at + i] = w[BEFORE + i]
    begin = c[0]
    for _ in range(4):
        for i in range(LANES):
            base, k = w[LN_CIRC0 + i], w[KTR + i]
            first, middle, last = w[KILL + i], w[KILL + MID + i], w[KILL + END + i]
            made = turnover(c[0], base, k, c[0])
            p = made - turnover(c[1], base, k, parabola_at(first, middle, last, begin, c))
            q = made - turnover(c[1], base, k, parabola_at(first, middle, last, begin + part * c[2], c))
            r = made - turnover(c[1], base, k, parabola_at(first, middle, last, begin + part, c))
            out[row, at + i] = lobatto(out[row, at + i], made, p, q, r, h * part, c)
        begin += part
    for i in range(LANES):
        share = h * w[KTR + i]
        unsure = (
            abs(w[BESIDE + i]) * share / (c[1] + share)
        )  # what a fast loss forgets by the end of the step shows here
        w[WORST + i] = max(w[WORST + i], w[ERROR + i] + unsure)


friberg_rates, friberg_step = njit(**INNER)(_friberg_rates), njit(**INNER)(_friberg_step)
friberg_again = njit(**INNER)(_friberg_again)
pool_rates, pool_step = njit(**INNER)(_pool_rates), njit(**INNER)(_pool_step)
turnover_rates, turnover_step = njit(**INNER)(_turnover_rates), njit(**INNER)(_turnover_step)
turnover_read = njit(**INNER)(_turnover_read)


def _read_out(w: Any, h: Any, place: Any, out: Any, row: Any, at: Any, c: Any) -> None:
    """A count within the step: cubic Hermite interpolation of its logarithm; of the count itself where it rises by an
    influx, which may carry it to many times what it was within minutes."""
    if row < 0 or at < 0:
        return  # told to the compiler: an index is never from the end
    u, one = place, c[1]
    v = one - u
    p0, p1 = (one + u + u) * v * v, (one + v + v) * u * u
    m0, m1 = u * v * v * h, -u * u * v * h
    for i in range(LANES):
        old, new = w[BEFORE + i], w[CIRC + i]
        slope = m0 * w[D_BEFORE + i] / old + m1 * w[D_CIRC + i] / new
        plain = p0 * old + p1 * new + m0 * w[D_BEFORE + i] + m1 * w[D_CIRC + i]
        flows = w[INFLUX + MID + i] > c[0] and new > old
        out[row, at + i] = plain if flows else fast_exp(p0 * fast_log(old) + p1 * fast_log(new) + slope)


def _copy_out(w: Any, out: Any, row: Any, at: Any) -> None:
    copy_lanes(out, row * out.shape[1] + at, w, CIRC)


def _hold(w: Any) -> None:
    for i in range(LANES):
        w[BEFORE + i] = w[CIRC + i]
        w[D_BEFORE + i] = w[D_CIRC + i]


def _forget(w: Any, h: Any, c: Any) -> None:
    """Errors of a step fade with the marrow's own memory, about one transit time; the worst moment counts."""
    gone = c[17]  # read before the loop, or LLVM gathers it lane by lane
    for i in range(LANES):
        w[WORST + i] = max(w[WORST + i], w[ERROR + i])
        w[WORST + i] = gone if w[CIRC + i] < w[LAST + i] else w[WORST + i]
        w[ERROR + i] *= c[1] - min(h * w[KTR + i] * c[2] * c[2], c[1])


forget = njit(**INNER)(_forget)
read_out, copy_out, hold = njit(**INNER)(_read_out), njit(**INNER)(_copy_out), njit(**INNER)(_hold)


def _begin(w: Any, base: Any, persons: Any, at: Any, c: Any, turnover_kind: Any) -> None:
    """Parameters into their rows; the marrow at its drug-free steady state; nothing acts."""
    if at < 0:
        return
    for i in range(base):
        w[i] = c[0]
    for row in range(6):
        for i in range(LANES):
            w[LN_CIRC0 + row * LANES + i] = persons[row, at + i]
    for place in range(3):
        fill(w, SPEED + place * LANES, c[1])
        fill(w, GAIN + place * LANES, c[1])
    if turnover_kind is not None:
        for i in range(LANES):
            w[CIRC + i] = persons[0, at + i]
    else:
        for i in range(LANES):
            circ = fast_exp(persons[0, at + i])
            before = circ * w[KCIRC + i] / w[KTR + i]
            w[CIRC + i] = circ
            w[LAST + i] = circ * c[16]
            w[TRANSIT1 + i] = before
            w[TRANSIT2 + i] = before
            w[TRANSIT3 + i] = before
            w[LN_PROL + i] = fast_log(before)
            w[LN_STEM + i] = w[LN_PROL + i]


begin = njit(**INNER)(_begin)


def _march(  # noqa: C901, PLR0912, PLR0915 (one loop; what it calls is compiled into it)
    plain: Any, lengths: Any, length: Any, first: Any, events: Any, amounts: Any, out_step: Any,
    out_at: Any, many: Any, channel: Any, rate: Any, amplitude: Any, p: Any, persons: Any, shares: Any, c: Any,
    out: Any, error: Any, nodes: Any, past: Any, cubic: Any, w: Any, maps: Any, flows: Any, quiet: Any,
    slowest: Any, left: Any, low: Any, high: Any, exact: Any, classical: Any, pool_kind: Any, turnover_kind: Any,
    curved: Any, pac: Any, nab: Any, parallel: Any, thiopurine: Any,
) -> None:  # fmt: skip
    """Carries the persons low..high (a multiple of LANES) through all steps.

    plain: the medicines' effect is all that acts; lengths (D,) of steps;
    length (S,) which each step has; first (S + 1,) index of the first event of each step; events (E, 2) channel and
    kind; amounts (E,); out_step, out_at (T,); many (S, K) substeps of saturable channels; channel (K, 8); rate,
    amplitude (M, N); p (Q, N); persons (6, N); shares (5, 5); c constants; out (T, N); error (N,); nodes (6, 4), past
    (S, 3) and cubic (S, 12) of the exact chain. w, maps, flows (K,), quiet (K,), slowest (M,) and left (M,) are room to
    work in. exact to thiopurine name the parts of the structure (`rows.SCHEMES`, `rows.FURTHER`): what is None is left
    out of the compiled code.
    """
    base = FREE + MODE * rate.shape[0]
    history = base + ENTRY * rate.shape[0] * lengths.size
    for at in range(low, high, LANES):
        begin(w, base, persons, at, c, turnover_kind)
        table(w, base, channel, rate, amplitude, at, lengths)
        if exact is not None:
            for n in range(lengths.size):
                chain_map(w, maps, n * MAP, lengths[n], nodes, c)
            for i in range((PAST + 1) * LANES):
                w[history + i] = c[1]
            for i in range(LANES):
                w[PROL + i] = w[TRANSIT1 + i]
        for k in range(channel.shape[0]):
            flows[k] = c[0]
            quiet[k] = 1e9
        for m in range(rate.shape[0]):
            slowest[m] = rate[m, at]
            for i in range(LANES):
                slowest[m] = min(slowest[m], rate[m, at + i])
        shown = 0
        while shown < out_step.size and out_step[shown] < 0:
            copy_out(w, out, shown, at)
            shown += 1
        for s in range(length.size):
            h = lengths[length[s]]
            for e in range(first[s], first[s + 1]):
                if events[e, 1] == 0:
                    take_dose(w, channel, events[e, 0], amplitude, at, amounts[e])
                else:
                    flows[events[e, 0]] = amounts[e]
                quiet[events[e, 0]] = 0.0
            entry = base + length[s] * rate.shape[0] * ENTRY
            act(
                w, channel, flows, quiet, slowest, left, p, at, entry, h, many, s, shares, c, curved, pac, nab,
                parallel, thiopurine,
            )  # fmt: skip
            if exact is not None:
                if shown < out_step.size and out_step[shown] == s and out_at[shown] != c[1]:
                    copy_lanes(w, BEFORE, w, CIRC)
                    chain_slope(w, D_BEFORE)
                if s == 0 or length[s] != length[s - 1]:
                    here(w, maps, length[s] * MAP)
                remember(w, history, past, s)
                extrapolate(w, h, cubic, s, c)
                carry(w)
                correct(w, h, cubic, s, c)
                keep(w, history + (s + PAST + 1) * LANES)
            if classical is not None:
                if plain and s > 0:
                    friberg_again(w)
                else:
                    friberg_rates(w)
                hold(w)
                friberg_step(w, h, c)
            if pool_kind is not None:
                pool_rates(w)
                hold(w)
                pool_step(w, h, c)
            if turnover_kind is not None:
                turnover_rates(w)
                hold(w)
                turnover_step(w, h, c)
            if exact is None:
                forget(w, h, c)
            for k in range(channel.shape[0]):
                quiet[k] = quiet[k] + h if flows[k] == 0 else 0.0
            while shown < out_step.size and out_step[shown] == s:
                if out_at[shown] == c[1]:
                    copy_out(w, out, shown, at)
                elif turnover_kind is not None:
                    turnover_read(w, h, out_at[shown], out, shown, at, c)
                else:
                    if exact is not None:
                        chain_slope(w, D_CIRC)
                    read_out(w, h, out_at[shown], out, shown, at, c)
                shown += 1
        for i in range(LANES):
            error[at + i] = w[WORST + i]


march = njit(**INNER)(_march)
