"""The scheme `published` and its former name `paper`."""

import pytest

from netdesc.description import describe_text
from netdesc.errors import BackendError
from netdesc.registry import backend_class

TEXT = """
netdesc: 1
simulation: {{duration: 10 ms}}
populations:
  input: {{size: 1, source: {{spike_times: {{times: [[1 ms]]}}}}}}
  output: {{size: 1, neuron: {{LIF: {{tau_mem: 20 ms, tau_syn: 5 ms}}}}}}
backends:
  numba: {{solver: {{grid: {{timestep: 1 ms, scheme: {name}}}}}}}
  spinnaker2: {{scheme: {name}}}
"""


@pytest.mark.parametrize("name", ["published", "paper"])
def test_both_names_are_read_from_a_file(name):
    backends = describe_text(TEXT.format(name=name)).backends
    for backend in ("numba", "spinnaker2"):
        assert backend_class(backend)(backends[backend]).options.scheme == "published"


def test_both_names_list_the_same_non_idealities():
    first, second = (
        list(backend_class("spinnaker2")({"scheme": name}).non_idealities())
        for name in ("published", "paper")
    )
    assert first == second == ["time grid", "scheme published"]


@pytest.mark.parametrize("value", ["papers", 3, ["paper"], {"paper": 1}])
def test_other_schemes_are_refused(value):
    with pytest.raises(BackendError, match="published, exact_exponential, off_grid"):
        backend_class("spinnaker2")({"scheme": value})
