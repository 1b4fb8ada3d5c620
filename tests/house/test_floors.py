"""The house is enforced: heavy libraries load where they are used, and reasoning holds no clinical number."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "leuko"
MODULES = sorted(SOURCE.rglob("*.py"))
HEAVY = {
    "alembic",
    "altair",
    "fastexcel",
    "jinja2",
    "nanoarrow",
    "numba",
    "numpy",
    "polars",
    "rich",
    "scipy",
    "sqlalchemy",
    "typst",
    "vl_convert",
}
# The forecast is arrays from floor to roof: it loads as a whole, inside the functions that ask for one (below).
OWN = {
    "forecast": {"numpy", "scipy"},
    "forecast/solve": {"numba"},
    "cohort": {"numpy", "polars"},
    "cohort/kernel": {"numba"},
    "service": {"alembic", "sqlalchemy"},
    "web": {"sqlalchemy"},
}
REASONING = ("answers.py", "assessment.py", "counts.py", "course", "grading.py", "grading_frame.py", "status.py")
# Numbers that are arithmetic, not medicine: nothing, one, a half and a double, percent, time, the normal distribution,
# the least probability that is printed.
ARITHMETIC = {0.0, 0.5, 1.0, 2.0, 24.0, 60.0, 100.0, 365.25, 3600.0, 86400.0, 1.96, 0.001}


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def at_import(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that run when the module loads: not those inside functions or under TYPE_CHECKING."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        yield from at_import(node)


def libraries(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_heavy_libraries_load_inside_the_function_that_needs_them(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    allowed = {library for folder, own in OWN.items() if name_of(path).startswith(f"{folder}/") for library in own}
    loaded = ({library for node in at_import(tree) for library in libraries(node)} & HEAVY) - allowed
    assert not loaded, f"{name_of(path)} imports {sorted(loaded)} when it loads"


@pytest.mark.parametrize(
    "statement",
    [
        "import leuko",
        "import leuko.cli",
        "import leuko.assessment",
        "import leuko.intake",
        "import leuko.forecast.flow",
    ],
)
def test_importing_leuko_loads_no_heavy_library(statement: str) -> None:
    code = f"{statement}; import sys; print(' '.join({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_help_loads_no_knowledge_and_no_reader() -> None:
    code = (
        "import sys; from leuko.__main__ import main; main(['--help']); print(' '.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "leuko.cli.assess" in loaded
    assert not loaded & {"msgspec", "rtoml", "zoneinfo", "leuko.record", "leuko.knowledge", "leuko.intake"}


def reasoning() -> list[Path]:
    return [path for path in MODULES if path.relative_to(SOURCE).parts[0] in REASONING]


@pytest.mark.parametrize("path", reasoning(), ids=name_of)
def test_reasoning_holds_no_clinical_number(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    found = [
        f"line {node.lineno}: {node.value}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and node.value not in ARITHMETIC
    ]
    assert not found, f"{name_of(path)} holds numbers that belong into leuko/data: {found}"


def test_the_modules_stay_readable() -> None:
    long = {name_of(path): n for path in MODULES if (n := len(path.read_text("utf-8").splitlines())) > 500}
    assert not long, "a module is one idea on about 400 lines; split these"
