# /// script
# requires-python = ">=3.11"
# dependencies = ["jax>=0.4.30", "numpyro>=0.15", "numpy>=2"]
# ///
"""Reference posteriors by NUTS: `uv run scripts/forecast_nuts.py [--draws 4000] [--out FILE]`.

Twenty people are simulated here (seeded) from a docetaxel marrow model, with two to four counts each, some of them
reported as "<0.5". NumPyro's NUTS draws from the posterior of their five random effects, with the equations
written once more in JAX (Runge-Kutta 4 on a fixed grid, the drug in closed form), so that nothing is shared with leuko.
All people are sampled together as one product of independent posteriors, with a dense mass matrix for each.
The quantiles of nadir and recovery are kept in tests/reference/forecast_nuts.json, with the model, the doses and the
counts, so that the test reads all that it needs from that file.

The parameters are those of Friberg 2002 with the kinetics of Bruno 1996; the spread between people and the
residual are a test problem, not a published population.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.diagnostics import effective_sample_size, split_gelman_rubin
from numpyro.infer import MCMC, NUTS, init_to_uniform

jax.config.update("jax_enable_x64", True)

OUT = Path(__file__).parents[1] / "tests" / "reference" / "forecast_nuts.json"
NAMES = ("circ0", "mtt", "gamma", "docetaxel.v1", "docetaxel.k10", "docetaxel.k12", "docetaxel.k21", "docetaxel.k13",
         "docetaxel.k31", "docetaxel.slope")  # fmt: skip
TYPICAL = np.array([5.05, 88.7, 0.161, 7.4, 5.2, 1.06, 1.51, 1.26, 0.084, 8.58])
RANDOM = ("circ0", "mtt", "gamma", "docetaxel.k10", "docetaxel.slope")
SD = np.array([0.35, 0.35, 0.20, 0.35, 0.35])
RESIDUAL = 0.2
DOSE, INFUSION, CYCLE, HORIZON, EVERY = 222.8, 1.0, 504.0, 1008.0, 6.0
LIMIT = 0.5
PEOPLE = 20
BATCH = 1000
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
# hours of counts: the fourth design has one more count, and every third person a report that stops at LIMIT
DESIGNS = ((0.0, 168.0, 240.0, 336.0), (0.0, 240.0), (0.0, 144.0, 264.0), (168.0, 216.0, 288.0, 336.0))


def grid(until: float) -> np.ndarray:
    """Hours of the integration: fine after each dose, every six hours between; all counts and outputs lie on it."""
    cycle = np.concatenate(
        [np.arange(0, 2, 1 / 8), np.arange(2, 6, 0.5), np.arange(6, 12, 1.0), np.arange(12, 24, 2.0),
         np.arange(24, 48, 4.0), np.arange(48, CYCLE, EVERY)]
    )  # fmt: skip
    hours = np.concatenate([cycle, cycle + CYCLE, [HORIZON]])
    return hours[hours <= until]


def concentration(kinetics, hour, until):
    """Concentration [umol/L] of three compartments at hours (T,), for people (N,), by the roots of a cubic."""
    v1, k10, k12, k21, k13, k31 = kinetics
    a0, a1 = k10 * k21 * k31, k10 * k31 + k21 * k31 + k21 * k13 + k10 * k21 + k31 * k12
    a2 = k10 + k12 + k13 + k21 + k31
    p, q = a1 - a2**2 / 3, 2 * a2**3 / 27 - a1 * a2 / 3 + a0
    r = jnp.sqrt(-(p**3) / 27)
    turn, size = jnp.arccos(-q / (2 * r)) / 3, 2 * r ** (1 / 3)
    rate = jnp.stack([-(jnp.cos(turn + 2 * jnp.pi * i / 3) * size - a2 / 3) for i in range(3)])
    others = [(1, 2), (0, 2), (0, 1)]
    part = jnp.stack(
        [(k21 - rate[i]) * (k31 - rate[i]) / ((rate[i] - rate[j]) * (rate[i] - rate[k])) / v1
         for i, (j, k) in enumerate(others)]
    )  # fmt: skip
    total = 0.0
    for start in [each for each in (0.0, CYCLE) if each < until]:
        since = hour[:, None, None] - start
        during = jnp.clip(since, 0.0, INFUSION)
        after = jnp.clip(since - INFUSION, 0.0)
        grown = part / rate * -jnp.expm1(-rate * during) * jnp.exp(-rate * after)
        total = total + (DOSE / INFUSION) * grown.sum(1)
    return total


def counts(eta, hours: np.ndarray):
    """Neutrophils (T, N) [10*9/L] on the grid `hours` for random effects eta (N, 5)."""
    value = jnp.asarray(TYPICAL)[:, None] * jnp.ones((1, eta.shape[0]))
    rows = np.array([NAMES.index(name) for name in RANDOM])
    value = value.at[rows].set(value[rows] * jnp.exp(eta.T))
    circ0, mtt, gamma, v1, k10, k12, k21, k13, k31, slope = value
    ktr, step = 4.0 / mtt, np.diff(hours)
    # the concentration jumps in slope at the end of an infusion, which lies on the grid: nothing to mend
    kinetics, until = (v1, k10, k12, k21, k13, k31), hours[-1]
    left = slope * concentration(kinetics, jnp.asarray(hours[:-1]), until)
    middle = slope * concentration(kinetics, jnp.asarray(hours[:-1] + step / 2), until)
    right = slope * concentration(kinetics, jnp.asarray(hours[1:]), until)

    def slopes(state, effect):
        # ln of the proliferating pool keeps it positive
        feedback = (circ0 / jnp.maximum(state[4], 1e-9)) ** gamma
        chain = jnp.concatenate([jnp.exp(state[:1]), state[1:4]])
        return jnp.concatenate([(ktr * ((1 - effect) * feedback - 1))[None], ktr * (chain - state[1:])])

    def advance(state, given):
        h, e0, e1, e2 = given
        k1 = slopes(state, e0)
        k2 = slopes(state + h / 2 * k1, e1)
        k3 = slopes(state + h / 2 * k2, e1)
        k4 = slopes(state + h * k3, e2)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return state, state[4]

    begin = jnp.concatenate([jnp.log(circ0)[None], jnp.tile(circ0, (4, 1))])
    _, found = jax.lax.scan(advance, begin, (jnp.asarray(step), left, middle, right))
    return jnp.concatenate([circ0[None], found])


def people(seed: int) -> tuple[np.ndarray, list[dict[str, object]]]:
    """Random effects and counts of the simulated people."""
    draw = np.random.default_rng(seed)
    eta = draw.standard_normal((PEOPLE, len(SD))) * SD
    hours = grid(336.0)
    true = np.asarray(counts(jnp.asarray(eta), hours))
    made = []
    for person in range(PEOPLE):
        at = np.array(DESIGNS[person % len(DESIGNS)])
        value = true[np.searchsorted(hours, at), person] * np.exp(RESIDUAL * draw.standard_normal(at.size))
        low = (value < LIMIT) & (person % 3 == 0)
        made.append({
            "hour": at.tolist(),
            "value": np.where(low, LIMIT, np.round(value, 3)).tolist(),
            "bound": ["<" if each else "=" for each in low],
        })  # fmt: skip
    return eta, made


def model(hours, where, person, value, below):
    """The posterior of all people, as a product."""
    # standardised, and begun near the typical person: far out chains get stuck where nobody can be
    z = jnp.stack([numpyro.sample(f"z_{i}", dist.Normal(jnp.zeros(5), 1.0).to_event(1)) for i in range(PEOPLE)])
    eta = z * jnp.asarray(SD)
    found = jnp.log(jnp.maximum(counts(eta, hours)[where, person], 1e-9))
    away = (jnp.log(value) - found) / RESIDUAL
    numpyro.factor("counts", jnp.where(below, jax.scipy.stats.norm.logcdf(away), -0.5 * away**2).sum())


@jax.jit
def courses_of(eta):
    """Counts (T, N) every `EVERY` hours until the horizon."""
    fine = grid(HORIZON)
    return counts(eta, fine)[np.searchsorted(fine, np.arange(0.0, HORIZON + 1, EVERY))]


def answers(eta: np.ndarray) -> dict[str, np.ndarray]:
    """Nadir of either cycle [10*9/L], and of the second the days from its dose to baseline and to 1.5 again."""
    hours = np.arange(0.0, HORIZON + 1, EVERY)
    course = np.concatenate(
        [np.asarray(courses_of(part)) for part in np.split(eta, range(BATCH, len(eta), BATCH))], axis=1
    )
    base = TYPICAL[0] * np.exp(eta[:, 0])
    second = course[hours >= CYCLE]
    return {
        "nadir_1": course[hours <= CYCLE].min(0),
        "nadir_2": second.min(0),
        "baseline_2": again(second, base),
        "one_and_half_2": again(second, np.full(base.size, 1.5)),
    }


def again(course: np.ndarray, cut: np.ndarray) -> np.ndarray:
    """Days from the start of `course` (T, N; every EVERY h) until it is back at `cut` after its least value (0: never
    below it), by linear interpolation; the horizon where it does not come back."""
    lowest = course.argmin(0)
    after = np.arange(course.shape[0])[:, None] > lowest
    up = after & (course >= cut)
    first = np.where(up.any(0), up.argmax(0), course.shape[0] - 1)
    lane = np.arange(course.shape[1])
    before, then = course[first - 1, lane], course[first, lane]
    crossed = up.any(0) & (then > before)
    share = np.where(crossed, (cut - before) / np.where(crossed, then - before, 1.0), 1.0)
    return np.where(course.min(0) >= cut, 0.0, (first - 1 + share) * EVERY / 24)


def main() -> None:
    """Sample, and write the reference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--warmup", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    eta, made = people(asked.seed)
    hours = grid(336.0)
    where = np.concatenate([np.searchsorted(hours, each["hour"]) for each in made])
    person = np.concatenate([np.full(len(each["hour"]), i) for i, each in enumerate(made)])
    value = np.concatenate([each["value"] for each in made])
    below = np.concatenate([[mark == "<" for mark in each["bound"]] for each in made])
    kernel = NUTS(
        model,
        dense_mass=[(f"z_{i}",) for i in range(PEOPLE)],
        target_accept_prob=0.85,
        max_tree_depth=7,
        init_strategy=init_to_uniform(radius=0.5),
    )
    sampler = MCMC(kernel, num_warmup=asked.warmup, num_samples=asked.draws, num_chains=4, chain_method="vectorized",
                   progress_bar=False)  # fmt: skip
    began = time.perf_counter()
    sampler.run(jax.random.PRNGKey(asked.seed), hours, where, person, jnp.asarray(value), jnp.asarray(below),
                extra_fields=("num_steps", "diverging"))  # fmt: skip
    drawn = jax.block_until_ready(sampler.get_samples(group_by_chain=True))
    took = time.perf_counter() - began
    extra = sampler.get_extra_fields()
    steps, lost = np.mean(extra["num_steps"]), int(np.sum(extra["diverging"]))
    sys.stdout.write(f"{took:.0f} s; mean steps {steps:.0f}, divergent {lost}\n")
    true = answers(eta)
    for i, each in enumerate(made):
        chains = np.asarray(drawn[f"z_{i}"]) * SD
        found = answers(chains.reshape(-1, len(SD)))
        shaped = {name: row.reshape(chains.shape[:2]) for name, row in found.items()}
        each["true"] = {name: round(float(row[i]), 4) for name, row in true.items()}
        each["eta"] = eta[i].round(5).tolist()
        each["quantiles"] = {name: np.quantile(row, LEVELS).round(5).tolist() for name, row in found.items()}
        each["effective"] = {name: round(float(effective_sample_size(row))) for name, row in shaped.items()
                             if np.ptp(row) > 0}  # fmt: skip
        each["rhat"] = round(float(max(split_gelman_rubin(chains))), 4)
        sys.stdout.write(f"{i}: R-hat {each['rhat']}, effective {each['effective']}\n")
    text = {
        "made_by": f"scripts/forecast_nuts.py --draws {asked.draws} --warmup {asked.warmup} --seed {asked.seed}",
        "numpyro": numpyro.__version__, "jax": jax.__version__, "seconds": round(took),
        "names": NAMES, "typical": TYPICAL.tolist(), "random": RANDOM, "sd": SD.tolist(), "residual": RESIDUAL,
        "dose": {"hour": [0.0, CYCLE], "amount": DOSE, "hours": INFUSION, "unit": "umol"},
        "output": {"every": EVERY, "until": HORIZON}, "levels": LEVELS, "people": made,
    }  # fmt: skip
    asked.out.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
