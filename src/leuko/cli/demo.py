"""`leuko demo`: the main job on the shipped example person."""

from __future__ import annotations

from datetime import date
from importlib import resources

import click

from leuko.cli._notices import say
from leuko.cli._outputs import Outputs, check_files, output_options, write
from leuko.cli._people import assess_paths

AS_OF = date(2026, 3, 10)
EXAMPLE = "adult-on-docetaxel.json"


@click.command("demo", short_help="Assess the shipped example person.")
@output_options
def command(*, outputs: Outputs) -> None:
    """Assess the shipped example: an invented adult in the third cycle of docetaxel.

    The example holds what real data hold: derived and bounded counts, a corrected result, one entered in error, one
    code that contradicts its label.
    """
    check_files(outputs)
    from leuko.intake.base import ReadOptions  # noqa: PLC0415 (help needs no reader)

    with resources.as_file(resources.files("leuko") / "data" / "examples" / EXAMPLE) as path:
        say(f"an invented person, as of {AS_OF.isoformat()}: leuko assess {path.name} --as-of {AS_OF.isoformat()}")
        code = write(assess_paths([path], options=ReadOptions(as_of=AS_OF), as_of=AS_OF), outputs)
    click.get_current_context().exit(code)
