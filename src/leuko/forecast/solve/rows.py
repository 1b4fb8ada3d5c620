"""Where a block of persons keeps its numbers: rows of one flat workspace, each as wide as the block has lanes."""

from __future__ import annotations

LANES = 64

# The state, and its rates at the start of a step.
LN_PROL, TRANSIT1, TRANSIT2, TRANSIT3, CIRC, LN_STEM = (LANES * row for row in range(6))
PROL = LN_PROL  # of the exact chain: the cells themselves, not their logarithm
D_PROL, D_TRANSIT1, D_TRANSIT2, D_TRANSIT3, D_CIRC, D_STEM = (LANES * row for row in range(6, 12))
# What acts on it during a step, as the parabola nearest to it: its value at the start, the middle and the end.
KILL, SPEED, GAIN, INFLUX = (LANES * row for row in (12, 15, 18, 21))
MID, END = LANES, 2 * LANES
# Parameters, in the order that `persons` gives them.
LN_CIRC0, GAMMA, KTR, KCIRC, KPROL, KSTEM = (LANES * row for row in range(24, 30))
# The estimated error; a concentration; the count before the step and its rate; renewal at the end of a step; the
# fourth difference of an effect within it.
ERROR, CONC, BEFORE, D_BEFORE, RENEWED, FOURTH = (LANES * row for row in range(30, 36))
# For the exact chain: the feedback at the start of the step, at three past nodes, and at the end.
FED, FED1, FED2, FED3, FED_END = (LANES * row for row in range(36, 41))
WORST = LANES * 41  # the largest estimated error so far
# Within a step of the exact chain: proliferating cells at its middle and end, the feedback extrapolated there, and
# transits and circulation before the feedback is corrected.
PROL1, PROL2, FED_MID, FED_FAR, NEW1, NEW2, NEW3, NEW = (LANES * row for row in range(42, 50))
BESIDE = LANES * 50  # how far an effect lies beside its parabola, at a quarter of the step
LAST = LANES * 51  # the count at which the marrow has lost its last cells
NOW = LANES * 52  # of the exact chain: the map of the step, 19 rows
FREE = LANES * 71  # the kinetics begin here: amount and response of each mode, or three compartments
MODE = 3 * LANES
# Behind the kinetics: for each length of step and each mode what it keeps, and its parabola.
ENTRY = 4 * LANES

# For the exact chain: rows of one map (what transits keep, 3; what reaches the circulation, 4; the weights of P, 12),
# and the nodes before the start at which nothing acted yet.
MAP = 19 * LANES
PAST = 3

# What a channel acts on, and how.
KILLS, GROWS, FLOWS = range(3)
LINEAR, EMAX, SIGMOID = range(3)
# How its kinetics are solved: in closed form by modes, or one of the saturable forms step by step.
MODES, PACLITAXEL, NAB_PACLITAXEL, PARALLEL_LOSS, SATURABLE_THIOPURINE = range(5)
# Columns of a channel's row of integers: form, role, effect, its modes or compartments, its rows of parameters.
FORM, ROLE, EFFECT, FIRST, COUNT, EFFECT_ROW, RATE_ROW, INTO = range(8)
MARROWS = {"friberg": 0, "pool": 1, "turnover": 2}
# What a kernel is compiled for: the marrow and its scheme, and what acts on it besides linear effects in closed form.
SCHEMES = ("friberg-exact", "friberg-classical", "pool", "turnover")
FURTHER = ("curved", "paclitaxel", "nab_paclitaxel", "parallel_loss", "saturable_thiopurine")
