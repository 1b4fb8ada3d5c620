"""What is made once and kept for the next start: machine code of the solver, compiled templates, rows of knowledge.

It lies beside the code that made it, where that can be written, else in the user's cache; the environment variable
`LEUKO_CACHE` names another place. Where nothing can be written nothing is kept, and it is made again each time. The
name of a file says what it was made from and for, and a digest in front whether it is whole.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

PLACE: Final = "LEUKO_CACHE"
_DIGEST: Final = 32  # bytes of a SHA-256, in front of what is kept


def find(file: str, beside: Path) -> bytes | None:
    """What is kept under a name, if it is whole; `beside` is the folder of the code that made it."""
    for folder in _places(beside):
        found = _read(folder / file)
        if found is not None:
            return found
    return None


def keep(file: str, content: bytes, beside: Path, *, instead_of: str = "") -> None:
    """Keep it in the first place that takes it, and take away what lies there under the pattern `instead_of`."""
    for folder in _places(beside):
        if _written(folder, file, content):
            for old in folder.glob(instead_of) if instead_of else ():
                if old.name != file:
                    with suppress(OSError):
                        old.unlink()
            return


def can_keep(beside: Path) -> bool:
    """Whether there is a place that seems to take something: to make it for nothing would cost each start."""
    return any(_writable(folder) for folder in _places(beside))


def _writable(folder: Path) -> bool:
    there = next((one for one in (folder, *folder.parents) if one.exists()), None)
    return there is not None and there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _places(beside: Path) -> Iterator[Path]:
    told = os.environ.get(PLACE)
    if told:
        yield Path(told)
        return
    yield beside / "__pycache__"
    with suppress(RuntimeError):  # nobody's home
        yield _of_user() / "leuko"


def _of_user() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _read(path: Path) -> bytes | None:
    try:
        found = path.read_bytes()
    except OSError:
        return None
    digest, content = found[:_DIGEST], found[_DIGEST:]
    return content if sha256(content).digest() == digest else None


def _written(folder: Path, file: str, content: bytes) -> bool:
    """Written at once or not at all: others may be reading."""
    from tempfile import NamedTemporaryFile  # noqa: PLC0415 (only where something is kept)

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, prefix=file, delete=False) as made:
            made.write(sha256(content).digest() + content)
        Path(made.name).chmod(0o644)
        Path(made.name).replace(folder / file)
    except OSError:
        return False
    return True
