"""One neuron of each cell from equations: short enough for the interpreter, too."""

import numpy as np
import pytest

import netdesc
from netdesc.trace import Cotangent

WEIGHTS = {"IF_curr_alpha": (6.0, "nA"), "EIF_cond_exp_isfa_ista": (60.0, "nS")}
PARAMETERS = {"IF_curr_alpha": {"tau_syn_E": "3 ms"}, "EIF_cond_exp_isfa_ista": {}}


def describe(model, weight):
    return {
        "netdesc": 1,
        "name": "one",
        "simulation": {"duration": "14 ms"},
        "populations": {
            "input": {"size": 1, "source": {"spike_times": {"times": [["1 ms", "2 ms"]]}}},
            "cells": {"size": 1, "neuron": {model: {"tau_refrac": "1 ms", **PARAMETERS[model]}}},
        },
        "projections": {
            "in": {
                "pre": "input",
                "post": "cells",
                "receptor": "excitatory",
                "connector": "all_to_all",
                "weight": {"init": f"{weight!r} {WEIGHTS[model][1]}", "train": True},
                "delay": {"init": "1 ms", "train": True},
            }
        },
    }


@pytest.mark.parametrize("model", sorted(WEIGHTS))
def test_the_last_spike_moves_with_the_weight_as_its_derivative_says(model):
    weight = WEIGHTS[model][0]

    def run(factor):
        compiled = netdesc.compile(netdesc.load(describe(model, factor * weight)), "numba")
        return compiled, compiled.forward(compiled.stimulate(None))

    compiled, trace = run(1.0)
    times = trace.spikes["cells"].times
    assert len(times) >= 2
    slope = np.zeros(len(times))
    slope[-1] = 1.0
    gradient = compiled.backward(trace, Cotangent({"cells": slope})).parameters
    step = 1e-5
    later, earlier = (run(1.0 + sign * step)[1].spikes["cells"].times for sign in (1.0, -1.0))
    assert len(later) == len(earlier) == len(times)
    difference = (later[-1] - earlier[-1]) / (2.0 * step)
    per_weight = gradient["in.weight"].sum() * compiled.program.blocks[0].weights[0]
    assert per_weight == pytest.approx(difference, rel=1e-5)
    # a common shift of all arrivals shifts every spike: resting neurons have no clock of their own
    assert gradient["in.delay"].sum() == pytest.approx(1.0, abs=1e-6)
