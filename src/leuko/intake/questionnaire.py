"""The form for symptoms: a FHIR R4 Questionnaire made from the tables, and its QuestionnaireResponse read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from leuko.errors import Notice, Place
from leuko.frozen import Frozen
from leuko.intake.fhir.times import moment
from leuko.intake.symptom_words import LOINC, Vocabulary, vocabulary, yes_or_no
from leuko.knowledge import Library
from leuko.record import Code, Moment, Origin, Sign

CANONICAL: Final = "urn:leuko:questionnaire:symptoms"
VERSION: Final = "1.0"
_TRANSLATION: Final = "http://hl7.org/fhir/StructureDefinition/translation"
_UNIT_OPTION: Final = "http://hl7.org/fhir/StructureDefinition/questionnaire-unitOption"
_UCUM: Final = "http://unitsofmeasure.org"
_BODY_TEMPERATURE: Final = "8310-5"
_NOTHING: Final = frozenset({"entered-in-error"})
_UNFINISHED: Final = frozenset({"in-progress", "stopped"})
Json = Mapping[str, Any]


# ---- the form -------------------------------------------------------------------------------------------------------


def questionnaire(library: Library) -> dict[str, Any]:
    """The Questionnaire (FHIR R4, as JSON values) that asks for every symptom with a question, English and German."""
    rows = [row for row in vocabulary(library).symptoms.values() if row.question]
    return {
        "resourceType": "Questionnaire",
        "id": "leuko-symptoms",
        "url": CANONICAL,
        "version": VERSION,
        "name": "LeukoSymptoms",
        "title": "Signs of infection",
        "_title": _in_german("Zeichen einer Infektion"),
        "status": "active",
        "language": "en",
        "subjectType": ["Patient"],
        "item": [_temperatures(library), _asked_at(), _symptoms([_question(row) for row in rows])],
    }


def _in_german(text: str) -> dict[str, Any]:
    parts = [{"url": "lang", "valueCode": "de"}, {"url": "content", "valueString": text}]
    return {"extension": [{"url": _TRANSLATION, "extension": parts}]}


def _item(link: str, kind: str, text: str, german: str, **more: Any) -> dict[str, Any]:
    return {"linkId": link, **more, "text": text, "_text": _in_german(german), "type": kind}


def _temperatures(library: Library) -> dict[str, Any]:
    units = (("Cel", "°C"), ("[degF]", "°F"))
    options = [
        {"url": _UNIT_OPTION, "valueCoding": {"system": _UCUM, "code": code, "display": shown}} for code, shown in units
    ]
    code = [{"system": LOINC, "code": _BODY_TEMPERATURE, "display": "Body temperature"}]
    routes = [row.route for row in vocabulary(library).routes if row.route is not None]
    asked = "What was the temperature?"
    items = [
        _item("temperature-value", "quantity", asked, "Wie hoch war die Temperatur?", extension=options, code=code),
        _item("temperature-taken", "dateTime", "When was it measured?", "Wann wurde gemessen?"),
        {
            **_item("temperature-route", "choice", "How was it measured?", "Wie wurde gemessen?"),
            "answerOption": [{"valueCoding": {"code": route}} for route in routes],
        },
    ]
    german = "Gemessene Temperaturen, jede für sich"
    group = _item("temperature", "group", "Temperatures measured, each by itself", german)
    return {**group, "repeats": True, "item": items}


def _asked_at() -> dict[str, Any]:
    return _item("answered-at", "dateTime", "What time do these answers speak of?", "Für wann gelten diese Antworten?")


def _symptoms(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {**_item("symptoms", "group", "Signs of infection", "Zeichen einer Infektion"), "item": items}


def _question(row: Any) -> dict[str, Any]:
    return _item(row.id, "boolean", row.question, row.question_de)


# ---- the answers ----------------------------------------------------------------------------------------------------


class Answers(Frozen, frozen=True, kw_only=True):
    """What a response says: signs, what could not be read, and the reference to its subject as written ("": none)."""

    signs: tuple[Sign, ...] = ()
    notices: tuple[Notice, ...] = ()
    subject: str = ""


class _Response(Frozen, frozen=True, kw_only=True):
    id: str
    source: str
    taken: Moment | None
    zone: tzinfo
    words: Vocabulary
    library: Library

    def notice(self, code: str, text: str, pointer: str = "", *, lost: bool = False) -> Notice:
        entry = self.library.notices[code]
        place = Place(source=self.source, pointer=pointer or None)
        return Notice(code=code, severity=entry.severity, text=text, place=place, help=entry.help, data_lost=lost)


class _Item(Frozen, frozen=True, kw_only=True):
    link: str
    value: Json
    pointer: str
    inner: tuple[_Item, ...] = ()


def signs_from_response(
    resource: Json, *, library: Library, zone: tzinfo = UTC, source: str = "QuestionnaireResponse", pointer: str = ""
) -> Answers:
    """The signs of one QuestionnaireResponse (FHIR R4, decoded JSON) to leuko's form for symptoms.

    Answers are joined by linkId, whatever the questionnaire is called: another one's unknown answers are told (LK742),
    not guessed. `source` and `pointer` say where the resource stands; `zone` is assumed where a time names none. An
    unanswered question is unknown, never "no". Never raises for a resource that is merely wrong.
    """
    status = str(resource.get("status", ""))
    subject = resource.get("subject")
    who = str(subject.get("reference", "")) if isinstance(subject, dict) else ""
    items = tuple(_items(resource, pointer))
    words = vocabulary(library)
    taken = _time_of(items, zone) or moment(_text(resource.get("authored")), zone)
    name = f"QuestionnaireResponse/{resource.get('id', source)}"
    response = _Response(id=name, source=source, taken=taken, zone=zone, words=words, library=library)
    if status in _NOTHING:
        told = response.notice("LK744", "the answers are marked entered-in-error; they count for nothing", pointer)
        return Answers(notices=(told,), subject=who)
    found = [entry for number, item in enumerate(items) for entry in _read(item, number, response)]
    signs = tuple(entry for entry in found if isinstance(entry, Sign))
    notices = [entry for entry in found if isinstance(entry, Notice)]
    notices = [*_about(resource, status, signs, response, pointer), *notices]
    return Answers(signs=signs, notices=tuple(notices), subject=who)


def _about(resource: Json, status: str, signs: tuple[Sign, ...], response: _Response, pointer: str) -> Iterator[Notice]:
    """What there is to say of the response as a whole."""
    asked = _text(resource.get("questionnaire")).partition("|")[0]
    if asked and asked != CANONICAL:
        text = f"the answers belong to the questionnaire {asked}; those whose linkId is known here are used"
        yield response.notice("LK741", text, f"{pointer}/questionnaire")
    if status in _UNFINISHED:
        yield response.notice("LK746", f"the answers are marked {status}; what was answered is used", pointer)
    if any(sign.taken is None for sign in signs):
        yield response.notice("LK745", "the answers have no time; symptoms are said, but placed on no day", pointer)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _items(holder: Json, pointer: str) -> Iterator[_Item]:
    """Every item with one answer each; groups and answers may hold further items."""
    listed = holder.get("item")
    for number, item in enumerate(listed if isinstance(listed, list) else []):
        if not isinstance(item, dict):
            continue
        at, link = f"{pointer}/item/{number}", _text(item.get("linkId"))
        inner = tuple(_items(item, at))
        answers = item.get("answer")
        given = [answer for answer in (answers if isinstance(answers, list) else []) if isinstance(answer, dict)]
        for index, answer in enumerate(given):
            below = f"{at}/answer/{index}"
            yield _Item(link=link, value=answer, pointer=below, inner=tuple(_items(answer, below)))
        if inner:
            yield _Item(link=link, value={}, pointer=at, inner=inner)


def _time_of(items: tuple[_Item, ...], zone: tzinfo) -> Moment | None:
    """The time that the answers say they speak of."""
    for item in items:
        if item.link == "answered-at" and (found := moment(_when(item.value), zone)) is not None:
            return found
    return None


def _when(value: Json) -> str:
    return _text(value.get("valueDateTime")) or _text(value.get("valueDate"))


def _read(item: _Item, number: int, response: _Response) -> Iterator[Sign | Notice]:
    if item.link == "temperature":
        yield from _temperature(item, number, response)
        return
    if item.value and item.link not in {"answered-at", "symptoms"}:
        yield _answer(item, response)
    for index, inner in enumerate(item.inner):
        yield from _read(inner, index, response)


def _answer(item: _Item, response: _Response) -> Sign | Notice:
    row = response.words.symptoms.get(item.link)
    if row is None:
        return response.notice(
            "LK742", f"no question {item.link!r} is known; its answer is set aside", item.pointer, lost=True
        )
    answer = _yes(item.value)
    if answer is None:
        text = f"the answer to {item.link!r} is neither yes nor no"
        return response.notice("LK743", text, item.pointer, lost=True)
    origin = Origin(
        place=Place(source=response.source, pointer=item.pointer),
        value_text="yes" if answer else "no",
        name_text=item.link,
        resource_id=response.id,
    )
    return Sign(id=f"{response.id}#{item.link}", name=row.id, present=answer, taken=response.taken, origin=origin)


def _yes(value: Json) -> bool | None:
    if isinstance(value.get("valueBoolean"), bool):
        return bool(value["valueBoolean"])
    coding = value.get("valueCoding")
    words = [_text(value.get("valueString"))]
    if isinstance(coding, dict):
        words += [_text(coding.get("display")), _text(coding.get("code"))]
    return next((said for word in words if word and (said := yes_or_no(word)) is not None), None)


def _temperature(item: _Item, number: int, response: _Response) -> Iterator[Sign | Notice]:
    parts = {inner.link: inner for inner in item.inner}
    value = parts.get("temperature-value")
    if value is None:
        yield response.notice("LK743", "a temperature was answered without a number", item.pointer, lost=True)
        return
    amount, unit = _amount(value.value)
    if amount is None:
        yield response.notice("LK743", "the temperature is no number", value.pointer, lost=True)
        return
    when, route = parts.get("temperature-taken"), parts.get("temperature-route")
    taken = moment(_when(when.value), response.zone) if when is not None else None
    yield Sign(
        id=f"{response.id}#temperature-{number + 1}",
        name="Body temperature",
        codes=(Code(system=LOINC, code=_route_code(route, response)),),
        value=float(amount),
        unit=unit or None,
        taken=taken or response.taken,
        origin=Origin(
            place=Place(source=response.source, pointer=value.pointer),
            value_text=str(amount),
            unit_text=unit,
            name_text="temperature",
            resource_id=response.id,
        ),
    )


def _route_code(item: _Item | None, response: _Response) -> str:
    if item is None:
        return _BODY_TEMPERATURE
    coding = item.value.get("valueCoding")
    word = _text(coding.get("code")) if isinstance(coding, dict) else _text(item.value.get("valueString"))
    row = response.words.route(word)
    return row.loinc[0] if row is not None else _BODY_TEMPERATURE


def _amount(value: Json) -> tuple[Decimal | None, str]:
    quantity = value.get("valueQuantity")
    if isinstance(quantity, dict):
        number, unit = quantity.get("value"), _text(quantity.get("code")) or _text(quantity.get("unit"))
    else:
        number, unit = value.get("valueDecimal", value.get("valueInteger")), ""
    try:
        amount = Decimal(str(number)) if number is not None and not isinstance(number, bool) else None
    except InvalidOperation:
        return None, unit
    return (amount if amount is not None and amount.is_finite() else None), unit
