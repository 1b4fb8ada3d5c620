"""What a caller asks of the next cycle, and the limits of a search, as they are written on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NoReturn

from leuko.errors import UsageError

if TYPE_CHECKING:
    from leuko.forecast.wish import Change, Limits

_CHANGES = "delay=7, dose=80%, dose:docetaxel=80%, gcsf=2, drop=8"
_LIMITS = "severe=20%, ready=80%, intensity=85%, delay=7"


def asked_changes(texts: Iterable[str]) -> tuple[Change, ...]:
    """`delay=7,dose=80%,gcsf=2` as a change of the next cycle; UsageError where it is none."""
    from leuko.forecast.wish import Change  # noqa: PLC0415 (help needs none of it)

    found = []
    for text in texts:
        delay, factor, drop, dose = 0.0, None, None, dict[str, float]()
        for name, value in _parts(text, "--what-if", _CHANGES):
            key, _, drug = name.partition(":")
            if key == "delay":
                delay = _number(value, text, "--what-if", low=0.0, high=60.0)
            elif key == "dose":
                dose[drug.strip().casefold()] = _share(value, text, "--what-if", high=150.0)
            elif key == "gcsf":
                factor = int(_number(value, text, "--what-if", low=1.0, high=28.0))
            elif key == "drop":
                drop = int(_number(value, text, "--what-if", low=1.0, high=42.0))
            else:
                _refuse(text, "--what-if", _CHANGES)
        found.append(Change(delay=delay, dose=dose, factor=factor, drop=drop))
    return tuple(found)


def asked_limits(text: str | None) -> Limits | None:
    """`severe=20%,delay=7` as limits of a search; None where none is asked for."""
    from leuko.forecast.wish import Limits  # noqa: PLC0415

    if text is None:
        return None
    found: dict[str, float] = {}
    for name, value in _parts(text, "--search", _LIMITS):
        if name in {"severe", "ready", "intensity"}:
            found[name] = _share(value, text, "--search", high=100.0)
        elif name == "delay":
            found[name] = _number(value, text, "--search", low=0.0, high=60.0)
        else:
            _refuse(text, "--search", _LIMITS)
    return Limits(**found)


def _parts(text: str, option: str, known: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        name, sign, value = part.partition("=")
        if not (sign and name.strip() and value.strip()):
            _refuse(text, option, known)
        yield name.strip().casefold(), value.strip()


def _share(value: str, text: str, option: str, *, high: float) -> float:
    """A percentage as a share: 80% or 80."""
    return _number(value.removesuffix("%").strip(), text, option, low=0.0, high=high) / 100.0


def _number(value: str, text: str, option: str, *, low: float, high: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        known = _CHANGES if option == "--what-if" else _LIMITS
        raise UsageError(
            f"{option} {text!r}: {value!r} is no number from {low:g} to {high:g}", do=f"write for example {known}"
        )
    return number


def _refuse(text: str, option: str, known: str) -> NoReturn:
    raise UsageError(f"{option} {text!r} cannot be understood", do=f"write for example {known}")
