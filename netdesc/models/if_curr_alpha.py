"""PyNN's leaky integrate-and-fire neuron with alpha-shaped currents: a weight is the peak of the current."""

from __future__ import annotations

from netdesc.dynamics.equations import Equations, Parameter, Receptor


def _alpha(tau: str) -> Receptor:
    return Receptor(
        state={"i": "nA", "y": "nA"},
        dynamics={"i": f"(y - i)/{tau}", "y": f"-y/{tau}"},
        arrival={"y": "y + exp(1)*weight"},
        current="i",
    )


EQUATIONS = Equations(
    name="IF_curr_alpha",
    description="PyNN's leaky integrate-and-fire neuron with alpha-shaped synaptic currents",
    state={"v": "mV"},
    initial={"v": "v_rest"},
    parameters={
        "v_rest": Parameter("mV", "-65 mV", "Resting potential"),
        "cm": Parameter("nF", "1 nF", "Capacitance of the membrane", 0.0, above=True),
        "tau_m": Parameter("ms", "20 ms", "Time constant of the membrane", 0.0, above=True),
        "tau_refrac": Parameter("ms", "0.1 ms", "Refractory period", 0.0),
        "tau_syn_E": Parameter("ms", "0.5 ms", "Rise time of the excitatory current", 0.0, above=True),
        "tau_syn_I": Parameter("ms", "0.5 ms", "Rise time of the inhibitory current", 0.0, above=True),
        "i_offset": Parameter("nA", "0 nA", "Constant input current"),
        "v_reset": Parameter("mV", "-65 mV", "Potential after a spike"),
        "v_thresh": Parameter("mV", "-50 mV", "Threshold"),
    },
    dynamics={"v": "(v_rest - v)/tau_m + (i_syn + i_offset)/cm"},
    receptors={"excitatory": _alpha("tau_syn_E"), "inhibitory": _alpha("tau_syn_I")},
    threshold="v - v_thresh",
    reset={"v": "v_reset"},
    refractory="tau_refrac",
    hold=("v",),
    order=("v_reset", "v_thresh"),
    offset="i_offset",
)
