"""Databases: a DuckDB file and a PostgreSQL server, table by table into temporary Parquet files, people together.

Of tables that hold nothing for a cohort of counts only the columns are asked for. The rows of a person are in the order
of the table's own key, or of all columns: a database keeps none, and the number of a row must be the same in every run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import polars as pl

from leuko.cohort.read import omop
from leuko.cohort.read.opened import HEAD_ROWS, Table, first_line, of_frame
from leuko.errors import UnreadableInput, UsageError

POSTGRES: Final = ("postgresql://", "postgres://")
_ROWS_A_QUERY: Final = 1_000_000
_PLAIN: Final = re.compile(
    r"(tiny|small|big|huge|u)?int(eger|\d)?|u(tiny|small|big)int|double( precision)?|float|real|decimal.*|numeric.*"
    r"|varchar.*|text|character.*|char.*|date|timestamp.*|boolean|uuid",
    re.IGNORECASE,
)
Column = tuple[str, str, str, str]  # schema, table, column, type


def is_duckdb(head: bytes) -> bool:
    """Whether the bytes begin a DuckDB database."""
    return head[8:12] == b"DUCK"


def hidden(url: str) -> str:
    """A database's URL as notices may print it: without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


# ---- DuckDB ----------------------------------------------------------------------------------------------------------


def duckdb_tables(path: Path, name: str, folder: Path) -> Iterator[Table]:
    """The tables of a DuckDB file. Raises UnreadableInput, and UsageError where duckdb is not installed."""
    try:
        import duckdb  # noqa: PLC0415 (an extra)
    except ModuleNotFoundError as error:
        raise UsageError(
            "DuckDB files need duckdb", where=name, do="install the extra: pip install leuko[cohort]"
        ) from error
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            found = connection.execute(
                "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns "
                "WHERE table_schema NOT IN ('information_schema', 'pg_catalog') "
                "ORDER BY table_schema, table_name, ordinal_position"
            ).fetchall()
            for number, ((schema, table), columns) in enumerate(_by_table(found)):
                target = folder / f"{path.stem}-{number}.parquet"
                chosen = ", ".join(_quoted(column) for column in columns)
                rest = " LIMIT 0" if _kind(columns) == "unused" else _order(table, columns, otherwise="")
                query = f"SELECT {chosen} FROM {_quoted(schema)}.{_quoted(table)}{rest}"  # noqa: S608 (quoted names)
                connection.execute(f"COPY ({query}) TO '{str(target).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
                yield _copied([target], f"{name}!{table}")
    except duckdb.Error as error:
        raise UnreadableInput("the database cannot be read", where=name, why=first_line(error)) from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _by_table(columns: Iterable[Any]) -> list[tuple[tuple[str, str], list[str]]]:
    tables: dict[tuple[str, str], list[str]] = {}
    for schema, table, column, kind in columns:
        if _PLAIN.fullmatch(str(kind)):
            tables.setdefault((schema, table), []).append(column)
    return list(tables.items())


def _kind(columns: Sequence[str]) -> str | None:
    """Which table of the common data model has these columns."""
    return omop.kind_of(Table(file="", columns=tuple(columns), scan=lambda _: pl.LazyFrame()))


def _order(table: str, columns: Sequence[str], *, otherwise: str) -> str:
    """The order of a table's rows: by person, and then by the table's key or, where it has none, all columns."""
    if "person_id" not in columns:
        return otherwise
    key = f"{table}_id"
    return f" ORDER BY person_id, {_quoted(key) if key in columns else _everything(columns)}"


def _everything(columns: Sequence[str]) -> str:
    return ", ".join(str(place) for place in range(1, len(columns) + 1))


def _copied(files: Sequence[Path], name: str) -> Table:
    lazy = pl.scan_parquet(list(files))
    kinds = pl.read_parquet_schema(files[0])
    size = sum(file.stat().st_size for file in files)
    return of_frame(lazy, lazy.head(HEAD_ROWS // 2).collect(), kinds, file=name, size=size)


# ---- PostgreSQL ------------------------------------------------------------------------------------------------------


def postgres_tables(url: str, folder: Path) -> Iterator[Table]:
    """The tables of a PostgreSQL database; `?schema=cdm` in the URL names the schema (default: all).

    Raises UnreadableInput where the server cannot be asked, UsageError where its driver is not installed.
    """
    try:
        from adbc_driver_postgresql import dbapi  # noqa: PLC0415 (an extra)
    except ModuleNotFoundError as error:
        raise UsageError(
            "PostgreSQL needs adbc-driver-postgresql",
            where=hidden(url),
            do="install the extra: pip install leuko[cohort]",
        ) from error
    uri, schema = _without_schema(url)
    try:
        with dbapi.connect(uri) as connection, connection.cursor() as cursor:
            yield from _server_tables(_Server(cursor=cursor), hidden(url), schema, folder)
    except dbapi.Error as error:
        raise UnreadableInput(
            "the database cannot be read",
            where=hidden(url),
            why=first_line(error).replace(uri, hidden(url)),
            do="check the address, the account and the name of the schema",
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    cursor: Any

    def ask(self, query: str) -> pl.DataFrame:
        self.cursor.execute(query)
        found: pl.DataFrame = self.cursor.fetch_polars()
        return found


def _server_tables(server: _Server, name: str, schema: str, folder: Path) -> Iterator[Table]:
    where = f"= '{schema}'" if schema else "NOT IN ('information_schema', 'pg_catalog')"
    # NUMERIC comes as text, which keeps the digits that were stored
    column = "CASE WHEN data_type = 'numeric' THEN quote_ident(column_name) || '::text AS ' ELSE '' END"
    what = f"table_schema::text, table_name::text, {column} || quote_ident(column_name), data_type::text"
    order = "table_schema, table_name, ordinal_position"
    # the only outside word in it is the schema, which `_without_schema` checked
    columns = server.ask(f"SELECT {what} FROM information_schema.columns WHERE table_schema {where} ORDER BY {order}")  # noqa: S608
    for number, ((schema_, table), names) in enumerate(_by_table(columns.iter_rows())):
        files = _pages(server, (schema_, table), names, folder / f"postgres-{number}")
        if files:
            yield _copied(files, f"{name}!{table}")


def _without_schema(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query))
    schema = asked.pop("schema", "")
    if schema and not re.fullmatch(r"\w+", schema):
        raise UsageError(f"{schema!r} is no name of a schema", where=hidden(url))
    return urlunsplit(parts._replace(query=urlencode(asked))), schema


def _pages(server: _Server, place: tuple[str, str], columns: Sequence[str], folder: Path) -> list[Path]:
    """A table (its schema, its name) as Parquet files, a range of people each."""
    folder.mkdir()
    table = ".".join(map(_quoted, place))
    query = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 (quoted by the server)
    named = [column.rpartition(" AS ")[2] for column in columns]
    kind = _kind(named)
    if kind == "unused":
        ranges = [" LIMIT 0"]
    elif "person_id" not in named:
        ranges = ["" if kind else f" ORDER BY {_everything(named)}"]
    else:
        counts = server.ask(f"SELECT person_id, count(*) AS n FROM {table} GROUP BY person_id ORDER BY person_id")  # noqa: S608
        order = _order(place[1], named, otherwise="")
        parts = (_ranges(counts) or [""]) if counts["person_id"].dtype.is_integer() else [""]
        ranges = [part + order for part in parts]
    files = []
    for number, where in enumerate(ranges):
        page = server.ask(f"{query}{where}")
        file = folder / f"{number:05}.parquet"
        page.write_parquet(file)
        files.append(file)
    return files


def _ranges(counts: pl.DataFrame) -> list[str]:
    """WHERE clauses that part the people into ranges of about as many rows; people without an id come last."""
    known = counts.drop_nulls("person_id").with_columns((pl.col("n").cum_sum() // _ROWS_A_QUERY).alias("page"))
    spans = known.group_by("page").agg(pl.col("person_id").min().alias("a"), pl.col("person_id").max().alias("b"))
    found = [f" WHERE person_id BETWEEN {first} AND {last}" for _, first, last in spans.sort("page").iter_rows()]
    return [*found, " WHERE person_id IS NULL"] if counts["person_id"].null_count() else found
