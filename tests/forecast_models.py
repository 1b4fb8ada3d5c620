"""Models of every structure that the solver knows, with published or plausible numbers, for tests of the solver."""

from __future__ import annotations

import numpy as np

from leuko.forecast.model import DrugPart, Floats, GrowthPart, Model, Residual, Schedule

DOCETAXEL_PK = {"v1": 7.4, "k10": 5.2, "k12": 1.06, "k21": 1.51, "k13": 1.26, "k31": 0.084}
DAY, CYCLE = 24.0, 504.0


def model(
    drug: str, marrow: dict[str, float], medicine: dict[str, float], spread: dict[str, float], **structure
) -> Model:
    """A model with one medicine; `spread` are the SD on the log scale of the parameters that vary."""
    growth = {name: value for name, value in marrow.items() if name.startswith("growth.")}
    own = {name: value for name, value in marrow.items() if name not in growth}
    values = own | {f"{drug}.{role}": value for role, value in medicine.items()} | growth
    part = {name: structure.pop(name) for name in ("pk", "compartments", "effect") if name in structure}
    return Model(
        id=f"test-{drug}", line="neutrophils", marrow=structure.pop("kind", "friberg"), names=tuple(values),
        typical=np.array(list(values.values())), random=tuple(spread),
        omega=np.diag([sd**2 for sd in spread.values()]), residual=Residual(kind="log", sd=0.4),
        drugs=(DrugPart(drug=drug, dose_unit="mg", per_mg=1.0, **part),), **structure,
    )  # fmt: skip


def doses(*given: tuple[float, str, float, float]) -> Schedule:
    """A schedule from (hour, medicine, amount, hours)."""
    rows = sorted(given, key=lambda row: row[0])
    hour, drug, amount, hours = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Schedule(hour=np.array(hour, float), drug=drug, amount=np.array(amount, float), hours=np.array(hours, float))


def people(of: Model, count: int, seed: int, deviations: float = 1.0) -> Floats:
    """Persons drawn from a model, wider than it says by `deviations`, held within four SD; the first is typical."""
    z = np.clip(np.random.default_rng(seed).standard_normal((len(of.random), count)) * deviations, -4, 4)
    theta = within(of, z)
    theta[:, 0] = of.typical
    return theta


def within(of: Model, z: Floats) -> Floats:
    """Persons (P, N) so many SD (R, N) from the typical one."""
    theta = np.repeat(of.typical[:, None], z.shape[1], axis=1)
    for row, name in enumerate(of.random):
        theta[of.at(name)] *= np.exp(z[row] * np.sqrt(of.omega[row, row]))
    return theta


KLOFT = {"circ0": 5.22, "mtt": 84.2, "gamma": 0.1445}
SPREAD = {"circ0": 0.35, "mtt": 0.2, "docetaxel.slope": 0.35, "docetaxel.k10": 0.35}
DOCETAXEL = model("docetaxel", KLOFT, {"slope": 15.57, **DOCETAXEL_PK}, SPREAD, pk="micro", compartments=3)
EMAX = model(
    "docetaxel", {"circ0": 5.05, "mtt": 89.3, "gamma": 0.163}, {"emax": 83.9, "ec50": 7.17, **DOCETAXEL_PK},
    {"circ0": 0.42, "mtt": 0.16, "docetaxel.emax": 0.33, "docetaxel.ec50": 0.5},
    pk="micro", compartments=3, effect="emax",
)  # fmt: skip
DEXAMETHASONE = model(
    "docetaxel", {"circ0": 5.0, "mtt": 113.0, "gamma": 0.196, "mit": 35.5, "ip0": 5.19},
    {"slope": 17.9, "cl": 35.7, "v1": 6.94, "q2": 5.58, "v2": 7.39, "q3": 12.5, "v3": 225.0},
    {"circ0": 0.35, "mtt": 0.11, "docetaxel.slope": 0.6, "ip0": 0.9},
    pk="compartments", compartments=3, dexamethasone=True,
)  # fmt: skip
POOL = model(
    "docetaxel", {**KLOFT, "ftr": 0.8}, {"slope": 8.58, **DOCETAXEL_PK}, SPREAD, pk="micro", compartments=3, kind="pool"
)
PACLITAXEL = model(
    "paclitaxel", {"circ0": 5.47, "mtt": 131.0, "gamma": 0.22},
    {"slope": 8.0, "v1": 12.0, "vmel": 33.8, "kmel": 0.44, "vmtr": 177.0, "kmtr": 1.61, "k21": 1.21, "q3": 16.8,
     "v3": 268.0},
    {"circ0": 0.4, "mtt": 0.2, "paclitaxel.slope": 0.4, "paclitaxel.vmel": 0.27},
    pk="saturable",
)  # fmt: skip
NAB_PACLITAXEL = model(
    "nab", {"circ0": 4.28, "mtt": 117.0, "gamma": 0.187},
    {"slope": 0.00253, "v1": 15.8, "v2": 1650.0, "v3": 75.4, "q3": 41.6, "vmtr": 325e3, "kmtr": 4260.0, "vmel": 8070.0,
     "kmel": 40.2},
    {"circ0": 0.35, "mtt": 0.19, "nab.slope": 0.42, "nab.v1": 0.45}, pk="saturable",
)  # fmt: skip
SARILUMAB = model(
    "sarilumab", {"circ0": 5.38, "kout": 0.0879},
    {"emax": 1.5, "ec50": 10.3, "hill": 0.862, "ka": 0.00567, "v1": 2.08, "v2": 5.23, "q2": 0.0065, "cl": 0.0108,
     "vmax": 0.336, "km": 0.939},
    {"circ0": 0.32, "kout": 1.35, "sarilumab.emax": 0.57, "sarilumab.hill": 0.35},
    pk="saturable", effect="emax", kind="turnover",
)  # fmt: skip
PALBOCICLIB = model(
    "palbociclib", {"circ0": 4.1, "mtt": 122.0, "gamma": 0.13},
    {"emax": 0.22, "ec50": 40.1, "ka": 0.8, "lag": 2.0, "cl": 67.0, "v1": 2800.0, "q2": 7.0, "v2": 704.0},
    {"circ0": 0.35, "mtt": 0.12, "palbociclib.ec50": 0.8, "palbociclib.ka": 0.9},
    pk="compartments", compartments=2, effect="emax",
)  # fmt: skip
THIOPURINE = model(
    "mp", {"circ0": 2.46, "mtt": 644.3, "gamma": 0.6, "kcirc": 0.099},
    {"slope": 0.237, "f": 0.22, "ka": 1.3, "ke": 0.53, "conversion": 0.00785, "kme": 0.00725},
    {"circ0": 0.24, "mtt": 0.14, "mp.slope": 0.37}, pk="thiopurine", own_kcirc=True,
)  # fmt: skip
SATURABLE_THIOPURINE = model(
    "mp", {"circ0": 2.17, "mtt": 640.0, "gamma": 0.6, "kcirc": 0.099},
    {"slope": 0.16, "f": 0.12, "ka": 0.878, "ke": 0.642, "v1": 20.2, "vmax": 0.00875, "km": 0.14, "kme": 0.00208},
    {"circ0": 0.27, "mtt": 0.3, "mp.slope": 0.4}, pk="thiopurine", own_kcirc=True,
)  # fmt: skip
GROWTH = model(
    "regimen",
    {"circ0": 5.26, "mtt": 101.0, "gamma": 0.12, "kcirc": 0.099, "growth.ka": 0.3, "growth.ke": 0.03,
     "growth.ec50": 0.5, "growth.emax_maturation": 1.0, "growth.emax_proliferation": 1.5},
    {"kde": 0.0208, "slope": 2.0}, {"circ0": 0.35, "regimen.slope": 0.4, "growth.ke": 0.3},
    pk="kpd", own_kcirc=True, growth=GrowthPart(drug="filgrastim"),
)  # fmt: skip

TWO_CYCLES = doses((0.0, "docetaxel", 222.8, 1.0), (CYCLE + 0.37, "docetaxel", 180.0, 1.5))
STRUCTURES: dict[str, tuple[Model, Schedule]] = {
    "linear effect": (DOCETAXEL, TWO_CYCLES),
    "saturable effect": (EMAX, TWO_CYCLES),
    "dexamethasone": (DEXAMETHASONE, doses((0.0, "docetaxel", 120.0, 1.0), (CYCLE, "docetaxel", 120.0, 1.0))),
    "stem-cell pool": (POOL, TWO_CYCLES),
    "paclitaxel": (PACLITAXEL, doses((0.0, "paclitaxel", 369.0, 3.0), (CYCLE, "paclitaxel", 300.0, 3.0))),
    "nab-paclitaxel": (NAB_PACLITAXEL, doses(*((DAY * day, "nab", 225e3, 0.5) for day in (0, 7, 14)))),
    "turnover": (SARILUMAB, doses(*((DAY * day, "sarilumab", 200.0, 0.0) for day in (0, 14, 28)))),
    "swallowed daily": (PALBOCICLIB, doses(*((DAY * day, "palbociclib", 125e3, 0.0) for day in range(21)))),
    "thiopurine": (THIOPURINE, doses(*((DAY * day, "mp", 41.0, 0.0) for day in range(60)))),
    "saturable thiopurine": (SATURABLE_THIOPURINE, doses(*((DAY * day, "mp", 328.0, 0.0) for day in range(60)))),
    "growth factor": (
        GROWTH, doses((0.0, "regimen", 1.0, 0.0), *((DAY * day, "filgrastim", 1.0, 0.0) for day in range(2, 8)))
    ),
}  # fmt: skip


def harder(name: str) -> Schedule:
    """The doses of a structure made hard to solve: twice as much, off the grid, one of each medicine again minutes
    later, and over a time in which the next begins where they come as infusions."""
    own = STRUCTURES[name][1]
    rows = [
        (hour + 0.123 * (1 + at % 3), drug, 2.0 * amount, 1.7 * hours)
        for at, (hour, drug, amount, hours) in enumerate(zip(own.hour, own.drug, own.amount, own.hours, strict=True))
    ]
    again = {drug: (hour + 0.05, drug, 0.3 * amount, hours) for hour, drug, amount, hours in reversed(rows)}
    return doses(*rows, *again.values())
