"""The command line. One module here is one command, found by scan and loaded only when it is called.

Modules whose names begin with an underscore are shared by commands. Nothing but click loads with this package: what a
command needs, it imports when it runs.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import click

from leuko import __version__

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Commands(click.Group):
    """The commands are the modules of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's own signature)
        return sorted(file.stem for file in Path(__file__).parent.glob("*.py") if not file.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(f"{__name__}.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 (a module without a command is our own mistake)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            ctx.fail(_no_such(name, self.list_commands(ctx)))
        return super().resolve_command(ctx, args)


def _no_such(name: str, known: list[str]) -> str:
    if Path(name).exists():
        return f"there is no command {name!r}, but a file of that name: did you mean 'leuko assess {name}'?"
    near = get_close_matches(name, known, n=1)
    return f"there is no command {name!r}" + (f": did you mean {near[0]!r}?" if near else "")


@click.group(cls=_Commands, context_settings=_HELP)
@click.version_option(__version__, "-V", "--version", message="leuko %(version)s")
def cli() -> None:
    """Low white blood cell counts, read, graded and followed over time.

    leuko reads blood counts (FHIR, HL7 v2, CSV, TSV, XLSX, Parquet) and answers, with a reason and a source behind
    every line: is it low, which line, how bad on each scale, since when.

    \b
    Examples:
      leuko demo                                     the shipped example person
      leuko assess patient.json --as-of 2026-01-31   one person's FHIR data
      leuko assess labs.csv --html report.html       a laboratory's table, and a page to keep
      leuko explain LK204                            what a notice means

    leuko informs professionals and shows what it rests on. It prescribes nothing and is no medical device.
    """


__all__ = ["cli"]
