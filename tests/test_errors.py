import pytest

from netdesc.errors import (
    BackendError,
    DescriptionError,
    Diagnostic,
    GraphError,
    LimitError,
    Location,
    NetdescError,
    NumericsError,
    locate,
)

PLACES = {
    "populations.a": Location("net.yaml", 3, 5),
    "populations.a.size": Location("net.yaml", 4, 7),
    "": Location("net.yaml", 1, 1),
}


@pytest.mark.parametrize(
    ("diagnostic", "text"),
    [
        (Diagnostic("it is wrong"), "it is wrong"),
        (Diagnostic("it is wrong", "a.b"), "a.b: it is wrong"),
        (Diagnostic("it is wrong", "a.b", "NB-X"), "NB-X a.b: it is wrong"),
        (
            Diagnostic("it is wrong", "a.b", "NB-X", Location("n.yaml", 2, 3)),
            "n.yaml:2:3 NB-X a.b: it is wrong",
        ),
        (Diagnostic("it is wrong", location=Location("n.yaml", 2, 3)), "n.yaml:2:3: it is wrong"),
    ],
)
def test_a_diagnostic_reads_place_code_path_and_message(diagnostic, text):
    assert str(diagnostic) == text


def test_an_error_takes_a_text_a_diagnostic_or_several():
    assert NetdescError("a").diagnostics == (Diagnostic("a"),)
    assert NetdescError(Diagnostic("a", "b")).diagnostics == (Diagnostic("a", "b"),)
    error = NetdescError(Diagnostic(text) for text in "ab")
    assert [item.message for item in error.diagnostics] == ["a", "b"]
    assert str(error) == "a\nb"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("populations.a.size", 4),
        ("populations.a", 3),
        ("populations.a.neuron.tau", 3),
        ("populations.ab", 1),
        ("losses", 1),
        ("", 1),
    ],
)
def test_a_path_without_a_place_falls_back_on_its_nearest_parent(path, line):
    assert locate(Diagnostic("x", path), PLACES).location.line == line


def test_a_known_place_is_kept():
    known = Diagnostic("x", "populations.a", location=Location("other.yaml", 9, 9))
    assert locate(known, PLACES) is known


def test_without_any_place_a_diagnostic_stays_as_it_is():
    assert locate(Diagnostic("x", "a.b"), {}).location is None


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (NetdescError, 2),
        (DescriptionError, 2),
        (GraphError, 2),
        (LimitError, 3),
        (BackendError, 3),
        (NumericsError, 1),
    ],
)
def test_a_located_error_keeps_its_class_and_exit_status(kind, status):
    error = kind(Diagnostic("x", "populations.a.size")).located(PLACES)
    assert type(error) is kind
    assert error.exit_status == status
    assert str(error) == "net.yaml:4:7 populations.a.size: x"
