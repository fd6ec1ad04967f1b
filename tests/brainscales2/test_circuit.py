"""The neuron circuit as a cell of the protocol, against the linear membrane with two currents."""

from typing import NamedTuple

import numpy as np
import pytest
from netdesc_brainscales2.analog import circuit
from netdesc_brainscales2.analog.circuit import WIDTH, Circuits, make_circuits, tile
from netdesc_brainscales2.analog.inputs import add_charge

from netdesc.dynamics import protocol
from netdesc.dynamics.membrane import Membrane

TAU_M, TAU_S = np.array([12.0, 6.0, 6.0]), np.array([[6.0, 3.0], [6.0, 6.0], [2.0, 9.0]])
GAP, RESET, REFRACTORY = np.full(3, 1.0), np.full(3, -0.2), np.full(3, 2.0)
CURRENT = np.array([[3.0, -0.5], [2.0, 0.0], [0.7, -0.1]])
START = np.array([0.1, 0.0, -0.3])


def circuits(**more):
    return make_circuits(
        TAU_M,
        TAU_S,
        tau_ref=REFRACTORY,
        levels=(GAP, RESET),
        start=np.column_stack([START, CURRENT]),
        **more,
    )


MEMBRANE = Membrane(TAU_M, REFRACTORY, TAU_S, GAP, RESET, START, CURRENT)


@pytest.mark.parametrize("cell", range(3))
def test_between_events_a_circuit_is_a_linear_membrane_to_the_last_bit(cell):
    cells = circuits()
    x, y = protocol.begin(cells, cell), protocol.begin(MEMBRANE, cell)
    assert x == (*y, GAP[cell])
    for s in (0.01, 0.7, 5.0, 60.0):
        assert protocol.flow(x, cells, cell, s)[:3] == protocol.flow(y, MEMBRANE, cell, s)
        held = protocol.held(protocol.spike(y, MEMBRANE, cell), MEMBRANE, cell, s)
        assert protocol.held(x, cells, cell, s)[:3] == held


@pytest.mark.parametrize("cell", range(3))
def test_a_circuit_crosses_its_threshold_where_a_linear_membrane_does(cell):
    cells = circuits()
    x, y = protocol.begin(cells, cell), protocol.begin(MEMBRANE, cell)
    mine, theirs = protocol.crossing(x, cells, cell, 40.0), protocol.crossing(y, MEMBRANE, cell, 40.0)
    assert mine == pytest.approx(theirs, rel=1e-12)
    assert circuit.may_spike(x, cells, cell) or mine == protocol.NEVER
    assert circuit.step(x, cells, cell, 40.0)[1] >= float(mine >= 0.0)


def test_a_circuit_without_threshold_does_not_spike():
    x = (0.0, 1e6, 0.0, np.inf)
    assert protocol.crossing(x, circuits(), 0, 40.0) == protocol.NEVER


def test_the_inputs_of_a_circuit_saturate_on_either_side():
    cells = circuits(saturation=(1.0, 0.5))
    x = (0.0, 0.8, -0.8, 1.0)
    added = add_charge(0.8, 0.7, 1.0, 0.5)
    assert protocol.arrive(x, cells, 0, 0, 0.1) == (0.0, 0.8 + 0.1, -0.8, 1.0)
    assert protocol.arrive(x, cells, 0, 0, 0.7) == (0.0, added, -0.8, 1.0)
    assert protocol.arrive(x, cells, 0, 1, -0.7) == (0.0, 0.8, -added, 1.0)


@pytest.mark.parametrize(("receptor", "weight"), [(0, 0.4), (1, -0.3)])
@pytest.mark.parametrize("within", [False, True])
def test_a_late_arrival_is_what_an_early_one_would_have_become(receptor, weight, within):
    cells, x = circuits(), (0.2, 0.5, -0.1, 1.0)
    ahead = protocol.held if within else protocol.flow
    early = ahead(protocol.arrive(x, cells, 0, receptor, weight), cells, 0, 0.3)
    late = circuit.arrive_late(ahead(x, cells, 0, 0.3), cells, 0, receptor, weight, 0.3, within)
    assert late == pytest.approx(early, rel=1e-14)


def test_a_rail_stops_the_voltage_alone():
    cells = circuits(rails=(-0.5, 2.0))
    assert circuit.clip((3.0, 1.0, -1.0, 1.0), cells, 0) == ((2.0, 1.0, -1.0, 1.0), 1)
    assert circuit.clip((-0.7, 1.0, -1.0, 1.0), cells, 0) == ((-0.5, 1.0, -1.0, 1.0), 1)
    assert circuit.clip((0.3, 1.0, -1.0, 1.0), cells, 0) == ((0.3, 1.0, -1.0, 1.0), 0)


def test_repeated_circuits_repeat_every_parameter():
    cells = circuits(rails=(-0.5, 2.0))
    for name, one, many in zip(Circuits._fields, cells, tile(cells, 3), strict=True):
        axis = 1 if name == "rows" else 0
        np.testing.assert_array_equal(np.concatenate([one] * 3, axis=axis), many)


class Forward(NamedTuple):
    """Parameters of a cell that this test registers."""

    gap: np.ndarray


def test_a_cell_without_adjoint_is_registered_and_one_that_claims_to_have_it_is_not():
    functions = {name: getattr(protocol, name) for name in protocol.FORWARD}
    protocol.register(Forward, functions, 1)
    assert protocol.find_code(Forward).residuals == ()
    with pytest.raises(KeyError, match=r"Forward lacks arrive_adjoint, .*spike_adjoint"):
        protocol.register(Forward, functions, 1, ("current",))


def test_a_circuit_has_every_operation_of_a_cell_that_runs_forward():
    known = protocol.find_code(Circuits)
    assert known.width == WIDTH
    assert set(protocol.FORWARD) <= set(known.functions)
