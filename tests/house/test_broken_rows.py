"""A few rows of different kinds are broken, and their cases notice: a sample of scripts/break_knowledge.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = (
    *("definition:SV005", "code_sent:neutropenia:snomed", "name:carboplatin"),
    *("monitoring.interval:M01-1", "tumour:nsclc"),
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the rows are broken in forks of one process")
def test_a_broken_row_is_noticed() -> None:
    rows = [part for row in ROWS for part in ("--row", row)]
    command = [sys.executable, str(ROOT / "scripts" / "break_knowledge.py"), "--every", "3", *rows]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "0 not noticed; 0 rows without a case" in done.stdout
