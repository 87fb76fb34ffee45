"""Reference values for tests/nn, from PyTorch. Run: python tests/golden/nn.py > tests/golden/nn.json"""
import json
import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def wave(*shape, scale=1.0, phase=0.0):
    """sin(1.7 i + phase) scaled: values that both sides can compute."""
    n = 1
    for s in shape:
        n *= s
    return (torch.sin(1.7 * torch.arange(n, dtype=torch.float64) + phase) * scale).float().reshape(shape)


def flat(t):
    return [float(v) for v in t.detach().flatten()]


out = {}

# Linear: torch weight is [out, in]; ours is [in, out].
x = wave(3, 4).requires_grad_()
k = wave(4, 5, scale=0.5, phase=0.3).requires_grad_()
b = wave(5, scale=0.1, phase=0.7).requires_grad_()
y = F.linear(x, k.T, b)
(y * wave(3, 5, phase=1.1)).sum().backward()
out["linear"] = {"y": flat(y), "dx": flat(x.grad), "dk": flat(k.grad), "db": flat(b.grad)}

# Convolutions, channels last on our side.
for name, size, stride, padding in [("same1", 5, 1, 1), ("stride2", 6, 2, 1), ("valid", 5, 1, 0)]:
    x = wave(2, size, size, 3).requires_grad_()
    k = wave(3, 3, 3, 4, scale=0.3, phase=0.2).requires_grad_()
    y = F.conv2d(x.permute(0, 3, 1, 2), k.permute(3, 2, 0, 1), stride=stride, padding=padding).permute(0, 2, 3, 1)
    (y * wave(*y.shape, phase=0.9)).sum().backward()
    out["conv_" + name] = {"shape": list(y.shape), "y": flat(y), "dx": flat(x.grad), "dk": flat(k.grad)}

# Pooling.
x = wave(2, 6, 6, 2).requires_grad_()
y = F.max_pool2d(x.permute(0, 3, 1, 2), 3, 2, 1).permute(0, 2, 3, 1)
(y * wave(*y.shape, phase=0.4)).sum().backward()
out["max_pool"] = {"shape": list(y.shape), "y": flat(y), "dx": flat(x.grad)}

# Batch norm: two training steps, then evaluation.
bn = torch.nn.BatchNorm2d(3)
with torch.no_grad():
    bn.weight.copy_(wave(3, phase=0.5))
    bn.bias.copy_(wave(3, phase=1.5))
x = (wave(4, 2, 2, 3, scale=2.0) + 0.5).requires_grad_()
y = bn(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
(y * wave(*y.shape, phase=0.8)).sum().backward()
out["batch_norm"] = {
    "y": flat(y), "dx": flat(x.grad), "dscale": flat(bn.weight.grad), "dshift": flat(bn.bias.grad),
    "mean": flat(bn.running_mean), "variance": flat(bn.running_var),
}
bn.eval()
out["batch_norm"]["eval"] = flat(bn(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))

# Layer norm and GELU.
x = wave(3, 6, scale=1.5).requires_grad_()
y = F.layer_norm(x, (6,), wave(6, phase=0.2), wave(6, phase=0.6))
(y * wave(3, 6, phase=0.1)).sum().backward()
out["layer_norm"] = {"y": flat(y), "dx": flat(x.grad)}
x = wave(7, scale=3).requires_grad_()
y = F.gelu(x)
y.sum().backward()
out["gelu"] = {"y": flat(y), "dx": flat(x.grad)}

# Embedding with padding.
table = wave(5, 3).requires_grad_()
y = F.embedding(torch.tensor([[0, 2], [4, 2]]), table)
(y * wave(2, 2, 3, phase=0.3)).sum().backward()
out["embedding"] = {"y": flat(y), "dtable": flat(table.grad)}

# Optimisers: seven steps on a fixed sequence of gradients.
for name, make in {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1),
}.items():
    p = torch.nn.Parameter(wave(5))
    opt = make([p])
    trajectory = []
    for step in range(7):
        opt.zero_grad()
        p.grad = wave(5, scale=0.5, phase=0.37 * step)
        opt.step()
        trajectory.append(flat(p))
    out["optimizer_" + name] = trajectory

# Global norm clipping.
a, b = torch.nn.Parameter(wave(3)), torch.nn.Parameter(wave(2, 2))
a.grad, b.grad = wave(3, scale=2), wave(2, 2, scale=3, phase=0.5)
norm = torch.nn.utils.clip_grad_norm_([a, b], 1.5)
out["clip"] = {"norm": float(norm), "a": flat(a.grad), "b": flat(b.grad)}

print(json.dumps(out))
