"""One item of a score: which of its options remain possible, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from leuko.frozen import Frozen
from leuko.knowledge.schema.scores import ItemRow, Option
from leuko.scores.named import Named, concept
from leuko.scores.observe import Observed, observe
from leuko.scores.reading import Reading, inside, stepped, touches
from leuko.scores.setting import Setting
from leuko.wording import say_list


class Judged(Frozen, frozen=True, kw_only=True):
    """An item with the options that remain. `found` says what was found, `why` what is missing or contradicts."""

    item: ItemRow
    options: tuple[Option, ...]
    found: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether the points are not known."""
        return len({option.points for option in self.options}) > 1


class _Voice(Frozen, frozen=True, kw_only=True):
    """What one source says of an item: the options it leaves (None: it says nothing)."""

    options: frozenset[str] | None = None
    found: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    clash: bool = False


def judge(item: ItemRow, setting: Setting) -> Judged:
    """The options of an item that the answers, the measurements and the named conditions leave."""
    if item.id not in setting.judged:
        setting.judged[item.id] = _judged(item, setting)
    found: Judged = setting.judged[item.id]
    return found


def _judged(item: ItemRow, setting: Setting) -> Judged:
    voices = [_by_hand(item, setting), *_measured(item, setting), _by_name(item, setting)]
    left = frozenset(option.value for option in item.options)
    spoken = [voice.options for voice in voices if voice.options is not None]
    for options in spoken:
        left &= options
    clash = not left or any(voice.clash for voice in voices)
    if clash:
        left = frozenset(option.value for option in item.options) if left else frozenset[str]().union(*spoken)
    found = tuple(dict.fromkeys(text for voice in voices for text in voice.found))
    why = [text for voice in voices for text in voice.why]
    if clash:
        why = [f"contradictory: {say_list(found)}"]
    elif len(left) == len(item.options) and not why:
        why = [_nothing(item)]
    return Judged(
        item=item,
        options=tuple(option for option in item.options if option.value in left),
        found=found,
        why=tuple(dict.fromkeys(why)),
        evidence=tuple(dict.fromkeys(one for voice in voices for one in voice.evidence)),
    )


def _nothing(item: ItemRow) -> str:
    if any(option.concepts or option.possible_with for option in item.options):
        return "not named in the record, which does not show that it is absent"
    return "not read from a record: it has to be answered"


def _by_hand(item: ItemRow, setting: Setting) -> _Voice:
    words = setting.answers.words
    answer = words.get(item.id, words.get(item.asks))
    option = next((option for option in item.options if option.value == answer), None)
    if option is None:
        return _Voice()
    return _Voice(options=frozenset({option.value}), found=(f"{option.text} (given by hand)",))


# ---- measurements ---------------------------------------------------------------------------------------------------


def _measured(item: ItemRow, setting: Setting) -> tuple[_Voice, ...]:
    rows = setting.tables.observables
    ids = dict.fromkeys(name for option in item.options for name in option.bands)
    return tuple(_of_observable(item, name, observe(rows[name], setting), setting) for name in ids)


def _of_observable(item: ItemRow, name: str, observed: Observed, setting: Setting) -> _Voice:
    if not observed.readings:
        # one way of several to learn the answer: its absence is told only where it is the item's own measurement
        own = all(name in option.bands for option in item.options) and item.asks not in setting.answers.words
        return _Voice(why=(observed.why,) if own else ())
    every = [option for reading in observed.readings for option in _fitting(item, name, reading)]
    found = tuple(reading.text for reading in observed.readings)
    evidence = tuple(one for reading in observed.readings for one in reading.evidence)
    unless = _unless(every, setting) if len({option.points for option in every}) == 1 else ()
    if unless:
        return _Voice(found=found, why=unless, evidence=evidence)
    why: tuple[str, ...] = ()
    if len({option.points for option in every}) > 1:
        several = len(observed.readings) > 1
        why = ("readings of the same time contradict one another",) if several else ("the value lies across a limit",)
    return _Voice(options=frozenset(option.value for option in every), found=found, why=why, evidence=evidence)


def _fitting(item: ItemRow, name: str, reading: Reading) -> list[Option]:
    """The options that a reading leaves; half-way between two steps of a chart, the one with more points."""
    choices = [_left_by(item, name, one) for one in stepped(reading, item.step)]
    return max(choices, key=lambda options: max(option.points for option in options))


def _left_by(item: ItemRow, name: str, reading: Reading) -> list[Option]:
    proven = [option for option in item.options if name in option.bands and inside(reading, option.bands[name])]
    if proven:
        return proven
    left = [option for option in item.options if name not in option.bands or touches(reading, option.bands[name])]
    return left or list(item.options)


def _unless(options: Iterable[Option], setting: Setting) -> tuple[str, ...]:
    """Why a measurement proves nothing here: what the record names beside it."""
    wanted = dict.fromkeys(name for option in options for name in option.unless)
    known = _concepts(wanted, setting)
    texts = [known[name].text for name in wanted if known[name].state in {"yes", "maybe"}]
    return (f"with {say_list(texts)} this value does not decide the item",) if texts else ()


# ---- what the record names ------------------------------------------------------------------------------------------


def _by_name(item: ItemRow, setting: Setting) -> _Voice:
    wanted = {name for option in item.options for name in (*option.concepts, *option.possible_with)}
    if not wanted:
        return _Voice()
    known = _concepts(sorted(wanted), setting)
    evidence = tuple(one for name in known for one in known[name].evidence)
    found = tuple(known[name].text for name in known if known[name].state in {"yes", "no"})
    why = tuple(f"{known[name].text}: it may or may not be meant" for name in known if known[name].state == "maybe")
    left = _left_by_name(item, known)
    answered = item.asks in setting.answers.words or item.id in setting.answers.words
    clash = any(one.clash for one in known.values())
    if clash:
        found = tuple(one.text for one in known.values() if one.clash)
    return _Voice(options=left, found=found, why=() if answered else why, evidence=evidence, clash=clash)


def _left_by_name(item: ItemRow, known: Mapping[str, Named]) -> frozenset[str] | None:
    proven = [o for o in item.options if o.concepts and all(known[name].state == "yes" for name in o.concepts)]
    if proven:
        return frozenset(option.value for option in proven)
    left = [o for o in item.options if not any(known[name].state == "no" for name in o.concepts)]
    if any(known[name].state == "yes" for option in left for name in option.possible_with):
        left = [o for o in left if any(known[name].state in {"yes", "maybe"} for name in o.possible_with)]
    return frozenset(option.value for option in left) if len(left) < len(item.options) else None


def _concepts(names: Iterable[str], setting: Setting) -> dict[str, Named]:
    return {name: concept(name, setting) for name in names}
