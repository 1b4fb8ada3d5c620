"""A model row with some of its variation between people taken away or added, as the design of another study had it."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from leuko.knowledge.schema.forecast import ModelRow, Parameter


def varied(row: ModelRow, *, fixed: Collection[str] = (), freed: Collection[str] = (), sd: float = 0.0) -> ModelRow:
    """The row in which `fixed` parameters do not vary and `freed` ones do, with this SD on the log scale."""
    known = {parameter.name for parameter in row.parameters}
    if stray := (set(fixed) | set(freed)) - known:
        raise ValueError(f"{row.id} has no parameter {', '.join(sorted(stray))}")
    changed = tuple(_one(parameter, fixed, freed, sd) for parameter in row.parameters)
    return msgspec.structs.replace(row, parameters=changed)


def _one(parameter: Parameter, fixed: Collection[str], freed: Collection[str], sd: float) -> Parameter:
    if parameter.name in fixed:
        return msgspec.structs.replace(parameter, cv=None, omega2=None, occasion_cv=None)
    if parameter.name in freed:
        return msgspec.structs.replace(parameter, cv=None, omega2=sd**2)
    return parameter
