"""This person's posterior: what their counts say of the parameters of a marrow model, and of the counts to come."""

from __future__ import annotations

from leuko.forecast.fit.calibration import Calibration as Calibration
from leuko.forecast.fit.calibration import Design as Design
from leuko.forecast.fit.calibration import sbc as sbc
from leuko.forecast.fit.course import Course as Course
from leuko.forecast.fit.course import Draws as Draws
from leuko.forecast.fit.course import course_of as course_of
from leuko.forecast.fit.mode import Mode as Mode
from leuko.forecast.fit.noise import Counted as Counted
from leuko.forecast.fit.noise import from_differential as from_differential
from leuko.forecast.fit.people import Person as Person
from leuko.forecast.fit.people import fit_people as fit_people
from leuko.forecast.fit.posterior import Posterior as Posterior
from leuko.forecast.fit.posterior import fit as fit
from leuko.forecast.fit.posterior import mode_of as mode_of
from leuko.forecast.fit.several import Contradiction as Contradiction
from leuko.forecast.fit.several import Weighing as Weighing
from leuko.forecast.fit.several import contradictions as contradictions
from leuko.forecast.fit.several import pooled as pooled
from leuko.forecast.fit.several import weigh as weigh

__all__ = [
    "Calibration",
    "Contradiction",
    "Counted",
    "Course",
    "Design",
    "Draws",
    "Mode",
    "Person",
    "Posterior",
    "Weighing",
    "contradictions",
    "course_of",
    "fit",
    "fit_people",
    "from_differential",
    "mode_of",
    "pooled",
    "sbc",
    "weigh",
]
