"""How the kernel is compiled: nothing in it asks for memory, so that no array is counted as it is passed on."""

from __future__ import annotations

from typing import Any, Final

from numba import njit

OPTIONS: Final[dict[str, Any]] = {"_nrt": False, "error_model": "numpy", "boundscheck": False}
compiled = njit(**OPTIONS, forceinline=True)
"""A small function that several others call."""
once = njit(**OPTIONS, inline="always")
"""A function that one other calls, as a part of that one: to compile each by itself takes longer."""
apart = njit(**OPTIONS, forceinline=True)
"""A large function, typed by itself; as a call it would be handed every array of the tables each time."""


def cached(function: Any, **options: Any) -> Any:
    """Compiled code is kept beside its file, else in the user's cache; where neither can be written, not at all."""
    try:
        return njit(**options, nogil=True, cache=True)(function)
    except RuntimeError:  # Numba found no place to write
        return njit(**options, nogil=True)(function)
