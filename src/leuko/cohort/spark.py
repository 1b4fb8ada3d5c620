"""The engine on Spark: the function of one machine under `mapInArrow`, batches of whole people in, their tables out.

Batches are staged as files that Spark reads (`binaryFile`), each a task of its own; the answers come back to the driver
one partition at a time and are committed like any other. Needs the extra `spark` and a Java runtime.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import polars as pl

from leuko.cohort.engine import Answered, Asked, Engine, Task, answer
from leuko.cohort.outputs import Wanted
from leuko.cohort.packed import contents, pack, said_bytes, said_of, unpack
from leuko.cohort.tables import rules_of
from leuko.errors import UsageError
from leuko.knowledge import load_library

COLUMNS: Final = "number bigint, name string, content binary"
_SAID: Final = "said"


def spark(
    stage: Path,
    *,
    master: str | None = None,
    knowledge: Sequence[Path] = (),
    session: Any = None,
    tasks: int | None = None,
) -> Engine:
    """The engine on Spark: at `master` ("local[2]", "spark://host:7077", …), or in a session that is there already.

    `stage` is a folder that every worker can read. `knowledge` are the folders of knowledge that the run reads beside
    the shipped one; workers read them themselves. `tasks` is the number of partitions (default: one a batch).
    """

    def answered(todo: Iterator[Task], asked: Asked) -> Iterator[tuple[Task, Answered]]:
        stage.mkdir(parents=True, exist_ok=True)
        try:
            waiting = {task.number: _bare(_staged(task, stage)) for task in todo}
            if waiting:
                with _session(master, session) as running:
                    yield from _answers(running, stage, waiting, asked, knowledge=knowledge, tasks=tasks)
        finally:
            shutil.rmtree(stage, ignore_errors=True)

    return answered


def _staged(task: Task, stage: Path) -> Task:
    """A task written where the workers read it."""
    fresh = stage / f"{task.number:08d}.fresh"
    fresh.write_bytes(pack(task.tables))
    fresh.rename(stage / f"{task.number:08d}.batch")
    return task


def _bare(task: Task) -> Task:
    return Task(number=task.number, tables={}, key=task.key)


@contextmanager
def _session(master: str | None, given: Any) -> Iterator[Any]:
    """The session that was given, or that is there already; else one of our own, which ends with the run."""
    if given is not None:
        yield given
        return
    made, own = _started(master)
    try:
        yield made
    finally:
        if own:
            made.stop()


def _started(master: str | None) -> tuple[Any, bool]:
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 (heavy: loaded where it is used)
    except ImportError as error:
        raise UsageError(
            "Spark is not installed", why=str(error), do="install leuko with the extra `spark`, and a Java runtime"
        ) from error
    if (master or "local").startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers on this machine are this very Python
    build = SparkSession.builder.appName("leuko cohort").config("spark.ui.enabled", "false")
    build = build.config("spark.sql.execution.arrow.maxRecordsPerBatch", "1")
    build = build.config("spark.sql.warehouse.dir", str(Path(tempfile.gettempdir()) / "leuko-spark-warehouse"))
    own = SparkSession.getActiveSession() is None
    try:
        return (build.master(master) if master else build).getOrCreate(), own
    except Exception as error:  # Java's own errors have no common type
        raise UsageError(
            "Spark does not start",
            why=str(error).partition("\n")[0],
            do="install a Java runtime; name a master that is there",
        ) from error


def _answers(
    session: Any,
    stage: Path,
    waiting: Mapping[int, Task],
    asked: Asked,
    *,
    knowledge: Sequence[Path],
    tasks: int | None,
) -> Iterator[tuple[Task, Answered]]:
    files = session.read.format("binaryFile").load(str(stage / "*.batch")).select("path", "content")
    work = in_arrow(as_of=asked.as_of, wanted=asked.wanted, each=asked.each, knowledge=knowledge)
    rows = files.repartition(tasks or len(waiting)).mapInArrow(work, COLUMNS)
    held: dict[int, dict[str, pl.DataFrame]] = {}
    for row in rows.toLocalIterator(prefetchPartitions=True):
        if row.name != _SAID:
            held.setdefault(row.number, {})[row.name] = pl.read_ipc(io.BytesIO(row.content))
            continue
        tables = held.pop(row.number)
        yield waiting[row.number], Answered(tables=tables, said=said_of(bytes(row.content)))


def in_arrow(
    *, as_of: Any = None, wanted: Wanted | None = None, each: tuple[str, ...] = (), knowledge: Sequence[Path] = ()
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """The function for `mapInArrow`: record batches with `path` and `content` (from `pack`) in, `COLUMNS` out.

    The tables of a batch come one a row, and last a row named "said": what there is to say of it, as JSON.
    """

    def work(record_batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa  # noqa: PLC0415 (on the worker)

        rules = rules_of(load_library(*knowledge) if knowledge else None)
        asked = Asked(rules=rules, as_of=as_of, wanted=wanted, each=each)
        for records in record_batches:
            for row in records.to_pylist():
                number = int(Path(row["path"]).stem)
                done = answer(unpack(row["content"]), asked)
                for name, content in (*contents(done.tables), (_SAID, said_bytes(done.said))):
                    yield pa.RecordBatch.from_pydict(
                        {
                            "number": pa.array([number], pa.int64()),
                            "name": [name],
                            "content": pa.array([content], pa.binary()),
                        }
                    )

    return work
