"""What became of cards, as EHRs report it: kept once, however often it is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from leuko.service.hooks.problems import HookProblem, unreadable
from leuko.service.hooks.trust import Caller
from leuko.service.store import Store
from leuko.service.store.cards import Call, add_card_event, issuer_of, keep_call

_BROKEN: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_ID: Final = re.compile(r"[0-9a-fA-F\-]{1,64}")
_MOST: Final = 1000  # reports in one call
_COMMENT: Final = 4000  # characters of a comment


class _Coding(msgspec.Struct, omit_defaults=True):
    code: str
    system: str | None = None
    display: str | None = None


class _Reason(msgspec.Struct, rename="camel", omit_defaults=True):
    reason: _Coding | None = None
    user_comment: str | None = None


class _Accepted(msgspec.Struct):
    id: str


class _Report(msgspec.Struct, rename="camel", omit_defaults=True):
    card: str
    outcome: Literal["accepted", "overridden"]
    outcome_timestamp: str
    accepted_suggestions: list[_Accepted] | None = None
    override_reason: _Reason | None = None


class _Feedback(msgspec.Struct):
    feedback: list[_Report]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How many reports were new, and which of them name no card of this EHR and service."""

    new: int
    unknown: int


def read_feedback(body: bytes) -> tuple[_Report, ...]:
    """The reports of a body. Raises HookProblem where it breaks the interface."""
    try:
        reports = msgspec.json.decode(body, type=_Feedback).feedback
    except _BROKEN as error:
        raise unreadable("the feedback is not as CDS Hooks has it", "feedback") from error
    if len(reports) > _MOST:
        raise unreadable(f"more than {_MOST} reports in one call", "feedback")
    for at, one in enumerate(reports):
        _check(one, f"feedback[{at}]")
    return tuple(reports)


def _check(one: _Report, where: str) -> None:
    if not _ID.fullmatch(one.card):
        raise unreadable("this is no uuid of a card", f"{where}.card")
    if one.outcome == "accepted" and not one.accepted_suggestions:
        raise unreadable("an accepted card names the suggestions", f"{where}.acceptedSuggestions")
    reason = one.override_reason
    if reason is not None and reason.reason is None and not reason.user_comment:
        raise unreadable("a reason needs a code or a comment", f"{where}.overrideReason")
    if reason is not None and len(reason.user_comment or "") > _COMMENT:
        raise unreadable("the comment is too long", f"{where}.overrideReason.userComment")
    try:
        moment = datetime.fromisoformat(one.outcome_timestamp)
    except ValueError as error:
        raise unreadable("this is no time", f"{where}.outcomeTimestamp") from error
    if moment.tzinfo is None:
        raise unreadable("this time has no zone", f"{where}.outcomeTimestamp")


def keep_feedback(store: Store, caller: Caller, service: str, reports: tuple[_Report, ...]) -> Kept:
    """Keep reports of cards that this EHR was shown by this service. Raises Replayed, StoreDown."""
    new = unknown = 0
    with store.write() as connection:
        at = store.now()
        known = [issuer_of(connection, one.card) == (caller.ehr.issuer, service) for one in reports]
        status = 200 if all(known) else 404
        call = Call(issuer=caller.ehr.issuer, jti=caller.jti, service=service, hook="feedback", status=status)
        keep_call(connection, at, call)
        for one, is_known in zip(reports, known, strict=True):
            unknown += not is_known
            if is_known:
                new += add_card_event(connection, at, one.card, one.outcome, _canonical(one))
    return Kept(new=new, unknown=unknown)


def _canonical(one: _Report) -> bytes:
    """The same report gives the same bytes, in whatever order it came."""
    fields: dict[str, Any] = msgspec.to_builtins(one)
    fields["outcomeTimestamp"] = datetime.fromisoformat(one.outcome_timestamp).timestamp()
    if one.accepted_suggestions:
        fields["acceptedSuggestions"] = sorted(accepted.id for accepted in one.accepted_suggestions)
    return msgspec.json.encode(fields, order="deterministic")


def check_known(kept: Kept) -> None:
    """Raises HookProblem 404 where a report names a card that this EHR was not shown by this service."""
    if kept.unknown:
        text = f"{kept.unknown} of the reports name no card that this service showed you; the others are kept"
        raise HookProblem(404, "not-found", text, "feedback.card")
