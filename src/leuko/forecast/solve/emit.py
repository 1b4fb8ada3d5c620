"""The kernel as machine code that stands alone: compiled by Numba and LLVM into one object that needs neither to run.

Numba builds the kernel for one structure and precision; everything but its entry is then private to it, so that LLVM
leaves nothing that would call back into Numba or Python. `native` keeps the object and calls it.
"""

# mypy: disable-error-code="attr-defined, call-arg, method-assign, no-untyped-call"
# (Numba's own types leave out what its intrinsics and options are made of)

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as llvm
from numba import cfunc, types
from numba.core import cgutils, config
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu import CPUContext
from numba.core.registry import cpu_target
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from leuko.forecast.solve.fastmath import OPTIONS
from leuko.forecast.solve.kernel import march
from leuko.forecast.solve.native import ENTRY, machine
from leuko.forecast.solve.rows import FURTHER, SCHEMES


def emit(structure: str, precision: str) -> bytes:
    """An object file with the function ENTRY(sizes, addresses), as `native.Kernel` calls it.

    `structure` names the marrow and its scheme, and behind each "+" what acts on it besides linear effects in closed
    form (`job.structure_of`).
    """
    kind = getattr(types, precision)
    with _unoptimised():
        built = cfunc(
            types.void(types.CPointer(types.int64), types.CPointer(types.uint64)),
            _nrt=False, error_model="numpy", fastmath=OPTIONS["fastmath"],
        )(_entry(structure.split("+"), _viewer(kind), _viewer(types.int64), _viewer(types.float64)))  # fmt: skip
        module = llvm.parse_assembly(built.inspect_llvm())
    _alone(module, built.native_name)
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization, tuning.slp_vectorization = True, False
    tuning.loop_unrolling = False  # a loop over lanes is four vectors long: no faster, and a third longer to compile
    target = machine()
    llvm.create_pass_builder(target, tuning).getModulePassManager().run(
        module, llvm.create_pass_builder(target, tuning)
    )
    return bytes(target.emit_object(module))


@contextmanager
def _unoptimised() -> Iterator[None]:
    """Numba would optimise every inner function on its own, and again in each that calls it, make machine code of each
    and ask where that lies, though nobody calls it: here both are done once, for the whole. What it makes meanwhile
    are trees without cycles, through which the collector of garbage would walk again and again."""
    _ = cpu_target.target_context  # begins with its own settings
    loads, lies = JITCodeLibrary._finalize_specific, CPUContext.get_executable  # noqa: SLF001 (when a piece is done)
    kept, collects = config.OPT, gc.isenabled()
    with global_compiler_lock:  # nobody else compiles meanwhile
        config.OPT = type(kept)(0)
        JITCodeLibrary._finalize_specific = lambda _self: None  # noqa: SLF001
        CPUContext.get_executable = lambda *_piece: [].append  # some function of C, another one for each piece
        gc.disable()
        try:
            yield
        finally:
            config.OPT, JITCodeLibrary._finalize_specific = kept, loads  # noqa: SLF001
            CPUContext.get_executable = lies
            if collects:
                gc.enable()


def _alone(module: llvm.ModuleRef, entry: str) -> None:
    """Only the entry can be called from outside, under the name that `native` knows."""
    for part in (*module.functions, *module.global_variables):
        if not part.is_declaration:
            part.linkage = "internal"
    module.get_function(entry).linkage = "external"
    module.get_function(entry).name = ENTRY


def _viewer(kind: Any) -> Any:
    """What makes an array of numbers of one kind out of an address and a shape, owning nothing."""

    def view(_typing: Any, _address: Any, shape: Any) -> Any:
        array = types.Array(kind, len(shape), "C")

        def built(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            made = make_array(array)(context, builder)
            sides = cgutils.unpack_tuple(builder, args[1], len(signature.args[1]))
            size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind)))
            strides = [size]
            for side in sides[:0:-1]:
                strides.insert(0, builder.mul(strides[0], side))
            data = builder.inttoptr(args[0], made.data.type)
            populate_array(made, data=data, shape=sides, strides=strides, itemsize=size, meminfo=None)
            return made._getvalue()  # noqa: SLF001 (how Numba's own intrinsics hand over a structure)

        return array(_address, shape), built

    return intrinsic(view)


def _entry(parts: list[str], view: Any, whole: Any, double: Any) -> Any:
    """The function that is called from outside: sizes and addresses in the order of `native.Kernel.__call__`."""
    exact, classical, pool, turnover = (1 if parts[0] == kind else None for kind in SCHEMES)
    curved, pac, nab, parallel, thiopurine = (1 if form in parts[1:] else None for form in FURTHER)

    def entry(n: Any, a: Any) -> None:
        plain, low, high = n[0], n[1], n[2]
        people, hours, lengths, steps, events = n[3], n[4], n[5], n[6], n[7]
        channels, modes, rows = n[8], n[9], n[10]
        march(
            plain,
            view(a[0], (lengths,)),
            whole(a[1], (steps,)),
            whole(a[2], (steps + 1,)),
            whole(a[3], (events, 2)),
            view(a[4], (events,)),
            whole(a[5], (hours,)),
            view(a[6], (hours,)),
            whole(a[7], (steps, channels)),
            whole(a[8], (channels, 8)),
            view(a[9], (modes, people)),
            view(a[10], (modes, people)),
            view(a[11], (rows, people)),
            view(a[12], (6, people)),
            view(a[13], (5, 5)),
            view(a[14], (18,)),
            view(a[15], (hours, people)),
            view(a[16], (people,)),
            view(a[17], (6, 4)),
            whole(a[18], (steps, 3)),
            view(a[19], (steps, 12)),
            view(a[20], (n[11],)),
            view(a[21], (n[12],)),
            view(a[22], (channels,)),
            double(a[23], (channels,)),
            double(a[24], (modes,)),
            whole(a[25], (modes,)),
            low,
            high,
            exact,
            classical,
            pool,
            turnover,
            curved,
            pac,
            nab,
            parallel,
            thiopurine,
        )

    return entry
