"""docs/reference/validation.md: what leuko is held against, counted from the files in which the results are kept."""

# ruff: noqa: E501 (sentences of the page)

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

from leuko.knowledge import Library
from leuko.knowledge.library import every_basis

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
Table = list[dict[str, str]]

_AGREED = r"All (\d+) low grades agree"
_HEAD = """\
# How leuko is checked

Every figure on this page is counted by a command from results that are kept in the repository; none is typed. What was measured on
one machine is measured anew by the command beside it. Real records do not ship with leuko: what rests on them is named, and its
tests run where the data lie beside the checkout.
"""


def evidence(made: str, library: Library) -> str:
    """The page."""
    parts = [_HEAD, _cases(), _grades(), _models(), _calibration(), _speed(), _knowledge(library), _not_checked()]
    return made + "\n".join(parts)


SUMMED = re.compile(r"(<!-- checked -->\n).*?(<!-- /checked -->)", re.DOTALL)


def summed(text: str) -> str:
    """A page with the summary of this one between its two marks."""
    (models,) = tables("forecast-validation.md", "Published numbers")
    (held,) = tables("forecast-validation.md", "Calibration on people made by the model")
    papers = [row for row in models if row["from"] == "published"]
    passed = sum(row["verdict"] == "pass" for row in papers)
    eighty = [100 * float(row["80 %"]) for row in held]
    admiral = (REFERENCE / "admiral.md").read_text("utf-8")
    said = (
        f"* {sum(_counted().values()):,} invented cases say what leuko must conclude; a few rows of knowledge are broken in every run to see that a case notices.\n"
        f"* All {_one(_AGREED, admiral)} low grades of the tests of admiral (R) agree.\n"
        f"* The marrow models meet {passed} of {len(papers)} numbers of the papers they are from; the others are named, with why.\n"
        f"* Intervals that are said to hold 80 % hold {min(eighty):.0f} to {max(eighty):.0f} % of {len(held)} quantities of people made by the model.\n"
    )
    return SUMMED.sub(lambda found: found[1] + said + found[2], text)


def tables(page: str, under: str = "") -> list[Table]:
    """The tables of a page of the reference, those below a heading that begins so, as rows by column."""
    text = (REFERENCE / page).read_text("utf-8")
    found: list[Table] = []
    for section in re.split(r"(?m)^(?=##+ )", text):
        head = section.partition("\n")[0].lstrip("# ") if section.startswith("##") else ""
        if not head.startswith(under):
            continue
        for block in re.findall(r"(?:^\|.*\|\n)+", section, re.MULTILINE):
            lines = [
                [cell.strip() for cell in line.strip("|").split(" | ")]
                for line in block.replace("|  |", "| |").splitlines()
            ]
            names, rows = lines[0], lines[2:]
            found.append([dict(zip((name.strip() for name in names), row, strict=False)) for row in rows])
    if not found:
        raise SystemExit(f"{page} has no table under {under!r}: was it written anew in another form?")
    return found


def _rows() -> dict[str, list[dict[str, object]]]:
    """The cases by the name of their file."""
    found = {}
    for path in sorted((ROOT / "tests" / "cases").glob("*.toml")):
        read = tomllib.loads(path.read_text("utf-8"))
        found[path.stem] = [
            row for rows in read.values() if isinstance(rows, list) for row in rows if isinstance(row, dict)
        ]
    return found


def _counted() -> dict[str, int]:
    return {name: len(rows) for name, rows in _rows().items()}


def _cases() -> str:
    kept = _counted()
    vectors = sum(bool(re.match(r"TV\d+", str(row.get("name", "")))) for rows in _rows().values() for row in rows)
    groups: Counter[str] = Counter()
    for name, many in kept.items():
        groups[_GROUPS.get(re.split(r"[-_]", name)[0], "other")] += many
    rows = "\n".join(f"| {name} | {many} |" for name, many in sorted(groups.items()))
    return (
        "## Cases\n\n"
        f"{sum(kept.values())} invented cases stand in `tests/cases`, as tables that clinicians can read and add to; each says what leuko"
        f" must conclude. {vectors} of them are numbered vectors of scores (TV21 and so on)."
        " A further test breaks a sample of the rows of knowledge, one at a time, and fails if no case notices.\n\n"
        f"| cases on | number |\n| --- | ---: |\n{rows}\n"
    )


_GROUPS = {
    "advice": "advice and the leaflet",
    "causes": "causes",
    "counts": "counts, units and grades",
    "dosing": "medicines and doses",
    "drugs": "medicines and doses",
    "entries": "single entries of the tables of knowledge",
    "forecast": "forecasts",
    "grades": "counts, units and grades",
    "infection": "infection and fever",
    "issues": "whole people",
    "leaflet": "advice and the leaflet",
    "models": "forecasts",
    "page": "whole people",
    "plan": "work-up and plan",
    "results": "counts, units and grades",
    "scores": "scores",
    "steps": "work-up and plan",
    "told": "infection and fever",
    "workup": "work-up and plan",
}


def _grades() -> str:
    text = (REFERENCE / "admiral.md").read_text("utf-8")
    cases, agreed = (int(_one(pattern, text)) for pattern in (r"(\d+) cases of its tests", _AGREED))
    deviations = sum(len(row["numbers"].split(",")) for row in tables("admiral.md")[0])
    return (
        "## Grades against another implementation\n\n"
        f"{cases} cases of the tests of [admiral](admiral.md) (R, pharmaverse) on CTCAE 4, 5 and 6 and DAIDS 2.1: all {agreed} low grades"
        f" agree; {deviations} cases deviate, each named with why. A test fails if another deviates, or if one of these agrees. The files of"
        " admiral are not shipped: `tests/reference/test_admiral.py` runs where they lie beside the checkout.\n\n"
        "The grades published for the CDISC pilot study (ADLB, CTCAE 4) are compared by `tests/reference/test_cdisc.py` in the same way.\n"
    )


def _models() -> str:
    (rows,) = tables("forecast-validation.md", "Published numbers")
    lines = []
    for name, words in (
        ("published", "a number of a paper"),
        ("regression", "a number of leuko's own, kept so that it does not move"),
    ):
        verdicts = Counter(row["verdict"] for row in rows if row["from"] == name)
        lines.append(f"| {words} | {sum(verdicts.values())} | {verdicts['pass']} | {verdicts['miss']} |")
    missed = [
        f"* {row['model']}, {row['dose']}: {row['found']} instead of {row['expected']}. {row['why']}"
        for row in rows
        if row["verdict"] == "miss"
    ]
    models = len({row["model"] for row in rows})
    return (
        "## Marrow models against published numbers\n\n"
        f"{models} models, from [How good the forecasts are](forecast-validation.md), which `make validation` writes.\n\n"
        "| held against | checks | pass | miss |\n| --- | ---: | ---: | ---: |\n"
        + "\n".join(lines)
        + "\n\nMissed:\n\n"
        + "\n".join(missed)
        + "\n"
    )


def _calibration() -> str:
    (rows,) = tables("forecast-validation.md", "Calibration on people made by the model")
    people = sum(int(row["people"]) for row in {row["design"]: row for row in rows}.values())
    held = sum(row["verdict"] == "holds" for row in rows)
    spans = {level: [float(row[level]) for row in rows] for level in ("50 %", "80 %", "95 %")}
    told = "\n".join(
        f"| {level} | {100 * min(found):.1f} % | {100 * max(found):.1f} % |" for level, found in spans.items()
    )
    return (
        "## Calibration of the forecasts\n\n"
        f"{people} people made by the model, {len(rows)} quantities: {held} hold. An interval that is said to hold 80 % should hold"
        " the truth of 80 of 100 people; this is what the intervals held, at the least and at the most of the quantities.\n\n"
        f"| interval | least | most |\n| --- | ---: | ---: |\n{told}\n\n"
        "That is whether the arithmetic is right where the model is. Whether the model is right for people is another question: on real"
        " counts it is answered [there](forecast-validation.md), with what it does not reach.\n"
    )


def _speed() -> str:
    lines = []
    page = (REFERENCE / "cohort-speed.md").read_text("utf-8")
    for title in re.findall(r"(?m)^### (.+)$", page):
        (found,) = tables("cohort-speed.md", title)
        lines += [f"| a cohort, {title} | {row['engine'].partition(':')[0]} | {row['wall s']} s |" for row in found]
    rows = tables("forecast-speed.md")[0]
    lines += [
        f"| people simulated in a second, one core | {row['solver']} | {row['people a second']} |" for row in rows
    ]
    return (
        "## Speed beside others\n\nFrom [cohorts](cohort-speed.md) and [simulation](forecast-speed.md), where machine, command and aims"
        " that are not reached stand. Ratios travel between machines; absolutes do not.\n\n"
        "| what | by | |\n| --- | --- | ---: |\n" + "\n".join(lines) + "\n"
    )


def _knowledge(library: Library) -> str:
    every = [basis.confidence for _, basis in every_basis(library)]
    counted = Counter(every)
    rows = "\n".join(f"| {name} | {many} |" for name, many in counted.most_common())
    return (
        "## How much of the knowledge is confirmed\n\n"
        f"{len(every)} rows name a source, by how well it was confirmed. Only rows that are confirmed, secondary or house drive a conclusion;"
        " the others are shown as what they are.\n\n"
        f"| confidence | rows |\n| --- | ---: |\n{rows}\n"
    )


def _not_checked() -> str:
    return """\
## What was not checked

No study of leuko with clinicians, and none of what became of people, stands in this repository. Scores, causes and plans are held
against invented cases and published tables, not against outcomes. [What it cannot say](../explanation/what-it-cannot-say.md).
"""


def _one(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise SystemExit(f"admiral.md no longer says {pattern!r}")
    return found[1]
