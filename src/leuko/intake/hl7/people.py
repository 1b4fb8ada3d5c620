"""Whose message is it: the identifiers of PID-3, and what PID says of the person."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from leuko.errors import Place
from leuko.frozen import replace
from leuko.intake.fhir.tell import Teller
from leuko.intake.fhir.words import clean
from leuko.intake.hl7.results import Reading
from leuko.intake.hl7.times import moment
from leuko.intake.hl7.wire import NULL, Part, Segment, split_components
from leuko.record import Moment, Patient, Precision, Sex

T = TypeVar("T")
Key = tuple[str, str]  # number, authority

# Identifiers of a visit, an account, a bed or a card are none of the person; the others name one, best first.
_NOT_OF_A_PERSON: Final = frozenset({"AN", "VN", "ANON", "ACSN", "XX", "CC", "AM", "BC", "VISITID", "ACCT", "FI"})
_MERGES: Final = frozenset({"A34", "A40"})  # what stood under the number in MRG-1 is of the person in PID
_TOO_MANY: Final = 3  # birth dates of one number that no correction explains
_BEST: Final = ("MR", "MRN", "PI", "PT", "PN", "U", "EI", "")
_SEXES: Final[dict[str, Sex]] = {"F": "female", "M": "male", "W": "female"}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Identifier:
    """One number of a person, and who gave it."""

    rank: int
    number: str
    authority: str


def identifiers(part: Part, ignored: frozenset[Key] = frozenset()) -> tuple[Identifier, ...]:
    """The person's identifiers, the best first: PID-3, else PID-2 or PID-4; none where the message names nobody.

    `ignored` are numbers that are no one's.
    """
    pid = part.first("PID")
    if pid is None:
        return ()
    for number in (3, 2, 4):
        said = (_identifier(text, pid, part) for text in pid.repeats(number))
        found = [one for one in said if one is not None and (one.number, one.authority) not in ignored]
        if found:
            found += merged_numbers(part)
            return tuple(sorted(dict.fromkeys(found), key=lambda one: one.rank))
    return ()


def merged_numbers(part: Part) -> list[Identifier]:
    """The numbers that a merge (ADT A34, A40) says were this person's too; never the best ones."""
    merge = part.first("MRG")
    if merge is None or part.message.kind != "ADT" or part.message.event not in _MERGES:
        return []
    found = (_identifier(text, merge, part) for text in merge.repeats(1))
    return [replace(one, rank=one.rank + len(_BEST) + 1) for one in found if one is not None]


def stand_in(part: Part) -> str:
    """A name for the person of a message that identifies nobody: the sample and its sender, else the message.

    The number is in quotes, so that no two samples of any two senders share a name.
    """
    report, sender = part.first("OBR"), part.message.sender
    sample = "" if report is None else report.text_of(3) or report.text_of(2)
    if sample:
        return f"not named, sample {_quoted(sample)} of {sender}"
    if part.message.control_id:
        return f"not named, message {_quoted(part.message.control_id)} of {sender}"
    digest = hashlib.sha256(part.message.raw).hexdigest()[:16]
    return f"not named, message without a number ({digest}) of {sender}"


def _quoted(number: str) -> str:
    return '"' + number.replace("\\", r"\\").replace('"', r"\"") + '"'


def _identifier(text: str, pid: Segment, part: Part) -> Identifier | None:
    parts = [clean(part) for part in split_components(text, pid.delimiters)]
    number = parts[0]
    kind = parts[4].upper() if len(parts) > 4 else ""
    if not number or number == NULL or kind in _NOT_OF_A_PERSON:
        return None
    authority = parts[3].split(pid.delimiters.sub or "&")[0] if len(parts) > 3 else ""
    rank = _BEST.index(kind) if kind in _BEST else len(_BEST)
    return Identifier(rank=rank, number=number, authority=authority or part.message.header.text_of(4))


def of_nobody(parts: Iterable[Part]) -> frozenset[Key]:
    """Numbers that stand for several people, such as a placeholder for "unknown".

    A birth date is corrected now and then; a number with three of them, or with two and both sexes, is no one's.
    """
    births: dict[Key, set[str]] = defaultdict(set)
    sexes: dict[Key, set[str]] = defaultdict(set)
    for part in parts:
        pid = part.first("PID")
        if pid is None:
            continue
        for one in identifiers(part):
            key = (one.number, one.authority)
            births[key] |= {pid.text_of(7)[:8]} - {""}
            sexes[key] |= {pid.text_of(8).upper()} & _SEXES.keys()
    return frozenset(
        key for key, said in births.items() if len(said) >= _TOO_MANY or (len(said) > 1 and len(sexes[key]) > 1)
    )


# ---- linking --------------------------------------------------------------------------------------------------------


class People:
    """The people of many messages: messages that share an identifier are of one person.

    Two people are never made one where their birth dates differ: one number of the list is then someone else's.
    """

    def __init__(self, parts: Sequence[Part], stand_ins: Sequence[str | None], ignored: frozenset[Key]) -> None:
        """`stand_ins` names the person of each part that has no identifier beside those `ignored` (None: it has)."""
        self.doubtful: list[int] = []  # parts with a number that stands beside another birth date elsewhere
        self._parent: dict[Key, Key] = {}
        self._best: dict[Key, Identifier] = {}
        self._births: dict[Key, set[str]] = {}
        self._keys: list[Key] = []
        self._retired: set[Key] = set()  # numbers that a merge gave up
        own = [
            identifiers(part, ignored) if name is None else (Identifier(rank=0, number=name, authority=""),)
            for part, name in zip(parts, stand_ins, strict=True)
        ]
        for part, mine in zip(parts, own, strict=True):  # all birth dates first: links must not hang on the order
            self._enter(part, mine)
        for index, mine in enumerate(own):
            self._keys.append(self._join(index, mine))
        numbers: dict[str, set[Key]] = defaultdict(set)
        for key, best in self._roots().items():
            numbers[best.number].add(key)
        self._shared = {number for number, roots in numbers.items() if len(roots) > 1}

    def _enter(self, part: Part, own: Sequence[Identifier]) -> None:
        for one in own:
            key = (one.number, one.authority)
            self._parent.setdefault(key, key)
            self._births.setdefault(key, set())
            self._best[key] = min(self._best.get(key, one), one)
            if one.rank > len(_BEST):
                self._retired.add(key)
        pid = part.first("PID")
        if pid is not None and (born := pid.text_of(7)[:8]):
            self._births[own[0].number, own[0].authority].add(born)

    def _join(self, index: int, own: Sequence[Identifier]) -> Key:
        keys = [(one.number, one.authority) for one in own]
        linked = [self._link(keys[0], key) for key in keys[1:]]
        if not all(linked):
            self.doubtful.append(index)
        return keys[0]

    def _link(self, one: Key, other: Key) -> bool:
        """Make two numbers one person's; False where their birth dates differ."""
        root, joined = self._root(one), self._root(other)
        if root == joined:
            return True
        if self._births[root] and self._births[joined] and not self._births[root] & self._births[joined]:
            return False
        self._parent[joined] = root
        self._births[root] |= self._births.pop(joined)
        return True

    def _root(self, key: Key) -> Key:
        while self._parent[key] != key:
            self._parent[key] = self._parent[self._parent[key]]
            key = self._parent[key]
        return key

    def _roots(self) -> dict[Key, Identifier]:
        best: dict[Key, Identifier] = {}
        for key, one in self._best.items():
            root = self._root(key)
            mine = replace(one, rank=one.rank + 2 * len(_BEST)) if key in self._retired else one
            best[root] = min(best.get(root, mine), mine)
        return best

    def names(self, *, qualified: bool = False) -> list[str]:
        """The person's name for each part, in their order: the best number.

        Its authority stands behind it where two people share the number, or always, as `number^authority`.
        """
        best = self._roots()
        found = [best[self._root(key)] for key in self._keys]
        if qualified:
            return [qualified_name(one.number, one.authority) for one in found]
        return [f"{one.number} ({one.authority})" if one.number in self._shared else one.number for one in found]


def qualified_name(number: str, authority: str) -> str:
    """A person's name that is the same whatever else is read."""
    return f"{number}^{authority}"


# ---- the person -----------------------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Said:
    """What the messages say of one person; each statement with the time of its message and its place."""

    born: list[tuple[float, Moment, Place]] = field(default_factory=list)
    sex: list[tuple[float, Sex, Place]] = field(default_factory=list)
    died: list[tuple[float, Moment, Place]] = field(default_factory=list)


def listen(said: Said, reading: Reading, place: Place) -> None:
    """Add what a message's PID says: birth date, sex, death."""
    pid, stamp, tell = reading.part.first("PID"), reading.sent_at, reading.tell
    if pid is None:
        return
    for number, found, what in ((7, said.born, "birth date"), (29, said.died, "date of death")):
        text = pid.text_of(number)
        when = moment(text, reading.zone) if text else None
        if when is not None:
            found.append((stamp, when, place))
        elif text:
            tell.say("LK813", f"the {what} is no date that can be read; it is not used", place)
    sex = pid.text_of(8).upper()
    if sex in _SEXES:
        said.sex.append((stamp, _SEXES[sex], place))
    elif sex and sex not in {"U", "O", "N"}:
        text = "PID-8 of {n} messages is neither F nor M: no interval that depends on sex is used"
        tell.add("LK815", text, place, one=text.replace("{n} messages", "1 message"))


def patient_of(name: str, said: Said, tell: Teller) -> Patient:
    """The patient as the newest message says; two that contradict each other without an order leave it open."""
    born = _newest("birth date", [(stamp, (when.day, when.precision), place) for stamp, when, place in said.born], tell)
    sex = _newest("sex", said.sex, tell)
    died = _newest("date of death", [(stamp, when.day, place) for stamp, when, place in said.died], tell)
    precision: Precision = "day" if born is None or born[1] in {"hour", "minute", "second"} else born[1]
    return Patient(id=name, born=None if born is None else born[0], born_precision=precision, sex=sex, died=died)


def _newest(what: str, said: Sequence[tuple[float, T, Place]], tell: Teller) -> T | None:
    if not said:
        return None
    if len({value for _, value, _ in said}) == 1:
        return said[0][1]
    last = max(stamp for stamp, _, _ in said)
    newest = {value for stamp, value, _ in said if stamp == last}
    place = next(place for stamp, _, place in said if stamp == last)
    text = f"the messages of one person give different entries for the {what}"
    if len(newest) == 1:
        tell.say("LK812", text, place, read="the newest is used")
        return next(iter(newest))
    tell.say("LK812", f"{text}, and nothing says which is newer", place, read="none is used")
    return None
