"""The notebook of the tutorial runs from top to bottom, and shows what its text says that it shows."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "notebook.ipynb"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each cell of code gives, by its first words."""
    notebook = nbformat.read(PAGE, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return {
        cell.source: "".join(str(output.get("text", "")) + str(output.get("data", "")) for output in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    }


def of(shown: dict[str, str], words: str) -> str:
    return next(output for source, output in shown.items() if words in source)


@pytest.mark.filterwarnings("default")  # of the libraries that run notebooks
def test_it_runs_and_shows_what_it_says(shown: dict[str, str]) -> None:
    assert "text/html" in of(shown, "assessment = leuko.assess")
    assert "vega-lite" in of(shown, "assessment.chart()")
    assert "taken" in of(shown, "pivot")
    assert "null" not in of(shown, "grade = leuko.grade(1.7").lower()
    assert "(None,\\n 0,\\n 1," in of(shown, "grade = leuko.grade(1.7")
    assert "Neutrophils" in of(shown, "forecast.headline")
    assert "later" in of(shown, "option.text")


def test_it_is_kept_without_output() -> None:
    """Output would go stale, and would hold the numbers of one version."""
    cells = nbformat.read(PAGE, as_version=4).cells
    assert all(not cell.outputs and cell.execution_count is None for cell in cells if cell.cell_type == "code")
