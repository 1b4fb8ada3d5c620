"""What a module says it exports is what it exports."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

import pytest

import leuko

NAMES = sorted(
    module.name for module in walk_packages(leuko.__path__, "leuko.") if not module.name.endswith("__main__")
)


def test_the_front_door_exports_what_it_says() -> None:
    assert set(leuko.__all__) == {*leuko._HOME, "__version__"}
    for name in leuko.__all__:
        assert getattr(leuko, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'asess'"):
        leuko.asess  # noqa: B018


@pytest.mark.parametrize("name", NAMES)
def test_exported_names_exist_and_are_sorted(name: str) -> None:
    module = import_module(name)
    exported = getattr(module, "__all__", [])
    missing = [entry for entry in exported if not hasattr(module, entry)]
    assert not missing
    assert len(exported) == len(set(exported))


@pytest.mark.parametrize("name", NAMES)
def test_every_module_says_what_it_is_for(name: str) -> None:
    assert (import_module(name).__doc__ or "").strip(), f"{name} has no docstring"
