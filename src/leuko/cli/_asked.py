"""What the caller knows beside the files: symptoms, answers to scores, the regimen, the settings of the site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leuko.errors import UsageError

if TYPE_CHECKING:
    from leuko.assessment import Asked
    from leuko.forecast.wish import Wish
    from leuko.knowledge import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The options as they were written."""

    symptoms: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    regimen: str | None = None
    site: Path | None = None
    wish: Wish | None = None

    @property
    def about_one(self) -> tuple[str, ...]:
        """The options that speak of one person."""
        given = {"--symptom": self.symptoms, "--answer": self.answers, "--regimen": self.regimen}
        return tuple(name for name, value in given.items() if value)


def asked_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which takes them as `told`."""

    @wraps(command)
    def wrapper(
        *args: Any,
        symptoms: tuple[str, ...],
        answers: tuple[str, ...],
        regimen: str | None,
        site: Path | None,
        **rest: Any,
    ) -> Any:
        told = Told(symptoms=symptoms, answers=answers, regimen=regimen, site=site)
        return command(*args, told=told, **rest)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return wrapper


_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--symptom",
        "symptoms",
        multiple=True,
        metavar="TEXT",
        help='A symptom or reading beside the files: "fever=38.4@2026-03-09T14:00", "no cough". Repeatable.',
    ),
    click.option(
        "--answer",
        "answers",
        multiple=True,
        metavar="ITEM=VALUE",
        help='An item of a score, given by hand: "burden_of_illness=mild". Repeatable.',
    ),
    click.option("--regimen", metavar="NAME", help="The chemotherapy regimen, where the files do not name it."),
    click.option(
        "--site",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="SITE.toml",
        help="Settings of the site: fever limit, phone numbers, bodies, language.",
    ),
)


def asked_of(told: Told, *, library: Library, zone: tzinfo, people: int) -> Asked:
    """The options, understood. UsageError where one cannot be, or speaks of one person of several."""
    from leuko.assessment import Asked  # noqa: PLC0415 (loads the whole flow)
    from leuko.cli._notices import say  # noqa: PLC0415
    from leuko.forecast.wish import Wish  # noqa: PLC0415
    from leuko.infection import parse_symptom  # noqa: PLC0415
    from leuko.site import SiteSettings, read_site  # noqa: PLC0415

    if people > 1 and told.about_one:
        raise UsageError(
            f"{' and '.join(told.about_one)} speaks of one person, and {people} were read",
            do="name the person with --patient",
        )
    return Asked(
        symptoms=tuple(parse_symptom(text, library=library, zone=zone) for text in told.symptoms),
        answers=dict(map(_answer, told.answers)),
        regimen=told.regimen,
        site=read_site(told.site) if told.site is not None else SiteSettings(),
        wish=told.wish or Wish(),
        tell=say,
    )


def _answer(text: str) -> tuple[str, str]:
    item, sign, value = text.partition("=")
    if not sign or not item.strip() or not value.strip():
        raise UsageError(f"--answer {text!r} is no answer", do="write it as ITEM=VALUE")
    return item.strip(), value.strip()
