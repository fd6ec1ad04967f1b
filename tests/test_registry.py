import json
from importlib.metadata import EntryPoint

import pytest

from netdesc import registry
from netdesc.cli import main
from netdesc.errors import BackendError


class Strange:
    """Stands for a backend from elsewhere."""

    def passes(self):
        return ()

    def load(self, program, *, seed):
        raise NotImplementedError


class Other(Strange):
    """Stands for a second one of the same name."""


NO_CLASS = "a text"
FAULTS = {
    "invalid": "raise ValueError('not\\ntoday')",
    "unfinished": "class Backend(",
    "leaving": "raise SystemExit(0)",
}
"""Modules that cannot be imported, by the name of their backend."""


@pytest.fixture
def shelf(monkeypatch, tmp_path):
    points = [
        EntryPoint("strange", f"{__name__}:Strange", registry.GROUP),
        EntryPoint("broken", "no_such_package_anywhere:Backend", registry.GROUP),
        EntryPoint("hollow", f"{__name__}:Missing", registry.GROUP),
        *(EntryPoint(name, f"{name}_backend:Backend", registry.GROUP) for name in FAULTS),
        EntryPoint("text", f"{__name__}:NO_CLASS", registry.GROUP),
        EntryPoint("twice", f"{__name__}:Strange", registry.GROUP),
        EntryPoint("twice", f"{__name__}:Strange", registry.GROUP),
        EntryPoint("rival", f"{__name__}:Strange", registry.GROUP),
        EntryPoint("rival", f"{__name__}:Other", registry.GROUP),
        EntryPoint("malformed", "!!", registry.GROUP),
    ]
    for name, text in FAULTS.items():
        (tmp_path / f"{name}_backend.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.GROUP else [])


def test_backends_are_listed_by_name(shelf):
    assert registry.names() == (
        "broken",
        "hollow",
        "invalid",
        "leaving",
        "malformed",
        "rival",
        "strange",
        "text",
        "twice",
        "unfinished",
    )


def test_a_backend_is_imported_by_name(shelf):
    assert registry.backend_class("strange").__name__ == "Strange"


def test_an_unknown_name_is_answered_with_the_nearest_and_the_list(shelf):
    with pytest.raises(BackendError) as caught:
        registry.backend_class("strnge")
    assert "'strnge'; did you mean 'strange'? installed are broken, hollow, invalid" in str(caught.value)


@pytest.mark.parametrize("name", ["broken", "hollow", *FAULTS, "malformed"])
def test_a_backend_that_cannot_be_imported_is_named(shelf, name):
    with pytest.raises(BackendError, match=f"the backend {name} .* cannot be imported") as caught:
        registry.backend_class(name)
    assert caught.value.__cause__ is not None
    assert len(caught.value.diagnostics) == 1
    assert "\n" not in str(caught.value)


def test_an_entry_point_that_names_no_class_is_refused(shelf):
    with pytest.raises(BackendError, match="to name a class with the methods passes and load, got 'a text'"):
        registry.backend_class("text")


def test_two_backends_of_one_name_are_refused_and_one_listed_twice_is_not(shelf):
    with pytest.raises(BackendError, match=r"2 installed packages offer a backend rival: .*Strange, .*Other"):
        registry.backend_class("rival")
    assert registry.backend_class("twice") is Strange


def test_broken_backends_are_listed_with_the_reason_and_stop_nobody(shelf, capsys):
    assert main(["backends"]) == 0
    text = capsys.readouterr().out
    assert text.count("cannot be used") == 10
    assert "ValueError: not today" in text
    assert main(["backends", "--json"]) == 0
    assert all("error" in item for item in json.loads(capsys.readouterr().out).values())


def test_an_empty_shelf_is_told(monkeypatch):
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    with pytest.raises(BackendError, match="none is installed"):
        registry.backend_class("numba")


def test_the_backend_of_this_package_is_on_the_shelf():
    assert "numba" in registry.names()
