"""Gradients of cells from equations against extrapolated central differences."""

import pytest
from cell_networks import random_description

import netdesc
from netdesc.testing.gradcheck import gradcheck
from tests.generate.objective import random_loss

TOLERANCE = 1e-6
"""Largest deviation, relative to the largest entry of the gradient."""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("refractory", ["0 ms", "2 ms"])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("model", ["IF_curr_alpha", "EIF_cond_exp_isfa_ista"])
def test_the_gradient_agrees_with_differences(model, recurrent, refractory, seed):
    description = random_description(model, seed, refractory=refractory, recurrent=recurrent)
    compiled = netdesc.compile(netdesc.load(description), "numba")
    stimulus = compiled.stimulate(None)
    result = gradcheck(compiled.machine, stimulus, random_loss(compiled.machine, seed), limit=6)
    assert set(result.comparisons) > {"in.weight", "in.delay"}
    assert result.checked > 10
    assert max((item.deviation, key) for key, item in result.comparisons.items()) <= (TOLERANCE, "")
