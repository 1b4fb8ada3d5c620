"""`leuko demo`: the main job on the shipped example person, or all shipped people in a browser."""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path

import click

from leuko.cli._notices import say
from leuko.cli._outputs import Outputs, check_files, output_options, write
from leuko.cli._people import assess_paths
from leuko.errors import UsageError

AS_OF = date(2026, 3, 10)
EXAMPLE = "adult-on-docetaxel.json"


_EPILOG = """\b
Examples:
  leuko demo
  leuko demo --full --html demo.html
  leuko demo --web
  leuko demo --copy examples"""


@click.command("demo", short_help="Assess the shipped example person, or look around in a browser.", epilog=_EPILOG)
@click.option("--web", is_flag=True, help="Show all shipped people in a browser, on this machine alone.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    metavar="PORT",
    help="Where --web listens. [any that is free]",
)
@click.option(
    "--copy",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Copy the files of all shipped people into a new folder, to try other commands on.",
)
@output_options
def command(*, web: bool, port: int | None, copy: Path | None, outputs: Outputs) -> None:
    """Assess the shipped example: an invented adult in the third cycle of docetaxel.

    The example holds what real data hold: derived and bounded counts, a corrected result, one entered in error, one
    code that contradicts its label.

    With --web the pages of the service open on this machine: all shipped people, all of them invented, in a store of
    their own that goes when you end it with Ctrl-C. Their days are moved so that they end now.
    """
    if copy is not None:
        if web or outputs != Outputs():
            raise UsageError("--copy assesses nobody", do="leave the other options away, or leave --copy away")
        _copy(copy)
        return
    if web:
        if outputs != Outputs():
            raise UsageError("--web writes no files", do="leave the other options away, or leave --web away")
        from leuko.cli._demo_web import run  # noqa: PLC0415 (help needs no service)

        run(port or 0)
        return
    if port is not None:
        raise UsageError("--port is where --web listens", do="give --web too")
    check_files(outputs)
    from leuko.intake.base import ReadOptions  # noqa: PLC0415 (help needs no reader)

    with resources.as_file(resources.files("leuko") / "data" / "examples" / EXAMPLE) as path:
        say(f"an invented person, as of {AS_OF.isoformat()}: leuko assess {path.name} --as-of {AS_OF.isoformat()}")
        code = write(assess_paths([path], options=ReadOptions(as_of=AS_OF), as_of=AS_OF), outputs)
    click.get_current_context().exit(code)


def _copy(folder: Path) -> None:
    """The shipped files in a folder of their own; UsageError where it is there already or cannot be made."""
    import shutil  # noqa: PLC0415 (only here)

    if folder.exists():
        raise UsageError(f"{folder} exists", why="nothing is overwritten", do="name a new folder")
    try:
        with resources.as_file(resources.files("leuko") / "data" / "examples") as shipped:
            shutil.copytree(shipped, folder)
    except OSError as error:
        raise UsageError("the folder cannot be written", where=str(folder), why=error.strerror or str(error)) from error
    say(f"wrote {folder}: every person in it is invented")
