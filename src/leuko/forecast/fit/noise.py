"""How uncertain the counting itself makes a neutrophil count: a share of few cells, on a low white cell count.

Of n cells looked at, those that are neutrophils are binomial (Rümke CL. Variability of results in differential cell
counts on blood smears. Triangle 1960;4:154-158): a share p has variance p (1 - p) / n, so its logarithm has SD
sqrt((1 - p) / (n p)). With WBC 0.8 and 20 % of 50 cells the neutrophil count is known to within 28 %, whatever the
model's residual says.
"""

from __future__ import annotations

from math import hypot, log, pi, sqrt

from leuko.errors import UsageError
from leuko.frozen import Frozen


class Counted(Frozen, frozen=True, kw_only=True):
    """A count as the fit takes it: value [10*9/L], bound, and the SD that counting adds on the log scale."""

    value: float
    bound: str
    noise: float


def share_noise(share: float, cells: int) -> float:
    """SD on the log scale of a share (0 to 1) of `cells` cells; UsageError where there is none to take it from."""
    if not (0.0 < share <= 1.0 and cells > 0):
        raise UsageError(f"a share of {share:g} of {cells} cells has no logarithm", do="use `from_differential`")
    return sqrt((1.0 - share) / (cells * share))


def from_differential(wbc: float, share: float, cells: int, *, wbc_noise: float = 0.0) -> Counted:
    """A neutrophil count from a WBC [10*9/L] and the neutrophils' share (0 to 1) of `cells` cells.

    None among n cells is a bound: the likelihood of a true share s is (1 - s)^n, near exp(-n s). It is entered as
    "below WBC ln 2 / n", where it is one half, with the SD that gives the likelihood its slope there: of a normal
    probability of slope 1 / (SD sqrt(2 pi)) against that of exp(-n s), ln 2 / 2 per unit of ln s.
    """
    if not (wbc > 0.0 and 0.0 <= share <= 1.0 and cells > 0):
        raise UsageError(
            f"no neutrophil count can be had from WBC {wbc:g}, a share of {share:g} and {cells} cells",
            do="give a WBC above zero, a share from 0 to 1, and how many cells were counted",
        )
    if share == 0.0:
        slope = 2.0 / (log(2.0) * sqrt(2.0 * pi))
        return Counted(value=wbc * log(2.0) / cells, bound="<", noise=hypot(slope, wbc_noise))
    return Counted(value=wbc * share, bound="=", noise=hypot(share_noise(share, cells), wbc_noise))
