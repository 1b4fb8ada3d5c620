"""The optional libraries of the extra `pdf`, or a clear word about what to install."""

from __future__ import annotations

import importlib
from types import ModuleType

from leuko.errors import UsageError


def vl_convert() -> ModuleType:
    """The library that turns the figure into SVG without a browser."""
    return _load("vl_convert", "vl-convert-python", "the figure as SVG")


def typst() -> ModuleType:
    """The library that sets the PDF."""
    return _load("typst", "typst", "a PDF")


def _load(module: str, package: str, purpose: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"{purpose} needs the package {package}, which is not installed",
            do='pip install "leuko[pdf]"   (or: uv add "leuko[pdf]")',
        ) from error
