"""`leuko leaflet`: one page in plain words for the person with the low count."""

from __future__ import annotations

from datetime import date, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli._asked import Told, asked_options
from leuko.cli._inputs import (
    as_of_option,
    columns_option,
    paths_argument,
    patient_option,
    today,
    units_option,
    zone_option,
)
from leuko.cli._knowledge import knowledge_option
from leuko.cli._outputs import Outputs, check_files, file_names, named, save
from leuko.cli._people import assess_paths, unit_options

if TYPE_CHECKING:
    from leuko.knowledge import Library
    from leuko.report.leaflet import Leaflet
    from leuko.result import Assessment
    from leuko.site import SiteSettings

_EPILOG = """\b
Examples:
  leuko leaflet patient.json --as-of 2026-01-31
  leuko leaflet patient.json --lang de --site ward.toml --pdf leaflet.pdf
  leuko leaflet labs.csv --patient P17 --html leaflet.html
  leuko leaflet patient.json --symptom "fever=38.4@2026-01-31T14:00"

The site file (TOML) may hold: name, language, fever_limit, fever_limit_child and low_limit in degrees Celsius, bodies,
and under [phones] the numbers of helpline, emergency, out_of_hours, doctor and prescriber. A number that is missing is
printed as a blank line."""


@click.command("leaflet", short_help="One page in plain words for the person, with a fever card.", epilog=_EPILOG)
@paths_argument
@as_of_option("leaflet")
@patient_option
@click.option("--lang", metavar="LANGUAGE", help="The language of the leaflet: en, de. [the site's, else en]")
@columns_option
@units_option
@zone_option
@knowledge_option
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write one page that works offline."
)
@click.option(
    "--pdf",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write one A4 page as PDF (needs the extra leuko[pdf]).",
)
@asked_options
@click.option("-q", "--quiet", is_flag=True, help="Print no leaflet; messages still go to stderr.")
def command(
    *,
    paths: tuple[Path, ...],
    as_of: date | None,
    patient: str | None,
    lang: str | None,
    columns: Path | None,
    units: tuple[str, ...],
    zone: tzinfo,
    extra: tuple[Path, ...],
    html: Path | None,
    pdf: Path | None,
    quiet: bool,
    told: Told,
) -> None:
    """Write the leaflet for the person: what to do first, when to call whom, what the count means.

    PATH is read as by `leuko assess`. The leaflet is printed as text; --html and --pdf write one page to hand over.
    Several people get a file each, with the person's id in its name.
    """
    check_files(Outputs(html=html, pdf=pdf), paths)
    from leuko.intake.base import ReadOptions  # noqa: PLC0415 (help needs no reader)
    from leuko.knowledge import load_library  # noqa: PLC0415
    from leuko.report.leaflet import language_of  # noqa: PLC0415
    from leuko.report.leaflet_write import text  # noqa: PLC0415
    from leuko.site import SiteSettings, read_site  # noqa: PLC0415

    site = read_site(told.site) if told.site is not None else SiteSettings()
    language = lang or site.language
    library = load_library(*extra)
    language_of(language, library)
    day = as_of or today(zone)
    named_units = unit_options(units, library) if units else {}
    options = ReadOptions(zone=zone, as_of=day, columns=columns, units=named_units, patient=patient)
    people = assess_paths(paths, options=options, as_of=day, told=told, extra=extra)
    names = file_names(people)
    for number, (person, name) in enumerate(zip(people, names, strict=True)):
        made = _made(person, site, language, library)
        if not quiet:
            click.echo(("\n" if number else "") + text(made), nl=False)
        _save(made, person.as_of, html and named(html, name), pdf and named(pdf, name))


def _save(made: Leaflet, as_of: date, html_file: Path | None, pdf_file: Path | None) -> None:
    from leuko.report.leaflet_write import html, pdf  # noqa: PLC0415 (loads what the views need)

    if html_file is not None:
        save(html_file, html(made).encode())
    if pdf_file is not None:
        save(pdf_file, pdf(made, as_of=as_of))


def _made(person: Assessment, site: SiteSettings, language: str, library: Library) -> Leaflet:
    from leuko.report.leaflet import leaflet  # noqa: PLC0415

    if person.advice is None:  # pragma: no cover (an assessment from records has its advice)
        raise AssertionError("an assessment without advice")
    return leaflet(person, person.advice, language=language, site_name=site.name, library=library)
