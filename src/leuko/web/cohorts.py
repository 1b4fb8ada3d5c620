"""The finished runs of `leuko cohort` in a folder of the site, and their summaries with the figures drawn."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final

from leuko.cohort.tabled import ACCOUNT, MANIFEST

_KEPT: Final = 8  # summaries that are kept drawn; a run is never changed, so they hold until it is made anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run: its name, when it was finished, how many people it holds, and as of which day."""

    name: str
    folder: Path
    finished: datetime
    people: int
    as_of: str


class Runs:
    """The runs below a folder, and what their summaries say. Safe to use from threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Path, datetime], dict[str, Any]] = OrderedDict()
        self._lock = Lock()

    def within(self, folder: Path) -> tuple[Run, ...]:
        """Every finished run, the newest first; a folder that holds none of a run's files is passed over."""
        found = [run for each in _folders(folder) if (run := _run(each)) is not None]
        return tuple(sorted(found, key=lambda run: (run.finished, run.name), reverse=True))

    def named(self, folder: Path, name: str) -> Run | None:
        """The run of that name, which is only ever compared: it never becomes a path."""
        return next((run for run in self.within(folder) if run.name == name), None)

    def words(self, run: Run) -> dict[str, Any]:
        """The summary for the template; made from the tables, which takes seconds, and kept."""
        from leuko.cohort.summary import summarise  # noqa: PLC0415 (loads Polars)
        from leuko.cohort.summary.page import summary_words  # noqa: PLC0415

        key = (run.folder, run.finished)
        with self._lock:  # one at a time: two people who open the same run do not make it twice
            if key not in self._kept:
                self._kept[key] = summary_words(summarise(run.folder))
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def _folders(folder: Path) -> list[Path]:
    try:
        return [each for each in folder.iterdir() if each.is_dir()]
    except OSError:
        return []


def _run(folder: Path) -> Run | None:
    file = folder / MANIFEST
    try:
        manifest = json.loads(file.read_text("utf-8"))
        finished = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        if not (folder / ACCOUNT).is_file() or not isinstance(manifest, dict):
            return None
        people, as_of = int(manifest["people"]), str(manifest["as_of"] or "")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Run(name=folder.name, folder=folder, finished=finished, people=people, as_of=as_of)
