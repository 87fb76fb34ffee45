"""Reference values for tests/fusion/torch_test.ts: every fusion and variant in PyTorch, written from the formulas, for two,
three and four modalities. Run: python tests/golden/fusions_torch.py

Weights are pseudo-random numbers that both sides compute; a weight's phase is its place among the sorted names.
"""
import json
import math
import pathlib
import torch
from torch.nn import functional as F

torch.set_num_threads(1)
NAMES = ["audio", "image", "text", "video"]
WIDTHS = [4, 5, 3, 6]
B, C = 3, 2


def noise(*shape, scale=1.0, phase=0.0, mean=0.0):
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    large = torch.sin(12.9898 * (i + 1) + 78.233 * phase) * 43758.5453
    return (mean + scale * (2 * (large - large.floor()) - 1)).float().reshape(shape)


def flat(t):
    return [float(f"{v:.6g}") for v in t.detach().flatten().tolist()]


class Weights:
    """Gives weights by name; a first pass with zeros finds the names."""

    def __init__(self):
        self.shapes, self.values = {}, None

    def __call__(self, name, *shape):
        if self.values is None:
            self.shapes[name] = shape
            return torch.zeros(shape)
        return self.values[name]

    def fix(self):
        self.values = {n: noise(*self.shapes[n], scale=0.6, phase=p).requires_grad_()
                       for p, n in enumerate(sorted(self.shapes))}

    def linear(self, path, x, out, bias=True):
        w = self(path + ".weight", out, x.shape[1])
        return F.linear(x, w, self(path + ".bias", out) if bias else None)


def probe(formula, w, inputs):
    """Output of a formula, gradients of sum(logits * noise) + sum(own * noise)."""
    formula(w, inputs)
    w.fix()
    out = formula(w, inputs)
    loss = (out["logits"] * noise(B, C, phase=0.3)).sum()
    for u, own in enumerate(out.get("own", [])):
        loss = loss + (own * noise(B, C, phase=1.3 + u)).sum()
    loss.backward()
    leaves = [t for x in inputs for t in (x if isinstance(x, list) else [x])]
    # A gradient's product with noise, and its norm.
    dot = lambda t: flat(torch.stack([(t * noise(*t.shape, phase=0.7)).sum(), t.norm()]))
    result = {k: flat(out[k]) for k in ("logits", "fused") if k in out}
    if "own" in out:
        result["own"] = [flat(t) for t in out["own"]]
    result["gradients"] = {n: dot(t.grad) for n, t in w.values.items() if t.grad is not None}
    result["inputs"] = [dot(t.grad) for t in leaves]
    return result


def feature_inputs(m):
    return [noise(B, WIDTHS[u], phase=0.1 * (u + 1)).requires_grad_() for u in range(m)]


def concat(width):
    def formula(w, f):
        group = "fusion" if width else "head"
        out = width or C
        # One kernel per modality, [in, out]; together one matrix on the stacked features.
        W = torch.cat([w(f"{group}.kernel.{NAMES[u]}", x.shape[1], out) for u, x in enumerate(f)])
        y = torch.cat(f, 1) @ W + w(f"{group}.bias", out)
        return {"fused": y, "logits": w.linear("head", y, C) if width else y}
    return formula


def heads(w, f):
    return [w.linear("head." + NAMES[u], x, C) for u, x in enumerate(f)]


def sum_logit(w, f):
    own = heads(w, f)
    return {"logits": torch.stack(own).sum(0), "own": own}


def sum_feature(w, f):
    y = torch.stack([w.linear("fusion." + NAMES[u], x, 7, bias=False) for u, x in enumerate(f)]).sum(0)
    return {"fused": y, "logits": w.linear("head", y, C)}


def decision(average):
    def formula(w, f):
        own, m = heads(w, f), len(f)
        if average == "logit":
            logits = torch.stack(own).mean(0)
        elif average == "probability":
            logits = torch.log(torch.stack([F.softmax(l, 1) for l in own]).mean(0))
        else:  # weights 1, 2, ..., m
            logits = sum((u + 1) * l for u, l in enumerate(own)) / (m * (m + 1) / 2)
        return {"logits": logits, "own": own}
    return formula


def film(target, one, kind):
    def pair(w, u, x, width):
        return w.linear("fusion." + NAMES[u], x, 2 * width).split(width, 1)

    def formula(w, f):
        if kind == "cyclic":
            parts = []
            for u, x in enumerate(f):
                v = (u + 1) % len(f)
                gamma, beta = pair(w, v, f[v], x.shape[1])
                parts.append((one + gamma) * x + beta)
            y = torch.cat(parts, 1)
        else:
            pairs = [pair(w, v, x, f[target].shape[1]) for v, x in enumerate(f) if v != target]
            gamma, beta = torch.stack([p[0] for p in pairs]), torch.stack([p[1] for p in pairs])
            scale = one + gamma.sum(0) if kind == "sum" else (one + gamma).prod(0)
            y = scale * f[target] + beta.sum(0)
        return {"fused": y, "logits": w.linear("head", y, C)}
    return formula


def gated(variant, kind):
    def formula(w, f):
        size = 3 if variant == "bilinear-gated" else 7
        h = [w.linear("fusion." + NAMES[u], x, size) for u, x in enumerate(f)]
        def by_others(u):
            gates = torch.stack([torch.sigmoid(x) for v, x in enumerate(h) if v != u])
            return h[u] * (gates.prod(0) if kind == "product" else gates.sum(0))
        if variant == "gated":
            y = by_others(1)
        elif variant == "bidirectional":
            y = sum(by_others(u) for u in range(len(h)))
        else:
            y = torch.einsum("bi,bj->bij", torch.sigmoid(h[0]), h[1]).flatten(1)
        return {"fused": y, "logits": w.linear("head", y, C)}
    return formula


def map_inputs(m):
    """Maps with two, one, no and three spatial axes, channels last."""
    shapes = [(B, 4, 3, 2), (B, 5, 3), (B, 4), (B, 2, 3, 2, 5)]
    return [noise(*shapes[u], phase=0.1 * (u + 1)).requires_grad_() for u in range(m)]


def pool(a):
    return a if a.dim() == 2 else a.flatten(1, -2).mean(1)


def mmtm(scale, ratio):
    """Two gated levels; between them a ReLU stands for the encoders' stage."""
    def formula(w, maps):
        for level in (1, 2):
            S = [pool(a) for a in maps]
            total = sum(s.shape[1] for s in S)
            path = f"fusion.mmtm{level}."
            Z = F.relu(w.linear(path + "squeeze", torch.cat(S, 1), int(2 * total / ratio)))
            gates = [scale * torch.sigmoid(w.linear(f"{path}excite.{NAMES[u]}", Z, s.shape[1])) for u, s in enumerate(S)]
            maps = [a * g.reshape([B] + [1] * (a.dim() - 2) + [-1]) for a, g in zip(maps, gates)]
            if level == 1:
                maps = [F.relu(a) for a in maps]
        own = heads(w, [pool(a) for a in maps])
        return {"logits": torch.stack(own).mean(0), "own": own}
    return formula


def centralnet(taps, width=4, depth=3):
    """Stages: the maps, their ReLU, its square root of 1 + x."""
    def formula(w, maps):
        stages = [maps, [F.relu(a) for a in maps]]
        stages.append([torch.sqrt(1 + a) for a in stages[1]])
        state = None
        for level, tap in enumerate(taps):
            path = f"fusion.level{level + 1}."
            mixed = sum(w(f"{path}mix.{NAMES[u]}") * w.linear(path + NAMES[u], pool(a), width)
                        for u, a in enumerate(stages[depth - tap]))
            if state is not None:
                mixed = mixed + w(path + "mix.central") * state
            state = F.relu(w.linear(path[:-1], mixed, width, bias=False))
        own = heads(w, [pool(a) for a in stages[-1]])
        return {"fused": state, "logits": w.linear("head", state, C), "own": own}
    return formula


cases = {}


def case(name, formula, counts=(2, 3, 4), inputs=feature_inputs):
    for m in counts:
        cases[f"{name}/{m}"] = probe(formula, Weights(), inputs(m))


case("concat", concat(7))
case("concat-0", concat(0))
case("sum", sum_logit)
case("sum-feature", sum_feature)
for average in ("logit", "probability", "weighted"):
    case("decision-" + average, decision(average))
case("film", film(1, 1, "sum"))
case("film-plain", film(1, 0, "sum"))
case("film-first", film(0, 1, "sum"))
case("film-product", film(1, 1, "product"))
case("film-cyclic", film(None, 1, "cyclic"))
case("gated", gated("gated", "product"))
case("gated-pairwise", gated("gated", "pairwise"))
case("bigated", gated("bidirectional", "product"))
case("bigated-pairwise", gated("bidirectional", "pairwise"))
case("bilinear", gated("bilinear-gated", "product"), (2,))
case("mmtm", mmtm(2, 4), inputs=map_inputs)
case("mmtm-1", mmtm(1, 1.5), inputs=map_inputs)
case("centralnet", centralnet([3, 2, 1]), inputs=map_inputs)
case("centralnet-taps", centralnet([3, 1]), inputs=map_inputs)
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(cases))
print(path.stat().st_size, len(cases))
