"""The compiled kernel: kept as machine code, loaded and called without the compiler.

Loading Numba takes as long as all the rest of an assessment. So the kernel is compiled once into an object of its own
(`emit`), kept beside the package or in the user's cache, and from then on only LLVM's loader is needed. The name of the
file holds what the code was made from and for: the sources of the kernel, the processor, the compiler.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import CFUNCTYPE, c_void_p
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Final

import llvmlite
import llvmlite.binding as llvm

from leuko.keeping import find, keep

Tell = Callable[[str], None]

COMPILING: Final = "Compiling the solver for this kind of model (once; it is kept) …"
ENTRY: Final = "leuko_march"
SOURCES: Final = ("chain", "emit", "fastmath", "kernel", "kinetics", "rows")

_HERE: Final = Path(__file__).parent
_LOCK = Lock()


def loaded(structure: str, precision: str, tell: Tell | None) -> Callable[[int, int], None]:
    """The kernel for one structure and precision: a function of the addresses of its sizes and of its arrays.

    It is compiled where no file holds it; `tell` is told so. The interpreter is free while it runs.
    """
    with _LOCK:
        kernel = _KERNELS.get((structure, precision))
        if kernel is None:
            kernel = _KERNELS[structure, precision] = _Kernel(_object(structure, precision, tell))
    return kernel.call


class _Kernel:
    """Machine code in memory, with what keeps it there."""

    def __init__(self, code: bytes) -> None:
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        self.call: Callable[[int, int], None] = CFUNCTYPE(None, c_void_p, c_void_p)(
            self._engine.get_function_address(ENTRY)
        )


_KERNELS: dict[tuple[str, str], _Kernel] = {}


def machine() -> Any:
    """This processor, as LLVM compiles for it; a new one each time, as whatever runs code takes it for its own."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=_features(), opt=3, reloc="default", codemodel="jitdefault", jit=True
    )


@cache
def _features() -> str:
    try:
        return str(llvm.get_host_cpu_features().flatten())
    except RuntimeError:  # LLVM does not know this processor's
        return ""


# --- what is kept -----------------------------------------------------------------------------------------------------


def _object(structure: str, precision: str, tell: Tell | None) -> bytes:
    name, edition = f"kernel-{structure}-{precision}", _edition()
    file = f"{name}-{edition}.o"
    code = find(file, _HERE)
    if code is not None:
        return code
    if tell is not None:
        tell(COMPILING)
    from leuko.forecast.solve.emit import emit  # noqa: PLC0415 (loads the compiler)

    code = emit(structure, precision)
    # in place of what older sources gave for the same machine
    keep(file, code, _HERE, instead_of=f"{name}-*.{edition.partition('.')[2]}.o")
    return code


@cache
def _edition() -> str:
    """Changes with the sources of the kernel and the equations; behind a dot, with the processor and the compiler."""
    sources = [_HERE / f"{name}.py" for name in SOURCES] + [_HERE.parent / "marrow.py"]
    made_from = sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    made_for = f"{llvmlite.__version__} {llvm.get_process_triple()} {llvm.get_host_cpu_name()} {_features()}"
    return f"{made_from[:12]}.{sha256(made_for.encode()).hexdigest()[:12]}"
