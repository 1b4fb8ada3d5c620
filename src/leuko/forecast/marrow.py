"""The equations of the marrow and of what acts on it, once.

Every function gives rates of change per hour for one person. They are plain arithmetic without literals, so that the
solver compiles these very functions for single or double precision (`solve.compiled`), with its own `exp` and `log`;
`solve.reference` calls them as they stand. Counts in 10*9/L, amounts in the unit of the schedule, volumes in L.

Proliferating cells are carried as their logarithm, which keeps them positive whatever the dose.

Sources: Friberg 2002 (J Clin Oncol 20:4713) for the transit chain; Ozawa 2007 (Cancer Sci 98:1985) for the input after
dexamethasone; Henrich 2017 for the stem-cell pool; Ma 2020 (Clin Pharmacokinet 59:1451) for turnover; Henningsson and
Crombag (paclitaxel), Chen 2014 (nab-paclitaxel), Xu 2019 (parallel loss) for saturable kinetics; Jost 2020 (Front
Physiol 11:217) and Gebhard 2023 (Sci Rep 13:11749) for thiopurines.
"""

from __future__ import annotations

from math import exp, log

# -- the marrow ------------------------------------------------------------------------------------------------------


def feedback(ln_circ0: float, circ: float, gamma: float) -> float:
    """(circ0 / circ)^gamma: few cells in the blood speed up the marrow."""
    return exp(gamma * (ln_circ0 - log(circ)))


def renewal(ln_circ0: float, circ: float, gamma: float, ktr: float, gain: float) -> float:
    """How fast proliferating cells divide without a medicine; `gain` is 1 without a growth factor."""
    return ktr * gain * feedback(ln_circ0, circ, gamma)


def proliferation(renewed: float, kill: float, ktr: float) -> float:
    """What is left of it when medicines kill and cells move on; `kill` above 1 is net killing."""
    return renewed - renewed * kill - ktr


def friberg(
    ln_prol: float,
    transit1: float,
    transit2: float,
    transit3: float,
    circ: float,
    ln_circ0: float,
    gamma: float,
    ktr: float,
    kcirc: float,
    kill: float,
    gain: float,
    influx: float,
) -> tuple[float, float, float, float, float]:
    """Friberg-Karlsson: a proliferating pool, three transits, the circulation.

    `kill` is the effect of the medicines (above 1: net killing), `gain` multiplies proliferation (1 without a growth
    factor, which may also speed `ktr`), `influx` [10*9/L/h] enters the circulation from elsewhere.
    """
    return (
        proliferation(renewal(ln_circ0, circ, gamma, ktr, gain), kill, ktr),
        ktr * (exp(ln_prol) - transit1),
        ktr * (transit1 - transit2),
        ktr * (transit2 - transit3),
        ktr * transit3 - kcirc * circ + influx,
    )


def pool(
    ln_stem: float,
    ln_prol: float,
    transit1: float,
    transit2: float,
    transit3: float,
    circ: float,
    ln_circ0: float,
    gamma: float,
    ktr: float,
    kcirc: float,
    kprol: float,
    kstem: float,
    kill: float,
    gain: float,
    influx: float,
) -> tuple[float, float, float, float, float, float]:
    """The same, fed by stem cells that the medicines kill as well: toxicity that adds up from cycle to cycle.

    kprol = ftr ktr and kstem = (1 - ftr) ktr.
    """
    drive = gain * feedback(ln_circ0, circ, gamma)
    net = drive - drive * kill
    return (
        kstem * net - kstem,
        kprol * net - ktr + kstem * exp(ln_stem - ln_prol),
        ktr * (exp(ln_prol) - transit1),
        ktr * (transit1 - transit2),
        ktr * (transit2 - transit3),
        ktr * transit3 - kcirc * circ + influx,
    )


def turnover(circ: float, circ0: float, kout: float, loss: float) -> float:
    """Production and loss of circulating cells alone; `loss` is the medicine's effect on their loss."""
    return kout * (circ0 - circ) - kout * loss * circ


# -- effects ---------------------------------------------------------------------------------------------------------


def linear_effect(conc: float, slope: float) -> float:
    """Slope times concentration."""
    return slope * conc


def emax_effect(conc: float, emax: float, ec50: float) -> float:
    """A saturable effect; also what a growth factor adds to the speed of maturation and to proliferation."""
    return emax * conc / (ec50 + conc)


def sigmoid_effect(conc: float, emax: float, ln_ec50: float, hill: float, least: float, one: float) -> float:
    """emax / (1 + (ec50 / conc)^hill); a concentration below `least` counts as `least` (no logarithm of zero)."""
    held = conc if conc > least else least  # noqa: FURB136 (compiled: a plain comparison)
    return emax / (one + exp(hill * (ln_ec50 - log(held))))


# -- kinetics --------------------------------------------------------------------------------------------------------


def linear_kinetics(
    depot: float,
    central: float,
    second: float,
    third: float,
    ka: float,
    k10: float,
    k12: float,
    k21: float,
    k13: float,
    k31: float,
    inflow: float,
) -> tuple[float, float, float, float]:
    """Up to three compartments with linear exchange, a depot before them."""
    return (
        -ka * depot,
        ka * depot + inflow - (k10 + k12 + k13) * central + k21 * second + k31 * third,
        k12 * central - k21 * second,
        k13 * central - k31 * third,
    )


def paclitaxel(
    central: float,
    second: float,
    third: float,
    v1: float,
    v3: float,
    vmel: float,
    kmel: float,
    vmtr: float,
    kmtr: float,
    k21: float,
    q3: float,
    inflow: float,
) -> tuple[float, float, float]:
    """Saturable elimination, saturable transport into the second compartment, linear back and to the third."""
    conc = central / v1
    out = vmtr * conc / (kmtr + conc)
    third_flow = q3 * (conc - third / v3)
    return (
        inflow - vmel * conc / (kmel + conc) - out + k21 * second - third_flow,
        out - k21 * second,
        third_flow,
    )


def nab_paclitaxel(
    central: float,
    second: float,
    third: float,
    v1: float,
    v2: float,
    v3: float,
    vmel: float,
    kmel: float,
    vmtr: float,
    kmtr: float,
    q3: float,
    inflow: float,
) -> tuple[float, float, float]:
    """Saturable elimination, the same saturable transport to and from the second compartment, linear to the third."""
    conc = central / v1
    second_conc = second / v2
    second_flow = vmtr * conc / (kmtr + conc) - vmtr * second_conc / (kmtr + second_conc)
    third_flow = q3 * (conc - third / v3)
    return inflow - vmel * conc / (kmel + conc) - second_flow - third_flow, second_flow, third_flow


def parallel_loss(
    depot: float,
    central: float,
    second: float,
    ka: float,
    v1: float,
    v2: float,
    q2: float,
    cl: float,
    vmax: float,
    km: float,
    inflow: float,
) -> tuple[float, float, float]:
    """Two compartments with linear and saturable loss side by side (an antibody and its target)."""
    conc = central / v1
    flow = q2 * (conc - second / v2)
    return -ka * depot, ka * depot + inflow - cl * conc - vmax * conc / (km + conc) - flow, flow


def thiopurine(
    gut: float, blood: float, tgn: float, ka: float, ke: float, conversion: float, kme: float
) -> tuple[float, float, float]:
    """Gut, blood and 6-thioguanine nucleotides in red cells, all linear (Jost 2020)."""
    return -ka * gut, ka * gut - ke * blood, conversion * blood - kme * tgn


def saturable_thiopurine(
    gut: float, blood: float, tgn: float, ka: float, ke: float, v1: float, vmax: float, km: float, kme: float
) -> tuple[float, float, float]:
    """The same with saturable entry into the red cells (Gebhard 2023); tgn is a concentration."""
    conc = blood / v1
    return -ka * gut, ka * gut - ke * blood, vmax * conc / (km + conc) - kme * tgn
