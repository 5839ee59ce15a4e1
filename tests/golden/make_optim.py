"""Writes optim/<case>.safetensors: what PyTorch's optimizers make of some tensors by gradients that are given, in float64.

    pip install torch numpy
    python tests/golden/make_optim.py

The metadata holds `optimizer`, a JSON object of the settings as mewgan names them, and `lr`, a JSON list of the learning rate of
every step. Tensors, <tensor> being a or b:

    before.<tensor>               before the first step
    grad.<step>.<tensor>          gradients of step 0, 1, ..
    after.<step>.<tensor>         what follows
    state.<name>.<tensor>         the optimizer's buffers after the last step

As in make.py every input is a float32 value stored as float64.
"""

import json

import torch

from fixtures import HERE, SEED, normal, save

SHAPES = {"a": (2, 3, 3, 5), "b": (13,)}
STEPS = 6
# What mewgan calls PyTorch's buffers.
STATE = {"exp_avg": "first", "exp_avg_sq": "second", "square_avg": "square", "momentum_buffer": "momentum"}
OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}

CASES = {
    "adam": {"name": "adam", "lr": 0.05, "beta1": 0.5, "beta2": 0.9, "eps": 1e-8},
    "adamw": {"name": "adamw", "lr": 0.05, "beta1": 0.5, "beta2": 0.9, "eps": 1e-8, "weight_decay": 0.3},
    "adamw_defaults": {"name": "adamw"},
    "rmsprop": {"name": "rmsprop", "lr": 0.02, "alpha": 0.9, "eps": 1e-6},
    "rmsprop_defaults": {"name": "rmsprop"},
    "rmsprop_momentum": {"name": "rmsprop", "lr": 0.02, "alpha": 0.8, "momentum": 0.7, "weight_decay": 0.2},
    "sgd": {"name": "sgd", "lr": 0.1},
    "sgd_weight_decay": {"name": "sgd", "lr": 0.1, "weight_decay": 0.2},
    "sgd_momentum": {"name": "sgd", "lr": 0.1, "momentum": 0.9},
    "sgd_dampening": {"name": "sgd", "lr": 0.1, "momentum": 0.8, "dampening": 0.4, "weight_decay": 0.1},
    "sgd_nesterov": {"name": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
}


def write_case(case, settings):
    arguments = dict(settings)
    make = OPTIMIZERS[arguments.pop("name")]
    if "beta1" in arguments:
        arguments["betas"] = (arguments.pop("beta1"), arguments.pop("beta2"))
    parameters = {key: normal(*shape) for key, shape in SHAPES.items()}
    tensors = {f"before.{key}": value.clone() for key, value in parameters.items()}
    optimizer = make(list(parameters.values()), foreach=False, **arguments)
    rates = []
    for step in range(STEPS):
        # As a schedule would.
        if step == STEPS // 2:
            optimizer.param_groups[0]["lr"] *= 0.25
        rates.append(optimizer.param_groups[0]["lr"])
        for key, parameter in parameters.items():
            parameter.grad = normal(*parameter.shape)
            tensors[f"grad.{step}.{key}"] = parameter.grad.clone()
        optimizer.step()
        tensors |= {f"after.{step}.{key}": value.clone() for key, value in parameters.items()}
    for key, parameter in parameters.items():
        buffers = optimizer.state[parameter].items()
        kept = {STATE[name]: value for name, value in buffers if name in STATE and value is not None}
        tensors |= {f"state.{name}.{key}": value.clone() for name, value in kept.items()}
    metadata = {"optimizer": json.dumps(settings), "lr": json.dumps(rates)}
    save(HERE / "optim" / f"{case}.safetensors", tensors, metadata)


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    for case, settings in CASES.items():
        write_case(case, settings)


if __name__ == "__main__":
    main()
