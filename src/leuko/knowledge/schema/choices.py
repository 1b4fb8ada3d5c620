"""What is weighed against one another in a forecast, and of whom no forecast speaks: rows of `data/models`."""

from __future__ import annotations

from typing import ClassVar, Literal

from leuko.knowledge.schema.core import Basis, Row


class OptionRow(Row, frozen=True, kw_only=True):
    """One way to go on with the next cycle: moved by `delay` days, doses at `dose` percent of those planned, a growth
    factor from day `factor` of the cycle on, its last day of treatment left out (`drop`).

    `several` asks for a cycle with more than one day of treatment.
    """

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "choice"

    id: str
    title: str
    delay: float = 0.0
    dose: float = 100.0
    factor: int | None = None
    drop: bool = False
    several: bool = False
    basis: Basis


class BarRow(Row, frozen=True, kw_only=True):
    """Something in the record with which a forecast is withheld (`withholds`), or said with a caution.

    `predicates` are those of the causes; `analyte` a cell that must not be in the blood. `methods` are the forecasts it
    speaks of, `but_models` the models that were fitted on such people.
    """

    FOLDER: ClassVar[str] = "models"
    KEY: ClassVar[str] = "bar"

    id: str
    title: str
    predicates: tuple[str, ...] = ()
    analyte: str = ""
    withholds: bool = True
    methods: tuple[Literal["marrow", "state_space"], ...] = ("marrow", "state_space")
    but_models: tuple[str, ...] = ()
    why: str
    basis: Basis


KINDS = (OptionRow, BarRow)
