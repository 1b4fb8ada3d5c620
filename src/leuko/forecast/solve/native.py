"""The compiled kernel: kept as machine code, loaded and called without the compiler.

Loading Numba takes as long as all the rest of an assessment. So the kernel is compiled once into an object of its own
(`emit`), kept beside the package or in the user's cache, and from then on only LLVM's loader is needed. The name of the
file holds what the code was made from and for: the sources of the kernel, the processor, the compiler.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from ctypes import CFUNCTYPE, c_void_p
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock
from typing import Any, Final

import llvmlite
import llvmlite.binding as llvm

Tell = Callable[[str], None]

COMPILING: Final = "Compiling the solver for this kind of model (once; it is kept) …"
ENTRY: Final = "leuko_march"
PLACE: Final = "LEUKO_CACHE"  # the environment variable that names another place for what is compiled
SOURCES: Final = ("chain", "emit", "fastmath", "kernel", "kinetics", "rows")
_DIGEST: Final = 32  # bytes of a SHA-256, in front of each object

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
    for folder in places():
        code = _read(folder / file)
        if code is not None:
            return code
    if tell is not None:
        tell(COMPILING)
    from leuko.forecast.solve.emit import emit  # noqa: PLC0415 (loads the compiler)

    code = emit(structure, precision)
    for folder in places():
        if _kept(folder, file, code):
            _tidy(folder, name, edition)
            break
    return code


def places() -> Iterator[Path]:
    """Where compiled kernels may lie: beside this file, else in the user's cache."""
    told = os.environ.get(PLACE)
    if told:
        yield Path(told)
        return
    yield Path(__file__).parent / "__pycache__"
    with suppress(RuntimeError):  # nobody's home
        yield _of_user() / "leuko"


def _of_user() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


@cache
def _edition() -> str:
    """Changes with the sources of the kernel and the equations; behind a dot, with the processor and the compiler."""
    here = Path(__file__).parent
    sources = [here / f"{name}.py" for name in SOURCES] + [here.parent / "marrow.py"]
    made_from = sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    made_for = f"{llvmlite.__version__} {llvm.get_process_triple()} {llvm.get_host_cpu_name()} {_features()}"
    return f"{made_from[:12]}.{sha256(made_for.encode()).hexdigest()[:12]}"


def _read(path: Path) -> bytes | None:
    """What a file holds, if it is whole."""
    try:
        found = path.read_bytes()
    except OSError:
        return None
    digest, code = found[:_DIGEST], found[_DIGEST:]
    return code if sha256(code).digest() == digest else None


def _kept(folder: Path, file: str, code: bytes) -> bool:
    """Written at once or not at all: others may be reading."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, prefix=file, delete=False) as made:
            made.write(sha256(code).digest() + code)
        Path(made.name).chmod(0o644)
        Path(made.name).replace(folder / file)
    except OSError:
        return False
    return True


def _tidy(folder: Path, name: str, edition: str) -> None:
    """Takes away what older sources gave for the same machine."""
    made_for = edition.partition(".")[2]
    for old in folder.glob(f"{name}-*.{made_for}.o"):
        if old.name != f"{name}-{edition}.o":
            with suppress(OSError):
                old.unlink()
