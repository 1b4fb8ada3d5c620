"""`leuko cite`: the bibliography."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.errors import UnreadableInput, UsageError

if TYPE_CHECKING:
    from leuko.knowledge.schema import Source


_EPILOG = """\b
Examples:
  leuko assess patient.json --json assessment.json
  leuko cite assessment.json            what this assessment rests on
  leuko cite --bibtex > leuko.bib       every source"""


@click.command("cite", short_help="Print the sources that leuko, or one assessment, rests on.", epilog=_EPILOG)
@click.argument(
    "assessment", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[FILE]"
)
@click.option("--bibtex", is_flag=True, help="Print BibTeX entries.")
def command(*, assessment: Path | None, bibtex: bool) -> None:
    """Print the sources that leuko knows, or those that one assessment rests on.

    FILE is one that `leuko assess --json` wrote; without it, every source is printed.
    """
    from leuko.knowledge import load_library  # noqa: PLC0415 (help needs no knowledge)

    sources = load_library().sources
    wanted = sorted(sources) if assessment is None else _cited(assessment)
    unknown = [name for name in wanted if name not in sources]
    if unknown:
        raise UsageError(
            f"the assessment cites {unknown[0]!r}, which this leuko does not know",
            where=str(assessment),
            why="it was made with other knowledge files or another version",
        )
    for name in wanted:
        click.echo(_bibtex(sources[name]) if bibtex else _plain(sources[name]))


def _cited(path: Path) -> list[str]:
    from leuko.report.document import decode  # noqa: PLC0415

    content = path.read_bytes()
    if not (people := _people(content)):
        raise UnreadableInput(
            "the file holds no assessment", where=str(path), do="give a file that `leuko assess --json` wrote"
        )
    return sorted({citation.source for person in people for citation in decode(person).sources})


def _people(content: bytes) -> list[bytes]:
    """The documents of one file: an object is one person's, an array holds several."""
    import msgspec  # noqa: PLC0415

    if not content.lstrip().startswith(b"["):
        return [content]
    try:
        return [bytes(raw) for raw in msgspec.json.decode(content, type=list[msgspec.Raw])]
    except msgspec.DecodeError as error:
        raise UnreadableInput("the list of assessments cannot be read", why=str(error)) from error


def _plain(source: Source) -> str:
    about = ", ".join(part for part in (source.publisher, source.edition, str(source.year or "")) if part)
    where = " ".join(part for part in (_doi(source), source.pmid and f"PMID {source.pmid}", source.url) if part)
    return "\n".join([f"[{source.id}] {source.title}", *(f"    {line}" for line in (about, where) if line)])


def _doi(source: Source) -> str:
    return f"https://doi.org/{source.doi}" if source.doi else ""


def _bibtex(source: Source) -> str:
    given = {
        "title": f"{{{source.title}}}",
        "publisher": source.publisher,
        "edition": source.edition,
        "year": str(source.year or ""),
        "doi": source.doi,
        "url": source.url,
        "note": f"PMID {source.pmid}" if source.pmid else "",
    }
    fields = [f"  {name} = {{{text}}}," for name, text in given.items() if text]
    return "\n".join([f"@misc{{{source.id},", *fields, "}"])
