"""A cohort side by side: leuko's engine, Polars, DuckDB, pandas and Spark SQL on the same made-up study.

    python bench/cohort.py --rows 1000000 [--engines leuko,polars,duckdb,pandas,spark-sql] [--ids text] [--folder DIR]

Every engine reads the same Parquet, brings units together, makes the ANC from white count and differential of one draw,
grades on CTCAE 5, finds episodes below 1.5 and sums up each person. The peers follow plain rules (one result a draw,
no bounds, no corrections by status, no ages, no censoring); leuko runs all of its rules on all editions. Each engine
runs in a process of its own: wall and processor seconds and the peak of memory are those of that process, after one
run on a small file that pays for compiling and starting. Needs the dependency group `bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROWS_A_PERSON = 50
ENGINES = ("leuko", "polars", "duckdb", "pandas", "spark-sql")
SECONDS_A_DAY = 86_400


def main() -> None:
    asked = _asked()
    if asked.one:
        print(json.dumps(_measured(asked.one, Path(asked.data), Path(asked.warm))))
        return
    folder = Path(asked.folder)
    folder.mkdir(parents=True, exist_ok=True)
    data, warm = folder / f"{asked.rows}-{asked.ids}.parquet", folder / f"warm-{asked.ids}.parquet"
    for path, rows in ((data, asked.rows), (warm, 5_000)):
        if not path.exists():
            made_up(rows, text_ids=asked.ids == "text").write_parquet(path, row_group_size=1_000_000)
    print(f"{asked.rows:,} rows, ids as {asked.ids}, {os.cpu_count()} processors")
    print(f"{'engine':<12}{'wall s':>10}{'cpu s':>10}{'peak MiB':>12}   people, episodes, worst grade 4")
    for engine in asked.engines.split(","):
        command = [sys.executable, __file__, "--one", engine, "--data", str(data), "--warm", str(warm)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{engine:<12}{'failed: ' + done.stderr.strip().splitlines()[-1]}")
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        print(f"{engine:<12}{found['wall']:>10.2f}{found['cpu']:>10.2f}{found['peak']:>12.0f}   {found['said']}")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--ids", choices=("whole", "text"), default="whole")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--folder", default="/tmp/leuko-bench")  # noqa: S108 (a cache that may go)
    for hidden in ("one", "data", "warm"):
        parser.add_argument(f"--{hidden}", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measured(engine: str, data: Path, warm: Path) -> dict[str, Any]:
    work: Callable[[Path], tuple[int, int, int]] = WORK[engine]
    work(warm)
    wall, cpu = time.perf_counter(), time.process_time()
    said = work(data)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall": wall, "cpu": cpu, "peak": peak, "said": said}


def made_up(rows: int, *, text_ids: bool = False) -> Any:
    """A study of falling and recovering counts: two families of units, percent and absolute, repeats, corrections."""
    import numpy as np
    import polars as pl

    draw = np.random.default_rng(20_240_101)
    people = max(1, rows // ROWS_A_PERSON)
    visits = 16
    size = people * visits
    person = np.repeat(np.arange(people), visits)
    day = np.cumsum(draw.integers(2, 7, (people, visits)), axis=1).ravel()
    taken = np.datetime64("2020-01-01T08:00", "us") + day * np.timedelta64(SECONDS_A_DAY, "s")
    depth = 1 - draw.uniform(0.2, 0.95, people).repeat(visits) * np.exp(-(((day - 30) / 12) ** 2))
    wbc = np.round(draw.lognormal(1.8, 0.25, people).repeat(visits) * depth * draw.lognormal(0, 0.15, size), 2)
    percent = np.round(np.clip(55 * depth + draw.normal(0, 6, size), 1, 90))
    absolute = draw.random(size) < 0.3
    by_thousand = (draw.random(people) < 0.5).repeat(visits)

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
    again = whole.sample(fraction=0.02, seed=1)
    corrected = whole.sample(fraction=0.01, seed=2).with_columns(status=pl.lit("corrected"), value=pl.col("value") * 2)
    found = pl.concat([whole, again, corrected]).sort("person", "taken", "analyte", "status", maintain_order=True)
    found = found.with_columns(taken=pl.col("taken").dt.replace_time_zone("UTC"))
    return found.with_columns(person=pl.format("P{}", "person")) if text_ids else found


def leuko(data: Path) -> tuple[int, int, int]:
    """All rules, batch by batch, two threads."""
    import polars as pl

    from leuko.cohort import frames
    from leuko.cohort.engine import Asked, Task, threads
    from leuko.cohort.tables import rules_of

    asked = Asked(rules=rules_of())
    kind = pl.read_parquet_schema(data)["person"]
    empty = {
        name: pl.DataFrame(schema=frames.schema(getattr(frames, name.upper()), person=kind))
        for name in ("people", "treatments", "notices")
    }
    people = episodes = worst = 0
    for _, done in threads()(_tasks(data, empty, Task), asked):
        persons = done.tables["persons"]
        people += persons.height
        episodes += done.tables["episodes"].filter(pl.col("analyte") == "neutrophils").height
        worst += persons.filter(pl.col("worst_neutrophils_ctcae_5_least") == 4).height
    return people, episodes, worst


def _tasks(data: Path, empty: dict[str, Any], task: Any) -> Any:
    """Batches of whole people from a file whose people stand together."""
    import numpy as np
    import polars as pl

    carried = None
    groups = pl.scan_parquet(data).select(pl.len()).collect().item()
    step = 500_000
    for number, first in enumerate(range(0, groups, step)):
        rows = pl.scan_parquet(data).slice(first, step).collect()
        rows = rows if carried is None else pl.concat([carried, rows])
        last = rows["person"][-1]
        final = first + step >= groups
        carried = rows.filter(pl.col("person") == last)
        rows = rows if final else rows.filter(pl.col("person") != last)
        # Polars divides by a number by multiplying with its inverse, which gives 2.5100000000000002 for 2510 / 1000
        value = rows["value"].to_numpy()
        whole = pl.lit(pl.Series(np.where((rows["unit"] == "/uL").to_numpy(), value / 1000, value)))
        results = rows.select(
            "person",
            "analyte",
            whole.alias("value"),
            pl.lit("=").alias("bound"),
            "taken",
            pl.lit(value=True).alias("has_time"),
            *(pl.lit(None, dtype=pl.Float64).alias(name) for name in ("low", "high")),
            pl.lit(None, dtype=pl.String).alias("draw"),
            "status",
            *(pl.lit(None, dtype=pl.Int64).alias(name) for name in ("sequence", "digits")),
            pl.lit(data.name).alias("file"),
            pl.int_range(first, first + pl.len()).alias("row"),
        )
        yield task(number=number, tables={"results": results, **empty}, key="")


def polars(data: Path) -> tuple[int, int, int]:
    """Plain rules in Polars, streaming."""
    import polars as pl

    value = pl.when(pl.col("unit") == "/uL").then(pl.col("value") / 1000).otherwise("value")

    def of(name: str) -> pl.Expr:
        return pl.col("value").filter(pl.col("analyte") == name).min()

    draws = (
        pl.scan_parquet(data)
        .with_columns(value=value)
        .group_by("person", "taken")
        .agg(wbc=of("wbc"), percent=of("neutrophils_percent"), absolute=of("neutrophils"), platelets=of("platelets"))
        .with_columns(anc=pl.coalesce("absolute", pl.col("wbc") * pl.col("percent") / 100))
        .sort("person", "taken")
        .with_columns(low=pl.col("anc") < 1.5, grade=_graded(pl))
        .with_columns(begins=pl.col("low") & ~pl.col("low").shift(fill_value=False).over("person"))
    )
    found = draws.group_by("person").agg(pl.col("begins").sum(), pl.col("grade").max()).collect(engine="streaming")
    return found.height, int(found["begins"].sum()), found.filter(pl.col("grade") == 4).height


def _graded(pl: Any) -> Any:
    low = pl.col("anc")
    ladder = pl.when(low < 0.5).then(4).when(low < 1.0).then(3).when(low < 1.5).then(2)
    return ladder.otherwise(0)


QUERY = """
with draws as (
  select person, taken,
    min(case when analyte = 'wbc' then {value} end) as wbc,
    min(case when analyte = 'neutrophils_percent' then {value} end) as percent,
    min(case when analyte = 'neutrophils' then {value} end) as absolute,
    min(case when analyte = 'platelets' then {value} end) as platelets
  from {source} group by person, taken),
counts as (select *, coalesce(absolute, wbc * percent / 100) as anc from draws),
marked as (select person, anc, lag(anc) over (partition by person order by taken) as earlier from counts)
select person,
  sum(case when anc < 1.5 and (earlier is null or earlier >= 1.5) then 1 else 0 end) as episodes,
  max(case when anc < 0.5 then 4 when anc < 1.0 then 3 when anc < 1.5 then 2 else 0 end) as worst
from marked group by person
"""
VALUE = "(case when unit = '/uL' then value / 1000 else value end)"
SUMMARY = "select count(*), sum(episodes), sum(case when worst = 4 then 1 else 0 end) from ({query}) as people"


def duckdb(data: Path) -> tuple[int, int, int]:
    """Plain rules in SQL."""
    import duckdb as db

    with db.connect() as connection:
        connection.execute("set threads to 2")
        query = QUERY.format(source=f"read_parquet('{data}')", value=VALUE)
        row = connection.execute(SUMMARY.format(query=query)).fetchone()
    return tuple(int(number) for number in row or ())  # type: ignore[return-value]


def pandas(data: Path) -> tuple[int, int, int]:
    """Plain rules in pandas."""
    import numpy as np
    import pandas as pd

    rows = pd.read_parquet(data)
    rows["value"] = np.where(rows["unit"] == "/uL", rows["value"] / 1000, rows["value"])
    draws = rows.pivot_table(index=["person", "taken"], columns="analyte", values="value", aggfunc="min")
    anc = draws["neutrophils"].fillna(draws["wbc"] * draws["neutrophils_percent"] / 100).sort_index()
    low = anc < 1.5
    begins = low & ~low.groupby(level="person").shift(fill_value=False)
    grade = np.select([anc < 0.5, anc < 1.0, anc < 1.5], [4, 3, 2], 0)
    worst = pd.Series(grade, index=anc.index).groupby(level="person").max()
    return len(worst), int(begins.sum()), int((worst == 4).sum())


def spark_sql(data: Path) -> tuple[int, int, int]:
    """Plain rules in Spark SQL on two cores."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    query = QUERY.format(source=f"parquet.`{data}`", value=VALUE)
    return tuple(int(number) for number in session.sql(SUMMARY.format(query=query)).collect()[0])  # type: ignore[return-value]


WORK = {"leuko": leuko, "polars": polars, "duckdb": duckdb, "pandas": pandas, "spark-sql": spark_sql}


if __name__ == "__main__":
    main()
