"""A site's own folders of knowledge beside the shipped one: the option that commands share."""

from __future__ import annotations

from pathlib import Path

import click

knowledge_option = click.option(
    "--knowledge",
    "extra",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Read this folder of knowledge files too, your own or of `leuko learn`. Repeatable.",
)
