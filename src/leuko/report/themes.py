"""The colours of the figure. `page` leaves them to the page's own style sheet, so that dark mode and print just work.

Colour only supports: every band, line and mark is also told apart by its text or its shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from leuko.frozen import Frozen, replace


class Theme(Frozen, frozen=True, kw_only=True):
    """Colours by role; `grades` are the bands of grade 1 to the worst."""

    paper: str
    hollow: str
    ink: str
    soft_ink: str
    grid: str
    line: str
    interval: str
    focus: str
    struck: str
    dose: str
    dose_bar: str
    grades: tuple[str, ...]
    font: str = "system-ui, sans-serif"

    def grade(self, grade: int) -> str:
        """The colour of a grade's band; grades beyond the last share it."""
        return self.grades[min(max(grade, 1), len(self.grades)) - 1]


LIGHT: Final = Theme(
    paper="#ffffff",
    hollow="#ffffff",
    ink="#16202a",
    soft_ink="#4c5a67",
    grid="#dde3e8",
    line="#5d7183",
    interval="#1c6e54",
    focus="#0b62c4",
    struck="#9a3b3b",
    dose="#5b3f9e",
    dose_bar="#b9a9e0",
    grades=("#fdf6e0", "#fbe6bf", "#f7cfae", "#efb0a2"),
)
DARK: Final = Theme(
    paper="#10171e",
    hollow="#10171e",
    ink="#eef3f7",
    soft_ink="#aebbc7",
    grid="#2a3641",
    line="#8ba0b3",
    interval="#6fcfae",
    focus="#7db8ff",
    struck="#f09a9a",
    dose="#c3b0ff",
    dose_bar="#5d4f8c",
    grades=("#2b2a1c", "#3a2f1b", "#4a2e20", "#5b2a27"),
)
PAGE: Final = Theme(
    paper="transparent",
    hollow="var(--paper)",
    ink="var(--ink)",
    soft_ink="var(--soft-ink)",
    grid="var(--grid)",
    line="var(--line)",
    interval="var(--interval)",
    focus="var(--focus)",
    struck="var(--struck)",
    dose="var(--dose)",
    dose_bar="var(--dose-bar)",
    grades=("var(--grade-1)", "var(--grade-2)", "var(--grade-3)", "var(--grade-4)"),
)
# typst brings its own fonts and takes no others, so that a PDF is the same everywhere.
PRINT: Final = replace(LIGHT, font="Libertinus Serif")
THEMES: Final[Mapping[str, Theme]] = MappingProxyType({"light": LIGHT, "dark": DARK, "page": PAGE, "print": PRINT})
