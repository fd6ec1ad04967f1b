"""Random networks of cells that are given by equations, as nested mappings."""

import numpy as np

STRENGTHS = {
    "IF_curr_alpha": (1.0, 4.0, 0.1, 1.0, "nA"),
    "EIF_cond_exp_isfa_ista": (10.0, 60.0, 1.0, 6.0, "nS"),
}
"""Lowest and highest weights of inputs and of inhibition within the population, and their unit."""

PARAMETERS = {
    "IF_curr_alpha": {"tau_syn_E": "2 ms", "tau_syn_I": "3 ms"},
    "EIF_cond_exp_isfa_ista": {},
}


def random_description(model, seed, *, refractory="2 ms", recurrent=True, neurons=3):
    random = np.random.default_rng(seed)
    low, high, low_inner, high_inner, unit = STRENGTHS[model]

    def quantities(low, high, shape, unit):
        return [[f"{value!r} {unit}" for value in row] for row in random.uniform(low, high, shape).tolist()]

    times = [sorted(random.uniform(0.5, 40.0, 3).tolist()) for _ in range(3)]
    projections = {
        "in": {
            "pre": "input",
            "post": "cells",
            "connector": "all_to_all",
            "receptor": "excitatory",
            "weight": {"init": quantities(low, high, (3, neurons), unit), "train": True},
            "delay": {"init": quantities(0.5, 3.0, (3, neurons), "ms"), "train": True},
        },
    }
    if recurrent:
        projections["inner"] = {
            "pre": "cells",
            "post": "cells",
            "connector": "all_to_all",
            "receptor": "inhibitory",
            "weight": {"init": quantities(low_inner, high_inner, (neurons, neurons), unit), "train": True},
            "delay": {"init": quantities(0.5, 3.0, (neurons, neurons), "ms"), "train": True},
        }
    return {
        "netdesc": 1,
        "name": "cells",
        "simulation": {"duration": "50 ms", "seed": seed},
        "populations": {
            "input": {
                "size": 3,
                "source": {"spike_times": {"times": [[f"{time!r} ms" for time in row] for row in times]}},
            },
            "cells": {
                "size": neurons,
                "neuron": {model: {"tau_refrac": refractory, **PARAMETERS[model]}},
            },
        },
        "projections": projections,
    }
