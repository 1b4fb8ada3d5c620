"""Learning from a clinic's own counts: a model's population, or how counts move, as a row of knowledge of its own."""

from __future__ import annotations

from leuko.forecast.learn.fitting import Learned as Learned
from leuko.forecast.learn.fitting import learn as learn
from leuko.forecast.learn.judge import Judgement as Judgement
from leuko.forecast.learn.judge import judge as judge
from leuko.forecast.learn.level import LearnedLevel as LearnedLevel
from leuko.forecast.learn.level import learn_level as learn_level
from leuko.forecast.learn.people import Cohort as Cohort
from leuko.forecast.learn.people import Person as Person
from leuko.forecast.learn.people import cohort_of as cohort_of
from leuko.forecast.learn.save import Naming as Naming
from leuko.forecast.learn.save import level_row_of as level_row_of
from leuko.forecast.learn.save import model_row_of as model_row_of
from leuko.forecast.learn.save import toml_of as toml_of
from leuko.forecast.learn.save import write as write

__all__ = [
    "Cohort",
    "Judgement",
    "Learned",
    "LearnedLevel",
    "Naming",
    "Person",
    "cohort_of",
    "judge",
    "learn",
    "learn_level",
    "level_row_of",
    "model_row_of",
    "toml_of",
    "write",
]
