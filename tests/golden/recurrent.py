"""Reference values for tests/encoders/recurrent_test.ts, from torch.nn.GRU and LSTM. Run: python tests/golden/recurrent.py

Weights and inputs are pseudo-random numbers that both sides compute; a weight's phase is its place among the sorted names.
"""
import json
import math
import pathlib
import torch

torch.set_num_threads(1)


def noise(*shape, scale=1.0, phase=0.0):
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    large = torch.sin(12.9898 * (i + 1) + 78.233 * phase) * 43758.5453
    return (scale * (2 * (large - large.floor()) - 1)).float().reshape(shape)


def flat(t):
    return [float(f"{v:.7g}") for v in t.detach().flatten().tolist()]


def probe(kind, layers, bidirectional, pooling):
    net = getattr(torch.nn, kind)(3, 5, layers, batch_first=True, bidirectional=bidirectional)
    with torch.no_grad():
        for place, (_, p) in enumerate(sorted(net.named_parameters())):
            p.copy_(noise(*p.shape, scale=0.6, phase=place))
    x = noise(2, 7, 3, phase=0.1).requires_grad_()
    y, state = net(x)
    h = state[0] if kind == "LSTM" else state
    if pooling == "mean":
        pooled = y.mean(1)
    else:
        pooled = torch.cat([h[-2], h[-1]], 1) if bidirectional else h[-1]
    (pooled * noise(*pooled.shape, phase=0.3)).sum().backward()
    dot = lambda t: flat(torch.stack([(t * noise(*t.shape, phase=0.7)).sum(), t.norm()]))
    return {"pooled": flat(pooled), "gradients": {"rnn." + n: dot(p.grad) for n, p in net.named_parameters()},
            "input": dot(x.grad)}


out = {}
for kind in ("GRU", "LSTM"):
    out[kind.lower()] = {"plain": probe(kind, 1, False, "last"), "deep": probe(kind, 2, True, "last"),
                         "mean": probe(kind, 2, False, "mean")}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(out))
print(path.stat().st_size)
