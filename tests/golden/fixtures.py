"""What the fixture scripts share: random numbers, layers in a row, their states, and writing reproducible files."""

import json
from pathlib import Path

import torch
from torch import nn

HERE = Path(__file__).resolve().parent
SEED = 2021


def normal(*shape, mean=0.0, std=1.0):
    """Normal numbers, rounded to float32."""
    return (mean + std * torch.randn(*shape, dtype=torch.float64)).float().double()


def uniform(*shape, low=-1.0, high=1.0):
    """Uniform numbers, rounded to float32."""
    return (low + (high - low) * torch.rand(*shape, dtype=torch.float64)).float().double()


class Network(nn.Module):
    """Layers in a row, named main.0, main.1, ... in the state_dict."""

    def __init__(self, *layers):
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        return self.main(x)


def initialize(network):
    """Small random parameters, large enough that nothing in the fixture is tiny."""
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.weight.copy_(normal(*layer.weight.shape, mean=1.0, std=0.1))
                layer.bias.copy_(normal(*layer.bias.shape, std=0.1))
            elif isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                layer.weight.copy_(normal(*layer.weight.shape, std=0.1))
                if layer.bias is not None:
                    layer.bias.copy_(normal(*layer.bias.shape, std=0.1))


def state(prefix, network):
    """The state_dict under `prefix`, without PyTorch's batch counters."""
    entries = network.state_dict().items()
    return {f"{prefix}.{key}": value.clone() for key, value in entries if not key.endswith("num_batches_tracked")}


def gradients(prefix, network):
    return {f"{prefix}.{key}": parameter.grad.clone() for key, parameter in network.named_parameters()}


def describe(network, expected):
    """Names and shapes of the state_dict, and the parameter count, which must be `expected`."""
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert parameters == expected, f"{parameters} parameters, expected {expected}"
    tensors = [
        {"name": key, "shape": list(value.shape)}
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    ]
    return {"parameters": parameters, "tensors": tensors}


def update_names(names):
    """Adds presets to names.json, or replaces those of the same name."""
    path = HERE / "names.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | names, indent=1) + "\n")


def save(path, tensors, metadata):
    """Writes a safetensors file, with a header that, unlike the library's, is the same in every run."""
    header, data = {"__metadata__": metadata}, b""
    for key, value in sorted(tensors.items()):
        content = value.detach().contiguous().numpy().astype("<f8").tobytes()
        span = [len(data), len(data) + len(content)]
        header[key] = {"dtype": "F64", "shape": list(value.shape), "data_offsets": span}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
