"""A cohort side by side: leuko's engine, DuckDB, Polars, pandas and Spark on the same made-up study, in one run.

    python bench/cohort.py --rows 1000000 [--ids text] [--engines leuko,duckdb] [--repeat 3] [--folder DIR] [--write]

Every engine reads the same Parquet files and does the same work: units by a table, one result a draw (a corrected one
before others), neutrophils from white count and percentage, grades in four editions (the least and the most that are
possible), interval-censored episodes, and a row for each person. The answers are compared; an engine that gives others
is marked. The peers (tests/cohort_peers.py) do no more than that; leuko runs all of its rules besides, and makes the
table of counts with their grades and the notices. Each engine runs in processes of its own, after one run on a small
study that pays for starting and compiling; times and the peak of memory are those of the process and its children,
medians over the repetitions (Spark: one). `--write` puts the table into docs/reference/cohort-speed.md. Needs the group `bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from math import isclose
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

ROWS_A_PERSON = 50
VISITS = 16
PIECE = 20_000  # people that are made up at a time, one file
SUMMED = 16  # batches of answers whose numbers are added up at once
SECONDS_A_DAY = 86_400
MOST_ROWS = {"pandas": 10_000_000, "spark-sql": 10_000_000}  # beyond, a process would need more than 3 GB
PAGE = ROOT / "docs" / "reference" / "cohort-speed.md"
MARK = "<!-- table: {} -->"
WORDS = {
    "leuko": "all rules of leuko, two threads",
    "duckdb": "SQL, two threads",
    "polars": "lazy frames, the streaming engine, two threads",
    "pandas": "data frames, one thread",
    "spark-leuko": "leuko's function under mapInArrow, local[2]",
    "spark-sql": "the same SQL, local[2]",
}


def main() -> None:
    asked = _asked()
    if asked.one:
        print(json.dumps(_measured(asked.one, Path(asked.data), Path(asked.warm))))
        return
    folder = Path(asked.folder)
    data = _study(folder / f"{asked.rows}-{asked.ids}", asked.rows, text=asked.ids == "text")
    warm = _study(folder / f"5000-{asked.ids}", 5_000, text=asked.ids == "text")
    engines = [name for name in asked.engines.split(",") if asked.rows <= MOST_ROWS.get(name, asked.rows)]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in engines}
    for turn in range(asked.repeat):  # in turns, so that other work on the machine meets all of them
        for name in engines:
            if turn == 0 or not name.startswith("spark"):
                runs[name] += _run(name, data, warm)
    rows = [{"engine": name, **_median(found)} for name, found in runs.items() if found]
    print(f"{asked.rows:,} rows, ids as {asked.ids}, {os.cpu_count()} processors, medians of {asked.repeat}")
    print(f"{'engine':<13}{'wall s':>9}{'cpu s':>9}{'peak MiB':>10}")
    for row in rows:
        same = "" if _same(row, rows[0]) else f"   other answers: {row['said']}"
        print(f"{row['engine']:<13}{row['wall']:>9.2f}{row['cpu']:>9.2f}{row['peak']:>10.0f}{same}")
    if asked.write:
        _write(rows, asked)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two engines give the same numbers; sums of values differ in the last digits with the order of adding."""
    return all(isclose(a, b, rel_tol=1e-9) for a, b in zip(one["said"], other["said"], strict=True))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--ids", choices=("whole", "text"), default="whole")
    parser.add_argument("--engines", default=",".join(WORK))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", default="/tmp/leuko-bench")  # noqa: S108 (a cache that may go)
    parser.add_argument("--write", action="store_true", help="write the table into docs/reference/cohort-speed.md")
    for hidden in ("one", "data", "warm"):
        parser.add_argument(f"--{hidden}", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(engine: str, data: Path, warm: Path) -> list[dict[str, Any]]:
    """One run in a process of its own; none where it failed."""
    command = [sys.executable, __file__, "--one", engine, "--data", str(data), "--warm", str(warm)]
    env = {**os.environ, "POLARS_MAX_THREADS": "2"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        print(f"{engine:<13}failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
        return []
    return [json.loads(done.stdout.splitlines()[-1])]


def _median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    middle = {name: statistics.median(run[name] for run in runs) for name in ("wall", "cpu", "peak", "first")}
    return {**middle, "said": runs[0]["said"]}


def _measured(engine: str, data: Path, warm: Path) -> dict[str, Any]:
    work = WORK[engine]
    first = time.perf_counter()
    work(warm)
    first = time.perf_counter() - first
    wall, before = time.perf_counter(), _processes()
    said = work(data)
    wall, after = time.perf_counter() - wall, _processes()
    return {
        "wall": wall, "cpu": after[0] - before[0], "peak": after[1], "first": first,
        "said": [round(float(number), 3) for number in said],
    }  # fmt: skip


def _processes() -> tuple[float, float]:
    """Processor seconds of this process and all that it started, and the sum of their peaks of memory [MiB]."""
    tick = os.sysconf("SC_CLK_TCK")
    parents: dict[int, int] = {}
    seconds: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                cells = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            parents[int(entry.name)] = int(cells[1])
            seconds[int(entry.name)] = sum(map(int, cells[11:15])) / tick
    own = {os.getpid()}
    while more := {process for process, parent in parents.items() if parent in own} - own:
        own |= more
    peak = sum(_peak(process) for process in own)
    return sum(seconds.get(process, 0.0) for process in own), peak


def _peak(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    named = dict(line.split(":", 1) for line in lines if ":" in line)
    return float((named.get("VmHWM") or named.get("VmRSS") or "0 kB").split()[0]) / 1024


# The study


def _study(folder: Path, rows: int, *, text: bool) -> Path:
    if not folder.exists():
        fresh = folder.with_suffix(".fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for number, piece in enumerate(made_up(rows, text_ids=text)):
            piece.write_parquet(fresh / f"{number:05d}.parquet", row_group_size=250_000)
        fresh.rename(folder)
    return folder


def made_up(rows: int, *, text_ids: bool = False) -> Iterator[Any]:
    """A study of falling and recovering counts, some people at a time: two families of units, percentages and absolute
    counts, repeats, corrections."""
    everybody = max(1, rows // ROWS_A_PERSON)
    for first in range(0, everybody, PIECE):
        yield _people(first, min(PIECE, everybody - first), text_ids=text_ids)


def _people(first: int, people: int, *, text_ids: bool) -> Any:
    import numpy as np
    import polars as pl

    draw = np.random.default_rng([20_240_101, first])
    size = people * VISITS
    person = first + np.repeat(np.arange(people), VISITS)
    day = np.cumsum(draw.integers(2, 7, (people, VISITS)), axis=1)
    day += np.where(np.arange(VISITS) >= VISITS // 2, draw.choice([0, 0, 0, 60], (people, 1)), 0)  # some stay away
    day = day.ravel()
    taken = np.datetime64("2020-01-01T08:00", "us") + day * np.timedelta64(SECONDS_A_DAY, "s")
    depth = 1 - draw.uniform(0.2, 0.95, people).repeat(VISITS) * np.exp(-(((day - 30) / 12) ** 2))
    wbc = np.round(draw.lognormal(1.8, 0.25, people).repeat(VISITS) * depth * draw.lognormal(0, 0.15, size), 2)
    percent = np.round(np.clip(55 * depth + draw.normal(0, 6, size), 1, 90))
    absolute = draw.random(size) < 0.3
    by_thousand = (draw.random(people) < 0.5).repeat(VISITS)

    def frame(name: str, value: Any, unit: Any, keep: Any) -> pl.DataFrame:
        return pl.DataFrame(
            {"person": person[keep], "analyte": [name] * int(keep.sum()), "value": value[keep], "taken": taken[keep]}
        ).with_columns(unit=pl.Series(unit[keep]))

    cells = np.where(by_thousand, "/uL", "10*9/L")
    scaled = np.where(by_thousand, np.round(wbc * 1000), wbc)
    anc = np.round(wbc * percent / 100, 2)
    platelets = np.round(np.clip(draw.normal(230, 60, size) * depth, 3, None))
    every = np.ones(size, bool)
    parts = [
        frame("wbc", scaled, cells, every),
        frame("neutrophils_percent", percent, np.full(size, "%"), ~absolute),
        frame("neutrophils", np.where(by_thousand, np.round(anc * 1000), anc), cells, absolute),
        frame("platelets", platelets, np.full(size, "10*9/L"), every),
    ]
    whole = pl.concat(parts).with_columns(status=pl.lit("final"))
    again = whole.sample(fraction=0.02, seed=first + 1)
    other = pl.when(pl.col("unit") == "%").then((pl.col("value") / 2).ceil()).otherwise(pl.col("value") * 2)
    corrected = whole.sample(fraction=0.01, seed=first + 2).with_columns(status=pl.lit("corrected"), value=other)
    found = pl.concat([whole, again, corrected]).sort("person", "taken", "analyte", "status", maintain_order=True)
    found = found.with_columns(taken=pl.col("taken").dt.replace_time_zone("UTC"))
    if not text_ids:
        return found
    return found.with_columns(person=pl.format("P{}", pl.col("person").cast(pl.String).str.zfill(9)))


# The engines


def leuko(data: Path) -> Any:
    """Everything: the readers of cohorts, batches through the engine of one machine."""
    from leuko.cohort.engine import threads

    return _through(threads(), data)


def _through(engine: Any, data: Path) -> Any:
    """The numbers of `cohort_peers.said_of`, added up some batches at a time (the peers add everything up once)."""
    import polars as pl

    from cohort_peers import said_of
    from leuko.cohort.engine import Asked, Task
    from leuko.cohort.read import read_source
    from leuko.cohort.tables import rules_of

    asked = Asked(rules=rules_of())
    tasks = (Task(number=number, tables=batch.tables, key="") for number, batch in enumerate(read_source([data])))
    said, held = [0.0] * 10, []
    answers = engine(tasks, asked)
    while True:
        if (found := next(answers, None)) is not None:
            held.append({name: found[1].tables[name] for name in ("persons", "episodes")})
        if held and (found is None or len(held) == SUMMED):
            persons, episodes = (pl.concat([tables[name] for tables in held]) for name in ("persons", "episodes"))
            own = said_of(persons, episodes, asked.rules)
            said, held = [one + other for one, other in zip(said, own, strict=True)], []
        if found is None:
            return said


def spark_leuko(data: Path) -> Any:
    """The same function under mapInArrow."""
    import tempfile

    from leuko.cohort.spark import spark

    with tempfile.TemporaryDirectory() as folder:
        return _through(spark(Path(folder) / "stage", session=_session()), data)


def polars(data: Path) -> Any:
    """Lazy frames, streaming."""
    import polars as pl

    from cohort_peers import in_polars, said_of
    from leuko.cohort.tables import rules_of

    rules = rules_of()
    persons, episodes = in_polars(rules, pl.scan_parquet(sorted(data.glob("*.parquet"))))
    return said_of(*pl.collect_all([persons, episodes], engine="streaming"), rules)


def duckdb(data: Path) -> Any:
    """SQL."""
    import duckdb as db

    from cohort_peers import said_in_sql, sql
    from leuko.cohort.tables import rules_of

    rules = rules_of()
    with db.connect() as connection:
        connection.execute("set threads to 2")
        for name, query in sql(rules, f"read_parquet('{data}/*.parquet')", micros="epoch_us").items():
            connection.execute(f"create temp table {name} as {query}")
        return connection.execute(said_in_sql(rules)).fetchone()


def pandas(data: Path) -> Any:
    """Data frames."""
    import pandas as pd
    import polars as pl

    from cohort_peers import in_pandas, said_of
    from leuko.cohort.tables import rules_of

    rules = rules_of()
    persons, episodes = in_pandas(rules, pd.read_parquet(data))
    return said_of(pl.from_pandas(persons), pl.from_pandas(episodes), rules)


def spark_sql(data: Path) -> Any:
    """SQL on Spark."""
    from cohort_peers import said_in_sql, sql
    from leuko.cohort.tables import rules_of

    rules, session = rules_of(), _session()
    for name, query in sql(rules, f"parquet.`{data}`", micros="unix_micros").items():
        session.catalog.dropTempView(name)
        found = session.sql(query)
        (found if name == "persons" else found.cache()).createOrReplaceTempView(name)
    return tuple(session.sql(said_in_sql(rules)).collect()[0])


def _session() -> Any:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    build = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    build = build.config("spark.sql.execution.arrow.maxRecordsPerBatch", "1").config("spark.driver.memory", "2g")
    build = build.config("spark.sql.shuffle.partitions", "8").config("spark.sql.session.timeZone", "UTC")
    session = build.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


WORK: dict[str, Callable[[Path], Any]] = {
    "leuko": leuko, "duckdb": duckdb, "polars": polars, "pandas": pandas,
    "spark-leuko": spark_leuko, "spark-sql": spark_sql,
}  # fmt: skip


# The page


def _write(rows: list[dict[str, Any]], asked: argparse.Namespace) -> None:
    """Replaces the table of this size in the page, or adds it."""
    own = rows[0]
    head = ["engine", "wall s", "cpu s", "peak MiB", "wall against leuko", "cpu against leuko", "same answers"]
    lines = [f"| {' | '.join(head)} |", "| --- | ---: | ---: | ---: | ---: | ---: | --- |"]
    for row in rows:
        wall, cpu = row["wall"] / own["wall"], row["cpu"] / own["cpu"]
        same = "" if row is own else "yes" if _same(row, own) else "**no**"
        what = f"{row['engine']}: {WORDS[row['engine']]}"
        lines.append(
            f"| {what} | {row['wall']:.2f} | {row['cpu']:.2f} | {row['peak']:.0f} | {wall:.2f} | {cpu:.2f} | {same} |"
        )
    title = f"{asked.rows:,} rows, ids as {asked.ids}"
    people, results, counts, _, episodes, *_ = own["said"]
    told = [
        f"* {people:,.0f} people, {results:,.0f} results, {counts:,.0f} counts, {episodes:,.0f} episodes;"
        f" {'one run' if asked.repeat == 1 else f'medians of {asked.repeat} runs, of Spark one'}.",
        f"* Machine: {platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[2]:.1f} over the last"
        f" quarter of an hour; Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("polars", "duckdb", "numba", "pandas", "pyspark"))
        + ".",
    ]
    mark = MARK.format(title)
    section = "\n".join([mark, "", f"### {title}", "", *lines, "", *told, "", mark])
    page = PAGE.read_text("utf-8")
    if mark in page:
        start, end = page.index(mark), page.rindex(mark) + len(mark)
        page = page[:start] + section + page[end:]
    else:
        page = page.rstrip("\n") + "\n\n" + section + "\n"
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
