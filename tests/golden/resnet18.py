"""Reference values for tests/encoders/resnet18_test.ts, from torchvision. Run: python tests/golden/resnet18.py

Weights and inputs are pseudo-random numbers that both sides compute, in PyTorch's layout; a weight's phase is its place
among the sorted names. (A plain sine makes maps of tiny variance, whose normalisation loses all digits.)
"""
import json
import math
import pathlib
import torch
import torchvision

torch.set_num_threads(1)


def noise(*shape, scale=1.0, phase=0.0, mean=0.0):
    """mean + scale (2 u - 1), u the fraction of a large multiple of a sine: uniform on 0..1."""
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    large = torch.sin(12.9898 * (i + 1) + 78.233 * phase) * 43758.5453
    return (mean + scale * (2 * (large - large.floor()) - 1)).float().reshape(shape)


def flat(t):
    return [float(f"{v:.7g}") for v in t.detach().flatten().tolist()]


def fill(model):
    state = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    for phase, name in enumerate(sorted(state)):
        t = state[name]
        if t.dim() > 1:  # as large as Kaiming's rule makes them: the variance of 2 u - 1 is a third
            t.copy_(noise(*t.shape, scale=math.sqrt(6 / t[0].numel()), phase=phase))
        elif name.endswith(("bias", "running_mean")):
            t.copy_(noise(*t.shape, scale=0.2, phase=phase))
        else:
            t.copy_(noise(*t.shape, scale=0.3, phase=phase, mean=1.0))


def probe(model, x):
    """Features of a training step, running statistics, and gradients of sum(features * noise)."""
    fill(model)
    out = {"names": {k: list(v.shape) for k, v in model.state_dict().items() if "num_batches" not in k}}
    model.eval()
    with torch.no_grad():
        out["evaluation"] = flat(model(x))
    model.train()
    x.requires_grad_()
    y = model(x)
    (y * noise(*y.shape, phase=0.3)).sum().backward()
    out["training"] = flat(y)
    # One number per tensor: its product with noise. Two gradients in full.
    dot = lambda t: float((t.double() * noise(*t.shape, phase=0.7).double()).sum())
    out["running"] = {k: dot(v) for k, v in model.state_dict().items() if "running" in k}
    out["gradients"] = {k: {"dot": dot(p.grad), "norm": float(p.grad.double().norm())}
                        for k, p in model.named_parameters()}
    out["input"] = {"dot": dot(x.grad), "norm": float(x.grad.double().norm())}
    out["bn1"] = flat(model.bn1.weight.grad)
    return out


def resnet(channels=3, small=False):
    model = torchvision.models.resnet18()
    model.fc = torch.nn.Identity()
    if channels != 3:
        model.conv1 = torch.nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    if small:
        model.conv1 = torch.nn.Conv2d(channels, 64, 3, 1, 1, bias=False)
        model.maxpool = torch.nn.Identity()
    return model


class Frames(torch.nn.Module):
    """Every frame through the same network, features averaged over time."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        b, t = x.shape[:2]
        return self.net(x.flatten(0, 1)).reshape(b, t, -1).mean(1)


with torch.no_grad():
    reference = torchvision.models.resnet18()
out = {"parametersWithHead": sum(p.numel() for p in reference.parameters())}
out["image"] = probe(resnet(), noise(2, 3, 64, 64, phase=0.1))
small = resnet(1, small=True)
out["small"] = probe(small, noise(2, 1, 16, 12, phase=0.2))
del out["small"]["names"]
# A clip: [B, T, c, h, w].
net = resnet()
fill(net)
net.eval()
with torch.no_grad():
    out["clip"] = flat(Frames(net)(noise(1, 2, 3, 33, 40, phase=0.4)))
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(out))
print(path.stat().st_size)
