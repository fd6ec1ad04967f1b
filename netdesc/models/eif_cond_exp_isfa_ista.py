"""PyNN's adaptive exponential neuron with exponential conductances (Brette and Gerstner 2005)."""

from __future__ import annotations

from netdesc.dynamics.equations import Equations, Parameter, Receptor


def _conductance(tau: str, reversal: str) -> Receptor:
    return Receptor(
        state={"g": "uS"},
        dynamics={"g": f"-g/{tau}"},
        arrival={"g": "g + weight"},
        current=f"g*({reversal} - v)",
    )


EQUATIONS = Equations(
    name="EIF_cond_exp_isfa_ista",
    description="PyNN's adaptive exponential integrate-and-fire neuron with exponential conductances",
    state={"v": "mV", "w": "nA"},
    initial={"v": "v_rest"},
    parameters={
        "v_rest": Parameter("mV", "-70.6 mV", "Resting potential"),
        "cm": Parameter("nF", "0.281 nF", "Capacitance of the membrane", 0.0, above=True),
        "tau_m": Parameter("ms", "9.3667 ms", "Time constant of the membrane", 0.0, above=True),
        "tau_refrac": Parameter("ms", "0.1 ms", "Refractory period", 0.0),
        "tau_syn_E": Parameter("ms", "5 ms", "Decay of the excitatory conductance", 0.0, above=True),
        "tau_syn_I": Parameter("ms", "5 ms", "Decay of the inhibitory conductance", 0.0, above=True),
        "i_offset": Parameter("nA", "0 nA", "Constant input current"),
        "v_reset": Parameter("mV", "-70.6 mV", "Potential after a spike"),
        "v_thresh": Parameter("mV", "-50.4 mV", "Where the exponential current sets in"),
        "v_spike": Parameter("mV", "-40 mV", "Threshold"),
        "a": Parameter("uS", "4 nS", "Adaptation by voltage"),
        "b": Parameter("nA", "0.0805 nA", "Adaptation by a spike"),
        "delta_T": Parameter("mV", "2 mV", "Steepness of the exponential current", 0.0, above=True),
        "tau_w": Parameter("ms", "144 ms", "Time constant of the adaptation", 0.0, above=True),
        "e_rev_E": Parameter("mV", "0 mV", "Reversal potential of excitation"),
        "e_rev_I": Parameter("mV", "-80 mV", "Reversal potential of inhibition"),
    },
    dynamics={
        "v": "(v_rest - v + delta_T*exp((v - v_thresh)/delta_T))/tau_m + (i_syn + i_offset - w)/cm",
        "w": "(a*(v - v_rest) - w)/tau_w",
    },
    receptors={
        "excitatory": _conductance("tau_syn_E", "e_rev_E"),
        "inhibitory": _conductance("tau_syn_I", "e_rev_I"),
    },
    threshold="v - v_spike",
    reset={"v": "v_reset", "w": "w + b"},
    refractory="tau_refrac",
    hold=("v",),
    order=("v_reset", "v_spike"),
    offset="i_offset",
    weight="uS",
)
