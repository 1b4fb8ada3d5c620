"""The solver: many persons together and fast (`simulate`), or one person slowly and tightly (`reference`)."""

from leuko.forecast.solve.batch import simulate
from leuko.forecast.solve.reference import reference

__all__ = ["reference", "simulate"]
