"""The assessment as a document: JSON out, JSON in, and the JSON Schema that both keep to.

The schema is a public interface. It is published as `leuko/data/schema/assessment-<version>.json`; a test holds the
file and the code together, so that no field changes without a new version.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from leuko import errors, record, result
from leuko.errors import UnreadableInput
from leuko.result import SCHEMA_VERSION, Assessment

SCHEMA_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_ID: Final = f"urn:leuko:schema:assessment:{SCHEMA_VERSION}"


def encode(assessment: Assessment, *, pretty: bool = False) -> bytes:
    """The assessment as JSON (UTF-8). Keys stand in the order of the types, so equal results give equal bytes."""
    content = msgspec.json.encode(assessment)
    return msgspec.json.format(content, indent=2) + b"\n" if pretty else content


def encode_forecasts(assessments: Sequence[Assessment]) -> bytes:
    """The forecasts of people alone, with what each was made from and what was said of the input.

    Of one person an object, of several an array.
    """
    made = [
        {
            "schema_version": each.schema_version,
            "patient": each.patient.id,
            "as_of": each.as_of,
            "record_digest": each.record_digest,
            "knowledge_hash": each.knowledge_hash,
            "forecasts": each.forecasts,
            "notices": each.notices,
        }
        for each in assessments
    ]
    return msgspec.json.encode(made[0] if len(made) == 1 else made) + b"\n"


def decode(content: bytes | str) -> Assessment:
    """The assessment that a document holds; UnreadableInput where it is not one, or is of another version."""
    try:
        version = msgspec.json.decode(content, type=_Head).schema_version
        if version != SCHEMA_VERSION:
            raise UnreadableInput(
                f"this document is assessment schema {version}; this leuko reads {SCHEMA_VERSION}",
                do="assess the record again, or use the leuko that wrote the document",
            )
        return msgspec.json.decode(content, type=Assessment)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableInput(
            "this is no leuko assessment document",
            why=str(error),
            do="give a file that `leuko assess --json` wrote",
        ) from error


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `encode`'s output. Descriptions are the types' own docstrings."""
    (root,), parts = msgspec.json.schema_components([Assessment], ref_template="#/$defs/{name}")
    described = {name: _with_description(name, part) for name, part in sorted(parts.items())}
    whole = {
        "$schema": SCHEMA_DIALECT,
        "$id": SCHEMA_ID,
        "title": f"leuko assessment {SCHEMA_VERSION}",
        **root,
        "$defs": described,
    }
    # Through JSON once: defaults that are tuples here are arrays there.
    return dict(msgspec.json.decode(msgspec.json.encode(whole)))


class _Head(msgspec.Struct):
    schema_version: str


def _with_description(name: str, part: dict[str, Any]) -> dict[str, Any]:
    kind = next((getattr(module, name) for module in (result, record, errors) if hasattr(module, name)), None)
    text = inspect.getdoc(kind) if kind is not None else None
    return {**part, "description": text} if text else part
