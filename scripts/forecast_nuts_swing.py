# /// script
# requires-python = ">=3.11"
# dependencies = ["jax>=0.4.30", "numpyro>=0.15", "numpy>=2"]
# ///
"""Reference posteriors by NUTS where the true count swings: `uv run scripts/forecast_nuts_swing.py [--draws 1000]`.

Twenty people as in forecast_nuts.py (the same equations in JAX, doses, designs and population), whose error is that of
the models on file: of the residual of docetaxel-kloft (SD 0.424 on the log scale) 0.129 is new with every count, and
the rest is a swing of the true count that fades with 6.05 days. Some counts are reported as "<0.5".

Nothing is shared with leuko, and nothing approximated where leuko approximates: counts enter by the Cholesky root of
their covariance, one after the other; what a bound hides is drawn by NUTS beside the random effects; the swing of the
path is drawn by the conditional normal distribution of all its hours together. Where the chains do not agree (a
posterior with two modes), NUTS is no reference: 400,000 draws of the prior are weighed by the likelihood instead, and
the file says so of that person. The quantiles of nadir and recovery of
the true count, swing included, are kept in tests/reference/forecast_nuts_swing.json with all that they rest on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import forecast_nuts as plain
import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.scipy.special import log_ndtr, ndtri
from numpyro.diagnostics import effective_sample_size, split_gelman_rubin
from numpyro.infer import MCMC, NUTS, init_to_uniform

OUT = plain.OUT.with_name("forecast_nuts_swing.json")
ERROR, NOISE, FADES = 0.424093, 0.129, 6.05 * 24.0
SWING = np.sqrt(ERROR**2 - NOISE**2)
MOST = 4  # counts of a person, at most: all are brought to this number, so that one compilation serves all
HOURS = np.arange(0.0, plain.HORIZON + 1, plain.EVERY)
HOLD = 48.0  # hours that a count has to stay at a cut to be back there
CUTS = {"half_2": 0.5, "one_2": 1.0, "one_and_half_2": 1.5}
LEAST = 1e-300
CONVERGED, FEWEST = 1.01, 1000  # R-hat at most, and effective draws of each random effect at least
PRIOR, KEPT = 400_000, 12_000  # draws of the prior that are weighed where NUTS did not converge, and what is kept
FINE = plain.grid(336.0)


def shared(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The covariance of the swing at two sets of hours."""
    return SWING**2 * np.exp(-np.abs(np.subtract.outer(first, second)) / FADES)


def people(seed: int) -> tuple[np.ndarray, np.ndarray, list[dict[str, object]]]:
    """Random effects, true courses with their swing (T, N), and counts of the simulated people."""
    draw = np.random.default_rng(seed)
    eta = draw.standard_normal((plain.PEOPLE, len(plain.SD))) * plain.SD
    root = np.linalg.cholesky(shared(HOURS, HOURS))
    true = np.asarray(plain.courses_of(eta)) * np.exp(root @ draw.standard_normal((HOURS.size, plain.PEOPLE)))
    made = []
    for person in range(plain.PEOPLE):
        at = np.array(plain.DESIGNS[person % len(plain.DESIGNS)])
        value = true[np.searchsorted(HOURS, at), person] * np.exp(NOISE * draw.standard_normal(at.size))
        low = (value < plain.LIMIT) & (person % 3 == 0)
        made.append({
            "hour": at.tolist(),
            "value": np.where(low, plain.LIMIT, np.round(value, 3)).tolist(),
            "bound": ["<" if each else "=" for each in low],
        })  # fmt: skip
    return eta, true, made


def ready(given: dict[str, object]) -> dict[str, np.ndarray]:
    """The counts of one person: exact ones first, then bounds, filled up to MOST."""
    low = np.array([mark == "<" for mark in given["bound"]])
    order = np.argsort(low, kind="stable")
    hour, value = np.array(given["hour"])[order], np.array(given["value"])[order]
    size = hour.size
    root, at = np.eye(MOST), np.zeros(MOST)
    root[:size, :size] = np.linalg.cholesky(shared(hour, hour) + NOISE**2 * np.eye(size))
    at[:size] = hour
    found = {"hour": at, "log_value": np.zeros(MOST), "low": np.zeros(MOST, bool), "used": np.arange(MOST) < size}
    found["log_value"][:size], found["low"][:size] = np.log(value), low[order]
    return found | {"root": root}


def whitened(log_true, v, log_value, low, root):
    """Of each count (MOST,): the logarithm of its density or probability given those before it, and how far the report
    lies from the course in the root's units; what a bound hides is drawn, by a standard normal `v`."""
    told, far = [], []
    for k in range(MOST):
        given = sum((root[k, j] * far[j] for j in range(k)), jnp.zeros(()))
        here = (log_value[k] - log_true[k] - given) / root[k, k]
        hidden = ndtri(jnp.clip(jnp.exp(log_ndtr(v[k]) + log_ndtr(here)), LEAST, 1 - 1e-15))
        far.append(jnp.where(low[k], hidden, here))
        told.append(jnp.where(low[k], log_ndtr(here), -0.5 * here**2 - jnp.log(root[k, k])))
    return jnp.stack(told), jnp.stack(far)


def model(where, log_value, low, used, root):
    """The posterior of one person's random effects, and of what bounds hide."""
    z = numpyro.sample("z", dist.Normal(jnp.zeros(len(plain.SD)), 1.0).to_event(1))
    v = numpyro.sample("v", dist.Normal(jnp.zeros(MOST), 1.0).to_event(1))
    log_true = jnp.log(jnp.maximum(plain.counts((z * plain.SD)[None], FINE)[where, 0], 1e-9))
    told, _ = whitened(log_true, v, log_value, low, root)
    numpyro.factor("counts", jnp.where(used, told, 0.0).sum())


_each = jax.jit(jax.vmap(whitened, (0, 0, None, None, None)))


def weighed(given: dict[str, np.ndarray], draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Draws of the posterior (N, 5) and of what bounds hide (N, MOST), out of the prior by their likelihood; and how
    many independent ones they are worth before they are picked."""
    z, v = draw.standard_normal((PRIOR, len(plain.SD))), draw.standard_normal((PRIOR, MOST))
    where, told = np.searchsorted(FINE, given["hour"]), []
    solve = jax.jit(lambda eta: plain.counts(eta, FINE)[where])
    for part in np.split(np.arange(PRIOR), range(10_000, PRIOR, 10_000)):
        log_true = jnp.log(jnp.maximum(solve(z[part] * plain.SD), 1e-9)).T
        each, _ = _each(log_true, v[part], given["log_value"], given["low"], given["root"])
        told.append(np.asarray(jnp.where(given["used"], each, 0.0).sum(1)))
    level = np.nan_to_num(np.concatenate(told), nan=-np.inf)  # where the equations leave what numbers can hold
    weight = np.exp(level - level.max())
    weight /= weight.sum()
    edge, at = np.cumsum(weight), (np.arange(KEPT) + draw.random()) / KEPT
    picked = draw.permutation(np.minimum(np.searchsorted(edge, at * edge[-1]), PRIOR - 1))
    return z[picked] * plain.SD, v[picked], float(1.0 / np.square(weight).sum())


def courses(eta: np.ndarray, v: np.ndarray, given: dict[str, np.ndarray], draw: np.random.Generator) -> np.ndarray:
    """True counts (T, N), the swing drawn given the counts."""
    smooth = np.concatenate(
        [np.asarray(plain.courses_of(part)) for part in np.split(eta, range(plain.BATCH, len(eta), plain.BATCH))],
        axis=1,
    )
    size = int(given["used"].sum())
    hour, root = given["hour"][:size], given["root"][:size, :size]
    log_true = np.zeros((len(eta), MOST))
    log_true[:, :size] = np.log(smooth[np.searchsorted(HOURS, hour)]).T
    _, far = _each(log_true, v, given["log_value"], given["low"], given["root"])
    tied = np.linalg.solve(root, shared(hour, HOURS))  # the swing against the whitened reports
    left = shared(HOURS, HOURS) - tied.T @ tied
    spread = np.linalg.cholesky(left + 1e-12 * np.eye(HOURS.size))
    swing = tied.T @ np.asarray(far)[:, :size].T + spread @ draw.standard_normal((HOURS.size, len(eta)))
    return smooth * np.exp(swing)


def answers(course: np.ndarray, base: np.ndarray) -> dict[str, np.ndarray]:
    """Nadir of either cycle [10*9/L]; days from the second dose until the count is at the baseline again, and until it
    is back at each cut for HOLD hours."""
    second = course[HOURS >= plain.CYCLE]
    found = {"nadir_1": course[HOURS <= plain.CYCLE].min(0), "nadir_2": second.min(0)}
    found["baseline_2"] = back(second, base, 0)
    held = round(HOLD / plain.EVERY)
    return found | {name: back(second, np.full(base.size, cut), held) for name, cut in CUTS.items()}


def back(course: np.ndarray, cut: np.ndarray, held: int) -> np.ndarray:
    """Days from the start until a course (T, N) is at `cut` after its lowest value and for `held` more rows, straight
    on the log scale between rows; 0 where it is never below, all days where it does not come back."""
    height = np.log(course) - np.log(cut)
    rows, many = height.shape
    found = np.zeros(many)
    under = np.cumsum(np.concatenate([np.zeros((1, many)), height < 0]), axis=0)
    for n in np.flatnonzero(under[-1] > 0):
        found[n] = (rows - 1) * plain.EVERY / 24
        for row in range(int(course[:, n].argmin()) + 1, rows):
            if height[row, n] >= 0 and under[min(row + held + 1, rows), n] == under[row, n]:
                low, high = height[row - 1, n], height[row, n]
                share = min(max(-low / (high - low), 0.0), 1.0) if high > low else 0.0
                found[n] = (row - 1 + share) * plain.EVERY / 24
                break
    return found


def tell(each, given, drawn, seed: int, i: int) -> None:
    """What NUTS found for one person, or the weighed prior where its chains do not agree, into their entry."""
    chains = drawn["z"] * plain.SD
    eta, v = chains.reshape(-1, len(plain.SD)), drawn["v"].reshape(-1, MOST)
    each["rhat"] = round(float(max(split_gelman_rubin(chains))), 4)
    each["effective"] = round(float(np.min(effective_sample_size(chains))))
    each["sampler"] = "nuts"
    draw = np.random.default_rng((seed, i))
    if each["rhat"] > CONVERGED or each["effective"] < FEWEST:
        eta, v, worth = weighed(given, draw)
        each["sampler"], each["effective"] = "weighed prior", round(worth)
    found = answers(courses(eta, v, given, draw), plain.TYPICAL[0] * np.exp(eta[:, 0]))
    each["quantiles"] = {name: np.quantile(row, plain.LEVELS).round(5).tolist() for name, row in found.items()}


def main() -> None:
    """Sample person by person, and write the reference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1000, help="of each of 12 chains")
    parser.add_argument("--warmup", type=int, default=500)
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--people", type=int, default=plain.PEOPLE)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    eta, true, made = people(asked.seed)
    truth = answers(true, plain.TYPICAL[0] * np.exp(eta[:, 0]))
    kernel = NUTS(model, dense_mass=[("z",)], target_accept_prob=0.95, max_tree_depth=8,
                  init_strategy=init_to_uniform(radius=0.5))  # fmt: skip
    sampler = MCMC(kernel, num_warmup=asked.warmup, num_samples=asked.draws, num_chains=12,
                   chain_method="vectorized", progress_bar=False, jit_model_args=True)  # fmt: skip
    began = time.perf_counter()
    for i, each in enumerate(made[: asked.people]):
        given = ready(each)
        sampler.run(jax.random.PRNGKey(asked.seed * 1000 + i), np.searchsorted(FINE, given["hour"]), given["log_value"],
                    given["low"], given["used"], given["root"], extra_fields=("diverging",))  # fmt: skip
        drawn = {name: np.asarray(row) for name, row in sampler.get_samples(group_by_chain=True).items()}
        each["divergent"] = int(np.sum(sampler.get_extra_fields()["diverging"]))
        each["true"] = {name: round(float(row[i]), 4) for name, row in truth.items()}
        each["eta"] = eta[i].round(5).tolist()
        tell(each, given, drawn, asked.seed, i)
        sys.stdout.write(f"{i}: {time.perf_counter() - began:.0f} s; {each['sampler']}, divergent {each['divergent']}, "
                         f"R-hat {each['rhat']}, effective {each['effective']}\n")  # fmt: skip
        sys.stdout.flush()
    text = {
        "made_by": f"scripts/forecast_nuts_swing.py --draws {asked.draws} --warmup {asked.warmup} --seed {asked.seed}",
        "numpyro": numpyro.__version__, "jax": jax.__version__, "seconds": round(time.perf_counter() - began),
        "chains": 12, "names": plain.NAMES, "typical": plain.TYPICAL.tolist(), "random": plain.RANDOM,
        "sd": plain.SD.tolist(), "residual": {"sd": ERROR, "noise": NOISE, "fades": FADES},
        "dose": {"hour": [0.0, plain.CYCLE], "amount": plain.DOSE, "hours": plain.INFUSION, "unit": "umol"},
        "output": {"every": plain.EVERY, "until": plain.HORIZON}, "hold": HOLD, "cuts": CUTS, "levels": plain.LEVELS,
        "people": made[: asked.people],
    }  # fmt: skip
    asked.out.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
