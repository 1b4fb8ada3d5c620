"""The tables of a finished run as they lie in its folder: opened lazily, or turned into CSV."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import polars as pl

from leuko.errors import UsageError

MANIFEST: Final = "manifest.json"
ACCOUNT: Final = "account.json"
FOUND: Final = ("counts", "episodes", "persons", "notices")
DERIVED: Final = ("adlb", "adae", "findings", "cohort")
EACH: Final = ("causes", "forecast")
PASSED_ON: Final = ("people", "treatments", "signs", "facts")
TABLES: Final = (*FOUND, *DERIVED, *EACH, *PASSED_ON)


def open_table(folder: Path, name: str) -> pl.LazyFrame:
    """One table of a finished run, lazily, whichever its format; UsageError for a name that is none."""
    if name not in TABLES:
        raise UsageError(f"no table {name!r}", why=f"known: {', '.join(TABLES)}")
    if (folder / f"{name}.csv").exists():
        return pl.scan_csv(folder / f"{name}.csv", try_parse_dates=True, infer_schema_length=None)
    files = sorted((folder / name).glob("*.parquet"))
    if not files:
        raise UsageError("no such table in the folder", where=str(folder / name), do="run leuko cohort first")
    return pl.scan_parquet(files)


def as_csv(folder: Path) -> None:
    """Every table of a finished run as one CSV file, in place of its Parquet files; the manifest names them."""
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    for name, files in manifest["tables"].items():
        open_table(folder, name).sink_csv(folder / f"{name}.csv")
        manifest["tables"][name] = [{"file": f"{name}.csv", "rows": sum(file["rows"] for file in files)}]
    fresh = folder / f"{MANIFEST}.fresh"
    fresh.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")
    for name in manifest["tables"]:
        shutil.rmtree(folder / name)
    fresh.rename(folder / MANIFEST)


def account_of(folder: Path) -> dict[str, Any]:
    """Where the rows of a finished run went, and what it was asked."""
    found: dict[str, Any] = json.loads((folder / ACCOUNT).read_text("utf-8"))
    return found
