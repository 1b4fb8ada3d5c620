"""Which medicines of the tables of regimens a dose is of: by its name, else by what its codes say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from leuko.drugs.identify import identify
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.same import once_for
from leuko.knowledge.schema.plan import PlanDrug
from leuko.record import Dose

_NOT_TAKEN: Final = frozenset({"not-done", "cancelled", "entered-in-error", "declined", "not-taken", "draft"})
_LOCAL: Final = re.compile(
    r"intrathecal|topical|ophthalm|intravit|eye|skin|nasal|intravesical|cutaneous use", re.IGNORECASE
)


class Shelf(Frozen, frozen=True, kw_only=True):
    """All names that the tables know, longest first, and the medicines behind them."""

    names: tuple[str, ...]
    ids: Mapping[str, str]
    drugs: Mapping[str, PlanDrug]

    def find(self, text: str) -> tuple[str, ...]:
        """The medicines named in a text, in its order; the longest name that fits wins."""
        names = self.names
        if text.isascii():  # nearly all text; a pattern of all names takes long to compile
            folded = text.casefold()
            names = tuple(name for name in names if name in folded)
        found = (self.ids[match.group(0).casefold()] for match in _pattern(names).finditer(text)) if names else ()
        return tuple(dict.fromkeys(found))


@lru_cache(maxsize=256)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    joined = "|".join(map(re.escape, names))
    return re.compile(rf"(?<![\w-])(?:{joined})(?![\w])", re.IGNORECASE)


@once_for
def shelf_of(library: Library) -> Shelf:
    """The names of the tables, ready to be looked for."""
    rows = library.rows(PlanDrug)
    ids = {name.casefold(): row.id for row in rows for name in (row.id, *row.names)}
    return Shelf(
        names=tuple(sorted(ids, key=len, reverse=True)),
        ids=ids,
        drugs={row.id: row for row in rows},
    )


def medicines_of(dose: Dose, shelf: Shelf, library: Library) -> tuple[str, ...]:
    """The medicines of one dose, by id of `PlanDrug`; empty where the tables do not know them."""
    if dose.status in _NOT_TAKEN or (dose.route is not None and _LOCAL.search(dose.route)):
        return ()
    named = shelf.find(dose.drug)
    if named:
        return named
    shown = shelf.find(" ".join(code.display or "" for code in dose.codes))
    if shown:
        return shown
    row = identify(dose, library=library)
    return shelf.find(row.inn) if row is not None else ()


def cytotoxic(drugs: Iterable[str], shelf: Shelf) -> tuple[str, ...]:
    """Those of the medicines that make up a chemotherapy regimen."""
    return tuple(drug for drug in drugs if drug in shelf.drugs and shelf.drugs[drug].cytotoxic)


def in_group(drugs: Iterable[str], group: str, shelf: Shelf) -> tuple[str, ...]:
    """Those of the medicines that belong to a group of the tables (purine analogue, anti-CD20)."""
    return tuple(drug for drug in drugs if drug in shelf.drugs and group in shelf.drugs[drug].groups)
