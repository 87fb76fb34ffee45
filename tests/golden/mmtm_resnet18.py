"""Reference values for tests/encoders/mmtm_resnet18_test.ts: two of torchvision's ResNet-18, one on clips, joined by MMTM
after stages 2, 3 and 4, a head each. Run: python tests/golden/mmtm_resnet18.py

Weights and inputs are pseudo-random numbers that both sides compute; a weight's phase is its place among the sorted names.
"""
import json
import math
import pathlib
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
B, C = 3, 4


def noise(*shape, scale=1.0, phase=0.0, mean=0.0):
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    large = torch.sin(12.9898 * (i + 1) + 78.233 * phase) * 43758.5453
    return (mean + scale * (2 * (large - large.floor()) - 1)).float().reshape(shape)


def flat(t):
    return [float(f"{v:.7g}") for v in t.detach().flatten().tolist()]


def resnet(channels):
    net = torchvision.models.resnet18()
    net.fc = nn.Identity()
    net.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    return net


class Module(nn.Module):
    """One MMTM module for channels c_u."""

    def __init__(self, channels, ratio=4):
        super().__init__()
        joint = int(2 * sum(channels.values()) / ratio)
        self.squeeze = nn.Linear(sum(channels.values()), joint)
        self.excite = nn.ModuleDict({name: nn.Linear(joint, c) for name, c in channels.items()})

    def forward(self, maps):
        """maps: by name [B, ..., c, h, w]; the clip's is [B, T, c, h, w]."""
        spatial = {n: [d for d in range(1, m.dim()) if d != m.dim() - 3] for n, m in maps.items()}
        z = F.relu(self.squeeze(torch.cat([m.mean(spatial[n]) for n, m in maps.items()], 1)))
        gates = {n: 2 * torch.sigmoid(self.excite[n](z)) for n in maps}
        return {n: m * gates[n].reshape([B] + [1] * (m.dim() - 4) + [-1, 1, 1]) for n, m in maps.items()}


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict({"audio": resnet(1), "clip": resnet(3)})
        self.fusion = nn.ModuleDict({f"mmtm{k}": Module({n: 64 * 2 ** k for n in self.encoder}) for k in (1, 2, 3)})
        self.head = nn.ModuleDict({n: nn.Linear(512, C) for n in self.encoder})

    def forward(self, x):
        def each(stage, maps):
            out = {}
            for n, m in maps.items():
                y = stage(self.encoder[n])(m.flatten(0, m.dim() - 4))
                out[n] = y.reshape(*m.shape[:-3], *y.shape[1:])
            return out
        maps = each(lambda e: nn.Sequential(e.conv1, e.bn1, e.relu, e.maxpool, e.layer1), x)
        for k in (1, 2, 3):
            maps = self.fusion[f"mmtm{k}"](each(lambda e: getattr(e, f"layer{k + 1}"), maps))
        own = {n: self.head[n](m.mean([d for d in range(1, m.dim()) if d != m.dim() - 3])) for n, m in maps.items()}
        return sum(own.values()) / len(own)


model = Model()
state = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
for place, name in enumerate(sorted(state)):
    t = state[name]
    if t.dim() > 1:
        t.copy_(noise(*t.shape, scale=math.sqrt(6 / t[0].numel()), phase=place))
    elif name.endswith(("bias", "running_mean")):
        t.copy_(noise(*t.shape, scale=0.2, phase=place))
    else:
        t.copy_(noise(*t.shape, scale=0.3, phase=place, mean=1.0))
x = {"audio": noise(B, 1, 64, 33, phase=0.1), "clip": noise(B, 2, 3, 40, 48, phase=0.2)}
model.train()
logits = model(x)
(logits * noise(B, C, phase=0.3)).sum().backward()
dot = lambda t: flat(torch.stack([(t.double() * noise(*t.shape, phase=0.7).double()).sum(), t.double().norm()]))
out = {"logits": flat(logits), "gradients": {n: dot(p.grad) for n, p in model.named_parameters()},
       "running": {n: dot(b) for n, b in model.named_buffers() if "running" in n}}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(out))
print(path.stat().st_size, logits[0])
