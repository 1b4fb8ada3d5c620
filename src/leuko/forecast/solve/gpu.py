"""The same kernel on a graphics processor: each lane of a block of persons becomes a thread.

Nothing is written twice. The sources of `kinetics`, `chain` and `kernel` are read again, their loops over lanes (all of
them run over `i`) become the one lane of each thread, and Numba compiles them for CUDA, as it does for the processor.
The grids, the estimated error and who is solved again stay with `batch`; so does the promise about the error. A block
of the device has a workspace of its own in which neighbouring threads touch neighbouring numbers, and carries one block
of persons after the other through it.

Without a graphics processor `why_not` says why; Numba's simulator (NUMBA_ENABLE_CUDASIM=1) runs the same code, slowly.
"""

# mypy: disable-error-code="attr-defined, no-untyped-call"
# (Numba's own types leave out what its CUDA part is made of)

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from math import factorial
from pathlib import Path
from types import FunctionType
from typing import Any, Final

import numpy as np
from numba import cuda

from leuko.forecast import marrow
from leuko.forecast.solve import rows
from leuko.forecast.solve.rows import FURTHER, LANES, SCHEMES

REWRITTEN: Final = ("kinetics", "chain", "kernel")
BLOCKS: Final = 32  # of a multiprocessor at a time: 64 threads each are what it can hold
WORKSPACE: Final = 0.5  # of the free memory, at most
# As `fastmath`: an argument beyond these over- or underflows; less than the least has no logarithm.
_EDGE: Final = {"float32": (87.0, 1e-37), "float64": (708.0, 1e-300)}
_TERMS: Final = 20


def why_not() -> str:
    """Why no graphics processor can be used here; "" where one can."""
    try:
        return "" if cuda.is_available() else "no graphics processor with CUDA is at hand"
    except Exception as error:  # noqa: BLE001 (a driver that is broken is one more reason)
        return f"the driver of the graphics processor does not answer: {error}"


class _Lanes(ast.NodeTransformer):
    """`for i in range(n)` becomes `for i in range(own lane, n, LANES)`; what the namespace holds is not imported."""

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name) and node.target.id == "i":
            told = ast.unparse(node.iter).removeprefix("range(").removesuffix(")")
            node.iter = ast.parse(f"range(cuda.threadIdx.x, {told}, LANES)", mode="eval").body
        return node

    def visit_Import(self, _node: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        return node if node.module in ("__future__", "typing") else None


def _inner(**_options: Any) -> Callable[[Any], Any]:
    return lambda function: cuda.jit(function, device=True)


@lru_cache(maxsize=2)
def _march(precision: str) -> dict[str, Any]:
    """`kernel.march` for the device, in one precision, in the namespace that it lives in."""
    names = _arithmetic(precision)
    names |= {name: value for name, value in vars(rows).items() if name.isupper()}
    names |= {"np": np, "cuda": cuda, "rows": rows, "njit": _inner, "INNER": {}, "marrow": marrow}
    names["copy_lanes"] = cuda.jit(_within(names, _copy_lanes), device=True)
    for name in REWRITTEN:
        path = Path(__file__).with_name(f"{name}.py")
        tree = _Lanes().visit(ast.parse(path.read_text("utf-8"), str(path)))
        exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), names)  # noqa: S102 (our own source)
    names["copy_out"] = cuda.jit(_within(names, _copy_out), device=True)
    return names


def _within(names: dict[str, Any], function: Any) -> Any:
    """A function moved into a namespace: the simulator stands in for `cuda` in one at a time."""
    return FunctionType(function.__code__, names, function.__name__, None, function.__closure__)


def _copy_out(w: Any, out: Any, row: Any, at: Any) -> None:
    lane = cuda.threadIdx.x
    out[row, at + lane] = w[rows.CIRC + lane]


def _copy_lanes(target: Any, at: Any, source: Any, where: Any) -> None:
    lane = cuda.threadIdx.x
    target[at + lane] = source[where + lane]


def _arithmetic(precision: str) -> dict[str, Any]:
    """What `fastmath` gives on the processor: exponential, logarithm, the moments, and the functions of `marrow`."""
    real = np.dtype(precision).type
    high, low, least = (real(one) for one in (_EDGE[precision][0], -_EDGE[precision][0], _EDGE[precision][1]))
    exp_of, log_of = math.exp, math.log

    def fast_exp(x: Any) -> Any:
        return exp_of(min(max(x, low), high))

    def fast_log(x: Any) -> Any:
        return log_of(max(x, least))

    found: dict[str, Any] = {
        "fast_exp": cuda.jit(fast_exp, device=True),
        "fast_log": cuda.jit(fast_log, device=True),
    }
    for order in range(3):
        found[f"moment{order}"] = cuda.jit(_moment(order, real), device=True)
    made: dict[str, Any] = {}

    def compiled(function: Callable[..., Any]) -> Any:
        name = function.__name__
        if name not in made:
            own = {other: getattr(marrow, other) for other in function.__code__.co_names}
            calls = {other: compiled(one) for other, one in own.items() if isinstance(one, FunctionType)}
            inside = {**calls, "exp": found["fast_exp"], "log": found["fast_log"]}
            made[name] = cuda.jit(FunctionType(function.__code__, inside, name), device=True)
        return made[name]

    return found | {"compiled": compiled}


def _moment(order: int, real: Any) -> Callable[[Any], Any]:
    """The integral over u = 0..1 of exp(-x u) times a power of u, as a series."""
    series = tuple(real((-1.0) ** k / (factorial(k) * (k + order + 1))) for k in range(_TERMS - 1, -1, -1))
    first, rest = series[0], series[1:]

    def moment(x: Any) -> Any:
        total = first
        for one in rest:
            total = total * x + one
        return total

    return moment


@lru_cache(maxsize=32)
def _entry(structure: str, precision: str, channels: int, modes: int) -> Any:
    """The kernel for one structure: blocks of persons are shared out among the blocks of the device."""
    names, real, double, whole = _march(precision), np.dtype(precision), np.dtype(np.float64), np.dtype(np.int64)
    march = names["march"]
    parts = structure.split("+")
    exact, classical, pool, turnover = (1 if parts[0] == kind else None for kind in SCHEMES)
    curved, pac, nab, parallel, thiopurine = (1 if form in parts[1:] else None for form in FURTHER)
    width, depth = max(channels, 1), max(modes, 1)

    def entry(
        plain: Any, share: Any, lengths: Any, length: Any, first: Any, events: Any, amounts: Any,
        out_step: Any, out_at: Any, many: Any, past: Any, cubic: Any, channel: Any, rate: Any, amplitude: Any, p: Any,
        persons: Any, shares: Any, c: Any, nodes: Any, out: Any, error: Any, work: Any, maps: Any,
    ) -> None:  # fmt: skip
        low = cuda.blockIdx.x * share
        high = min(low + share, error.size)
        flows = cuda.local.array(width, real)
        quiet = cuda.local.array(width, double)
        slowest = cuda.local.array(depth, double)
        left = cuda.local.array(depth, whole)
        march(
            plain, lengths, length, first, events, amounts, out_step, out_at, many, channel, rate, amplitude, p,
            persons, shares, c, out, error, nodes, past, cubic, work[cuda.blockIdx.x], maps[cuda.blockIdx.x], flows,
            quiet, slowest, left, low, high, exact, classical, pool, turnover, curved, pac, nab, parallel,
            thiopurine,
        )  # fmt: skip

    return cuda.jit(_within(names, entry))


class Launch:
    """One march over all persons of a crowd, with everything on the device; `run` may be called again."""

    def __init__(
        self, structure: str, table: Any, course: tuple[Any, ...], settings: tuple[Any, ...], channel: Any,
        sizes: dict[str, int], plain: bool,
    ) -> None:  # fmt: skip
        kind = table.dtype
        people, blocks = table.shape[1], table.shape[1] // LANES
        self.blocks = max(1, min(blocks, _blocks(sizes["room"] + sizes["maps"], kind.itemsize)))
        share = -(-blocks // self.blocks) * LANES
        self.blocks = -(-people // share)
        modes, rows_of = sizes["modes"], sizes["rows"]
        lengths, length, first, events, amounts, out_step, out_at, many, past, cubic = course
        edges = (0, modes, 2 * modes, 2 * modes + rows_of, len(table))
        rate, amplitude, p, persons = (table[low:high] for low, high in pairwise(edges))
        shares, constants, nodes = settings
        flat = (
            lengths, length, first, events.reshape(-1, 2), amounts, out_step, out_at,
            many.reshape(len(length), -1), past.reshape(-1, 3), cubic.reshape(-1, 12),
            channel, rate, amplitude, p, persons, shares, constants, nodes,
        )  # fmt: skip
        self.out = cuda.device_array((max(len(out_step), 1), people), kind)
        self.error = cuda.device_array(people, kind)
        self._given = [cuda.to_device(_filled(one)) for one in flat]
        self._room = [cuda.device_array((self.blocks, max(sizes[one], 1)), kind) for one in ("room", "maps")]
        self._flags = (int(plain), share)
        self._entry = _entry(structure, kind.name, len(channel), modes)

    def run(self) -> None:
        """Starts the kernel; it is done when the device is synchronised or its results are copied."""
        self._entry[self.blocks, LANES](*self._flags, *self._given, self.out, self.error, *self._room)

    def fetch(self, out: Any, error: Any) -> None:
        """The results, into arrays of the processor."""
        if len(out):
            out[:] = self.out.copy_to_host()
        error[:] = self.error.copy_to_host()


def _filled(array: Any) -> Any:
    """Arrays of no numbers do not travel: one row of zeros in their place, which nothing reads."""
    if array.size:
        return np.ascontiguousarray(array)
    return np.zeros(tuple(max(side, 1) for side in array.shape), array.dtype)


def _blocks(room: int, size: int) -> int:
    """How many blocks work at a time: what the device can hold, as far as its memory goes."""
    try:
        device = cuda.get_current_device()
        held = device.MULTIPROCESSOR_COUNT * BLOCKS
        free = cuda.current_context().get_memory_info()[0]
    except (AttributeError, NotImplementedError):  # the simulator has neither
        return 1
    return int(max(1, min(held, WORKSPACE * free / (room * size))))
