"""The few pages of the guard itself: login, logout, problems. The pages about people are those of `leuko.web`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape  # noqa: PLC0415 (heavy)

    return Environment(
        loader=PackageLoader("leuko.service.http", "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(name: str, **given: Any) -> str:
    """A page by the name of its template."""
    return _environment().get_template(f"{name}.html").render(**given)


@cache
def stylesheet() -> str:
    """How they look; a file of its own, for the policy allows no style inside a page."""
    return (files("leuko.service.http") / "templates" / "guard.css").read_text(encoding="utf-8")
