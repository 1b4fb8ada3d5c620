"""Whose resource is it: references become people, and a doubt becomes a notice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import cast

from leuko import record
from leuko.errors import Place
from leuko.intake.base import ReadOptions
from leuko.intake.fhir.pool import Item, Pool, target
from leuko.intake.fhir.tell import Teller
from leuko.intake.fhir.times import last_day, moment
from leuko.intake.fhir.versions import Chain, chains
from leuko.intake.fhir.wire import Patient, Reference
from leuko.intake.fhir.words import clean

ABOUT_PEOPLE = (
    "Observation",
    "DiagnosticReport",
    "Specimen",
    "Condition",
    "Procedure",
    "AllergyIntolerance",
    "AdverseEvent",
    "MedicationAdministration",
    "MedicationRequest",
    "MedicationStatement",
    "MedicationDispense",
    "QuestionnaireResponse",
)

_CONDITIONAL = re.compile(r"Patient\?identifier=(?:([^|]*)\|)?(.+)")


class People:
    """The people of one reading, by id; `of` says whose a resource is."""

    def __init__(self, pool: Pool, options: ReadOptions, tell: Teller) -> None:
        self._pool, self._options, self._tell = pool, options, tell
        self.chains: dict[str, Chain] = {}
        self._apart: dict[tuple[str, str], str] = {}
        self._split: set[str] = set()
        self.doubtful: set[str] = set()
        self._by_identifier: dict[tuple[str, str], str] = {}
        self._gather_patients()
        self._owners: dict[int, str | None] = {}
        self._in_source: dict[str, set[str]] = defaultdict(set)
        self._resolve_all()

    def of(self, item: Item) -> str | None:
        """The person's id, or None where the resource belongs to nobody who can be named (which was told)."""
        return self._owners.get(id(item))

    def ids(self) -> list[str]:
        """Everyone who is a Patient here or whom a resource names."""
        return sorted(set(self.chains) | {owner for owner in self._owners.values() if owner is not None})

    # -- Patient resources --

    def _gather_patients(self) -> None:
        groups: dict[str, dict[str, list[Item]]] = defaultdict(lambda: defaultdict(list))
        for item in self._pool.items["Patient"]:
            groups[_patient_id(item)][item.source].append(item)
        for name, sources in sorted(groups.items()):
            self._gather_one(name, sources)

    def _gather_one(self, name: str, sources: dict[str, list[Item]]) -> None:
        newest = {source: _newest(items) for source, items in sorted(sources.items())}
        if _compatible([chain.current for chain in newest.values()]):
            items = [item for items in sources.values() for item in items]
            self._check_versions(name, items)
            self._enter(name, _newest(items))
            return
        self._split.add(name)
        text = (
            f"the files give differing birth dates, sexes or servers for Patient/{name}; they are kept as {len(newest)}"
        )
        self._tell.say("LK416", f"{text} people", next(iter(newest.values())).current.found.place())
        for source, chain in newest.items():
            self._apart[(name, source)] = f"{name} ({source})"
            self._enter(f"{name} ({source})", chain)

    def _check_versions(self, name: str, items: list[Item]) -> None:
        found = [chain.current for chain in chains(items, _anyone)]
        if not _compatible(found):
            text = f"{len(found)} versions of Patient/{name} contradict each other, and nothing says which is newer"
            self._tell.say("LK422", text, found[0].found.place(), read="birth date and sex are not used")
            self.doubtful.add(name)

    def _enter(self, name: str, chain: Chain) -> None:
        self.chains[name] = chain
        for identifier in _identifiers(chain.current.resource):
            self._by_identifier.setdefault(identifier, name)

    # -- everything else --

    def _resolve_all(self) -> None:
        items = [item for kind in ABOUT_PEOPLE for item in self._pool.items[kind]]
        nameless = [item for item in items if not self._resolve(item)]
        for name, chain in self.chains.items():
            for item in (chain.current, *chain.older):
                self._in_source[item.source].add(name)
        parents = self._parents()
        for item in nameless:
            self._owners[id(item)] = self._inherited(item, parents) or self._only_person(item)

    def _resolve(self, item: Item) -> bool:
        """Resolve the named subject; False where the resource names none."""
        reference = _subject(item)
        owner, named = self._named(reference, item)
        if owner is not None:
            self._in_source[item.source].add(owner)
        self._owners[id(item)] = owner
        return named

    def _named(self, reference: Reference | None, item: Item) -> tuple[str | None, bool]:
        text = target(reference)
        asked = _CONDITIONAL.fullmatch(clean(reference.reference) if reference is not None else "")
        if asked is not None:
            return self._by_identifier.get((asked[1] or "", asked[2]), asked[2]), True
        if text:
            return self._by_reference(reference, text, item), True
        identifier = reference.identifier if reference is not None else None
        if identifier is not None and clean(identifier.value):
            token = (clean(identifier.system), clean(identifier.value))
            return self._by_identifier.get(token, token[1]), True
        return None, False

    def _by_reference(self, reference: Reference | None, text: str, item: Item) -> str | None:
        patient = self._pool.find(reference, "Patient", item)
        if patient is not None:
            name = _patient_id(patient)
            return self._in_split(name, item) if name in self._split else name
        kind, _, name = text.rpartition("/")
        kind = kind.rpartition("/")[2] or clean(reference.type if reference is not None else None)
        if kind not in {"", "Patient"} or text.startswith("#"):
            what = kind or "a contained resource that is missing"
            self._tell.add(
                "LK413",
                f"{{n}} {item.kind} about {what}, not about a Patient; set aside",
                item.found.place(),
                lost=True,
            )
            return None
        return self._without_patient(text.removeprefix("urn:uuid:") if not kind else name, text, reference, item)

    def _without_patient(self, name: str, text: str, reference: Reference | None, item: Item) -> str | None:
        if text == name and not (reference is not None and reference.type):
            self._tell.add(
                "LK418",
                f"{{n}} references to “{name}” name no type; read as Patient/{name}",
                item.found.place(),
                one=f"1 reference to “{name}” names no type; read as Patient/{name}",
            )
        if text.startswith("http") and name in self.chains:
            return text  # the same id on another server is another person
        return self._in_split(name, item) if name in self._split else name

    def _in_split(self, name: str, item: Item) -> str | None:
        owner = self._apart.get((name, item.source))
        if owner is None:
            text = f"{{n}} resources point to Patient/{name}, which means several people here; set aside"
            one = f"1 resource points to Patient/{name}, which means several people here; set aside"
            self._tell.add("LK412", text, item.found.place(), one=one, lost=True)
        return owner

    # -- resources that name nobody --

    def _parents(self) -> dict[tuple[str, str], list[Item]]:
        """The reports and panels that hold an Observation, by the Observation's file and key."""
        parents: dict[tuple[str, str], list[Item]] = defaultdict(list)
        for holder in (*self._pool.items["DiagnosticReport"], *self._pool.items["Observation"]):
            for member in members(holder, self._pool):
                parents[(member.source, member.key)].append(holder)
        return parents

    def _inherited(self, item: Item, parents: dict[tuple[str, str], list[Item]]) -> str | None:
        """A member of a report belongs to the report's person, if all reports that hold it name the same one."""
        owners: set[str] = set()
        seen: set[int] = set()
        todo = [item]
        while todo:
            one = todo.pop()
            for parent in parents.get((one.source, one.key), ()):
                owner = self._owners.get(id(parent))
                if owner is not None:
                    owners.add(owner)
                elif id(parent) not in seen:
                    seen.add(id(parent))
                    todo.append(parent)
        return next(iter(owners)) if len(owners) == 1 else None

    def _only_person(self, item: Item) -> str | None:
        candidates = self._in_source[item.source]
        if not candidates and self._options.patient is not None:
            return self._options.patient
        candidates = candidates or {name for names in self._in_source.values() for name in names}
        if item.kind == "Specimen":  # a specimen is found through its Observation, whose subject counts
            return None
        if len(candidates) == 1:
            name = next(iter(candidates))
            self._tell.add(
                "LK411",
                f"{{n}} resources name nobody; taken as those of {name}, the only person here",
                item.found.place(),
                one=f"1 resource names nobody; taken as that of {name}, the only person here",
            )
            return name
        why = "several people are in the input" if candidates else "no person is in the input"
        self._tell.add(
            "LK412",
            f"{{n}} {item.kind} name nobody, and {why}; set aside",
            item.found.place(),
            one=f"1 {item.kind} names nobody, and {why}; set aside",
            lost=True,
        )
        return None


def members(holder: Item, pool: Pool) -> Iterator[Item]:
    """The Observations, in all their versions, that a report or panel holds and that the input has."""
    name = "result" if holder.kind == "DiagnosticReport" else "has_member"
    for reference in getattr(holder.resource, name, None) or []:
        yield from (member for member in pool.find_all(reference, "Observation", holder) if member.key != holder.key)


def _subject(item: Item) -> Reference | None:
    found = getattr(item.resource, "subject", None) or getattr(item.resource, "patient", None)
    return cast("Reference | None", found)


def _patient_id(item: Item) -> str:
    """The id that the source gives; for a contained Patient its identifier, for a nameless one a hash."""
    identifiers = sorted(_identifiers(item.resource))
    if (item.found.container is not None or not item.named) and identifiers:
        return identifiers[0][1]
    return item.key.removeprefix("Patient/")


def _identifiers(patient: Patient) -> list[tuple[str, str]]:
    many = patient.identifier if isinstance(patient.identifier, list) else [patient.identifier]
    return [(clean(one.system), clean(one.value)) for one in many if one is not None and clean(one.value)]


def _newest(items: Iterable[Item]) -> Chain:
    found = chains(items, _anyone)
    return max(found, key=lambda chain: _completeness(chain.current))


def _anyone(_: Item) -> str:
    return ""


def _completeness(item: Item) -> tuple[int, str]:
    patient = item.resource
    said = (patient.birth_date, patient.gender, patient.deceased_date_time)
    return (sum(value is not None for value in said), str(item.found.place()))


def _compatible(items: list[Item]) -> bool:
    """Whether no two of the Patients contradict each other in birth date, sex or server."""
    births = {clean(item.resource.birth_date) for item in items} - {""}
    sexes = {clean(item.resource.gender).lower() for item in items} & {"male", "female"}
    return len(births) <= 1 and len(sexes) <= 1 and len({item.base for item in items} - {None}) <= 1


# ---- the person -----------------------------------------------------------------------------------------------------


def patient_of(name: str, people: People, options: ReadOptions, tell: Teller) -> record.Patient:
    """What the Patient resource says; only female and male are used, as reference intervals know no other."""
    chain = people.chains.get(name)
    if chain is None or name in people.doubtful:
        return record.Patient(id=name)
    item = chain.current
    patient: Patient = item.resource
    born = moment(patient.birth_date, options.zone)
    if patient.birth_date and born is None:
        tell.say("LK432", "the birth date is no date that can be read", item.found.place("/birthDate"))
    died = moment(patient.deceased_date_time, options.zone)
    _tell_links(item, tell)
    return record.Patient(
        id=name,
        born=born.day if born is not None else None,
        born_precision=born.precision if born is not None else "day",
        sex=_sex(item, tell),
        died=died.day if died is not None else None,
    )


def _sex(item: Item, tell: Teller) -> record.Sex | None:
    text = clean(item.resource.gender).lower()
    if text in {"male", "female"}:
        return cast("record.Sex", text)
    if text:
        said = "the gender is neither female nor male, so no interval that depends on sex is used"
        tell.say("LK417", said, item.found.place("/gender"))
    return None


def _tell_links(item: Item, tell: Teller) -> None:
    for index, link in enumerate(item.resource.link or []):
        other = target(link.other)
        if other:
            text = f"the Patient is linked to {other} ({clean(link.type) or 'no type'}); the two were not joined"
            tell.say("LK419", text, item.found.place(f"/link/{index}"))


def check_birth(
    patient: record.Patient, days: Iterable[record.Moment], place: Place, options: ReadOptions, tell: Teller
) -> record.Patient:
    """The patient without a birth date that lies after a draw: then one of the two is wrong, and no age is used."""
    if patient.born is None:
        return patient
    early = [when for when in days if last_day(when).date() < patient.born]
    future = options.as_of is not None and patient.born > options.as_of
    if not early and not future:
        return patient
    counts = "1 blood count" if len(early) == 1 else f"{len(early)} blood counts"
    what = counts if early else "the day of the assessment"
    text = f"the birth date lies after {what}; it is not used, and nothing that depends on age is concluded"
    tell.say("LK415", text, place)
    return without_birth(patient)


def without_birth(patient: record.Patient) -> record.Patient:
    """The same person with no birth date known."""
    return record.Patient(id=patient.id, sex=patient.sex, died=patient.died)
