"""The answer to a message: MSA-1 says what became of it, MSA-2 repeats its control id."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Final

from leuko.intake.hl7.wire import END, START, Message
from leuko.service.inbox import Code, Reason, Verdict

_COMMIT: Final[dict[Code, str]] = {"AA": "CA", "AE": "CE", "AR": "CR"}
# HL7 table 0357
_ERRORS: Final[dict[Reason | None, str]] = {
    "no-control-id": "101^Required field missing^HL70357",
    "unreadable": "102^Data type error^HL70357",
    "not-for-production": "202^Unsupported processing id^HL70357",
    "id-reused": "205^Duplicate key identifier^HL70357",
}
_INTERNAL: Final = "207^Application internal error^HL70357"


def acknowledgement(raw: bytes, verdict: Verdict, *, now: datetime | None = None) -> bytes | None:
    """The framed answer; None where the sender wants none.

    A sender that fills MSH-15 speaks the enhanced mode: it is told that the message was committed (CA, CE, CR), where
    and when MSH-15 asks for it, and no second answer follows: a late one could be taken for that to another message.
    """
    message = verdict.message
    code: str = verdict.code
    if message is not None and message.header.raw(15):
        if not _wanted(message.header.text_of(15).upper(), verdict.code):
            return None
        code = _COMMIT[verdict.code]
    when = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
    text = _text(message, raw, code, verdict, when)
    charset = "utf-8" if message is None or message.charset == "ascii" else message.charset
    return bytes([START]) + text.encode(charset, errors="replace") + bytes([END, 0x0D])


def _wanted(asked: str, code: Code) -> bool:
    """HL7 table 0155: always, never, on errors, on success."""
    return {"NE": False, "ER": code != "AA", "SU": code == "AA"}.get(asked, True)


def _text(message: Message | None, raw: bytes, code: str, verdict: Verdict, when: str) -> str:
    own = hashlib.sha256(raw + code.encode()).hexdigest()[:20]
    if message is None:
        header = rf"MSH|^~\&|leuko||||{when}||ACK|{own}|P|2.5.1"
        return "\r".join([header, f"MSA|{code}|{_perhaps_id(raw)}", _error(verdict, "|"), ""])
    asked, mark = message.header, message.delimiters.field
    marks = asked.raw(2)
    kind = (message.delimiters.component or "^").join(filter(None, ("ACK", asked.text_of(9, 2), "ACK")))
    header = mark.join(
        [
            "MSH",
            marks,
            asked.raw(5),
            asked.raw(6),
            asked.raw(3),
            asked.raw(4),
            when,
            "",
            kind,
            own,
            asked.raw(11) or "P",
            asked.raw(12),
            *[""] * 5,
            asked.raw(18),
        ]
    )
    segments = [header, mark.join(["MSA", code, asked.raw(10)])]
    if verdict.code != "AA":
        segments.append(_error(verdict, mark))
    return "\r".join([*segments, ""])


def _error(verdict: Verdict, mark: str) -> str:
    """ERR with the reason in words (ERR-8), which hold nothing of the message."""
    words = "".join(" " if sign in rf"{mark}^~\&#$@%" else sign for sign in verdict.text)
    return mark.join(["ERR", "", "", _ERRORS.get(verdict.reason, _INTERNAL), "E", "", "", "", words])


def _perhaps_id(raw: bytes) -> str:
    """The tenth field of a header that cannot be read, where it looks like an id."""
    fields = raw[:2000].split(b"\r")[0].decode("latin-1").split("|")
    found = fields[9] if len(fields) > 9 else ""
    return found if found.isascii() and found.isprintable() and len(found) <= 50 else ""
