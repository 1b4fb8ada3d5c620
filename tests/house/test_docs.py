"""The documentation is tested against the code: its commands run, its Python runs, its links lead somewhere.

A `console` block holds `$ ` lines and the output that follows them. Commands of leuko are run in a folder that holds
the shipped examples; `...` in the expected output stands for anything. A command that must not end with 0 says
`# exit code 3` after it.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from fixtures.causes_people import causes, record_of
from leuko.__main__ import main
from leuko.cli import cli
from leuko.knowledge import audit, load_library
from leuko.site import site_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "src" / "leuko" / "data" / "examples"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
EXIT = re.compile(r"\s+# exit code (\d+)$")


@dataclass(frozen=True)
class Command:
    line: str
    expected: str
    code: int


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str) -> list[str]:
    return [found[2] for found in FENCE.finditer(path.read_text("utf-8")) if found[1] == language]


def console(path: Path) -> Iterator[Command]:
    for block in blocks(path, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, expected = part.partition("\n")
            ends = EXIT.search(line)
            yield Command(EXIT.sub("", line), expected, int(ends[1]) if ends else 0)


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def agrees(expected: str, actual: str) -> bool:
    """Whether each stretch of the expected output between `...` occurs in the actual one, in order."""
    pieces = [piece.strip() for piece in expected.split("...")]
    at = 0
    for piece in pieces:
        found = actual.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True


@pytest.mark.parametrize("path", [path for path in PAGES if blocks(path, "console")], ids=label)
def test_commands_in_the_documentation_run(path: Path, examples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The commands of a page run one after the other in one folder, as a reader would type them."""
    for command in console(path):
        words = shlex.split(command.line)
        assert words[0] == "leuko", "other programs stand in indented blocks, which are not run"
        code = main(words[1:])
        captured = capsys.readouterr()
        seen = captured.out + captured.err
        assert code == command.code, f"{command.line}: {seen}"
        assert agrees(command.expected, seen), f"{command.line}: {seen}"


@pytest.mark.parametrize(
    ("page", "code"),
    [(label(path), block) for path in PAGES for block in blocks(path, "python")],
    ids=lambda value: value.splitlines()[0][:60],
)
def test_python_in_the_documentation_runs(page: str, code: str, examples: Path) -> None:
    exec(compile(code, page, "exec"), {"__name__": "documentation"})  # noqa: S102 (our own pages)


@pytest.mark.parametrize("path", PAGES, ids=label)
def test_links_lead_somewhere(path: Path) -> None:
    targets = [first or second for first, second in LINK.findall(FENCE.sub("", path.read_text("utf-8")))]
    local = [target for target in targets if not re.match(r"[a-z]+:|#", target)]
    missing = [target for target in local if not (path.parent / target.split("#")[0]).exists()]
    assert not missing


@pytest.mark.parametrize("path", PAGES, ids=label)
def test_make_targets_and_commands_that_are_named_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"`make ([a-z-]+)`", text))
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets), targets
    named = set(re.findall(r"`leuko ([a-z]+)", text))
    assert named <= set(cli.list_commands(click.Context(cli))), named


def test_every_page_is_reached_from_the_index() -> None:
    linked = {DOCS / "index.md"}
    todo = [DOCS / "index.md"]
    while todo:
        page = todo.pop()
        for first, second in LINK.findall(page.read_text("utf-8")):
            target = (page.parent / (first or second).split("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in linked:
                linked.add(target)
                todo.append(target)
    assert not {label(page) for page in DOCS.rglob("*.md")} - {
        label(page) for page in linked if page.is_relative_to(ROOT)
    }


def generated() -> dict[Path, str]:
    spec = importlib.util.spec_from_file_location("leuko_docs", ROOT / "scripts" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["leuko_docs"] = module
    spec.loader.exec_module(module)
    pages: dict[Path, str] = module.pages()
    return pages


def test_generated_pages_are_those_of_the_code() -> None:
    stale = [label(path) for path, text in generated().items() if path.read_text("utf-8") != text]
    assert not stale, "run `make docs-write`"


def commands(command: click.Command) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), name)
            assert found is not None
            yield from commands(found)


def test_every_command_and_option_has_help() -> None:
    for command in commands(cli):
        assert (command.help or "").strip(), command.name
        options = [option for option in command.params if isinstance(option, click.Option)]
        assert all(option.help for option in options), command.name


def test_the_column_map_of_the_documentation_reads_its_table(
    examples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = DOCS / "how-to" / "column-map.md"
    (examples / "export.txt").write_text(blocks(page, "text")[0])
    (examples / "map.toml").write_text(blocks(page, "toml")[0])
    assert main(["assess", "export.txt", "--columns", "map.toml", "--as-of", "2026-01-31", "--json", "-"]) == 0
    content = json.loads(capsys.readouterr().out)
    found = [(status["count"]["analyte"], status["count"]["value"]) for status in content["history"]]
    assert sorted(found) == [("neutrophils", 0.8), ("neutrophils", 1.4), ("wbc", 2.9), ("wbc", 3.6)]


@pytest.mark.parametrize("path", [path for path in PAGES if blocks(path, "toml")], ids=label)
def test_toml_in_the_documentation_is_toml(path: Path) -> None:
    for block in blocks(path, "toml"):
        assert tomllib.loads(block)


def test_the_scheme_of_the_documentation_loads_beside_the_shipped_ones(tmp_path: Path) -> None:
    source, scheme = blocks(DOCS / "how-to" / "add-a-grade-scheme.md", "toml")
    for folder, text in (("sources", source), ("grades", scheme)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "example-2.toml").write_text(text)
    library = load_library(tmp_path)
    assert library.scheme("example", "2").rules[0].analyte == "neutrophils"
    assert not [found for found in audit.check(library) if "example" in found.key and found.severity == "error"]


def test_the_cause_of_the_documentation_is_told(tmp_path: Path) -> None:
    """The rows of the page load beside the shipped ones, and the person of its case is told the cause."""
    cause, fact, case = blocks(DOCS / "how-to" / "add-a-cause.md", "toml")
    (tmp_path / "causes").mkdir()
    (tmp_path / "causes" / "example.toml").write_text(f"{cause}\n{fact}")
    library = load_library(tmp_path)
    person = tomllib.loads(case)["cause"][0]
    told = {found.id: found for found in causes(record_of(person), library=library)}
    assert told[person["cause"]].strength == person["strength"]
    assert person["clue"] in {clue.predicate for clue in told[person["cause"]].clues_for}


def test_the_site_settings_of_the_documentation_are_settings() -> None:
    for page in ("leaflet.md", "site-settings.md"):
        for block in blocks(DOCS / "how-to" / page, "toml"):
            assert site_of(tomllib.loads(block)).phones["emergency"] == "112"
