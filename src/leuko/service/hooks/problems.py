"""What stops a call: always an HTTP status with an OperationOutcome, never a list of no cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

Issue = Literal["invalid", "required", "security", "login", "not-found", "incomplete", "exception", "transient"]
MEDIA: Final = "application/fhir+json"


@dataclass(frozen=True)
class HookProblem(Exception):  # noqa: N818 (an answer, as a problem of RFC 9457 is)
    """An answer other than cards. `text` and `where` say what is wrong, and hold nothing of a person or a token."""

    status: int
    issue: Issue
    text: str
    where: str = ""

    def body(self) -> bytes:
        """The OperationOutcome."""
        issue: dict[str, Any] = {"severity": "error", "code": self.issue, "details": {"text": self.text}}
        if self.where:
            issue["expression"] = [self.where]
        return msgspec.json.encode({"resourceType": "OperationOutcome", "issue": [issue]})

    def headers(self) -> Mapping[str, str]:
        """What the status asks for beside the body."""
        if self.status == 401:
            return {"WWW-Authenticate": 'Bearer realm="cds-services"'}
        return {"Retry-After": "30"} if self.status == 503 else {}


def refused(text: str) -> HookProblem:
    """A call whose token does not let it in."""
    return HookProblem(401, "login", text)


def unreadable(text: str, where: str = "") -> HookProblem:
    """A request that breaks the interface."""
    return HookProblem(400, "invalid", text, where)


def lacking(text: str, where: str = "") -> HookProblem:
    """Data that cannot be had: 412, as the standard asks."""
    return HookProblem(412, "incomplete", text, where)
