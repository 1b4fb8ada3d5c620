"""One person's posterior: time of ours and of peers in the same run, on the people of the NUTS reference.

    uv run --no-sync --with numpyro --with emcee python bench/forecast_posterior.py [--people 6] [--many 1000] [--write]

Each peer gets the same equations, prior, counts and person. emcee moves with our own solver, so that only the sampler
differs; NumPyro's NUTS has the equations in JAX (scripts/forecast_nuts.py); SciPy finds the mode with LSODA and
L-BFGS-B, and a Laplace approximation around it. A peer that is not installed is said so and left out. Times are of
process CPU (and wall-clock where processes share the work), as other work on a machine does not belong to either side;
compilation is not counted. Error: of the quantiles (5 to 95 %) of the second nadir against the reference, in units of
its 90 % interval. `--write` puts the table into docs/reference/forecast-speed-posterior.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from fixtures.forecast_fit import docetaxel, doses, reference  # noqa: E402
from leuko.forecast.fit import Person, fit, fit_people, mode_of  # noqa: E402
from leuko.forecast.fit.task import Task, task_of  # noqa: E402
from leuko.forecast.model import Floats, Observed  # noqa: E402

OUT = ROOT / "docs" / "reference" / "forecast-speed-posterior.md"
REFERENCE = reference()
ROUNDS = 5  # searches for the mode of each person, after one that warms up
LEVELS = REFERENCE["levels"]
CYCLES = tuple(REFERENCE["dose"]["hour"])
SECOND = np.arange(CYCLES[1], REFERENCE["output"]["until"] + 1.0, REFERENCE["output"]["every"])


@dataclass(frozen=True, kw_only=True)
class Row:
    """One method: seconds of each person, effective draws of each, errors of their quantiles."""

    method: str
    seconds: list[float]
    effective: list[float]
    errors: list[float]
    note: str = ""


def counts(at: int) -> Observed:
    given = REFERENCE["people"][at]
    return Observed(hour=np.array(given["hour"]), value=np.array(given["value"]), bound=tuple(given["bound"]))


def task(at: int) -> Task:
    return task_of(docetaxel(), doses(*CYCLES), counts(at))


def errors(at: int, z: Floats) -> list[float]:
    """Errors of the quantiles of the second nadir, of equally weighted draws z (Z, N)."""
    from leuko.forecast.fit.prior import prior_of
    from leuko.forecast.solve import simulate

    prior = prior_of(docetaxel())
    nadir = simulate(prior.model, prior.theta(z), doses(*CYCLES), hours=SECOND).counts.min(axis=0)
    expected = np.array(REFERENCE["people"][at]["quantiles"]["nadir_2"])
    return list(np.abs(np.quantile(nadir, LEVELS) - expected) / (expected[-1] - expected[0]))


def timed(run: Callable[[int], tuple[Floats, float]], people: range, method: str, *, note: str = "") -> Row:
    run(people[0])  # once unmeasured: it compiles
    seconds, effective, far = [], [], []
    for at in people:
        began = process_time()
        z, found = run(at)
        seconds.append(process_time() - began)
        effective.append(found)
        far += errors(at, z)
    return Row(method=method, seconds=seconds, effective=effective, errors=far, note=note)


def ours(at: int) -> tuple[Floats, float]:
    posterior = fit(docetaxel(), doses(*CYCLES), counts(at), seed=at)
    return posterior.resampled(2000, seed=at), posterior.effective


def updated(at: int) -> tuple[Floats, float]:
    """All counts, from the posterior of all but the last; the earlier fit is not part of the time."""
    posterior = fit(docetaxel(), doses(*CYCLES), counts(at), seed=at, previous=EARLIER[at])
    return posterior.resampled(2000, seed=at), posterior.effective


EARLIER: dict[int, Any] = {}


def prepare(people: range) -> None:
    for at in people:
        given = counts(at)
        early = Observed(hour=given.hour[:-1], value=given.value[:-1], bound=given.bound[:-1])
        EARLIER[at] = fit(docetaxel(), doses(*CYCLES), early, seed=at)


def laplace(at: int) -> tuple[Floats, float]:
    mode = mode_of(docetaxel(), doses(*CYCLES), counts(at))
    rng = np.random.default_rng(at)
    return mode.z[:, None] + np.linalg.cholesky(mode.covariance) @ rng.standard_normal((len(mode.z), 2000)), 0.0


def scipy_laplace(at: int) -> tuple[Floats, float]:
    from scipy.optimize import minimize

    from leuko.forecast.fit.likelihood import log_likelihood

    made = task(at)

    def cost(z: Floats) -> float:
        true = lsoda(made, made.prior.theta(z[:, None])[:, 0])
        return 0.5 * float(z @ z) - float(log_likelihood(np.log(true)[:, None], made.counts).sum())

    found = minimize(
        cost, np.zeros(made.prior.size), method="L-BFGS-B", options={"eps": 1e-3}
    )  # above the noise of LSODA
    size, step = len(found.x), 0.05
    bend = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            a, b = step * np.eye(size)[i], step * np.eye(size)[j]
            both = cost(found.x + a + b) - cost(found.x + a - b) - cost(found.x - a + b) + cost(found.x - a - b)
            bend[i, j] = bend[j, i] = both / (4.0 * step**2)
    rng = np.random.default_rng(at)
    root = np.linalg.cholesky(np.linalg.inv(bend))
    return found.x[:, None] + root @ rng.standard_normal((size, 2000)), 0.0


def lsoda(made: Task, theta: Floats) -> Floats:
    """The person's counts by SciPy's LSODA, in the usual way: amounts and cells as one system, dose by dose."""
    from scipy.integrate import solve_ivp

    circ0, mtt, gamma, v1, k10, k12, k21, k13, k31, slope = theta
    ktr = 4.0 / mtt
    amount, length, last = made.schedule.amount[0], made.schedule.hours[0], float(made.hours[-1])
    start = float(made.schedule.hour[0])

    def rates(rate: float) -> Callable[[float, Floats], list[float]]:
        def slopes(_hour: float, y: Floats) -> list[float]:
            a, b, c, p, t1, t2, t3, n = y
            back = (circ0 / max(n, 1e-9)) ** gamma
            return [
                rate - (k10 + k12 + k13) * a + k21 * b + k31 * c, k12 * a - k21 * b, k13 * a - k31 * c,
                ktr * p * ((1.0 - slope * a / v1) * back - 1.0),
                ktr * (p - t1), ktr * (t1 - t2), ktr * (t2 - t3), ktr * (t3 - n),
            ]  # fmt: skip

        return slopes

    y, out = np.array([0.0, 0.0, 0.0, *[circ0] * 5]), np.full(len(made.hours), circ0)
    for begin, end, rate in ((start, start + length, amount / length), (start + length, last, 0.0)):
        inside = (made.hours > begin) & (made.hours <= end)
        run = solve_ivp(
            rates(rate),
            (begin, end),
            y,
            method="LSODA",
            t_eval=np.unique([*made.hours[inside], end]),
            rtol=1e-6,
            atol=1e-9,
        )
        out[inside], y = run.y[7, : inside.sum()], run.y[:, -1]
    return np.maximum(out, 1e-9)


def by_emcee(at: int) -> tuple[Floats, float]:
    import emcee

    made = task(at)

    def log_target(z: Floats) -> Floats:
        found = made.log_target(z.T, made.log_true(z.T))
        return np.where(np.isfinite(found), found, -np.inf)

    rng = np.random.default_rng(at)
    sampler = emcee.EnsembleSampler(64, made.prior.size, log_target, vectorize=True)
    sampler.run_mcmc(rng.standard_normal((64, made.prior.size)), 1500, progress=False)
    drawn = sampler.get_chain(discard=500, flat=True)
    worth = len(drawn) / float(np.max(sampler.get_autocorr_time(discard=500, quiet=True)))
    return drawn[rng.choice(len(drawn), 2000, replace=False)].T, worth


def nuts_model() -> Any:
    given = importlib.util.spec_from_file_location("forecast_nuts", ROOT / "scripts" / "forecast_nuts.py")
    assert given is not None
    assert given.loader is not None
    module = importlib.util.module_from_spec(given)
    given.loader.exec_module(module)
    return module


def by_nuts(at: int) -> tuple[Floats, float]:
    import jax
    import numpyro
    import numpyro.distributions as dist
    from numpyro.diagnostics import effective_sample_size
    from numpyro.infer import MCMC, NUTS

    script = nuts_model()
    given = REFERENCE["people"][at]
    hours = script.grid(given["hour"][-1])
    where, value = np.searchsorted(hours, given["hour"]), np.array(given["value"])
    low = np.array([mark == "<" for mark in given["bound"]])

    def model() -> None:
        eta = numpyro.sample("eta", dist.Normal(0.0, script.SD).to_event(1))
        true = jax.numpy.log(jax.numpy.maximum(script.counts(eta[None], hours)[where, 0], 1e-9))
        away = (np.log(value) - true) / script.RESIDUAL
        each = jax.numpy.where(low, jax.scipy.stats.norm.logcdf(away), -0.5 * away**2)
        numpyro.factor("counts", each.sum())

    sampler = MCMC(
        NUTS(model, dense_mass=True), num_warmup=300, num_samples=500, num_chains=4, chain_method="vectorized",
        progress_bar=False,
    )  # fmt: skip
    sampler.run(jax.random.PRNGKey(at))
    eta = np.asarray(sampler.get_samples(group_by_chain=True)["eta"])
    return (eta.reshape(-1, eta.shape[-1]) / script.SD).T, float(np.min(effective_sample_size(eta)))


def modes(people: range) -> list[float]:
    """Processor seconds for the mode of each person, warm: the median of some searches in turns."""
    rounds = [[_searched(at) for at in people] for _ in range(ROUNDS + 1)]
    return [median(each) for each in zip(*rounds[1:], strict=True)]


def _searched(at: int) -> float:
    began = process_time()
    mode_of(docetaxel(), doses(*CYCLES), counts(at))
    return process_time() - began


def worth(posterior: Any) -> tuple[float, bool]:
    return posterior.effective, posterior.sound


def crowd(many: int, workers: int) -> tuple[float, Floats]:
    people = [Person(schedule=doses(*CYCLES), observed=counts(at % len(REFERENCE["people"]))) for at in range(many)]
    fit_people(docetaxel(), people[:8], worth, seed=0, workers=workers)
    began = perf_counter()
    found = fit_people(docetaxel(), people, worth, seed=0, workers=workers)
    return perf_counter() - began, np.array(found)


def shown(rows: list[Row]) -> list[str]:
    base = median(rows[0].seconds)
    text = [
        "| method | CPU ms, median (most) | times ours | effective draws, median (least) | error, mean (most) |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        time = f"{median(row.seconds) * 1e3:.1f} ({max(row.seconds) * 1e3:.1f})"
        size = f"{median(row.effective):.0f} ({min(row.effective):.0f})" if max(row.effective) else "–"
        far = f"{np.mean(row.errors):.3f} ({np.max(row.errors):.3f})"
        text.append(f"| {row.method}{row.note} | {time} | {median(row.seconds) / base:.1f} | {size} | {far} |")
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    people = range(min(asked.people, len(REFERENCE["people"])))
    prepare(people)
    rows = [
        timed(ours, people, "leuko, adaptive importance sampling"),
        timed(updated, people, "leuko, one more count on an earlier posterior"),
        timed(laplace, people, "leuko, mode and Laplace approximation"),
        timed(scipy_laplace, people, "SciPy LSODA, L-BFGS-B and Laplace approximation"),
    ]
    missing = []
    for name, run, said in (
        ("emcee", by_emcee, "emcee, 64 walkers × 1,500, our solver"),
        ("numpyro", by_nuts, "NumPyro NUTS, 4 × (300 + 500), RK4 in JAX, compilation included"),
    ):
        if importlib.util.find_spec(name) is None:
            missing.append(f"{name} is not installed: left out (`uv run --with {name} …`).")
        else:
            rows.append(timed(run, people, said))
    mode = modes(range(len(REFERENCE["people"])))
    took, found = crowd(asked.many, asked.workers)
    text = [
        "# The posterior: time and error against peers",
        "",
        (
            f"Written by `bench/forecast_posterior.py`; {platform.machine()}, {os.cpu_count()} cores, Python "
            f"{platform.python_version()}, load {os.getloadavg()[0]:.1f}. {len(people)} people of the NUTS reference."
        ),
        "",
        *shown(rows),
        "",
        *missing,
        f"Mode alone: {median(mode) * 1e3:.2f} ms of CPU (most {max(mode) * 1e3:.2f}), {len(mode)} people, the median of {ROUNDS} searches each.",
        (
            f"{asked.many} people, each as if alone, {asked.workers} processes: {took:.1f} s wall-clock, start of "
            f"the processes included ({took / asked.many * 1e3:.1f} ms each); sound and worth 1,000 draws in "
            f"{found[:, 1].mean():.1%}, least {found[:, 0].min():.0f}."
        ),
    ]
    print("\n".join(text))
    if asked.write:
        OUT.write_text("\n".join(text) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
