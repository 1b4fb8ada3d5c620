"""HL7 v2 messages become the same counts, doses and facts as FHIR and tables, whatever the sender's habits."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fixtures.hl7 import WBC, codes, counts, frame, message, msh, obr, obx, oru, pid, read, record, values
from leuko import intake
from leuko.__main__ import main
from leuko.errors import UnreadableInput
from leuko.intake import Blob, ReadOptions, hl7
from leuko.intake.hl7.wire import NoMessage, parse, pieces

SHARED = Path(__file__).parents[3] / "shared" / "data" / "hl7v2"


# ---- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        (obx("0.8"), ("neutrophils", "=", 0.8)),
        (obx("800", unit="/uL", interval="1800-7700"), ("neutrophils", "=", 0.8)),
        (obx("0.8", unit="10^3/uL"), ("neutrophils", "=", 0.8)),  # an unescaped caret splits the component
        (obx("0.8", unit=r"10\S\9/L"), ("neutrophils", "=", 0.8)),
        (obx("0.8", unit="10*3/uL^thousands per microliter^UCUM"), ("neutrophils", "=", 0.8)),
        (obx("<^0.1", kind="SN"), ("neutrophils", "<", 0.1)),
        (obx(">=^20", kind="SN", unit="10*9/L", flag="H"), ("neutrophils", ">=", 20.0)),
        (obx("^0.8", kind="SN"), ("neutrophils", "=", 0.8)),
        (obx("<0.1", kind="ST"), ("neutrophils", "<", 0.1)),
        (obx("0.8", kind="ST"), ("neutrophils", "=", 0.8)),
        (obx("0.8", kind=""), ("neutrophils", "=", 0.8)),
        (obx("0.8^^1", kind=""), ("neutrophils", "=", 0.8)),
        (obx("0.8^10*9/L", kind="CQ", unit=""), ("neutrophils", "=", 0.8)),
        (obx("0,8", kind="ST"), ("neutrophils", "=", 0.8)),
        (obx("0.8 10*9/L", kind="ST", unit=""), ("neutrophils", "=", 0.8)),
        (obx("0.8", code="^Neutrophils absolute^L"), ("neutrophils", "=", 0.8)),
        (obx("0.8", code="NEU#^Neutrophils^L^751-8^Neutrophils^LN"), ("neutrophils", "=", 0.8)),
    ],
)
def test_a_value_is_read_in_every_type(segment: str, expected: tuple[str, str, float]) -> None:
    assert values(message(msh(), pid(), obr(), segment)) == [expected]


@pytest.mark.parametrize(
    ("segment", "code"),
    [
        (obx("0.8~0.9"), "LK212"),  # two values in one field
        (obx("1^-^2", kind="SN"), "LK212"),  # a range
        (obx("<>^5", kind="SN"), "LK212"),
        (obx("260415000^Not detected^SCT", kind="CWE"), "LK212"),
        (obx("clotted", kind="TX"), "LK212"),
        (obx("1,234", kind="ST", unit="/uL"), "LK213"),
        (obx("0.8", unit="g/dL"), "LK202"),
        (obx("800", unit="10*9/L", interval="1800-7700"), "LK204"),  # a thousand times too large
        (obx("3.66", code="751-8^LYM#^LN"), "LK302"),  # lymphocytes under the neutrophils' code
        (obx("", status="F"), "LK215"),
    ],
)
def test_what_cannot_be_believed_is_refused_with_the_notice_of_the_other_readers(segment: str, code: str) -> None:
    text = message(msh(), pid(), obr(), segment)
    assert counts(text) == ()
    assert code in codes(text)


def test_the_specimen_of_the_order_is_checked() -> None:
    spinal = "SPM|1|S1||CSF^Cerebrospinal fluid^HL70487"
    text = message(msh(), pid(), obr(), obx("3.0", code=WBC, interval="0-5"), spinal)
    assert counts(text) == ()
    assert "LK305" in codes(text)


def test_everything_beside_the_value_is_kept() -> None:
    specimen = "SPM|1|S1||BLD^Blood^HL70487|||||||||||||20260110082500+0100"
    text = message(msh(), pid(), obr(changed="20260110084500+0100"), obx("0.8", flag="L~A", status="P"), specimen)
    (count,) = counts(text)
    assert (count.lab_low, count.lab_high, count.flags, count.status) == (1.8, 7.7, ("L", "A"), "preliminary")
    assert count.draw == "S1"
    assert count.taken is not None
    assert count.taken.at.isoformat() == "2026-01-10T08:30:00+01:00"
    assert count.issued is not None
    assert count.issued.at.isoformat() == "2026-01-10T08:45:00+01:00"
    assert str(count.origin.place) == "0.hl7:4#OBX-5"
    assert count.id == "F1/751-8@20260110083000"


# ---- delimiters, characters, frames ---------------------------------------------------------------------------------


def test_delimiters_are_those_of_the_message() -> None:
    text = (
        "MSH#*!?%#LAB#HOSP###20260110090000+0100##ORU*R01#M1#P#2.5.1\rPID#1##4711***HOSP*MR####19600101#F\r"
        "OBR#1##F1#CBC###20260110083000+0100\rOBX#1#NM#751-8*Neutrophils*LN##0.8#10?S?9/L#1.8-7.7####F\r"
    )
    assert values(text) == [("neutrophils", "=", 0.8)]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_segments_may_end_as_files_end_lines(end: str) -> None:
    text = message(msh(), pid(), obr(), obx("0.8"), end=end)
    assert values(text) == [("neutrophils", "=", 0.8)]
    assert counts(text)[0].origin.place.line == 4


@pytest.mark.parametrize("head", ["MSH", "MSH|", "MSH|^^~&|x", "MSH||x", "MSHA^~", "", "hello"])
def test_a_header_without_usable_delimiters_is_no_message(head: str) -> None:
    with pytest.raises(NoMessage):
        parse(head.encode())


def test_escapes_are_resolved() -> None:
    segment = parse((msh() + "\rNTE|1||a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\.br\\g\\X41\\\\H\\h\\N\\\\Zx\\\r").encode())
    note = segment.segments[1]
    assert note.text_of(3) == "a|b^c&d~e\\f\ngAh\\Zx\\"


@pytest.mark.parametrize(
    ("charset", "codec", "odd"),
    [
        ("UNICODE UTF-8", "utf-8", False),
        ("8859/1", "latin-1", False),
        ("8859/15", "iso8859-15", False),
        ("8859", "latin-1", False),
        ("GB 18030-2000", "gb18030", False),
        ("UNICODE UTF-8", "latin-1", True),  # latin-1 under a UTF-8 label
        ("8859/1", "utf-8", True),
        ("", "latin-1", True),
        ("KLINGON", "utf-8", True),
    ],
)
def test_characters_are_read_and_a_false_label_is_told(charset: str, codec: str, *, odd: bool) -> None:
    text = message(msh(charset=charset), pid(), obr(), obx("800", unit="/µL", interval="1800-7700"))
    data = text.encode(codec)
    assert values(data) == [("neutrophils", "=", 0.8)]
    assert ("LK802" in codes(data)) is odd


def test_a_file_in_utf_16_is_read() -> None:
    assert values(oru("0.8").encode("utf-16")) == [("neutrophils", "=", 0.8)]


def test_frames_batches_and_several_messages_in_one_file() -> None:
    batch = "FHS|^~\\&|X\rBHS|^~\\&|X\r" + oru("0.8") + oru("0.4", control="M2", taken="20260111") + "BTS|2\rFTS|1\r"
    framed = frame(oru("0.8")) + frame(oru("0.4", control="M2", taken="20260111"))
    assert [value for *_, value in values(batch)] == [value for *_, value in values(framed)] == [0.8, 0.4]


def test_a_frame_that_breaks_off_is_not_believed() -> None:
    torn = b"\x0b" + oru("0.85").encode()[:-20]
    data = torn + frame(oru("0.4", control="M2", taken="20260111"))
    assert [value for *_, value in values(data)] == [0.4]
    assert "LK807" in codes(data)
    assert [piece.kind for piece in pieces(data)] == ["torn", "message"]


@pytest.mark.parametrize("data", [b"\x00SH|^~\\&|\r" + oru().encode(), frame(oru()) + b"rest of one\r" + frame(oru())])
def test_bytes_outside_of_messages_are_told(data: bytes) -> None:
    assert "LK803" in codes(data)


def test_a_broken_line_is_joined_and_told() -> None:
    text = message(msh(), pid(), obr(), obx("0.8"), "NTE|1||first", "second line", obx("5.0", code=WBC))
    assert len(counts(text)) == 2
    assert "LK804" in codes(text)


def test_megabytes_of_embedded_data_are_skipped_and_told() -> None:
    document = obx("^application^pdf^Base64^" + "QUJD" * 1_300_000, kind="ED", code="11502-2^Report^LN", unit="")
    text = message(msh(), pid(), obr(), document, obx("0.8"))
    assert values(text) == [("neutrophils", "=", 0.8)]
    assert "LK840" in codes(text)


# ---- statuses and versions ------------------------------------------------------------------------------------------

LATER, LAST = "20260110100000+0100", "20260110110000+0100"


@pytest.mark.parametrize(
    ("letter", "status"),
    [("F", "final"), ("P", "preliminary"), ("C", "corrected"), ("A", "amended"), ("R", "preliminary"), ("V", "final")],
)
def test_obx_11_becomes_the_status(letter: str, status: str) -> None:
    assert [count.status for count in counts(oru("0.8", status=letter))] == [status]


@pytest.mark.parametrize("letter", ["Z", ""])
def test_an_unknown_status_is_told(letter: str) -> None:
    text = message(msh(), pid(), obr(status=""), obx("0.8", status=letter))
    assert [count.status for count in counts(text)] == ["unknown"]
    assert "LK823" in codes(text)


def test_an_empty_status_is_that_of_the_report() -> None:
    text = message(msh(), pid(), obr(status="P"), obx("0.8", status=""))
    assert [count.status for count in counts(text)] == ["preliminary"]


def test_a_pending_result_is_no_count_and_no_error() -> None:
    text = message(msh(), pid(), obr(), obx("", status="I"), obx("5.0", code=WBC))
    assert [count.analyte for count in counts(text)] == ["wbc"]
    assert "LK825" in codes(text)
    assert "LK215" not in codes(text)


STORIES = {
    "a correction replaces": ([("0.8", "F"), ("3.8", "C")], [(3.8, "corrected")]),
    "an amendment replaces": ([("0.8", "F"), ("3.8", "A")], [(3.8, "amended")]),
    "final replaces preliminary": ([("0.8", "P"), ("0.9", "F")], [(0.9, "final")]),
    "a late preliminary never beats final": ([("0.8", "F"), ("3.8", "P")], [(0.8, "final")]),
    "nor a correction": ([("0.8", "F"), ("0.9", "C"), ("3.8", "P")], [(0.9, "corrected")]),
    "deleted": ([("0.8", "F"), ("0.8", "D")], []),
    "another person's": ([("0.8", "F"), ("0.8", "W")], []),
    "cannot be obtained": ([("0.8", "P"), ("", "X")], []),
    "deleted by null": ([("0.8", "F"), ('""', "F")], []),
    "withdrawn and sent again": ([("0.8", "F"), ("0.8", "W"), ("0.7", "F")], [(0.7, "final")]),
    "made final without the value": ([("0.8", "P"), ("", "U")], [(0.8, "final")]),
    "the last correction": ([("0.8", "F"), ("0.9", "C"), ("1.1", "C")], [(1.1, "corrected")]),
    "final again with the same value": ([("0.8", "F"), ("0.9", "C"), ("0.9", "F")], [(0.9, "corrected")]),
    "empty is not null": ([("0.8", "F"), ("", "F")], [(0.8, "final")]),
    "pending again": ([("0.8", "P"), ("", "I")], [(0.8, "preliminary")]),
    "final without the value": ([("0.8", "P"), ("", "F")], [(0.8, "final")]),
    "corrected to nothing": ([("0.8", "F"), ("", "C")], []),
}


@pytest.mark.parametrize("story", STORIES)
def test_versions_end_the_same_in_every_order(story: str) -> None:
    """What counts in the end depends on what was sent, not on the order in which it came."""
    sent, expected = STORIES[story]
    texts = [
        oru(value, control=f"M{number}", sent=f"2026011009{number:02}00+0100", status=status)
        for number, (value, status) in enumerate(sent)
    ]
    for order in itertools.permutations(texts):
        got = [(count.value, count.status) for count in read(*order).records[0].counts]
        assert got == expected


def test_the_history_of_corrections_is_kept() -> None:
    texts = [
        oru("0.8", status="P"),
        oru("0.9", control="M2", sent=LATER),
        oru("3.8", control="M3", sent=LAST, status="C"),
    ]
    (count,) = counts(*reversed(texts))
    assert [old.value for old in count.superseded] == [0.8, 0.9]
    assert "LK821" in codes(*texts)


def test_a_final_after_a_correction_to_another_value_is_not_decided_here() -> None:
    texts = [oru("0.8", status="C"), oru("3.8", control="M2", sent=LATER)]
    assert sorted(count.value for count in counts(*texts)) == [0.8, 3.8]
    assert "LK822" in codes(*texts)


def test_a_correction_with_another_time_joins_the_only_result_it_can_mean() -> None:
    texts = [
        oru("0.8", taken="20260110083000+0100"),
        oru("3.8", control="M2", sent=LATER, status="C", taken="20260110073000+0100"),
    ]
    assert [count.value for count in counts(*texts)] == [3.8]


def test_samples_of_one_order_stay_apart() -> None:
    texts = [
        oru("0.8", taken="20260110083000+0100", status="P"),
        oru("3.8", control="M2", sent=LATER, taken="20260110203000+0100"),
    ]
    assert [count.value for count in counts(*texts)] == [0.8, 3.8]


def test_one_message_with_a_result_twice_keeps_both() -> None:
    text = message(msh(), pid(), obr(), obx("0.8"), obx("0.9"))
    assert sorted(count.value for count in counts(text)) == [0.8, 0.9]
    assert "LK822" in codes(text)


def test_a_withdrawal_of_what_was_never_seen_is_told() -> None:
    text = message(msh(), pid(), obr(), obx("0.8", status="W"), obx("5.0", code=WBC))
    assert [count.analyte for count in counts(text)] == ["wbc"]
    assert {"LK820", "LK826"} <= set(codes(text))


def test_a_message_sent_twice_counts_once() -> None:
    assert len(counts(oru("0.8"), oru("0.8"))) == 1
    assert "LK808" in codes(oru("0.8"), oru("0.8"))


def test_a_control_id_on_two_messages_is_told_and_both_are_read() -> None:
    other = message(msh(), pid(), obr("F2", taken="20260111"), obx("0.4"))
    assert [count.value for count in counts(oru("0.8"), other)] == [0.8, 0.4]
    assert "LK809" in codes(oru("0.8"), other)


# ---- people ---------------------------------------------------------------------------------------------------------


def test_the_person_is_the_best_number_of_the_list() -> None:
    person = record(message(msh(), pid("V9^^^HOSP^VN~77^^^NHS^NH~4711^^^HOSP^MR"), obr(), obx())).patient
    assert (person.id, person.born, person.sex) == ("4711", date(1960, 1, 1), "female")


def test_messages_that_share_a_number_are_of_one_person() -> None:
    texts = [
        message(msh("A"), pid("4711^^^HOSP^MR"), obr("F1"), obx("0.8")),
        message(msh("B"), pid("4711^^^HOSP^MR~77^^^NHS^NH"), obr("F2"), obx("0.9", taken="20260111")),
        message(msh("C"), pid("77^^^NHS^NH"), obr("F3"), obx("1.0", taken="20260112")),
    ]
    assert [count.value for count in counts(*texts)] == [0.8, 0.9, 1.0]


def test_the_same_number_of_two_hospitals_is_two_people() -> None:
    one = message(msh("A"), pid("4711^^^NORTH^MR"), obr("F1"), obx("0.8"))
    other = message(msh("B"), pid("4711^^^SOUTH^MR"), obr("F2"), obx("5.0"))
    assert [person.patient.id for person in read(one, other).records] == ["4711 (NORTH)", "4711 (SOUTH)"]


def test_people_with_other_birth_dates_are_not_joined() -> None:
    texts = [
        message(msh("A"), pid("4711^^^HOSP^MR", born="19600101"), obr("F1"), obx("0.8")),
        message(msh("B"), pid("4712^^^HOSP^MR", born="19700101"), obr("F2"), obx("5.0")),
        message(
            msh("C"), pid("4711^^^HOSP^MR~4712^^^HOSP^MR", born="19600101"), obr("F3"), obx("1.0", taken="20260111")
        ),
    ]
    assert len(read(*texts).records) == 2
    assert "LK811" in codes(*texts)


def test_a_merge_joins_what_stood_under_the_old_number() -> None:
    old = message(msh("A"), pid("12^^^HOSP^MR"), obr("F1"), obx("0.4"))
    new = message(msh("B"), pid("4711^^^HOSP^MR"), obr("F2", taken="20260111"), obx("0.5"))
    merge = message(msh("C", kind="ADT^A40"), pid("4711^^^HOSP^MR"), "MRG|12^^^HOSP^MR")
    person = record(old, new, merge)
    assert (person.patient.id, [count.value for count in person.counts]) == ("4711", [0.4, 0.5])


def test_a_merge_of_people_with_other_birth_dates_is_not_followed() -> None:
    old = message(msh("A"), pid("12^^^HOSP^MR", born="19800101"), obr("F1"), obx("0.4"))
    merge = message(msh("C", kind="ADT^A40"), pid("4711^^^HOSP^MR"), "MRG|12^^^HOSP^MR")
    assert len(read(old, merge).records) == 2
    assert "LK811" in codes(old, merge)


def test_a_link_that_leuko_does_not_follow_is_told() -> None:
    link = message(msh("C", kind="ADT^A24"), pid("4711^^^HOSP^MR"), "MRG|12^^^HOSP^MR", obx())
    assert "LK814" in codes(link)


def test_a_placeholder_for_unknown_people_is_no_person() -> None:
    texts = [
        message(msh(f"M{n}"), pid("UNKNOWN^^^HOSP^MR", born=f"19{n}00101"), obr(f"F{n}"), obx(f"0.{n}"))
        for n in range(4, 7)
    ]
    assert [len(person.counts) for person in read(*texts).records] == [1, 1, 1]
    assert "LK816" in codes(*texts)
    known = [text.replace("UNKNOWN^^^HOSP^MR", f"UNKNOWN^^^HOSP^MR~{n}^^^HOSP^MR") for n, text in enumerate(texts, 4)]
    assert [person.patient.id for person in read(*known).records] == ["4", "5", "6"]


def test_a_number_with_two_birth_dates_and_both_sexes_is_no_person() -> None:
    one = message(msh("A"), pid(born="19600101", sex="F"), obr("F1"), obx("0.4"))
    other = message(msh("B"), pid(born="19700101", sex="M"), obr("F2"), obx("5.0"))
    assert len(read(one, other).records) == 2


def test_several_people_in_one_message_stay_apart() -> None:
    text = message(msh(), pid("1^^^H^MR"), obr("F1"), obx("0.8"), pid("2^^^H^MR"), obr("F2"), obx("5.0"))
    got = {person.patient.id: [count.value for count in person.counts] for person in read(text).records}
    assert got == {"1": [0.8], "2": [5.0]}


def test_results_of_nobody_stand_by_themselves() -> None:
    texts = [message(msh(f"M{n}"), "PID|1", obr(f"F{n}"), obx()) for n in range(2)]
    assert len(read(*texts).records) == 2
    assert "LK810" in codes(*texts)
    (only,) = read(*texts, options=ReadOptions(patient="Ada")).records
    assert only.patient.id == "Ada"


@pytest.mark.parametrize(
    ("control", "order", "name"),
    [
        ("M1", "F1", 'not named, sample "F1" of LAB@HOSP'),
        ("M1", 'F"1', r'not named, sample "F\"1" of LAB@HOSP'),
        ("M1", "", 'not named, message "M1" of LAB@HOSP'),
    ],
)
def test_a_person_who_is_not_named_is_called_by_the_sample(control: str, order: str, name: str) -> None:
    text = message(msh(control), "PID|1", obr(order).replace("|P1|", "||"), obx())
    assert record(text).patient.id == name


def test_a_message_without_any_number_has_a_short_name_of_its_own() -> None:
    texts = [message(msh(""), "PID|1", obr("").replace("|P1|", "||"), obx(value)) for value in ("0.8", "0.9")]
    names = {one.patient.id for one in read(*texts).records}
    assert len(names) == 2
    assert all(len(name) < 80 for name in names)


def test_a_sample_and_a_message_of_the_same_number_are_not_one_person() -> None:
    by_sample = message(msh("M7"), "PID|1", obr("5").replace("|P1|", "||"), obx("0.4"))
    by_message = message(msh("5"), "PID|1", obr("").replace("|P1|", "||"), obx("4.0"))
    assert len(read(by_sample, by_message).records) == 2


def test_a_birth_date_after_a_count_is_left_out_and_puts_the_record_in_doubt() -> None:
    late, fine = (record(message(msh(), pid(born=born), obr(), obx())) for born in ("20300101", "19600101"))
    assert (late.patient.born, late.born_in_doubt) == (None, True)
    assert (fine.patient.born, fine.born_in_doubt) == (date(1960, 1, 1), False)


def test_the_newest_birth_date_is_believed_and_told() -> None:
    texts = [
        oru("0.8"),
        message(msh("B", sent=LATER, kind="ADT^A08"), pid(born="19610101")),
    ]
    assert record(*texts).patient.born == date(1961, 1, 1)
    assert "LK812" in codes(*texts)


def test_null_and_empty_fields_of_a_person_say_nothing() -> None:
    assert record(message(msh(), pid(born='""', sex='""'), obr(), obx())).patient.born is None


# ---- times ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("taken", "sent", "zone", "expected", "assumed"),
    [
        ("20260110083000+0100", "20260110", "UTC", "2026-01-10T08:30:00+01:00", False),
        ("202601100830", "20260110090000-0500", "UTC", "2026-01-10T08:30:00-05:00", False),  # the zone of MSH-7
        ("202601100830", "20260110", "Europe/Berlin", "2026-01-10T08:30:00+01:00", True),
        ("202607100830", "20260110", "Europe/Berlin", "2026-07-10T08:30:00+02:00", True),
        ("2026-01-10T08:30:00Z", "20260110", "Europe/Berlin", "2026-01-10T08:30:00+00:00", False),
    ],
)
def test_a_time_is_read_in_its_zone(taken: str, sent: str, zone: str, expected: str, *, assumed: bool) -> None:
    text = message(msh(sent=sent), pid(), obr(taken=""), obx("0.8", taken=taken))
    (count,) = record(text, options=ReadOptions(zone=ZoneInfo(zone))).counts
    assert count.taken is not None
    assert (count.taken.at.isoformat(), count.taken.zone_assumed) == (expected, assumed)


def test_a_day_without_a_time_takes_the_time_of_its_order() -> None:
    (count,) = counts(message(msh(), pid(), obr(), obx("0.8", taken="20260110")))
    assert count.taken is not None
    assert count.taken.at == datetime(2026, 1, 10, 7, 30, tzinfo=UTC)


def test_a_time_that_is_none_is_told() -> None:
    text = message(msh(), pid(), obr(taken="20260230"), obx("0.8"))
    assert counts(text)[0].taken is None
    assert "LK830" in codes(text)


# ---- medicines, diagnoses -------------------------------------------------------------------------------------------

DOCETAXEL = "72962^docetaxel^RXNORM"


def test_an_administration_is_a_dose() -> None:
    rxa = f"RXA|0|1|20260102100000+0100|20260102110000+0100|{DOCETAXEL}|140|mg^^UCUM||||||||||||CP|A"
    text = message(
        msh(kind="RAS^O17^RAS_O17"),
        pid(),
        "ORC|RE|P7|F7",
        rxa.replace("||||||||||||CP", "|" * 13 + "CP"),
        "RXR|IV^Intravenous",
    )
    (dose,) = record(text).doses
    assert (dose.drug, dose.amount, dose.unit, dose.hours, dose.given) == ("docetaxel", 140.0, "mg", 1.0, True)
    assert (dose.status, dose.route) == ("completed", "Intravenous")
    assert dose.codes[0].system == "http://www.nlm.nih.gov/research/umls/rxnorm"


@pytest.mark.parametrize(("completion", "status"), [("RE", "not-done"), ("NA", "not-done"), ("PA", "completed")])
def test_an_administration_that_did_not_happen_is_none(completion: str, status: str) -> None:
    rxa = "|".join(["RXA", "0", "1", "20260102", "", DOCETAXEL, "140", "mg", *[""] * 12, completion])
    (dose,) = record(message(msh(kind="RAS^O17"), pid(), rxa)).doses
    assert (dose.status, dose.given) == (status, status == "completed")


def test_a_deleted_administration_counts_as_none() -> None:
    fields = ["RXA", "0", "1", "20260102", "", DOCETAXEL, "140", "mg", *[""] * 12, "CP", "A"]
    first = message(msh("A", kind="RAS^O17"), pid(), "ORC|RE|P7|F7", "|".join(fields))
    later = message(msh("B", kind="RAS^O17", sent=LATER), pid(), "ORC|RE|P7|F7", "|".join([*fields[:-1], "D"]))
    for order in ((first, later), (later, first)):
        assert record(*order).doses == ()


def test_an_order_of_chemotherapy_and_its_stop() -> None:
    rde = f"RXE|^^^20260102^20260116|{DOCETAXEL}|140||mg"
    order = message(msh("A", kind="RDE^O11"), pid(), "ORC|NW|P7|F7", rde, "RXR|IV")
    stop = message(
        msh("B", kind="RDE^O11", sent=LATER), pid(), "ORC|DC|P7|F7||||||||||||20260109", f"RXE||{DOCETAXEL}|140||mg"
    )
    (active,) = record(order).doses
    assert (active.status, active.given, active.start and active.start.day) == ("active", False, date(2026, 1, 2))
    (stopped,) = record(stop, order).doses
    assert stopped.status == "stopped"
    assert (stopped.start and stopped.start.day, stopped.end and stopped.end.day) == (
        date(2026, 1, 2),
        date(2026, 1, 9),
    )


def test_a_mixture_names_its_medicines() -> None:
    text = message(
        msh(kind="RDE^O11"),
        pid(),
        "ORC|NW|P7",
        "RXE|^^^20260102|BAG^infusion^L|1||bag",
        f"RXC|A|{DOCETAXEL}|140|mg",
        "RXC|B|NACL^sodium chloride^L|250|mL",
    )
    assert [dose.drug for dose in record(text).doses] == ["infusion", "docetaxel"]


def test_a_medicine_without_a_name_is_told() -> None:
    assert "LK851" in codes(message(msh(kind="RAS^O17"), pid(), "RXA|0|1|20260102", obr(), obx()))


def test_diagnoses_and_allergies_are_facts() -> None:
    text = message(
        msh(kind="ADT^A01"), pid(), "AL1|1|DA|7980^penicillin^RXNORM", "DG1|1||C50.9^Breast cancer^I10||20250901|F"
    )
    facts = {(fact.kind, fact.name) for fact in record(text).facts}
    assert facts == {("allergy", "penicillin"), ("condition", "Breast cancer")}


# ---- the whole way --------------------------------------------------------------------------------------------------


def test_a_training_message_and_comments_are_told() -> None:
    text = message(msh(processing="T"), pid(), obr(), obx(), "NTE|1||specimen clotted")
    assert {"LK806", "LK841"} <= set(codes(text))


def test_messages_without_content_are_told() -> None:
    text = oru() + message(msh("S1", kind="SIU^S12"), pid())
    assert "LK805" in codes(text)


def test_nothing_readable_is_an_error_that_says_where() -> None:
    with pytest.raises(UnreadableInput, match="no HL7 v2 message"):
        read("MSH||\r")


def test_no_name_and_no_value_of_a_person_is_in_a_notice() -> None:
    text = message(msh(processing="T"), pid(born="nonsense-1960"), obr(taken="x"), obx("clotted-secret", status="Z"))
    told = " ".join(f"{notice.text} {notice.read}" for notice in read(text).notices if notice.code >= "LK800")
    assert not any(word in told for word in ("Roe", "Jane", "1960", "secret"))


def test_files_are_sniffed_and_assessed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "feed.dat"
    path.write_bytes(frame(oru("0.4")))
    assert main(["assess", str(path), "--as-of", "2026-01-11"]) == 0
    assert "Neutrophils" in capsys.readouterr().out
    assert hl7.claims(Blob(name="x", data=path.read_bytes()))
    for other in (b"MSHAPE,1\r\n", b"MSH,date,WBC\r\n", b"MSH;;WBC\r\n", b"MSH", b""):
        assert not hl7.claims(Blob(name="x", data=other))


def test_messages_and_fhir_of_one_person_are_one_record(tmp_path: Path) -> None:
    (tmp_path / "a.hl7").write_text(oru("0.8"))
    (tmp_path / "b.csv").write_text("patient,date,WBC 10*9/L\n4711,2026-01-05,2.5\n")
    (person,) = intake.read(tmp_path).records
    assert [count.analyte for count in person.counts] == ["wbc", "neutrophils"]


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="real messages lie beside the checkout")
def test_real_messages_are_read() -> None:
    got = intake.read(SHARED)
    assert len(got.records) == 18
    assert sum(len(person.counts) for person in got.records) > 200
    assert not {"LK801", "LK804", "LK807"} & {notice.code for notice in got.notices}
