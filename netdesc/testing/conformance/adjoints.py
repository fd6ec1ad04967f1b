"""Gradients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from netdesc.errors import NetdescError, NumericsError
from netdesc.events import Floats
from netdesc.gradient import Gradient
from netdesc.testing.conformance.oracle import cotangent_of, differentiate, differentiate_stimulus
from netdesc.testing.conformance.spikes import one_sample, silence
from netdesc.testing.conformance.subject import Bench, Subject, demand
from netdesc.trace import Cotangent, Trace


class AdjointChecks(Subject):
    """An adjoint is linear, sums over the batch, and agrees with differences of the reference."""

    def test_a_gradient_has_the_keys_and_shapes_of_the_parameters(self, case: str) -> None:
        """One finite entry per trainable parameter, none for others; one total per spike of the trace."""
        bench = self.trained(case)
        trace, gradient = differentiated(bench)
        wanted = bench.program.trainable()
        demand(
            set(gradient.parameters) == set(wanted),
            f"gradient of {sorted(gradient.parameters)}, expected {sorted(wanted)}",
        )
        for key, value in gradient.parameters.items():
            demand(value.shape == wanted[key].shape, f"the gradient of {key} has shape {value.shape}")
            demand(bool(np.isfinite(value).all()), f"the gradient of {key} is not finite")
        for name, events in trace.spikes.items():
            demand(name in gradient.spike_times, f"spike_times lacks {name}")
            shape = gradient.spike_times[name].shape
            demand(shape == (len(events),), f"spike_times of {name} are not aligned")

    def test_gradients_agree_with_the_exact_one(self, case: str) -> None:
        """Cosine and norm per array of weights or delays, against differences of the reference."""
        bench = self.trained(case)
        trace, gradient = differentiated(bench)
        exact = differentiate(bench.program.with_parameters(trace.effective_parameters), bench.stimulus)
        for key, value in gradient.parameters.items():
            self.demand_alike(key, value, exact[key])

    def test_the_gradient_of_the_stimulus_agrees_with_the_exact_one(self, case: str) -> None:
        """Cosine and norm of dL/dt of the input spikes, against differences of the reference."""
        bench = self.trained(case)
        trace, gradient = differentiated(bench)
        program = bench.program.with_parameters(trace.effective_parameters)
        for name, exact in differentiate_stimulus(program, bench.stimulus).items():
            self.demand_alike(f"spike_times of {name}", gradient.spike_times[name], exact)

    def test_a_zero_cotangent_gives_a_zero_gradient(self, case: str) -> None:
        """Zeros, a population left out, and no population at all mean the same."""
        bench = self.trained(case)
        trace = bench.forward()
        zeros = {
            name: np.zeros(len(trace.spikes[name])) for name in cotangent_of(bench.program, trace.spikes)
        }
        for cotangent in (Cotangent(zeros), Cotangent({})):
            for key, value in bench.machine.adjoint(trace, cotangent).parameters.items():
                demand(not np.any(value), f"a cotangent of zeros gives {key} a gradient")

    def test_a_silent_run_has_a_gradient_of_zero(self, case: str) -> None:
        """Without input spikes, no weight or delay matters unless neurons spike by themselves."""
        bench = self.trained(case)
        trace = bench.machine.forward(silence(1), seed=0)
        gradient = bench.machine.adjoint(trace, Cotangent(cotangent_of(bench.program, trace.spikes)))
        heard = {
            block.weight_key
            for block in bench.program.blocks
            if not len(trace.spikes[bench.program.populations[block.pre].name])
        }
        for key in heard & set(gradient.parameters):
            demand(not np.any(gradient.parameters[key]), f"{key} carried no spike and has a gradient")

    def test_the_adjoint_is_linear_in_the_cotangent(self, case: str) -> None:
        """The adjoint of a sum is the sum of the adjoints."""
        bench = self.trained(case)
        trace = bench.forward()
        one = cotangent_of(bench.program, trace.spikes)
        two = {name: np.cos(trace.spikes[name].times) for name in one}
        both = {name: 3.0 * one[name] - 2.0 * two[name] for name in one}
        parts = [bench.machine.adjoint(trace, Cotangent(item)).parameters for item in (one, two, both)]
        for key, whole in parts[2].items():
            self.demand_equal(key, whole, 3.0 * parts[0][key] - 2.0 * parts[1][key], "linear")

    def test_gradients_are_summed_over_the_batch(self, case: str) -> None:
        """The gradient of a batch is the sum of those of its samples, run one by one."""
        bench = self.trained(case)
        trace, gradient = differentiated(bench)
        cotangents, sums = (
            cotangent_of(bench.program, trace.spikes),
            dict.fromkeys(gradient.parameters, np.zeros(())),
        )
        for sample in range(trace.batch):
            alone = bench.machine.forward(one_sample(bench.stimulus, sample), seed=0)
            part = Cotangent(
                {name: values[trace.spikes[name].samples() == sample] for name, values in cotangents.items()}
            )
            found = bench.machine.adjoint(alone, part).parameters
            sums = {key: value + found[key] for key, value in sums.items()}
        for key, whole in gradient.parameters.items():
            self.demand_equal(key, whole, sums[key], "the sum over the batch")

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_a_cotangent_that_is_not_finite_is_refused(self, case: str, value: float) -> None:
        """NaN and infinity raise NumericsError; they do not become numbers."""
        bench = self.trained(case)
        trace = bench.forward()
        cotangent = cotangent_of(bench.program, trace.spikes)
        name = next(key for key, values in cotangent.items() if len(values))
        cotangent[name][0] = value
        with pytest.raises(NumericsError):
            bench.machine.adjoint(trace, Cotangent(cotangent))

    def test_a_cotangent_that_does_not_fit_is_refused(self, case: str) -> None:
        """A cotangent of another shape than the spikes raises an error."""
        bench = self.trained(case)
        trace = bench.forward()
        name, values = next(iter(cotangent_of(bench.program, trace.spikes).items()))
        with pytest.raises(NetdescError):
            bench.machine.adjoint(trace, Cotangent({name: np.append(values, 1.0)}))

    def demand_equal(self, key: str, found: Floats, wanted: Floats, what: str) -> None:
        """Fail unless two gradients of the same device are equal up to rounding."""
        scale = max(float(np.abs(wanted).max(initial=0.0)), float(np.abs(found).max(initial=0.0)))
        off = float(np.abs(found - wanted).max(initial=0.0))
        demand(off <= self.tolerance.linear * scale, f"{key} is not {what}: off by {off:g} of {scale:g}")


def differentiated(bench: Bench) -> tuple[Trace, Gradient]:
    """Return a run and its gradient for the loss of ``cotangent_of``."""
    trace = bench.forward()
    cotangent: Mapping[str, Floats] = cotangent_of(bench.program, trace.spikes)
    return trace, bench.machine.adjoint(trace, Cotangent(cotangent))
