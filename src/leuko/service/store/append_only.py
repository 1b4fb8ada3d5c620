"""The database itself refuses to change or remove a row of the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_SQLITE = (
    "CREATE TRIGGER {table}_{verb}_refused BEFORE {upper} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or removed'); END"
)
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION leuko_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME; END $$"
)
_POSTGRESQL = (
    "CREATE TRIGGER {table}_refused BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION leuko_refuse()"
)


def statements(dialect: str, tables: Iterable[str]) -> Iterator[str]:
    """The statements that make tables append-only in a dialect."""
    if dialect == "postgresql":
        yield _FUNCTION
    for table in tables:
        name = f'"{table}"'
        if dialect == "postgresql":
            yield _POSTGRESQL.format(table=name).replace(f"{name}_refused", f"{table}_refused")
        else:
            for verb in ("update", "delete"):
                text = _SQLITE.format(table=name, verb=verb, upper=verb.upper())
                yield text.replace(f"{name}_{verb}", f"{table}_{verb}")
