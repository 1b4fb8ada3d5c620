"""How conclusions are named for other programs: the codes of what was found, and how urgent an issue is called."""

from typing import ClassVar, Literal

from leuko.knowledge.schema.core import Basis, Row


class CodeSent(Row, frozen=True, kw_only=True):
    """One code that stands for what a house definition calls by name (`concept`, in lower case)."""

    FOLDER: ClassVar[str] = "outputs"
    KEY: ClassVar[str] = "code_sent"

    id: str
    concept: str
    system: str
    code: str
    display: str
    basis: Basis


class IssueSeverity(Row, frozen=True, kw_only=True):
    """How FHIR's DetectedIssue calls a severity band or a critical value: `definition` is the id of its row.

    FHIR's words: high may be life-threatening, moderate may bring noticeable consequences, low is minor or unlikely.
    """

    FOLDER: ClassVar[str] = "outputs"
    KEY: ClassVar[str] = "issue_severity"

    id: str
    definition: str
    severity: Literal["high", "moderate", "low"]
    basis: Basis


KINDS = (CodeSent, IssueSeverity)
