"""The command line. One module here is one command, found by scan and loaded only when it is called.

Modules whose names begin with an underscore are shared by commands. Nothing but click loads with this package: what a
command needs, it imports when it runs.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from leuko import __version__

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


# The order of the help: what most people want stands first. A command that is not named here is listed at the end.
SECTIONS: Final = {
    "One person": ("demo", "assess", "forecast", "leaflet"),
    "Many people": ("cohort", "learn", "validate"),
    "What it rests on": ("explain", "cite", "knowledge", "schema"),
    "A hospital's service": ("serve", "user", "feed", "fetch", "store", "audit"),
}


class _Commands(click.Group):
    """The commands are the modules of this package."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        named = {name for names in SECTIONS.values() for name in names}
        rest = tuple(name for name in self.list_commands(ctx) if name not in named)
        for title, names in {**SECTIONS, "More": rest}.items():
            commands = ((name, self.get_command(ctx, name)) for name in names)
            listed = [(name, command.get_short_help_str(100)) for name, command in commands if command is not None]
            if listed:
                with formatter.section(title):
                    formatter.write_dl(listed)

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

    leuko reads blood counts, medicines, symptoms and conditions (FHIR, HL7 v2, CSV, TSV, XLSX, Parquet) and answers,
    with a reason and a source behind every line: is it low, how bad, since when, why, what to find out, how dangerous
    is it, what to do, what to tell the person. Where the data do not carry an answer it says why.

    \b
    Examples:
      leuko demo                                     the shipped example person
      leuko assess patient.json --as-of 2026-01-31   one person's FHIR data
      leuko assess labs.csv --html report.html       a laboratory's table, a page
      leuko explain LK204                            what a notice means

    Exit codes: 0 done, 2 the call cannot be understood, 3 an input cannot be read, 4 finished with gaps under --strict.
    NO_COLOR=1 switches colours off.

    leuko informs professionals and shows what it rests on. It prescribes nothing and is no medical device.
    """


__all__ = ["cli"]
