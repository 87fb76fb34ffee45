"""The linear model of tests/helpers/reference_run.ts, with gradients by `autograd` (pip install numpy autograd)."""
import autograd.numpy as np
from autograd import grad
from autograd.tracer import getval

NAMES = ["audio", "image", "text"]
INPUTS, FEATURES, C, SIZE, BATCH, RATE = [3, 4, 2], [4, 3, 5], 3, 15, 6, 0.5
LABELS = np.arange(SIZE) % C
BATCHES = [np.arange(0, 6), np.arange(6, 12), np.arange(12, 15)]


def wave(shape, scale=1.0, phase=0.0):
    return (np.sin(1.7 * np.arange(int(np.prod(shape))) + phase) * scale).reshape(shape)


def start(name, shape):
    return wave(shape, 0.6, sum(map(ord, name)) % 63 / 10)


def inputs(m):
    return {name: wave((SIZE, INPUTS[u]), 1, u) for u, name in enumerate(NAMES[:m])}


def sg(x):
    """The value alone."""
    while hasattr(x, "_value"):
        x = getval(x)
    return x


def softmax(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def log_softmax(x):
    shifted = x - np.max(x, axis=1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))


def ce(logits, y):
    """Per sample."""
    return -log_softmax(logits)[np.arange(len(y)), y]


def p_label(logits, y):
    return softmax(logits)[np.arange(len(y)), y]


class Model:
    """f_u = x_u A_u + a_u; concat: l = sum_u f_u K_u + b; late: l_u = f_u W_u + w_u."""

    def __init__(self, m, fusion="concat", equal_widths=False, extra=()):
        self.m, self.names, self.fusion = m, NAMES[:m], fusion
        self.widths = {n: FEATURES[0 if equal_widths else u] for u, n in enumerate(self.names)}
        shapes = {}
        for u, n in enumerate(self.names):
            shapes[f"encoder:{n}/kernel"] = (INPUTS[u], self.widths[n])
            shapes[f"encoder:{n}/bias"] = (self.widths[n],)
            if fusion == "concat":
                shapes[f"head/kernel/{n}"] = (self.widths[n], C)
            else:
                shapes[f"head:{n}/kernel"] = (self.widths[n], C)
                shapes[f"head:{n}/bias"] = (C,)
        if fusion == "concat":
            shapes["head/bias"] = (C,)
        shapes.update(dict(extra))
        self.params = {n: start(n, s) for n, s in shapes.items()}
        self.x = inputs(m)

    def feature(self, P, n, x):
        return x @ P[f"encoder:{n}/kernel"] + P[f"encoder:{n}/bias"]

    def features(self, P, rows):
        return {n: self.feature(P, n, self.x[n][rows]) for n in self.names}

    def part(self, P, n, f):
        return f @ P[f"head/kernel/{n}"]

    def logits(self, P, f, share="mean"):
        """Fused."""
        if self.fusion == "concat":
            return sum(self.part(P, n, f[n]) for n in self.names) + P["head/bias"]
        own = self.solo(P, f)
        return sum(own[n] for n in self.names) / (self.m if self.fusion == "decision" else 1)

    def solo(self, P, f):
        if self.fusion == "concat":
            return {n: self.part(P, n, f[n]) + P["head/bias"] / self.m for n in self.names}
        return {n: f[n] @ P[f"head:{n}/kernel"] + P[f"head:{n}/bias"] for n in self.names}

    def zero_filled(self, P, f, kept):
        """Logits with the features of all but some modalities at zero; late fusion leaves them out of its average."""
        if self.fusion == "concat":
            return sum(self.part(P, n, f[n]) for n in kept) + P["head/bias"]
        own = self.solo(P, f)
        return sum(own[n] for n in kept) / (len(kept) if self.fusion == "decision" else 1)


def gradients(loss, P, names=None):
    """Of a scalar function of the parameters, for those it depends on."""
    found = grad(loss)(P)
    return {n: g for n, g in found.items() if names is None or n in names}


def descend(P, G, rates=None):
    return {n: P[n] - RATE * (1 if rates is None else rates(n)) * G[n] if n in G else P[n] for n in P}


def group(name):
    return name.split("/")[0]


def rounded(x):
    return np.round(np.asarray(x, float), 8).tolist()


def flat(named):
    return {n: rounded(np.ravel(v)) for n, v in named.items()}


def run(model, step, state=None):
    """Three steps; step(P, state, rows) -> (gradients, state, stats[, rates])."""
    P, first, stats = model.params, None, None
    for k, rows in enumerate(BATCHES):
        G, state, found, *rates = step(P, state, rows)
        P = descend(P, G, *rates)
        if k == 0:
            first, stats = P, found
    return P, state, {"first": flat(first), "last": flat(P), "stats": {k: round(float(v), 8) for k, v in stats.items()}}
