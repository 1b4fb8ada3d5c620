"""The outputs that `assess` and `demo` share: the view in the terminal, JSON, FHIR, one HTML page, PDF."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leuko.cli._inputs import width_option
from leuko.cli._notices import say
from leuko.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from leuko.result import Assessment

STDOUT = Path("-")
_NAMES = ("json", "fhir", "html", "pdf", "width", "full", "quiet", "strict")
_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Where the results go. `json` or `fhir` may be `-`; then stdout carries that and nothing else.

    `full` shows everything in the terminal, where the view is otherwise what a person reads first.
    """

    json: Path | None = None
    fhir: Path | None = None
    html: Path | None = None
    pdf: Path | None = None
    width: int | None = None
    full: bool = False
    quiet: bool = False
    strict: bool = False

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that will be written."""
        every = (self.json, self.fhir, self.html, self.pdf)
        return tuple(path for path in every if path is not None and path != STDOUT)

    @property
    def piped(self) -> bool:
        """Whether stdout carries data for another program."""
        return STDOUT in (self.json, self.fhir)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets one `outputs` argument."""

    def with_outputs(**given: Any) -> Any:
        own = {name: given.pop(name) for name in _NAMES}
        return command(outputs=Outputs(**own), **given)

    with_outputs.__doc__ = command.__doc__
    for option in reversed(_OPTIONS):
        with_outputs = option(with_outputs)
    return with_outputs


def json_option(what: str, name: str = "json_") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--json FILE` of a command whose view is text; `what` names what is written."""
    text = f"Write {what} as JSON ('-': to stdout, instead of the view)."
    return click.option("--json", name, type=_FILE, metavar="FILE", help=text)


def give(view: str, document: str, json: Path | None) -> None:
    """Show the view and write the document, or put the document alone on stdout."""
    if json == STDOUT:
        click.echo(document)
        return
    if json is not None:
        save(json, f"{document}\n".encode())
    click.echo(view)


_OPTIONS = (
    json_option("the assessment", "json"),
    click.option("--fhir", type=_FILE, metavar="FILE", help="Write it as a FHIR R4 Bundle ('-': to stdout)."),
    click.option("--html", type=_FILE, metavar="FILE", help="Write one self-contained page that works offline."),
    click.option("--pdf", type=_FILE, metavar="FILE", help="Write the page as PDF (needs the extra leuko[pdf])."),
    width_option,
    click.option("--full", is_flag=True, help="Show everything in the terminal, with its sources."),
    click.option("-q", "--quiet", is_flag=True, help="Print no view; messages still go to stderr."),
    click.option("--strict", is_flag=True, help="Exit with 4 where anything could not be said, read or believed."),
)


def check_files(outputs: Outputs, inputs: Sequence[Path] = ()) -> None:
    """Refuse, before any work, a place that cannot be written or that would overwrite an input."""
    for path in outputs.files:
        spare_inputs(path, inputs)
        if not path.parent.is_dir():
            raise UsageError("the folder of an output does not exist", where=str(path), do=f"mkdir -p {path.parent}")
    if len(set(outputs.files)) < len(outputs.files):
        raise UsageError("two outputs have the same name", do="give each output a file of its own")
    if STDOUT in (outputs.html, outputs.pdf):
        raise UsageError("only JSON and FHIR can go to stdout", do="name a file for --html or --pdf")
    if outputs.json == outputs.fhir == STDOUT:
        raise UsageError("stdout can carry JSON or FHIR, not both", do="name a file for one of them")


def spare_inputs(path: Path, inputs: Sequence[Path]) -> None:
    """Refuse to write over what is read."""
    if path.resolve() in {given.resolve() for given in inputs}:
        raise UsageError("an output would overwrite an input", where=str(path), do="name another output file")


def write(assessments: Sequence[Assessment], outputs: Outputs) -> ExitCode:
    """Show and write the assessments; gives the exit code."""
    if not outputs.piped and not outputs.quiet:
        _show(assessments, outputs)
    if outputs.json is not None:
        _write_json(assessments, outputs.json)
    if outputs.fhir == STDOUT:
        _pipe_fhir(assessments)
    names = file_names(assessments)
    for assessment, name in zip(assessments, names, strict=True):
        _write_documents(assessment, name, outputs)
    lost, gaps = _short_of(assessments)
    if not outputs.strict or not (lost or gaps):
        return ExitCode.DONE
    say(f"--strict: {lost} notices of what was not read or believed, {gaps} answers that cannot be given")
    return ExitCode.GAPS


def _show(assessments: Sequence[Assessment], outputs: Outputs) -> None:
    from leuko.report import terminal  # noqa: PLC0415 (loads rich)

    for number, assessment in enumerate(assessments):
        if number:
            click.echo()
        if sys.stdout.isatty():
            terminal.show(assessment, width=outputs.width, full=outputs.full)
        else:  # a pipe or a file: 80 columns unless asked, no colour, no padding
            width = outputs.width or terminal.DEFAULT_WIDTH
            click.echo(terminal.render(assessment, width=width, full=outputs.full), nl=False)


def _write_json(assessments: Sequence[Assessment], path: Path) -> None:
    from leuko.report import view  # noqa: PLC0415 (loads msgspec)

    encoded = [view("json").write(assessment).strip() for assessment in assessments]
    # One person is an object, several are an array: a reader of one person needs no unpacking.
    content = encoded[0] if len(encoded) == 1 else b"[\n" + b",\n".join(encoded) + b"\n]"
    if path == STDOUT:
        _pipe(content + b"\n")
    else:
        save(path, content + b"\n")


def _pipe_fhir(assessments: Sequence[Assessment]) -> None:
    """One bundle as it stands; several one a line (NDJSON), as FHIR has no list of bundles."""
    from leuko.report import fhir  # noqa: PLC0415

    _pipe(b"".join(fhir.encode(assessment, pretty=len(assessments) == 1) for assessment in assessments))


def _pipe(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _write_documents(assessment: Assessment, name: str, outputs: Outputs) -> None:
    from leuko.report import view  # noqa: PLC0415

    for kind, path in (("fhir", outputs.fhir), ("html", outputs.html), ("pdf", outputs.pdf)):
        if path is not None and path != STDOUT:
            save(named(path, name), view(kind).write(assessment))


def file_names(assessments: Sequence[Assessment]) -> list[str]:
    """What each person's file is called beside the others: nothing for one person, else their id, made unique."""
    if len(assessments) == 1:
        return [""]
    names: list[str] = []
    for number, assessment in enumerate(assessments, 1):
        safe = re.sub(r"[^\w.-]+", "_", assessment.patient.id).strip("._") or str(number)
        names.append(safe if safe not in names else f"{safe}-{number}")
    return names


def named(path: Path, name: str) -> Path:
    """The file of one person beside those of others."""
    return path.with_name(f"{path.stem}-{name}{path.suffix}") if name else path


def save(path: Path, content: bytes) -> None:
    """Write a file and say so; UsageError where it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError("an output cannot be written", where=str(path), why=error.strerror or str(error)) from error
    click.echo(f"wrote {path}", err=True)


def _short_of(assessments: Sequence[Assessment]) -> tuple[int, int]:
    """How many notices tell of what could not be used, and how many answers are open."""
    notices = [notice for assessment in assessments for notice in assessment.notices]
    lost = sum(notice.severity == "error" or notice.data_lost for notice in notices)
    return lost, sum(len(assessment.gaps) for assessment in assessments)
