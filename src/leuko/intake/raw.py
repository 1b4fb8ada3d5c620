"""A result as a source wrote it, before anything is believed.

Every reader (FHIR, tables, HL7 v2) makes these; `checks.interpret` turns one into a `Count`, or says
why not. A reader never converts a unit and never decides what a code means.
"""

from __future__ import annotations

from leuko.errors import Place
from leuko.frozen import Frozen
from leuko.record import Bound, Code, Moment, ResultStatus


class RawResult(Frozen, frozen=True, kw_only=True):
    """One result as written.

    `value_text` is what stands in the source ("0,8", "<0.1", "3000"); `decimal_comma` whether commas are decimal marks
    there. `unit_text` is the unit as printed, `unit_code`/`unit_system` a coded unit beside it. `low_text`/`high_text`
    are the ends of the printed interval in `interval_unit_text` (None: same as the value), `interval_text` the unparsed
    form ("4.0-10.0", "<5"). `specimen` is any text or code of the specimen; `absent` the reason for a missing value.
    """

    id: str
    place: Place
    codes: tuple[Code, ...] = ()
    names: tuple[str, ...] = ()
    value_text: str | None = None
    bound: Bound = "="
    decimal_comma: bool = False
    absent: str | None = None
    unit_text: str = ""
    unit_code: str = ""
    unit_system: str = ""
    low_text: str | None = None
    high_text: str | None = None
    interval_unit_text: str | None = None
    interval_text: str = ""
    specimen: tuple[str, ...] = ()
    method_text: str = ""
    status: ResultStatus = "final"
    flags: tuple[str, ...] = ()
    taken: Moment | None = None
    issued: Moment | None = None
    draw: str | None = None
    resource_id: str | None = None
