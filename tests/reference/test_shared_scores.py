"""The gathered facts on risk scores: each row is carried by the data, and none that was not confirmed drives."""

from __future__ import annotations

import csv
import os
import re
from importlib import resources
from pathlib import Path

import pytest

from leuko.knowledge import load_library
from leuko.knowledge.schema.scores import KINDS

SHARED = Path(os.environ.get("LEUKO_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
FACTS = SHARED / "facts" / "risk_scores.csv"
CONFIRMED_SINCE = {"CISNE-rates", "QSOFA", "AUSRULE"}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not FACTS.exists(), reason="the gathered facts are not beside the checkout"),
]


def rows() -> list[dict[str, str]]:
    with FACTS.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_row_is_carried() -> None:
    folder = resources.files("leuko") / "data" / "scores"
    text = "\n".join(file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".toml"))
    missing = [row["id"] for row in rows() if not re.search(rf"(?<![\w-]){re.escape(row['id'])}(?![\w-])", text)]
    assert missing == []


def test_what_was_recalled_drives_only_where_it_was_confirmed_since() -> None:
    library = load_library()
    driving = {row.id for kind in KINDS for row in library.rows(kind) if row.basis.drives}
    recalled = {row["id"] for row in rows() if row["confidence"] == "unconfirmed"}
    assert recalled & driving == CONFIRMED_SINCE
