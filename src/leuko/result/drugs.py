"""Which medicine could have lowered a count: each one on the time line, and causality item by item."""

from __future__ import annotations

from typing import Literal

from leuko.frozen import Frozen
from leuko.result.core import Between, Citation, Gap, Reason

CausalityScheme = Literal["naranjo", "who_umc", "benichou"]
ItemAnswer = Literal["yes", "no", "not_done", "unknown"]
ExposureKind = Literal["administered", "stated", "ordered", "dispensed"]
DrugRole = Literal["cycle", "candidate", "unlisted", "excluded"]
DrugTiming = Literal["inside", "partly", "during", "early", "late", "after_stop", "before_start", "unknown"]
Dechallenge = Literal["positive", "negative", "not_stopped", "too_soon", "cannot_say"]
Rechallenge = Literal["positive", "negative", "not_done", "cannot_say"]
LinkStrength = Literal["strong", "moderate", "weak", "unreviewed", "unknown", "against"]


class CausalityItem(Frozen, frozen=True, kw_only=True):
    """One question of a causality scheme and how the record answers it.

    `points` is what the scheme gives this answer, `least` and `most` what it could give once the record is complete;
    all three are None in a scheme without points. "not_done" is a test that the record shows was not made: it scores as
    the scheme's "unknown", and stays so. `evidence` are ids of doses, counts or facts.
    """

    id: str
    number: int
    question: str
    answer: ItemAnswer
    points: int | None = None
    least: int | None = None
    most: int | None = None
    because: str
    evidence: tuple[str, ...] = ()


class Causality(Frozen, frozen=True, kw_only=True):
    """One causality scheme for one medicine and one episode.

    `total` is the score with every unknown scored as the scheme says; `least` to `most` is the range that remains
    possible whatever the unknown answers turn out to be. `category` is given only where every possible total (or every
    answer to what is unknown) agrees; else `possible` lists what remains, weakest first. `as_scored` is the category of
    `total` by itself, None in a scheme without points.
    """

    scheme: CausalityScheme
    title: str
    items: tuple[CausalityItem, ...]
    total: int | None = None
    least: int | None = None
    most: int | None = None
    as_scored: str | None = None
    category: str | None
    possible: tuple[str, ...]
    reason: Reason
    gap: Gap | None = None


class Exposure(Frozen, frozen=True, kw_only=True):
    """One stretch of time on one medicine, put together from doses no further apart than the house rule allows.

    `start` and `stop` are times known only between two instants; None is not recorded. `running` is None where the
    record does not say whether it is still taken. `kinds` tells given from stated, ordered and dispensed: only
    "administered" proves that it reached the person. `given` lists the administrations by themselves. `inferred_stop`
    is true where the stop is only the last recorded dose. `doses` are dose ids.
    """

    drug: str
    drug_id: str
    kinds: tuple[ExposureKind, ...]
    start: Between | None
    stop: Between | None
    running: bool | None
    inferred_stop: bool
    given: tuple[Between, ...] = ()
    doses: tuple[str, ...] = ()
    text: str


class DrugLink(Frozen, frozen=True, kw_only=True):
    """One medicine against one episode of low counts of one line.

    `role`: "cycle" (a cytotoxic drug whose nadir falls here), "candidate", "unlisted" (leuko's table does not hold the
    medicine: nothing is known here, which acquits nothing), "excluded" (it cannot have caused this episode). `timing`:
    the onset, or of a cycle the nadir, lies "inside" the usual window, "partly" (the counts leave it open), "during"
    the exposure with no confirmed window to hold it against, "early" or "late" for it, "after_stop" (began too long
    after the last dose), "before_start" (the medicine began after the onset), "unknown". A medicine that is not known
    to lower the line has no link to it. `latency` is the time from start (of a cycle: from the dose) to onset (nadir)
    [days, least and most]. `reviewed` is false where the association itself is not confirmed: such a link drives
    nothing. `rank` orders the links of one episode from 1; `others` names the other medicines that could explain the
    same episode, in order.
    `episode` counts from 0 in the course of `analyte`.
    """

    drug: str
    drug_id: str
    drug_class: str
    analyte: str
    episode: int
    role: DrugRole
    reviewed: bool
    timing: DrugTiming
    latency: tuple[float | None, float | None]
    exposures: tuple[Exposure, ...]
    running: bool | None
    dechallenge: Dechallenge
    rechallenge: Rechallenge
    strength: LinkStrength
    rank: int
    others: tuple[str, ...] = ()
    clues_for: tuple[Reason, ...] = ()
    clues_against: tuple[Reason, ...] = ()
    contradictions: tuple[Reason, ...] = ()
    missing: tuple[Gap, ...] = ()
    causality: tuple[Causality, ...] = ()
    mechanism: str = ""
    incidence: str = ""
    evidence_level: str = ""
    citations: tuple[Citation, ...] = ()
    reason: Reason
