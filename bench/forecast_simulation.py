# /// script
# requires-python = ">=3.11"
# dependencies = ["leuko[forecast]", "diffrax>=0.7", "scikit-sundae>=1.1"]
#
# [tool.uv.sources]
# leuko = { path = "..", editable = true }
# ///
"""People simulated a second, against other solvers in the same run: `uv run bench/forecast_simulation.py [--write]`.

The problem: docetaxel over one hour every 21 days, six cycles, three compartments, a lognormal population (SD 0.35 on
circ0, mtt, slope and k10, held within 3 SD), daily counts. Every solver gets tolerances at which its people come within
1e-3 of the reference; the largest error of each is printed beside its speed. One thread, processor time, the best
of several runs, so that other work on the machine disturbs little. Ratios travel between machines, absolutes do not.

numbalsoda takes part where it is installed; it needs a Fortran compiler and old CMake rules:
`CMAKE_POLICY_VERSION_MINIMUM=3.5 uv run --with numbalsoda bench/forecast_simulation.py`.
A graphics processor has a command of its own: bench/forecast_gpu.py.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np
from forecast_problem import CYCLE, CYCLES, DAYS, DOSE, MODEL, SCHEDULE, people
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from leuko.forecast import marrow
from leuko.forecast.solve import simulate
from leuko.forecast.solve.gpu import why_not
from leuko.forecast.solve.job import Crowd

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "forecast-speed.md"
EVENTS = np.sort(np.concatenate([np.arange(CYCLES) * CYCLE, np.arange(CYCLES) * CYCLE + 1.0]))
FLOPS_STEP, FLOPS_MODE = 250, 9  # of one person's step of the exact chain (an exponential or logarithm counts 20)


@njit(cache=False)
def rates(y: Any, p: Any, flow: float, dy: Any) -> None:
    """The eight equations, for the solvers that take any: three compartments, then the marrow."""
    dy[0] = flow - (p[5] + p[6] + p[8]) * y[0] + p[7] * y[1] + p[9] * y[2]
    dy[1] = p[6] * y[0] - p[7] * y[1]
    dy[2] = p[8] * y[0] - p[9] * y[2]
    ktr = 4 / p[1]
    kill = p[3] * y[0] / p[4]
    dy[3] = ktr * ((1 - kill) * (p[0] / y[7]) ** p[2] - 1)
    dy[4] = ktr * (np.exp(y[3]) - y[4])
    dy[5] = ktr * (y[4] - y[5])
    dy[6] = ktr * (y[5] - y[6])
    dy[7] = ktr * (y[6] - y[7])


def pieces() -> list[tuple[Any, float]]:
    """The hours between events, with the days inside them, and what flows in meanwhile."""
    found = []
    for low, high in zip(EVENTS, [*EVENTS[1:], DAYS[-1]], strict=True):
        inside = DAYS[(low < DAYS) & (high > DAYS)]
        found.append((np.concatenate([[low], inside, [high]]), DOSE if (low % CYCLE) == 0 else 0.0))
    return found


def start(p: Any) -> Any:
    return np.array([0, 0, 0, np.log(p[0]), p[0], p[0], p[0], p[0]], dtype=float)


def one_by_one(solve: Callable[[Any, Any, Any, float], Any]) -> Callable[[Any], Any]:
    """A solver of one piece for one person, made into one of the whole problem for many."""

    def run(theta: Any) -> Any:
        out = np.empty((len(DAYS), theta.shape[1]))
        for i in range(theta.shape[1]):
            p, y = np.ascontiguousarray(theta[:, i]), start(theta[:, i])
            seen = {0.0: p[0]}
            for hours, flow in pieces():
                path = solve(p, y, hours, flow)
                y = path[-1].copy()
                seen.update(zip(hours.tolist(), path[:, 7].tolist(), strict=True))
            out[:, i] = [seen[day] for day in DAYS.tolist()]
        return out

    return run


def with_odeint() -> Callable[[Any], Any]:
    from scipy.integrate import odeint

    @njit(cache=False)
    def f(y: Any, _t: float, p: Any, flow: float) -> Any:
        dy = np.empty(8)
        rates(y, p, flow, dy)
        return dy

    return one_by_one(lambda p, y, hours, flow: odeint(f, y, hours, args=(p, flow), rtol=1e-6, atol=1e-8, mxstep=5000))


def with_sundae() -> Callable[[Any], Any]:
    from sksundae.cvode import CVODE

    def solve(p: Any, y: Any, hours: Any, flow: float) -> Any:
        def f(_t: float, y: Any, dy: Any) -> None:
            rates(y, p, flow, dy)

        path = CVODE(f, rtol=1e-6, atol=1e-8).solve(hours, y).y
        return path if len(hours) > 2 else path[[0, -1]]  # with two hours it gives every step of its own

    return one_by_one(solve)


def with_numbalsoda() -> Callable[[Any], Any]:
    from numba import carray, cfunc
    from numbalsoda import lsoda, lsoda_sig

    @cfunc(lsoda_sig)
    def f(_t, u, du, data):  # type: ignore[no-untyped-def]
        p = carray(data, (11,))
        rates(carray(u, (8,)), p, p[10], carray(du, (8,)))

    address = f.address
    parts = pieces()
    hours = np.concatenate([one for one, _ in parts])
    ends = np.cumsum([0, *(len(one) for one, _ in parts)])
    flows = np.array([flow for _, flow in parts])

    @njit
    def all_of(theta: Any, out: Any) -> None:
        data = np.empty(11)
        for i in range(theta.shape[1]):
            data[:10] = theta[:, i]
            y = np.zeros(8)
            y[3] = np.log(theta[0, i])
            y[4:] = theta[0, i]
            for k in range(flows.size):
                data[10] = flows[k]
                path, _ok = lsoda(address, y, hours[ends[k] : ends[k + 1]], data, 1e-6, 1e-8)
                out[ends[k] : ends[k + 1], i] = path[:, 7]
                y = path[-1].copy()

    where = [int(np.flatnonzero(hours == day)[0]) for day in DAYS]

    def run(theta: Any) -> Any:
        out = np.empty((len(hours), theta.shape[1]))
        all_of(theta, out)
        return out[where]

    return run


def with_diffrax() -> Callable[[Any], Any]:
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def f(t: Any, y: Any, p: Any) -> Any:
        flow = jnp.where((t % CYCLE) < 1.0, DOSE, 0.0)
        ktr, kill = 4 / p[1], p[3] * y[0] / p[4]
        return jnp.array([
            flow - (p[5] + p[6] + p[8]) * y[0] + p[7] * y[1] + p[9] * y[2],
            p[6] * y[0] - p[7] * y[1], p[8] * y[0] - p[9] * y[2],
            ktr * ((1 - kill) * (p[0] / y[7]) ** p[2] - 1), ktr * (jnp.exp(y[3]) - y[4]),
            ktr * (y[4] - y[5]), ktr * (y[5] - y[6]), ktr * (y[6] - y[7]),
        ])  # fmt: skip

    control = diffrax.ClipStepSizeController(
        diffrax.PIDController(rtol=1e-6, atol=1e-8), jump_ts=jnp.asarray(EVENTS[1:])
    )

    def one(p: Any) -> Any:
        y = jnp.array([0.0, 0.0, 0.0, jnp.log(p[0]), p[0], p[0], p[0], p[0]])
        return diffrax.diffeqsolve(
            diffrax.ODETerm(f), diffrax.Tsit5(), 0.0, DAYS[-1], 0.01, y, p,
            saveat=diffrax.SaveAt(ts=jnp.asarray(DAYS)), stepsize_controller=control, max_steps=200_000,
        ).ys[:, 7]  # fmt: skip

    many = jax.jit(jax.vmap(one))
    return lambda theta: np.asarray(many(jnp.asarray(theta.T)).block_until_ready()).T


def with_leuko(precision: Any = "float32") -> Callable[[Any], Any]:
    return lambda theta: simulate(MODEL, theta, SCHEDULE, hours=DAYS, precision=precision, threads=1).counts


@dataclass(frozen=True)
class Row:
    name: str
    speed: float
    error: float
    misses: float


def measure(name: str, make: Callable[[], Callable[[Any], Any]], count: int, truth: Any, theta: Any, runs: int) -> Row:
    run = make()
    found = run(theta[:, :count])
    best = np.inf
    for _ in range(runs):
        began = process_time()
        found = run(theta[:, :count])
        best = min(best, process_time() - began)
    worst = np.max(np.abs(found[:, : truth.shape[1]] / truth[:, : found.shape[1]] - 1), axis=0)
    return Row(name, count / best, float(worst.max()), float(np.mean(worst > 1e-3)))


ROUNDS, WIDE, MANY = 64, 16, 12  # multiply-adds in a row, on vectors of 16 numbers, 12 of them independent


@intrinsic
def _multiply_add(_typing: Any, a: Any) -> Any:
    """ROUNDS fused multiply-adds on each of MANY vectors that stay in registers: what the processor can do at best."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = ir.VectorType(ir.FloatType(), WIDE)
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        start = builder.bitcast(data, vector.as_pointer())
        places = [builder.gep(start, [ir.Constant(ir.IntType(64), k)]) for k in range(MANY)]
        held = [builder.load(place, align=4) for place in places]
        factor = ir.Constant(vector, [ir.Constant(ir.FloatType(), 0.5)] * WIDE)
        kind = ir.FunctionType(vector, [vector] * 3)
        fma = ir.Function(builder.module, kind, f"llvm.fma.v{WIDE}f32")
        for _ in range(ROUNDS):
            held = [builder.call(fma, [one, factor, factor]) for one in held]
        for place, one in zip(places, held, strict=True):
            builder.store(one, place, align=4)
        return context.get_dummy_value()

    return types.void(a), emit


@njit(nogil=True)
def _multiply_add_often(a: Any, times: int) -> None:
    for _ in range(times):
        _multiply_add(a)


def peak() -> float:
    """Single-precision operations a second of one core (fused multiply-adds count two), as measured here."""
    a, times = np.ones(WIDE * MANY, np.float32), 100_000
    _multiply_add_often(a, 10)
    best = np.inf
    for _ in range(20):
        began = process_time()
        _multiply_add_often(a, times)
        best = min(best, process_time() - began)
    return 2 * a.size * ROUNDS * times / best


def operations(theta: Any) -> float:
    """Operations for each person, from the steps that the solver takes in the problem, everyone solved again included."""
    spent = [0.0]
    real = Crowd.solve

    def counted(self: Any, who: Any, course: Any, *rest: Any) -> Any:
        spent[0] += len(who) * (course.steps * (FLOPS_STEP + FLOPS_MODE) + course.lengths * 700)
        return real(self, who, course, *rest)

    Crowd.solve = counted  # type: ignore[method-assign]
    try:
        with_leuko()(theta)
    finally:
        Crowd.solve = real  # type: ignore[method-assign]
    return spent[0] / theta.shape[1]


TURNS = 15


def threads(theta: Any) -> tuple[float, float]:
    """How much faster two threads are, by the clock on the wall; and two threads of multiply-adds that share nothing:
    what the machine gives at all. One and two take turns, so that other work meets both; the best of each counts."""
    from concurrent.futures import ThreadPoolExecutor

    rows, times = [np.ones(WIDE * MANY, np.float32) for _ in range(2)], 200_000

    with ThreadPoolExecutor(2) as crew:

        def plain(count: int) -> None:
            if count == 1:
                for row in rows:
                    _multiply_add_often(row, times)
            else:
                list(crew.map(_multiply_add_often, rows, [times] * 2))

        return faster(lambda count: simulate(MODEL, theta, SCHEDULE, hours=DAYS, threads=count)), faster(plain)


def faster(run: Callable[[int], Any]) -> float:
    """The time of one thread over that of two."""
    found = {1: np.inf, 2: np.inf}
    for turn in range(2 * TURNS):
        count = 1 + turn % 2
        began = perf_counter()
        run(count)
        found[count] = min(found[count], perf_counter() - began)
    return float(found[1] / found[2])


def compile_times() -> tuple[list[str], list[str]]:
    """Seconds on the wall and of the processor until 64 people are solved, imports included: first, and then again.

    In a process that loads leuko alone: what the other solvers need would count with it."""
    with TemporaryDirectory() as cache:
        env = os.environ | {"LEUKO_CACHE": cache}
        command = [sys.executable, str(Path(__file__).with_name("forecast_problem.py"))]
        first, again = (
            subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout.split()
            for _ in range(2)
        )
    return first, again


def table(rows: list[Row], lines: list[str]) -> str:
    slowest = next((row for row in rows if row.name == "numbalsoda"), None)
    heads = "| solver | people a second | against numbalsoda | largest relative error | beyond 1e-3 |\n| --- | ---: | ---: | ---: | ---: |\n"
    body = "".join(
        f"| {row.name} | {row.speed:,.0f} | {f'{row.speed / slowest.speed:,.2f}' if slowest else 'not installed'} "
        f"| {row.error:.1e} | {row.misses:.2%} |\n"
        for row in rows
    )
    return heads + body + "\n" + "".join(f"* {line}\n" for line in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=20_000, help="for leuko; peers take fewer")
    parser.add_argument("--write", action="store_true", help="write the table into docs/reference/forecast-speed.md")
    args = parser.parse_args()
    theta = people(args.people)
    from leuko.forecast.solve import batch

    kept, batch.TOLERANCE = batch.TOLERANCE, 1e-8
    truth = simulate(MODEL, theta[:, :2000], SCHEDULE, hours=DAYS, precision="float64").counts
    batch.TOLERANCE = kept
    check = batch_reference(theta, truth)
    peers: list[tuple[str, Callable[[], Callable[[Any], Any]], int, str]] = [
        ("SciPy odeint", with_odeint, 40, "scipy"),
        ("scikit-sundae CVODE", with_sundae, 20, "sksundae"),
        ("diffrax Tsit5, vmap", with_diffrax, 256, "diffrax"),
        ("numbalsoda", with_numbalsoda, 1000, "numbalsoda"),
    ]
    rows = [measure(name, make, count, truth, theta, 3) for name, make, count, needs in peers if find_spec(needs)]
    for precision in ("float64", "float32"):
        rows.append(
            measure(
                f"leuko, {precision}", lambda precision=precision: with_leuko(precision), args.people, truth, theta, 7
            )
        )
    batch.SCHEME = "classical"
    rows.append(measure("leuko, float32, the classical scheme alone", with_leuko, args.people, truth, theta, 3))
    batch.SCHEME = "exact chain"
    text = table(rows, notes(rows, theta, check))
    print(text)
    if args.write:
        head = PAGE.read_text().split("<!-- table -->")[0]
        PAGE.write_text(f"{head}<!-- table -->\n\n{text}")
    return 0


def batch_reference(theta: Any, truth: Any) -> float:
    """The largest error of what is taken as truth here, against SciPy at 1e-11, over a few people."""
    from leuko.forecast.solve import reference

    few = [0, 7, 100, 1999]
    tight = np.stack([reference(MODEL, theta[:, i], SCHEDULE, hours=DAYS) for i in few], axis=1)
    return float(np.max(np.abs(truth[:, few] / tight - 1)))


def notes(rows: list[Row], theta: Any, check: float) -> list[str]:
    speed = next(row.speed for row in rows if row.name == "leuko, float32")
    top, flops = peak(), operations(theta)
    first, again = compile_times()
    two, free = threads(theta)
    why = why_not()
    found = simulate(MODEL, theta, SCHEDULE, hours=DAYS, threads=1)
    return [
        f"Machine: {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}.",
        f"Truth: leuko at an estimate of 1e-8, itself within {check:.0e} of SciPy at 1e-11.",
        f"Floor: {flops / 1e3:,.0f} thousand operations a person over {top / 1e9:,.0f} GFlop/s measured on one core "
        f"allow {top / flops:,.0f} people a second; reached: {speed * flops / top:.0%}.",
        f"Solved again on a finer grid: {found.rerun / theta.shape[1]:.1%} of the people; given up: {int(found.failed.sum())}.",
        f"Two threads are {two:.2f} times as fast as one (by the clock on the wall, at a load of "
        f"{os.getloadavg()[0]:.1f}); multiply-adds that share nothing, {free:.2f} times.",
        f"The first run of a kind of model, compiling included: {float(first[0]):.1f} s ({float(first[1]):.1f} s of the "
        f"processor); a later process: {float(again[0]):.2f} s ({float(again[1]):.2f} s).",
        f"Graphics processor: {why or 'one is at hand'}; `bench/forecast_gpu.py` measures where there is one.",
    ]


if __name__ == "__main__":
    assert marrow.friberg  # the equations that `rates` restates for the other solvers
    raise SystemExit(main())
