from importlib.metadata import EntryPoint

import pytest

from netdesc import registry
from netdesc.errors import BackendError


class Strange:
    """Stands for a backend from elsewhere."""

    def passes(self):
        return ()

    def load(self, program, *, seed):
        raise NotImplementedError


NO_CLASS = "a text"


@pytest.fixture
def shelf(monkeypatch):
    points = [
        EntryPoint("strange", f"{__name__}:Strange", registry.GROUP),
        EntryPoint("broken", "no_such_package_anywhere:Backend", registry.GROUP),
        EntryPoint("hollow", f"{__name__}:Missing", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.GROUP else [])


def test_backends_are_listed_by_name(shelf):
    assert registry.names() == ("broken", "hollow", "strange")


def test_a_backend_is_imported_by_name(shelf):
    assert registry.backend_class("strange").__name__ == "Strange"


def test_an_unknown_name_is_answered_with_the_nearest_and_the_list(shelf):
    with pytest.raises(BackendError) as caught:
        registry.backend_class("strnge")
    assert "'strnge'; did you mean 'strange'? installed are broken, hollow, strange" in str(caught.value)


@pytest.mark.parametrize("name", ["broken", "hollow"])
def test_a_backend_that_cannot_be_imported_is_named(shelf, name):
    with pytest.raises(BackendError, match=f"the backend {name} .* cannot be imported") as caught:
        registry.backend_class(name)
    assert caught.value.__cause__ is not None


def test_an_empty_shelf_is_told(monkeypatch):
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    with pytest.raises(BackendError, match="none is installed"):
        registry.backend_class("numba")


def test_the_backend_of_this_package_is_on_the_shelf():
    assert "numba" in registry.names()
