"""The numeric form of a marrow model, and of doses and counts, as the solver and the posterior take them.

Times are hours from the origin of the forecast, counts 10*9/L. Parameters are named: those of the marrow by their role
(`circ0`, `mtt`, `gamma`, …), those of a medicine as `<medicine>.<role>` (`docetaxel.v1`, `docetaxel.slope`).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from msgspec import field
from numpy.typing import NDArray

from leuko.frozen import Frozen

Floats = NDArray[np.float64]

Line = Literal["neutrophils", "wbc"]
# friberg: proliferating pool, transits, circulation (circ0 [10*9/L], mtt [h], gamma; kcirc [1/h] where a parameter
#   of its own, else the transit rate). pool: the same fed by a stem-cell pool (ftr), for cumulative toxicity.
#   dexamethasone: mit [h], ip0 [10*9/L]: a bump at each dose of "dexamethasone", else of the first medicine.
# turnover: production and loss of circulating cells alone (circ0, kout [1/h]).
MarrowKind = Literal["friberg", "pool", "turnover"]
# compartments: cl [L/h], v1, v2, v3 [L], q2, q3 [L/h]. micro: v1 [L], k10, k12, k21, k13, k31 [1/h].
# kpd: kde [1/h], the amount itself (per typical dose) acts.
# saturable, told apart by their parameters (amounts in the unit of the schedule):
#   paclitaxel      v1, v3, q3, k21 [1/h], vmel, vmtr [amount/h], kmel, kmtr [amount/L]
#   nab-paclitaxel  v1, v2, v3, q3, vmel, kmel, vmtr, kmtr (saturable both to and from the second compartment)
#   parallel        v1, v2, q2, cl, vmax [amount/h], km [amount/L] (linear and saturable loss; sarilumab)
# thiopurine: ka, ke, kme [1/h] and either conversion [1/h] (Jost 2020) or v1 [L], vmax [amount/L/h], km [amount/L]
#   (Gebhard 2023: saturable into the red cells); 6-TGN acts.
# All take f (bioavailability) and lag [h], and ka [1/h] where the medicine is swallowed or injected under the skin.
PkKind = Literal["compartments", "micro", "kpd", "saturable", "thiopurine"]
# linear: slope * C. emax: emax * C / (ec50 + C); a sigmoid where `hill` is a parameter. Effects of several add up.
EffectKind = Literal["linear", "emax"]
ResidualKind = Literal["log", "proportional", "additive", "box-cox"]


class DrugPart(Frozen, frozen=True, kw_only=True):
    """One medicine of a model. `per_mg` turns milligrams into `dose_unit`, the unit of the schedule's amounts.

    A stand-in for several medicines (pk "kpd") names them in `shares`, each with the weight of its usual doses in it;
    `dosing.schedule_of` writes their doses under the name of the stand-in.
    """

    drug: str
    dose_unit: str
    per_mg: float
    pk: PkKind
    compartments: int = 1
    effect: EffectKind = "linear"
    shares: tuple[tuple[str, float], ...] = ()


class GrowthPart(Frozen, frozen=True, kw_only=True):
    """A growth factor that acts on maturation and proliferation (K-PD): parameters `growth.ka`, `growth.ke` [1/h],
    `growth.ec50`, `growth.emax_maturation`, `growth.emax_proliferation`; amounts in units of one usual daily dose."""

    drug: str


class Residual(Frozen, frozen=True, kw_only=True):
    """How far one count lies from the model: SD on the log scale, relative to the value, or in 10*9/L; `power` for
    Box-Cox.

    `lasting` is the share of its variance that does not belong to the measurement but lasts from one count to the
    next: a swing of the true count about the model, forgotten at a rate of 1 / `fades` [1/h]. Only on the log scale.
    """

    kind: ResidualKind
    sd: float
    power: float = 0.0
    lasting: float = 0.0
    fades: float = float("inf")


class Model(Frozen, frozen=True, kw_only=True):
    """A population model, for one person's covariates already worked in.

    `names` are all parameters, `typical` their typical values (P,) in that order; `random` names those that vary
    between people, lognormally about the typical value with covariance `omega` (R, R) on the log scale;
    `occasion` is the same between the cycles of one person (zeros where none). `ceilings` bound a parameter from
    above (gamma: above it the marrow oscillates for ever). `id` and `edition` lead to the knowledge row.
    """

    id: str
    line: Line
    marrow: MarrowKind
    transits: int = 3
    own_kcirc: bool = False
    drugs: tuple[DrugPart, ...] = ()
    growth: GrowthPart | None = None
    dexamethasone: bool = False
    names: tuple[str, ...]
    typical: Floats
    random: tuple[str, ...]
    omega: Floats
    occasion: Floats | None = None
    residual: Residual
    ceilings: tuple[tuple[str, float], ...] = ()

    def at(self, name: str) -> int:
        """The row of a parameter in `theta` arrays."""
        return self.names.index(name)


class Schedule(Frozen, frozen=True, kw_only=True):
    """Doses in time order, one entry each: hour, medicine (name), amount [dose_unit], hours of infusion (0: at once).

    The same schedule holds for every person of a batch; `theta` carries what differs. A growth factor injection
    stands here too, under the name of `GrowthPart.drug`.
    """

    hour: Floats
    drug: tuple[str, ...]
    amount: Floats
    hours: Floats


class Observed(Frozen, frozen=True, kw_only=True):
    """The counts that a fit takes, in time order: hour, value [10*9/L], bound ("=", "<", ">", …), and the SD on the log
    scale that the count itself adds to the model's residual (a differential of few cells)."""

    hour: Floats
    value: Floats
    bound: tuple[str, ...] = ()
    noise: Floats = field(default_factory=lambda: np.zeros(0))


class Run(Frozen, frozen=True, kw_only=True):
    """What the solver gives: `counts` (T, N) at the hours asked for, `error` (N,) the estimated relative error of each
    person, `rerun` how many were solved again on a finer grid, `failed` (N,) true where no grid sufficed."""

    hour: Floats
    counts: NDArray[np.floating]
    error: Floats
    rerun: int
    failed: NDArray[np.bool_]
