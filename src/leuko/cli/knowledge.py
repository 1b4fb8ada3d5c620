"""`leuko knowledge`: look at what leuko knows, check it, compare it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli._inputs import Day
from leuko.cli._knowledge import knowledge_option
from leuko.cli._notices import say
from leuko.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from leuko.knowledge import Library
    from leuko.knowledge.audit import Coverage, Difference
    from leuko.knowledge.coverage import Cases
    from leuko.knowledge.schema import GradeRule, GradeScheme

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


_SHOW = """\b
Examples:
  leuko knowledge show              the grading schemes, and how much is known
  leuko knowledge show ctcae-6      a scheme
  leuko knowledge show model        every model of a forecast"""


@click.group("knowledge", short_help="Look at what leuko knows, check it, compare it.")
def command() -> None:
    """Look at what leuko knows, check it, compare it."""


@command.command("check", short_help="Find what breaks the rules of the knowledge.")
@knowledge_option
def check(*, extra: tuple[Path, ...]) -> None:
    """Find what breaks the rules of the knowledge.

    Limits that cross, bands that overlap or leave a hole, units that are not the analyte's, sources that nobody can
    find. Exits with 2 if there is an error; warnings are printed and pass.
    """
    from leuko.knowledge import audit  # noqa: PLC0415

    library = _load(extra)
    findings = audit.check(library)
    for finding in findings:
        say(f"{finding.severity}: {finding.key}: {finding.text}")
    errors, rows = len(audit.errors(findings)), sum(found.total for found in audit.coverage(library))
    click.echo(f"{rows} rows of knowledge checked: {errors} errors, {len(findings) - errors} warnings")
    click.get_current_context().exit(ExitCode.USAGE if errors else ExitCode.DONE)


@command.command("show", short_help="Show a row, or list what there is.", epilog=_SHOW)
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--on", type=Day(), metavar="DATE", help="Mark the editions in force on this day.")
@knowledge_option
def show(*, keys: tuple[str, ...], on: date | None, extra: tuple[Path, ...]) -> None:
    """Show rows by their keys; a kind of row (model, regimen, cause …) lists all of it; without a key, the grading
    schemes and how much is known of what."""
    library = _load(extra)
    if keys:
        click.echo("\n\n".join(text for key in keys for text in _shown(library, key)))
        return
    in_force = library.editions_in_force(on) if on is not None else ()
    click.echo(f"knowledge {library.hash}\n")
    for scheme in sorted(library.schemes, key=lambda row: (row.id, row.in_force_from)):
        click.echo(_scheme_line(scheme) + ("  in force on that day" if scheme in in_force else ""))
    click.echo()
    click.echo("\n".join(_coverage(library)))


def _shown(library: Library, key: str) -> Iterator[str]:
    """The rows of a key, one by one, or one list of all of a kind."""
    from leuko.cli._cards import card_text  # noqa: PLC0415 (help needs none of it)
    from leuko.knowledge import audit  # noqa: PLC0415
    from leuko.knowledge.showing import listed  # noqa: PLC0415

    try:
        cards = audit.show(library, key)
    except UsageError:
        rows = listed(library, key)
        if not rows:
            raise
        width = max(len(name) for name, _ in rows)
        yield "\n".join(f"{name:<{width}}  {title}" for name, title in rows)
    else:
        yield from map(card_text, cards)


def _scheme_line(scheme: GradeScheme) -> str:
    until = f" until {scheme.in_force_to}" if scheme.in_force_to else ""
    return f"{scheme.id + '-' + scheme.edition:<12} from {scheme.in_force_from}{until:<17}  {scheme.title}"


@command.command("coverage", short_help="Count rows by kind, confirmation, and without a case.")
@click.option("--cases", type=_FOLDER, metavar="FOLDER", help="Where the cases are. [tests/cases of the checkout]")
@click.option("--list", "listed", is_flag=True, help="Also list the unreviewed rows, and those that no case names.")
@knowledge_option
def coverage(*, cases: Path | None, listed: bool, extra: tuple[Path, ...]) -> None:
    """Count rows by kind, by how well they are confirmed, and without a case.

    Conclusions rest on confirmed, secondary and house rows; unreviewed rows are listed and drive nothing. A case is a
    person in tests/cases that a clinician can read; a row has one where a case names it. Cases are not shipped: without
    a checkout, only the confirmation is counted.
    """
    library = _load(extra)
    held = _cases(cases)
    click.echo("\n".join(_coverage(library, held)))
    if listed:
        click.echo("\n".join(_listed(library, held)))


def _cases(folder: Path | None) -> Cases | None:
    """The cases named, else those of the checkout that this leuko runs from, else none, which is said."""
    from leuko.knowledge.coverage import read_cases  # noqa: PLC0415

    home = Path(__file__).parents[3] / "tests" / "cases"
    if folder is None and not home.is_dir():
        say("the cases are not shipped with leuko: what has no case is counted in a checkout, or with --cases FOLDER")
        return None
    return read_cases(folder or home)


def _coverage(library: Library, cases: Cases | None = None) -> Iterator[str]:
    from leuko.knowledge import audit  # noqa: PLC0415

    last = f"{'no case':>9}" if cases is not None else ""
    yield f"{'kind':<26}{'rows':>6}{'confirmed':>11}{'secondary':>11}{'house':>7}{'unreviewed':>12}{last}"
    for row in audit.coverage(library, cases):
        yield _coverage_line(row)
    yield f"{'source':<26}{len(library.sources):>6}"
    yield f"{'notice':<26}{len(library.notices):>6}"


def _coverage_line(row: Coverage) -> str:
    counts = f"{row.total:>6}{row.confirmed:>11}{row.secondary:>11}{row.house:>7}{row.unreviewed:>12}"
    return f"{row.kind:<26}{counts}" + ("" if row.without_case is None else f"{row.without_case:>9}")


def _listed(library: Library, cases: Cases | None) -> Iterator[str]:
    from leuko.knowledge import coverage  # noqa: PLC0415

    yield "\nunreviewed: listed, and driving nothing"
    yield from (f"  {row.kind}  {row.key}  ({row.basis.confidence})" for row in coverage.unreviewed(library))
    if cases is not None:
        yield "\ndriving conclusions without a case that names them"
        yield from (f"  {row.kind}  {row.key}" for row in coverage.without_case(library, cases))


@command.command("diff", short_help="Compare two editions, or see what a folder adds.")
@click.argument("editions", nargs=-1, metavar="[EDITION EDITION]")
@knowledge_option
def diff(*, editions: tuple[str, ...], extra: tuple[Path, ...]) -> None:
    """Compare two editions of a grading scheme, or see what a folder of knowledge files adds.

    \b
    Examples:
      leuko knowledge diff ctcae-5 ctcae-6      which values are graded otherwise
      leuko knowledge diff --knowledge ours     what our files add to the shipped
    """
    if len(editions) == 2:
        click.echo("\n".join(_edition_lines(_load(extra), editions)))
    elif extra and not editions:
        from leuko.knowledge import audit  # noqa: PLC0415

        click.echo("\n".join(_difference_lines(audit.diff(_load(()), _load(extra)))))
    else:
        raise UsageError("nothing to compare", do="name two editions (ctcae-5 ctcae-6), or a folder with --knowledge")


def _edition_lines(library: Library, names: Sequence[str]) -> Iterator[str]:
    from leuko.knowledge import audit  # noqa: PLC0415

    old, new = (_edition(library, name) for name in names)
    for before in old.rules:
        whom = " ".join(part for part in (before.analyte, before.ages.text, before.sex) if part)
        counterparts = _counterparts(before, new)
        if not counterparts:
            yield f"{whom}: {names[1]} has no rule for just these people"
        for after in counterparts:
            shifts = audit.shifts(before, after)
            yield f"{whom}:" + ("" if shifts else " the same")
            yield from (f"  {shift}" for shift in shifts)
    for added in sorted({rule.analyte for rule in new.rules} - {rule.analyte for rule in old.rules}):
        yield f"{added}: in {names[1]} only"


def _counterparts(rule: GradeRule, scheme: GradeScheme) -> list[GradeRule]:
    """The rules of another edition for the same analyte and the same people."""
    return [
        other for other in scheme.rules if (other.analyte, other.sex, other.ages) == (rule.analyte, rule.sex, rule.ages)
    ]


def _edition(library: Library, name: str) -> GradeScheme:
    scheme, _, edition = name.rpartition("-")
    return library.scheme(scheme, edition)


def _difference_lines(difference: Difference) -> Iterator[str]:
    if difference.empty:
        yield "the same"
    yield from (f"+ {key}" for key in difference.added)
    yield from (f"- {key}" for key in difference.removed)
    for change in difference.changed:
        yield f"~ {change.key}"
        yield from (f"    {name}: {old} -> {new}" for name, old, new in change.fields)
        yield from (f"    => {effect}" for effect in change.effects)


def _load(extra: tuple[Path, ...]) -> Library:
    from leuko.knowledge import load_library  # noqa: PLC0415

    return load_library(*extra)
