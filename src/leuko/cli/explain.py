"""`leuko explain`: what a key that leuko prints means, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

import click

from leuko.errors import UsageError


@click.command("explain", short_help="Explain a notice, a grade, a definition, an analyte, a code.")
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
def command(*, keys: tuple[str, ...]) -> None:
    """Explain a key that leuko prints.

    \b
    KEY is one of
      LK204                 a notice
      ctcae-6:neutrophils   what one edition of a grading scheme says of one analyte
      ctcae-6               the edition as a whole; ctcae is the newest one
      neutrophils, ANC      an analyte, with what is known of it
      751-8                 a code of a code system
      a definition, an interval or a source, by its id
    """
    from leuko.cli._explaining import entries  # noqa: PLC0415 (help needs no knowledge)
    from leuko.knowledge import load_library  # noqa: PLC0415

    known = entries(load_library())
    click.echo("\n\n".join(_text(key, known) for key in keys))


def _text(key: str, known: Mapping[str, list[str]]) -> str:
    folded = key.strip().casefold()
    if folded in known:
        return "\n\n".join(dict.fromkeys(known[folded]))
    near = get_close_matches(folded, known, n=4, cutoff=0.5)
    raise UsageError(
        f"nothing is known by the key {key!r}",
        why=f"near it: {', '.join(near)}" if near else "",
        do="`leuko knowledge show` lists what leuko knows, docs/reference/notices.md every notice",
    )
