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
            key, drug = _of_drug(name, text)
            if key == "delay":
                delay = _number(value, text, "--what-if", low=0.0, high=60.0)
            elif key == "dose":
                dose[drug] = _share(value, text, "--what-if", high=150.0)
            elif key == "gcsf":
                factor = _day(value, text, high=28.0)
            elif key == "drop":
                drop = _day(value, text, high=42.0)
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
    said = set[str]()
    for part in text.split(","):
        name, sign, value = part.partition("=")
        key = ":".join(" ".join(word.split()) for word in name.split(":")).casefold()
        if not (sign and key and value.strip()):
            _refuse(text, option, known)
        if key in said:
            raise UsageError(f"{option} {text!r}: {key} is said twice", do="leave one of them out")
        said.add(key)
        yield key, value.strip()


def _of_drug(name: str, text: str) -> tuple[str, str]:
    """ "dose:docetaxel" as what is changed and of which medicine; of a dose alone."""
    key, sign, drug = name.partition(":")
    if sign and (key != "dose" or not drug):
        _refuse(text, "--what-if", _CHANGES)
    return key, drug


def _share(value: str, text: str, option: str, *, high: float) -> float:
    """A percentage as a share: 80% or 80; what may be a share already, as 0.8, is refused."""
    percent = _number(value.removesuffix("%").strip(), text, option, low=0.0, high=high)
    if 0.0 < percent <= 1.0 and not value.endswith("%"):
        raise UsageError(
            f"{option} {text!r}: {value!r} may be {percent:g} % or {100 * percent:g} %",
            do=f"write {100 * percent:g}% or {percent:g}%",
        )
    return percent / 100.0


def _day(value: str, text: str, *, high: float) -> int:
    """A day of the cycle."""
    number = _number(value, text, "--what-if", low=1.0, high=high)
    if not number.is_integer():
        raise UsageError(
            f"--what-if {text!r}: {value!r} is no day of the cycle", do="write a whole number, 1 is the first"
        )
    return int(number)


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
