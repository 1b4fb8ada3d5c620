"""How a record says what a person is: the words and codes of a pregnancy, and of a tested Duffy phenotype."""

from typing import ClassVar, Literal

from leuko.knowledge.schema.core import Basis, Row


class PersonClue(Row, frozen=True, kw_only=True):
    """One way in which a record tells something of the person.

    A row speaks of an entry that carries `code` of `system` (with `prefix`, any code that begins with it), or whose
    name holds one of the `words`; where `answers` is given, the entry's value must be one of them (compared without
    case). `days_before` and `days_after` are how long around its date it holds [days]; None is for life.
    """

    FOLDER: ClassVar[str] = "person"
    KEY: ClassVar[str] = "clue"

    id: str
    tells: Literal["pregnant", "duffy_null"]
    answer: bool
    system: str = ""
    code: str = ""
    prefix: bool = False
    words: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    days_before: float | None = None
    days_after: float | None = None
    basis: Basis


KINDS = (PersonClue,)
