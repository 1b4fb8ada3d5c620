"""The shape of the tables about CDS Hooks: the services, the data they ask for, the cards and their words.

A summary has fewer than `SUMMARY_LIMIT` characters by the standard; a row has several wordings, the fullest first, and
the first that fits is taken: none is ever cut.
"""

from typing import ClassVar, Literal

from leuko.knowledge.schema.core import Basis, Row

SUMMARY_LIMIT = 140
Hook = Literal["patient-view", "order-select", "order-sign", "encounter-discharge", "medication-verify"]
Indicator = Literal["info", "warning", "critical"]
Finding = Literal[
    "withdrawn",
    "emergency",
    "urgent",
    "count",
    "old_count",
    "lines",
    "order",
    "unruled_order",
    "treatment_today",
    "monitoring",
    "overdue",
    "unusable",
    "forecast",
    "going_home",
]


class ServiceRow(Row, frozen=True, kw_only=True):
    """One service, on one hook or on several whose cards replace one another; `prefetch` are ids of its data."""

    FOLDER: ClassVar[str] = "cards"
    KEY: ClassVar[str] = "service"

    id: str
    hooks: tuple[Hook, ...]
    title: str
    description: str
    usage: str
    prefetch: tuple[str, ...]
    basis: Basis


class PrefetchRow(Row, frozen=True, kw_only=True):
    """Data that a service asks for: a read or search of FHIR with tokens of the hook's context.

    `{counts}` in `query` stands for the LOINC codes of blood counts. `kinds` are the resource types that may come;
    `filtered` by code: results of other LOINC codes are not used. Without `required` data a service cannot answer.
    `name` is what the data are called to people.
    """

    FOLDER: ClassVar[str] = "cards"
    KEY: ClassVar[str] = "prefetch"

    id: str
    name: str
    query: str
    kinds: tuple[str, ...]
    required: bool = False
    filtered: bool = False
    basis: Basis


class OfferRow(Row, frozen=True, kw_only=True):
    """A suggestion that a card may carry: an order to place (with the code of what is ordered), or one to take out."""

    FOLDER: ClassVar[str] = "cards"
    KEY: ClassVar[str] = "offer"

    id: str
    label: str
    description: str
    does: Literal["place", "take_out"]
    system: str = ""
    code: str = ""
    display: str = ""
    basis: Basis


class OverrideRow(Row, frozen=True, kw_only=True):
    """A reason that a clinician may give for setting a card aside."""

    FOLDER: ClassVar[str] = "cards"
    KEY: ClassVar[str] = "override"

    id: str
    system: str
    display: str
    basis: Basis


class CardRow(Row, frozen=True, kw_only=True):
    """One card: for which finding, at which services, how urgent, in which words.

    It speaks where the finding has one of `levels` and is of one of `analytes` (empty: any); of several rows that fit,
    the first in the order of the files. `once`: what was said of these counts to a clinician is not said to them again.
    `summaries` are the wordings, the fullest first; the last has no variable part. `offers` and `overrides` are ids.
    """

    FOLDER: ClassVar[str] = "cards"
    KEY: ClassVar[str] = "card"

    id: str
    finding: Finding
    levels: tuple[str, ...] = ()
    analytes: tuple[str, ...] = ()
    services: tuple[str, ...]
    indicator: Indicator
    once: bool = True
    summaries: tuple[str, ...]
    offers: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    basis: Basis


KINDS = (ServiceRow, PrefetchRow, OfferRow, OverrideRow, CardRow)
