"""Whatever JSON comes in, the FHIR reader answers; and the order in which things stand changes nothing."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_build import ANC, HB, WBC, bundle, concept, observation, patient, quantity
from leuko.errors import UnreadableInput
from leuko.intake import Blob, Intake, ReadOptions, fhir, merge
from leuko.knowledge import load_library
from leuko.record import Record

FIELDS = (
    "resourceType id meta versionId lastUpdated entry resource fullUrl type status code coding system display text "
    "subject reference identifier value valueQuantity valueString valueInteger unit comparator effectiveDateTime "
    "effectivePeriod start end issued component hasMember contained referenceRange low high age appliesTo "
    "interpretation specimen result focus link url relation birthDate gender parameter part extension "
    "medicationCodeableConcept medicationReference dosage dose verificationStatus onsetDateTime event date "
    "modifierExtension dataAbsentReason request method response"
)
KEYS = st.sampled_from(FIELDS.split())
CONTENTS = (
    "Bundle Patient Observation DiagnosticReport Specimen Condition MedicationAdministration AdverseEvent "
    "Parameters OperationOutcome Procedure Patient/ada Observation/w1 #x urn:uuid:1 final corrected "
    "2024-03-01 2024-02-30 http://loinc.org 6690-2 751-8 10*9/L /uL < L male ada"
)
WORDS = st.one_of(
    st.sampled_from(CONTENTS.split()),
    st.text(max_size=12),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), WORDS)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=40,
)


def read(*contents: Any, raw: bool = False) -> Intake:
    blobs = [
        Blob(name=f"{index}.json", data=one if raw else json.dumps(one).encode()) for index, one in enumerate(contents)
    ]
    got = fhir.read(blobs, options=ReadOptions(), library=load_library())
    return Intake(records=merge(got.records).records, notices=got.notices)


def quietly(content: Any) -> None:
    with suppress(UnreadableInput):
        read(content)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_is_answered(content: Any) -> None:
    quietly(content)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.fixed_dictionaries({"resourceType": WORDS}, optional={"id": WORDS}), max_size=3), st.data())
def test_any_resource_is_answered(heads: list[dict[str, Any]], data: st.DataObject) -> None:
    bodies = [head | data.draw(st.dictionaries(KEYS, JSON, max_size=8)) for head in heads]
    quietly(bundle(*bodies))


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Any, bool]:
    """A sound bundle in which one value, somewhere, was replaced by anything; whether by nothing at all."""
    body = bundle(
        patient(),
        observation(
            referenceRange=[{"low": quantity(4.0), "high": quantity(10.0)}],
            component=[{"code": concept(ANC), "valueQuantity": quantity(1.0)}],
        ),
    )
    node: Any = body
    while True:
        key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if isinstance(node[key], (dict, list)) and node[key] and draw(st.integers(0, 3)):
            node = node[key]
        else:
            node[key] = draw(JSON)
            return body, not node[key] and node[key] in (None, [], {})


@settings(max_examples=300, deadline=None)
@given(damaged())
def test_one_damaged_value_is_answered(given: tuple[Any, bool]) -> None:
    body, emptied = given
    got = read(body)
    counts = sum(len(record.counts) for record in got.records)
    # an element that holds nothing is one that was not sent: there is no result in it to miss
    assert counts >= 2 or got.notices or not got.records or emptied


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_answered(data: bytes) -> None:
    blob = Blob(name="x", data=data)
    if fhir.claims(blob):
        read(data, raw=True)


STATUSES = st.sampled_from(["final", "preliminary", "corrected", "amended", "entered-in-error", "cancelled"])
DAYS = st.integers(1, 28).map(lambda day: f"2024-03-{day:02d}T08:00:00Z")


@st.composite
def results(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Observations of two people, some of them versions of one another, some without id, with and without a report."""
    found: list[dict[str, Any]] = [patient("ada"), patient("bob", gender="male")]
    for _ in range(draw(st.integers(1, 7))):
        name = draw(st.sampled_from(["a", "b", "c", None]))
        meta = {"versionId": str(draw(st.integers(1, 3)))} if draw(st.booleans()) else None
        found.append(
            observation(
                name,
                draw(st.sampled_from([WBC, ANC])),
                draw(st.sampled_from([0.4, 1.2, 3.9, 8.0])),
                status=draw(STATUSES),
                subject={"reference": f"Patient/{draw(st.sampled_from(['ada', 'bob']))}"},
                effectiveDateTime=draw(st.one_of(st.none(), DAYS)),
                meta=meta,
            )
        )
    if draw(st.booleans()):
        report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "effectiveDateTime": draw(DAYS)}
        report |= {"subject": {"reference": "Patient/ada"}, "code": concept("58410-2"), "result": []}
        report["result"] = [{"reference": "Observation/a"}, {"reference": "Observation/b"}]
        found.append(report)
    return found


def content(records: tuple[Record, ...]) -> list[str]:
    return [record.digest for record in records]


@settings(max_examples=200, deadline=None)
@given(results(), st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_no_record(entries: list[dict[str, Any]], luck: random.Random) -> None:
    shuffled = list(entries)
    luck.shuffle(shuffled)
    assert content(read(bundle(*entries)).records) == content(read(bundle(*shuffled)).records)


@settings(max_examples=200, deadline=None)
@given(results())
def test_reading_a_bundle_twice_changes_no_record(entries: list[dict[str, Any]]) -> None:
    once = bundle(*entries)
    assert content(read(once, once).records) == content(read(once).records)
    assert content(read(bundle(*entries, *entries)).records) == content(read(once).records)


@settings(max_examples=100, deadline=None)
@given(results())
def test_no_result_vanishes_without_a_notice(entries: list[dict[str, Any]]) -> None:
    entries = [*entries, observation("h", HB, valueQuantity=quantity(120, "g/L"))]
    got = read(bundle(*entries))
    kept = {
        count.id.split("~")[0]
        for record in got.records
        for count in record.counts
        if not count.id.startswith("Observation/~")
    }
    told = " ".join(f"{notice.place} {notice.text}" for notice in got.notices)
    for index, entry in enumerate(entries):
        if (
            entry["resourceType"] == "Observation"
            and "id" in entry
            and entry["status"] not in {"entered-in-error", "cancelled"}
        ):
            assert (
                f"Observation/{entry['id']}" in kept
                or f"/entry/{index}/" in told
                or "LK420" in {n.code for n in got.notices}
            )
