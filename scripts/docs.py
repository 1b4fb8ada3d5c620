"""Writes the generated pages of docs from the code: `python scripts/docs.py`; `--check` only compares."""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from textwrap import dedent

import click

from leuko.cli import cli
from leuko.knowledge import Library, load_library
from leuko.knowledge.further import further_kinds

sys.path.insert(0, str(Path(__file__).parent))
import docs_evidence
import docs_tables

DOCS = Path(__file__).parents[1] / "docs"
MADE = "<!-- Written by scripts/docs.py from the code. Change the code, then run `make docs-write`. -->\n"


def pages() -> dict[Path, str]:
    """Each generated page and its content."""
    library = load_library()
    return {
        DOCS / "reference" / "cli.md": command_line(),
        DOCS / "reference" / "notices.md": notices(library),
        DOCS / "reference" / "knowledge.md": knowledge(library),
        DOCS / "reference" / "cohort-outputs.md": cohort_outputs(library),
        DOCS / "reference" / "validation.md": docs_evidence.evidence(MADE, library),
        DOCS.parent / "README.md": docs_evidence.summed((DOCS.parent / "README.md").read_text("utf-8")),
        DOCS / "decisions" / "index.md": decisions(),
        **tables(library),
        **{path: reviewed(path.read_text("utf-8"), library) for path in sorted((DOCS / "explanation").glob("*.md"))},
    }


# ---- the command line ------------------------------------------------------------------------------------------------


def command_line() -> str:
    """The help of every command, as the program prints it at 88 columns."""
    parts = [
        MADE,
        "# The command line\n",
        dedent("""\
        Results go to standard output, messages to standard error. `NO_COLOR=1` switches colours off. Exit codes:

        | code | meaning |
        | --- | --- |
        | 0 | done |
        | 1 | an error inside leuko: a bug, please report it |
        | 2 | the call cannot be understood: an unknown option, a missing file, settings that break their rules |
        | 3 | an input cannot be read: truncated, binary, empty, or nothing in it belongs to a person |
        | 4 | finished, but under `--strict` something is open; or a check (`audit verify`, `validate`) found a fault |
        | 130 | interrupted |
        """),
    ]
    for words, command in commands(("leuko",), cli):
        parts.append(f"## {' '.join(words)}\n\n```text\n{help_text(words, command)}\n```\n")
    return "\n".join(parts)


def commands(words: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """The command and every command below it, with the words that call it."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from commands((*words, name), found)


def help_text(words: tuple[str, ...], command: click.Command) -> str:
    """The help of one command."""
    context = click.Context(command, info_name=" ".join(words), terminal_width=88, help_option_names=["-h", "--help"])
    return command.get_help(context).rstrip()


# ---- the tables of a cohort ------------------------------------------------------------------------------------------


def cohort_outputs(library: Library) -> str:
    """The tables that `leuko cohort` writes, column by column, the definitions, and where ADaM is left."""
    from leuko.cohort.outputs import described
    from leuko.cohort.outputs.definitions import on_file

    parts = [
        MADE,
        "# The tables of a cohort\n",
        dedent("""\
        What [`leuko cohort`](../how-to/cohort.md) writes into its folder: a folder of Parquet files a table
        (`--format csv`: a file), `summary.html`, `summary.json`, `manifest.json` (files, rows, SHA-256) and
        `account.json` (where every row went). Beside these tables stand those that were read: people, treatments,
        signs, facts.
        """),
    ]
    for name, columns in described.TABLES.items():
        rows = [f"| `{column}` | {text} |" for column, text in columns.items()]
        parts.append(
            "\n".join([f"## {name}\n", f"{described.HEADS[name]}\n", "| column | holds |", "| --- | --- |", *rows, ""])
        )
    parts.append(
        dedent("""\
        ## Where ADaM is left

        * **ATOXGRH** is always empty: leuko grades low counts only. So **ATOXGR** is `-1` to `-4` for a low
          count, and `0` only where the count is also proven not to lie above the upper end of normal; else
          it is empty.
        * **A count that cannot be graded has no grade**, never `0`: ATOXGRLL and ATOXGRLM say what remains
          possible.
        * **BASE** is the last count on or before the first treatment that was given, else before the start
          that the source names (RFSTDTC). Where it is only a bound, BASE and CHG are empty and BASEC shows
          it.
        * **ADLB** holds one row a count as leuko uses it: duplicates and superseded versions are in the
          notices; counts that leuko derived carry PARAMTYP `DERIVED`. PARAM carries leuko's unit; PARAMCD
          is SDTM's code where it is confirmed. There are no visits (AVISIT), no imputed rows (DTYPE) and no
          analysis flags beyond ABLFL.
        * **ADAE**: AESRC tells reported events (`AE`) from episodes of counts (`LB`). ASTDT and AENDT of an
          episode are the first low count and the first one back; ASTDTE and AENDTE are the other ends of
          the two intervals.
        * **ATOXEDN, ATOXGRLL, ATOXGRLM, SRCFILE, SRCROW, AESRC, AETOXGRL, AETOXGRM, ASTDTE, AENDTE, ADURL,
          ADURM, ACENS** are names of leuko's own.
        """)
    )
    rows = []
    for row in on_file(library).values():
        source = library.sources[row.basis.source].title
        rows.append(f"| `{row.id}` | {row.number} | {row.title} | {source} | {row.basis.confidence} |")
    head = [
        "## Definitions on file\n",
        "| name | number | what | rests on | confidence |",
        "| --- | --- | --- | --- | --- |",
    ]
    holes: list[str] = []
    for row in on_file(library).values():
        if told := getattr(row, "holes", ()):
            holes += [f"Holes of `{row.id}` that are closed, and open with `--as-published`:\n"]
            holes += [*(f"* {hole}" for hole in told), ""]
    parts.append("\n".join([*head, *rows, "", *holes]))
    return "\n".join(parts)


# ---- notices ---------------------------------------------------------------------------------------------------------

AREAS = {
    "1": "Files and archives",
    "2": "Units and sizes",
    "3": "Codes, names, specimens, reference ranges",
    "4": "FHIR",
    "5": "Tables",
    "6": "Counts",
    "7": "Symptoms and the form that asks for them",
}


def notices(library: Library) -> str:
    """The catalogue of notices, in the order of their codes."""
    parts = [
        MADE,
        "# Notices\n",
        dedent("""\
        What leuko says about its input, like a compiler's diagnostics. Codes are stable; `leuko explain` with a code
        prints the same text. An `error` could not be used, a `warning` was used and deserves a look, an `info` is
        worth knowing.
        """),
    ]
    area = ""
    for code, entry in sorted(library.notices.items()):
        if code[2] != area:
            area = code[2]
            parts.append(f"## LK{area}xx: {AREAS.get(area, 'Other')}\n")
        example = f"\n```text\n{entry.example.strip()}\n```\n" if entry.example.strip() else ""
        parts.append(
            f"### {code}: {entry.title}\n\n*{entry.severity}.* {entry.explain.strip()}\n\n"
            f"**What to do:** {entry.help.strip()}\n{example}"
        )
    return "\n".join(parts)


# ---- knowledge -------------------------------------------------------------------------------------------------------


def knowledge(library: Library) -> str:
    """What leuko knows, counted and listed; `leuko explain` shows the rows themselves."""
    return "\n".join(
        [
            MADE,
            "# Knowledge\n",
            dedent("""\
            Every row names its source and how well it was confirmed. `leuko explain` with its key shows a row
            of grades, definitions, intervals, analytes or codes, `leuko knowledge check` tests
            them all, and [Add knowledge](../how-to/add-knowledge.md) says how to add one.
            """),
            "## Every row, table by table\n",
            *docs_tables.links(library, "knowledge"),
            "",
            *_schemes(library),
            *_counted(library),
            *_sources(library),
        ]
    )


def tables(library: Library) -> dict[Path, str]:
    """One page a table, with every row."""
    home = DOCS / "reference" / "knowledge"
    return {home / name: f"{MADE}\n{text}" for name, text in docs_tables.pages(library).items()}


def _schemes(library: Library) -> Iterator[str]:
    yield "## Grading schemes\n"
    yield "| key | title | in force from | until | grades |\n| --- | --- | --- | --- | --- |"
    for scheme in sorted(library.schemes, key=lambda row: (row.id, row.in_force_from)):
        graded = ", ".join(dict.fromkeys(rule.analyte for rule in scheme.rules))
        until = scheme.in_force_to or ""
        yield f"| `{scheme.id}-{scheme.edition}` | {scheme.title} | {scheme.in_force_from} | {until} | {graded} |"
    yield ""


def _counted(library: Library) -> Iterator[str]:
    yield "## What is known of each analyte\n"
    yield "| analyte | unit | definitions and bands | reference intervals | grade rules | codes |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in sorted(library.analytes.values(), key=lambda row: row.id):
        graded = sum(rule.analyte == row.id for scheme in library.schemes for rule in scheme.rules)
        known = (
            sum(found.analyte == row.id for found in library.definitions),
            sum(found.analyte == row.id for found in library.intervals),
            graded,
            sum(found.analyte == row.id for found in library.codes.values()),
        )
        yield f"| `{row.id}` {row.label} | {row.unit} | " + " | ".join(map(str, known)) + " |"
    yield ""


def _sources(library: Library) -> Iterator[str]:
    yield "## Sources\n"
    for row in sorted(library.sources.values(), key=lambda row: row.id):
        link = f"https://doi.org/{row.doi}" if row.doi else row.url
        about = ", ".join(part for part in (row.publisher, row.edition, str(row.year or "")) if part)
        yield f"* `{row.id}`: {row.title}" + (f" ({about})" if about else "") + (f" <{link}>" if link else "")
    yield ""


# ---- how much of a part is confirmed ---------------------------------------------------------------------------------

REVIEWED = re.compile(r"(<!-- knowledge: (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def reviewed(text: str, library: Library) -> str:
    """A page with its tables of confirmed rows: `<!-- knowledge: causes/cause = causes, drugs/drug = medicines -->`."""
    kinds = {f"{kind.FOLDER}/{kind.KEY}": kind for kind in further_kinds()}

    def table(match: re.Match[str]) -> str:
        lines = ["| rows of | in all | confirmed | secondary | house | unreviewed |", "| --- " * 6 + "|"]
        for part in match[2].split(","):
            name, _, words = (word.strip() for word in part.partition("="))
            rows = library.rows(kinds[name])
            found = Counter(row.basis.confidence for row in rows)
            idle = sum(not row.basis.drives for row in rows)
            counts = (len(rows), found["confirmed"], found["secondary"], found["house"], idle)
            lines.append(f"| {words} (`{name}`) | " + " | ".join(map(str, counts)) + " |")
        return match[1] + "\n".join(lines) + "\n" + match[3]

    return REVIEWED.sub(table, text)


# ---- decisions -------------------------------------------------------------------------------------------------------


def decisions() -> str:
    """The decisions by number, each under its own title."""
    found = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    titles = ((path.name, path.read_text("utf-8").partition("\n")[0].removeprefix("# ")) for path in found)
    return "\n".join([MADE, "# Decisions\n", *(f"* [{title}]({name})" for name, title in titles), ""])


def main() -> int:
    """Write the pages, or with --check print how they differ from what the code says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        for path, text in pages().items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return 0
    stale = {path: text for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        old = path.read_text("utf-8").splitlines() if path.exists() else []
        sys.stderr.writelines(f"{line}\n" for line in unified_diff(old, text.splitlines(), path.name, "code", n=0))
        sys.stderr.write(f"{path.relative_to(DOCS.parent)} is not what the code says: run `make docs-write`\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
