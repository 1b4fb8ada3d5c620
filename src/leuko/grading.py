"""Grades of low counts: one value, one edition of one scheme, one grade with its reason, or why there is none.

The tables are data (`leuko/data/grades`). A grade is read off them for the whole set of values that the count may
have: a point, or an open stretch where only a bound is known. What is unknown (the laboratory's lower limit of normal,
the age, the sex) stays open: the grade is given only where every possibility leads to the same one, else `least` and
`most` say what remains. `grading_frame` grades arrays from the same tables.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Final, get_args

from leuko.ages import UNKNOWN, AgeSpan, PerAge, ages_to_try
from leuko.errors import KnowledgeError, UsageError
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library, load_library
from leuko.knowledge.same import Same
from leuko.knowledge.schema import Band, GradeRule, GradeScheme, Limit
from leuko.record import Bound, Sex
from leuko.result import Citation, Gap, Grade, Reason
from leuko.wording import say_list, say_number, say_unit

SEXES: Final[tuple[Sex, ...]] = ("female", "male")
_SIGNS: Final[dict[Bound, str]] = {"=": "", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}


class Edge(Frozen, frozen=True, kw_only=True):
    """One end of a set of values: at `value` (side 0), or just below (-1) or just above (+1) it."""

    value: float
    side: int = 0


class _Case(Frozen, frozen=True, kw_only=True):
    """What is graded by what: one edition's rules for one analyte."""

    table: GradeScheme
    analyte: str
    rules: tuple[GradeRule, ...]
    library: Library

    @property
    def label(self) -> str:
        """The analyte as people call it."""
        row = self.library.analytes.get(self.analyte)
        return row.label if row is not None else self.analyte


class _Asked(Frozen, frozen=True, kw_only=True):
    """The question, checked: what is graded, and what is known of it."""

    value: float
    bound: Bound
    lab_low: float | None
    ages: AgeSpan
    sex: Sex | None


def grade(
    value: float | None,
    *,
    analyte: str,
    scheme: str,
    edition: str,
    lab_low: float | None = None,
    age_days: float | None = None,
    sex: Sex | None = None,
    bound: Bound = "=",
    library: Library | None = None,
) -> Grade:
    """Grade one value on one edition of one scheme.

    `value` and `lab_low`, the laboratory's lower limit of normal, are in the canonical unit of the analyte: 10*9/L for
    cells and platelets, g/L for haemoglobin. `age_days` is the age at the draw [whole days]. `bound` "<" or "<=" grades
    an upper bound, ">" or ">=" a lower one.

    `Grade.value` is None where the value cannot be graded; `gap` then says why, and `least`/`most` what remains
    possible. Raises UsageError for an analyte, scheme, edition, sex or bound that does not exist.

    >>> import leuko
    >>> leuko.grade(0.4, analyte="neutrophils", scheme="ctcae", edition="5").value
    4
    >>> leuko.grade(0.4, analyte="neutrophils", scheme="ctcae", edition="6").value
    3
    >>> open_ = leuko.grade(1.7, analyte="neutrophils", scheme="ctcae", edition="5")
    >>> open_.value is None, open_.least, open_.most
    (True, 0, 1)
    """
    ages = UNKNOWN if age_days is None else AgeSpan(least=age_days, most=age_days)
    return grade_between_ages(
        value,
        analyte=analyte,
        scheme=scheme,
        edition=edition,
        lab_low=lab_low,
        ages=ages,
        sex=sex,
        bound=bound,
        library=library,
    )


def grade_between_ages(
    value: float | None,
    *,
    analyte: str,
    scheme: str,
    edition: str,
    lab_low: float | None = None,
    ages: AgeSpan,
    sex: Sex | None = None,
    bound: Bound = "=",
    library: Library | None = None,
) -> Grade:
    """`grade` for a person whose age is known only to lie between two ages [days] (a year of birth)."""
    library = library or load_library()
    table = library.scheme(scheme, edition)
    case = _Case(table=table, analyte=analyte, rules=rules_of(table, analyte, library), library=library)
    _check_words(bound, sex)
    problem = _problem(value, bound, ages)
    if value is None or problem:
        return _ungraded(case, problem, "a count that a laboratory could report")
    if not case.rules:
        return _ungraded(case, f"{title(table)} has no criterion for low {case.label}", _OTHER_SCHEME)
    asked = _Asked(value=value, bound=bound, lab_low=known_low(lab_low), ages=ages, sex=sex)
    return _graded(case, asked)


def grades_between_ages(
    value: float,
    *,
    analyte: str,
    lab_low: float | None,
    ages: AgeSpan,
    sex: Sex | None,
    bound: Bound,
    library: Library,
) -> Mapping[tuple[str, str], Grade]:
    """`grade_between_ages` on every edition of every scheme, by scheme and edition.

    The last ones are kept: a count is graded for its status, for its episode and for what it explains.
    """
    asked = _Asked(value=value, bound=bound, lab_low=lab_low, ages=ages, sex=sex)
    # 0.0 and -0.0 are one key of a cache and two texts
    return _every(Same(library), analyte, asked) if value else _every.__wrapped__(Same(library), analyte, asked)


@lru_cache(maxsize=1024)
def _every(library: Same[Library], analyte: str, asked: _Asked) -> Mapping[tuple[str, str], Grade]:
    return {
        (scheme.id, scheme.edition): grade_between_ages(
            asked.value,
            analyte=analyte,
            scheme=scheme.id,
            edition=scheme.edition,
            lab_low=asked.lab_low,
            ages=asked.ages,
            sex=asked.sex,
            bound=asked.bound,
            library=library.value,
        )
        for scheme in library.value.schemes
    }


def rules_of(table: GradeScheme, analyte: str, library: Library) -> tuple[GradeRule, ...]:
    """The rules of one edition for one analyte; empty where it has none. UsageError where no scheme has any."""
    known = graded_analytes(library)
    if analyte not in known:
        raise UsageError(
            f"no grading scheme grades {analyte!r}", why=f"known: {', '.join(known)}", do="name one of these"
        )
    return _rules(Same(table), analyte)


@lru_cache(maxsize=256)
def _rules(table: Same[GradeScheme], analyte: str) -> tuple[GradeRule, ...]:
    found = tuple(rule for rule in table.value.rules if rule.analyte == analyte)
    for rule in found:
        check_order(rule)
    return found


def graded_analytes(library: Library) -> tuple[str, ...]:
    """The analytes that any scheme grades, by name."""
    return _graded_analytes(Same(library.schemes))


@lru_cache(maxsize=16)
def _graded_analytes(schemes: Same[tuple[GradeScheme, ...]]) -> tuple[str, ...]:
    return tuple(sorted({rule.analyte for scheme in schemes.value for rule in scheme.rules}))


def title(table: GradeScheme) -> str:
    """How a scheme's edition is named in a sentence: "CTCAE 5"."""
    return f"{table.id.upper()} {table.edition}"


def known_low(lab_low: float | None) -> float | None:
    """The laboratory's lower limit of normal; None where what was given cannot be one (zero, negative, NaN)."""
    return lab_low if lab_low is not None and math.isfinite(lab_low) and lab_low > 0 else None


# What a rule says of a value


def grade_at(rule: GradeRule, edge: Edge, lab_low: float) -> int:
    """The grade of one rule at one edge of a set of values, for a lower limit of normal; 0 where no band holds."""
    found = 0
    for row in rule.bands:
        if row.grade > found and _holds(row.band, edge, lab_low):
            found = row.grade
    return found


def grade_range(rule: GradeRule, value: float, bound: Bound, lab_low: float | None) -> tuple[int, int]:
    """The least and the most severe grade that one rule leaves possible.

    An unknown lower limit of normal may be anything: 0 gives the least, infinity the most severe grade.
    """
    low, high = edges(value, bound)
    least_limit, most_limit = (0.0, math.inf) if lab_low is None else (lab_low, lab_low)
    least = grade_at(rule, high, least_limit)
    return least, least if low is high and least_limit == most_limit else grade_at(rule, low, most_limit)


def edges(value: float, bound: Bound) -> tuple[Edge, Edge]:
    """The lowest and the highest value that a bounded value may have."""
    at = Edge(value=value)
    if bound in {"<", "<="}:
        return Edge(value=0.0), Edge(value=value, side=-1) if bound == "<" else at
    if bound in {">", ">="}:
        return Edge(value=value, side=1) if bound == ">" else at, Edge(value=math.inf)
    return at, at


def _holds(band: Band, edge: Edge, lab_low: float) -> bool:
    upper = _limit(band.upper, lab_low)
    return below(edge, upper, inclusive=band.upper_inclusive) and above(
        edge, _limit(band.lower, lab_low), inclusive=band.lower_inclusive
    )


def _limit(limit: Limit | None, lab_low: float) -> float | None:
    return lab_low if limit == "lab_low" else limit


def above(edge: Edge, lower: float | None, *, inclusive: bool) -> bool:
    """Whether an edge lies above a lower limit (None: no limit); `inclusive` counts the limit itself as above."""
    if lower is None or edge.value > lower:
        return True
    return edge.value == lower and (edge.side > 0 or (edge.side == 0 and inclusive))


def below(edge: Edge, upper: float | None, *, inclusive: bool) -> bool:
    """Whether an edge lies below an upper limit (None: no limit); `inclusive` counts the limit itself as below."""
    if upper is None or edge.value < upper:
        return True
    return edge.value == upper and (edge.side < 0 or (edge.side == 0 and inclusive))


@lru_cache(maxsize=1024)
def check_order(rule: GradeRule) -> None:
    """Raise KnowledgeError unless a lower value never has a milder grade; bounds and arrays rest on this."""
    if any(row.band.lower == "lab_low" for row in rule.bands):
        raise KnowledgeError("a grade band starts at the lower limit of normal", where=rule.id)
    limits = {limit for row in rule.bands for limit in (row.band.lower, row.band.upper)}
    numbers = sorted(limit for limit in limits if isinstance(limit, (int, float)))
    ladder = [Edge(value=0.0), *(Edge(value=limit, side=side) for limit in numbers for side in (-1, 0, 1))]
    for lab_low in (0.0, math.inf):
        grades = [grade_at(rule, edge, lab_low) for edge in ladder]
        if any(lower < higher for lower, higher in pairwise(grades)):
            raise KnowledgeError("grade bands are out of order", where=rule.id, why="a lower value has a milder grade")


# Which rules may apply


def possible_rules(rules: Iterable[GradeRule], ages: AgeSpan, sex: Sex | None) -> tuple[GradeRule | None, ...]:
    """Every rule that may be the person's own, given what is known of age and sex; None = an age without a rule."""
    rules = tuple(rules)
    found: dict[GradeRule | None, None] = {}
    for age in ages_to_try(_age_limits(rules), ages):
        for one in SEXES if sex is None else (sex,):
            own = tuple(rule for rule in rules if rule.ages.holds(age) and rule.sex in {None, one})
            found.update(dict.fromkeys(own or (None,)))
    return tuple(found)


def _age_limits(rules: Iterable[GradeRule]) -> list[float]:
    return [limit for rule in rules for limit in (rule.ages.low_days, rule.ages.high_days) if limit is not None]


def rules_at(rules: tuple[GradeRule, ...], ages: AgeSpan, sex: Sex | None) -> tuple[GradeRule | None, ...]:
    """`possible_rules` of what `rules_of` gave, kept for each class of ages."""
    return _by_age(Same(rules)).at(ages, sex)


@lru_cache(maxsize=256)
def _by_age(rules: Same[tuple[GradeRule, ...]]) -> PerAge[Sex | None, tuple[GradeRule | None, ...]]:
    return PerAge(_age_limits(rules.value), lambda ages, sex: possible_rules(rules.value, ages, sex))


# The answer

_OTHER_SCHEME: Final = "another scheme or edition"
_WANT_AGE: Final = "the date of birth and the time of the draw"


def _graded(case: _Case, asked: _Asked) -> Grade:
    possible = rules_at(case.rules, asked.ages, asked.sex)
    named = tuple(rule for rule in possible if rule is not None)
    refusal, settle = _refusal(case, asked, possible)
    if refusal:
        return _ungraded(replace(case, rules=named or case.rules), refusal, settle)
    case = replace(case, rules=named)
    ranges = [grade_range(rule, asked.value, asked.bound, asked.lab_low) for rule in named]
    least, most = min([low for low, _ in ranges]), max([high for _, high in ranges])
    return Grade(
        scheme=case.table.id,
        edition=case.table.edition,
        analyte=case.analyte,
        term=named[0].term,
        value=least if least == most else None,
        least=least,
        most=most,
        reason=_reason(case, asked, least, most),
        gap=None if least == most else _open_gap(case, asked),
    )


def _refusal(case: _Case, asked: _Asked, possible: tuple[GradeRule | None, ...]) -> tuple[str, str]:
    """Why no rule can grade this, and what would settle it; empty where one can."""
    named = [rule for rule in possible if rule is not None]
    gradable = [rule for rule in named if rule.bands]
    if not named:
        return f"{title(case.table)} has no criterion for low {case.label} at this age", _OTHER_SCHEME
    if not gradable:
        return named[0].ungraded or f"{title(case.table)} has no numeric criterion for {case.label}", _OTHER_SCHEME
    for rule in gradable:
        if not rule.basis.drives:
            return (
                f"the row {rule.id} is {rule.basis.confidence}, so no conclusion may rest on it",
                "a confirmed source",
            )
    if len(gradable) < len(possible):
        bands = say_list([f"{rule.ages.text}: {_range_words(rule, asked)}" for rule in gradable], "or")
        why = f"{_open_words(named, asked)}, and {title(case.table)} grades {case.label} at some ages only ({bands})"
        return why, _WANT_AGE
    return "", ""


def _range_words(rule: GradeRule, asked: _Asked) -> str:
    least, most = grade_range(rule, asked.value, asked.bound, asked.lab_low)
    return f"grade {least}" if least == most else f"grade {least} to {most}"


def _open_words(rules: Iterable[GradeRule], asked: _Asked) -> str:
    """What the choice between several rules hangs on, in words."""
    by_age = asked.ages.exact is None
    by_sex = asked.sex is None and any(rule.sex is not None for rule in rules)
    words = [word for word, hangs in (("the age at the draw", by_age), ("the sex", by_sex)) if hangs]
    return f"{say_list(words)} {'are' if len(words) > 1 else 'is'} not known"


def _reason(case: _Case, asked: _Asked, least: int, most: int) -> Reason:
    rule = case.rules[0]
    said = f"{say_exact(asked.value, asked.bound)} {say_unit(rule.unit)}"
    if least == most:
        text = f"{said} is {title(case.table)} grade {least} of {rule.term!r}{_band_words(case.rules, least, asked)}"
    else:
        text = f"{said} leaves {title(case.table)} grades {least} to {most} of {rule.term!r} possible"
    clinical = dict.fromkeys(rule.clinical for rule in case.rules if rule.clinical)
    text += "".join(f". Beside the number: {words}" for words in clinical)
    return Reason(rule="+".join(rule.id for rule in case.rules), text=text, citations=_citations(case))


def _band_words(rules: tuple[GradeRule, ...], value: int, asked: _Asked) -> str:
    """The scheme's own words for the grade that was reached, or why no band holds the value."""
    if len(rules) > 1:
        return f", although {_open_words(rules, asked)}: every rule that may apply gives it"
    row = next((row for row in rules[0].bands if row.grade == value), None)
    mildest = min(rules[0].bands, key=lambda band: band.grade)
    row_low = (row or mildest).band.upper == "lab_low" and asked.lab_low is not None
    low = f"lower limit of normal {say_exact(asked.lab_low)}" if row_low and asked.lab_low is not None else ""
    if row is not None:
        return f" ({row.text}{'; ' if low else ''}{low})"
    return f" (grade {mildest.grade} is {mildest.text}{'; ' if low else ''}{low})"


def _open_gap(case: _Case, asked: _Asked) -> Gap:
    """Why several grades remain: each thing is named that alone, if it were known, would narrow them."""
    limits = (0.0, math.inf) if asked.lab_low is None else (asked.lab_low,)
    at = {limit: [grade_range(rule, asked.value, asked.bound, limit) for rule in case.rules] for limit in limits}
    found: list[tuple[str, str]] = []
    if any(least != most for ranges in at.values() for least, most in ranges):
        found.append(("only a bound of the count is known", "a measured value instead of a bound"))
    if at[limits[0]] != at[limits[-1]]:
        why = "the laboratory's lower limit of normal is not known, and grade 1 starts there"
        found.append((why, "the lower limit of normal that the laboratory printed with the result"))
    if any(len(set(ranges)) > 1 for ranges in at.values()):
        open_words = _open_words(case.rules, asked)
        found.append((open_words, _WANT_AGE if "age" in open_words else "the sex"))
    return Gap(
        what=f"{title(case.table)} grade of {case.label} {say_exact(asked.value, asked.bound)}",
        why="; ".join(why for why, _ in found),
        settle="; ".join(settle for _, settle in found),
    )


def _ungraded(case: _Case, why: str, settle: str) -> Grade:
    rules = case.rules[:1]
    case = replace(case, rules=rules)
    return Grade(
        scheme=case.table.id,
        edition=case.table.edition,
        analyte=case.analyte,
        term=rules[0].term if rules else "",
        value=None,
        reason=Reason(
            rule=rules[0].id if rules else f"{case.table.id}-{case.table.edition}:{case.analyte}",
            text=f"cannot be graded on {title(case.table)}: {why}",
            citations=_citations(case) or (case.library.cite(case.table.basis),),
        ),
        gap=Gap(what=f"{title(case.table)} grade of {case.label}", why=why, settle=settle),
    )


def _citations(case: _Case) -> tuple[Citation, ...]:
    return case.library.cite_all(rule.basis for rule in case.rules)


def say_exact(value: float, bound: Bound = "=") -> str:
    """A bounded number with every digit that matters, so that 0.49996 below a limit of 0.5 never reads as 0.5."""
    return f"{_SIGNS[bound]}{say_number(value)}"


# What cannot be graded at all


def _problem(value: float | None, bound: Bound, ages: AgeSpan) -> str:
    if value is None:
        return "no value"
    if not math.isfinite(value):
        return f"{value} is no count"
    if value < 0:
        return "no count can be negative"
    if value == 0 and bound == "<":
        return "no count can be below zero"
    if math.isnan(ages.least) or math.isnan(ages.most) or ages.least < 0:
        return "the age at the draw is no age: it is negative, or not a number"
    return ""


_WORDS: Final = (get_args(Bound), (None, *SEXES))


def _check_words(bound: Bound, sex: Sex | None) -> None:
    for word, known in zip((bound, sex), _WORDS, strict=True):
        if word not in known:
            raise UsageError(
                f"{word!r} is not known", why=f"known: {', '.join(map(repr, known))}", do="name one of these"
            )
