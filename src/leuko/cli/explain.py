"""`leuko explain`: what a key that leuko prints means, and where it comes from."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from leuko.errors import UsageError

if TYPE_CHECKING:
    from leuko.knowledge import Library


_EPILOG = """\b
Examples:
  leuko explain LK204
  leuko explain ctcae-6:neutrophils daids-2.1:neutrophils
  leuko explain 751-8"""


@click.command("explain", short_help="Explain a notice, a grade, a definition, an analyte, a code.", epilog=_EPILOG)
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
def command(*, keys: tuple[str, ...]) -> None:
    """Explain a key that leuko prints, with its source.

    \b
    KEY is one of
      LK204                 a notice
      ctcae-6:neutrophils   what one edition of a scheme says of one analyte
      ctcae-6               the edition as a whole
      neutrophils, ANC      an analyte, by its id or a laboratory's name for it
      751-8                 a code of a code system
      course:neutrophils    the rules by which its course is judged
      a definition, an interval or a source, by its id
    """
    from leuko.knowledge import load_library  # noqa: PLC0415 (help needs no knowledge)

    library = load_library()
    click.echo("\n\n".join(_explain(key, library) for key in keys))


def _explain(key: str, library: Library) -> str:
    from leuko.cli._cards import card_text, notice_text  # noqa: PLC0415
    from leuko.knowledge.audit import show  # noqa: PLC0415 (loads the probing of every row)

    known = _names(library)
    name = known.get(key.strip().casefold())
    if name is None:
        raise _unknown(key, known)
    if name in library.notices:
        return notice_text(library.notices[name])
    return "\n\n".join(card_text(card) for card in show(library, name))


def _names(library: Library) -> dict[str, str]:
    """What people may write, case-folded, with the key that it stands for; a name of its own beats a laboratory's."""
    from leuko.knowledge.showing import keys  # noqa: PLC0415

    rows = library.analytes.values()
    aliases = {alias: row.id for row in rows for alias in (*row.names, row.short, row.label)}
    rules = [f"{scheme.id}-{scheme.edition}:{rule.analyte}" for scheme in library.schemes for rule in scheme.rules]
    codes = [row.code for row in library.codes.values()]
    own = [*codes, *keys(library), *rules, *library.notices]
    return {name.casefold(): key for name, key in (*aliases.items(), *((key, key) for key in own))}


def _unknown(key: str, known: dict[str, str]) -> UsageError:
    near = get_close_matches(key.casefold(), known, n=4, cutoff=0.5)
    named = list(dict.fromkeys(known[name] for name in near))
    return UsageError(
        f"nothing is known by the key {key!r}",
        why=f"near it: {', '.join(named)}" if named else "",
        do="`leuko knowledge show` lists what leuko knows, docs/reference/notices.md every notice",
    )
