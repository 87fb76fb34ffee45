"""Methods that act within a training step, from their formulas: three steps of a linear model each.

Run: python in_step.py > in_step.json (pip install numpy autograd)
"""
import itertools
import json
from math import factorial

import autograd.numpy as np

from reference_run import *  # noqa: F403

result = {}


def toy():
    """The toy logits of two and three modalities, three samples, three classes."""
    audio = np.array([[2, 0, -1], [0.5, 1, 0], [0, 0, 1.0]])
    image = np.array([[0.5, 0, 0], [0, 0.2, 0.1], [1, 0, 0.0]])
    text = np.array([[0, 0.3, 0], [0, 0, 0.6], [0.2, 0, 0.4]])
    return [audio, image, text], np.arange(3)


# ----------------------------------------------------------------------------------------------------------------- agm
def agm_parts(m, value):
    """phi_u of a set function of the modalities' numbers; the empty set counts 0."""
    parts = []
    for u in range(m):
        others = [v for v in range(m) if v != u]
        total = 0
        for size in range(m):
            for S in itertools.combinations(others, size):
                weight = factorial(size) * factorial(m - size - 1) / factorial(m)
                total = total + weight * (value((*S, u)) - (value(S) if S else 0))
        parts.append(total)
    return parts


def agm(m, fusion, alpha, cap, window=True):
    model = Model(m, fusion)

    def parts(P, rows):
        f = model.features(P, rows)

        def value(S):
            blank = {n: f[n] if u in S else model.feature(P, n, 0 * model.x[n][rows]) for u, n in enumerate(model.names)}
            return model.logits(P, blank)

        return agm_parts(m, value)

    def step(P, state, rows):
        tau, t = state
        y = LABELS[rows]
        s = np.array([-np.log(np.maximum(p_label(phi, y), 1e-8)).mean() for phi in parts(P, rows)])
        r, r_star = (np.exp(m / (m - 1) * (x.mean() - x)) for x in (s, tau))
        gap = r_star - r
        kappa = np.exp(alpha * (np.minimum(gap, cap) if cap else gap)) if window else np.ones(m)

        def loss(P):
            phi = parts(P, rows)
            return np.mean(ce(sum(k * p + sg((1 - k) * p) for k, p in zip(kappa, phi)), y))

        t += 1
        return gradients(loss, P), (tau * (t - 1) / t + s / t, t), {f"kappa:{n}": k for n, k in zip(model.names, kappa)}

    P, (tau, _), found = run(model, step, (np.zeros(m), 0))
    everything = np.arange(SIZE)
    found["buffers"] = {"aux:agm/tau": rounded(tau)}
    found["logits"] = rounded(np.ravel(model.logits(P, model.features(P, everything))))
    found["solo"] = {n: rounded(np.ravel(p)) for n, p in zip(model.names, parts(P, everything))}
    return found


result["agm"] = [
    {"options": options, "m": m, "fusion": fusion, "epoch": epoch, **agm(m, fusion, *arguments, window=epoch == 0)}
    for options, m, fusion, epoch, arguments in [
        ({"alpha": 1.5}, 2, "concat", 0, (1.5, 10)),
        ({"alpha": 1, "cap": 0.1}, 3, "concat", 0, (1, 0.1)),
        ({"alpha": 1, "cap": 0}, 3, "decision", 0, (1, 0)),
        ({"alpha": 1.5}, 2, "concat", 21, (1.5, 10)),
    ]
]


# ----------------------------------------------------------------------------------------------------------------- mla
def entropy(logits):
    return -np.sum(softmax(logits) * log_softmax(logits), axis=1)


def entropy_average(own):
    w = np.exp(-np.stack([entropy(l) for l in own], 1))
    w = w / w.sum(1, keepdims=True)
    return sum(w[:, u : u + 1] * l for u, l in enumerate(own)), w


def project(p, r, alpha, form="scalar"):
    k = p @ r.T
    p = p - k @ k.T / (alpha + (r @ k if form == "scalar" else k @ r))
    return p / np.sqrt((p**2).sum())


def mla(m, form="scalar", update_first=True, reset=False, equal=True):
    d = FEATURES[0] if equal else max(FEATURES[:m])
    extra = {"aux:mla/kernel": (d, C), "aux:mla/bias": (C,)}
    model = Model(m, "decision", equal)
    extra.update({f"aux:mla:{n}/kernel": (w, d) for n, w in model.widths.items() if w != d})
    model = Model(m, "decision", equal, extra.items())
    P, p, count, first = model.params, np.eye(d), 0, None

    def feature(P, n, rows):
        f = model.feature(P, n, model.x[n][rows])
        return f @ P[f"aux:mla:{n}/kernel"] if f"aux:mla:{n}/kernel" in P else f

    for k, (rows, batches) in enumerate(zip(BATCHES, (1, 2, 2))):
        for n in model.names:
            y = LABELS[rows]
            G = gradients(
                lambda P: np.mean(ce(feature(P, n, rows) @ P["aux:mla/kernel"] + P["aux:mla/bias"], y)), P,
                [f"encoder:{n}/kernel", f"encoder:{n}/bias", "aux:mla/kernel", "aux:mla/bias", f"aux:mla:{n}/kernel"],
            )
            r = feature(P, n, rows).mean(0, keepdims=True)
            if count > 0 and form != "off":
                updated = project(p, r, 0.1 ** (1 + k / batches), form)
                G["aux:mla/kernel"] = (updated if update_first else p) @ G["aux:mla/kernel"]
                p = updated
            count += 1
            P = descend(P, G)
        if k == 0:
            first = P
    own = [feature(P, n, np.arange(SIZE)) @ P["aux:mla/kernel"] + P["aux:mla/bias"] for n in model.names]
    return {
        "first": flat(first),
        "last": flat(P),
        "stats": {},
        "buffers": {"aux:mla/projection": rounded(p.ravel()), "aux:mla/count": [count]} if form != "off" else {},
        "logits": rounded(np.ravel(entropy_average(own)[0])),
        "solo": {n: rounded(np.ravel(l)) for n, l in zip(model.names, own)},
    }


result["mla"] = [
    # The elementwise denominator passes near 0: single precision keeps fewer digits.
    {"tolerance": 0.01 if "elementwise" in arguments else 3e-4}
    | {"options": options, "m": m, "fusion": "decision", "epoch": 0, "equalWidths": equal, **mla(m, *arguments, equal=equal)}
    for options, m, equal, arguments in [
        ({}, 2, True, ()),
        ({}, 3, False, ()),
        ({"projection": "elementwise"}, 2, True, ("elementwise",)),
        ({"projection": "off"}, 2, True, ("off",)),
        ({"order": "project-first"}, 3, True, ("scalar", False)),
    ]
]


# ----------------------------------------------------------------------------------------------------------------- qmf
def ranks(w, kappa, margin):
    lead = kappa - np.roll(kappa, -1)
    return np.maximum(0, np.sign(lead) * (w - np.roll(w, -1)) + margin * np.abs(lead))


def qmf(m, lam, margin=1, per_visit=True, detach=True, epoch=0):
    model = Model(m, "decision")
    T = 10

    def own(P, rows):
        return model.solo(P, model.features(P, rows))

    def energy(l):
        return np.log(np.sum(np.exp(l), axis=1)) / T

    def fused(ls):
        return sum((sg(energy(l)) if detach else energy(l))[:, None] * l for l in ls.values())

    def step(P, state, rows):
        history, visits, low, high = state
        y = LABELS[rows]
        losses = np.stack([ce(l, y) for l in own(P, rows).values()], 1)
        values = history[rows] + losses
        if per_visit:
            values = values / (visits[rows] + 1)
        least, most = np.minimum(low, values.min(0)), np.maximum(high, values.max(0))
        kappa = (values - least) / (most - least)

        def loss(P):
            ls = own(P, rows)
            total = np.mean(ce(fused(ls), y)) + sum(np.mean(ce(l, y)) for l in ls.values())
            return total + lam * sum(np.mean(ranks(energy(l), kappa[:, u], margin)) for u, l in enumerate(ls.values()))

        rank = {
            f"loss/rank:{n}": lam * np.mean(ranks(energy(l), kappa[:, u], margin))
            for u, (n, l) in enumerate(own(P, rows).items())
        }
        G = gradients(loss, P)
        history, visits = history.copy(), visits.copy()
        history[rows] += losses
        visits[rows] += 1
        everyone = np.arange(SIZE) if epoch == 0 else np.flatnonzero(visits[:, 0])
        known = history[everyone] / np.maximum(visits[everyone], 1) if per_visit else history[everyone]
        return G, (history, visits, known.min(0), known.max(0)), rank

    nothing = np.zeros((SIZE, m))
    P, (history, visits, _, _), found = run(model, step, (nothing, nothing, np.zeros(m), np.zeros(m)))
    found["tables"] = {"qmf/history": rounded(history.ravel()), "qmf/visits": rounded(visits.ravel())}
    found["logits"] = rounded(np.ravel(fused(own(P, np.arange(SIZE)))))
    return found


result["qmf"] = [
    {"options": options, "m": m, "fusion": "decision", "epoch": epoch, **qmf(m, *arguments, epoch=epoch)}
    for options, m, epoch, arguments in [
        ({"lambda": 1}, 2, 0, (1,)),
        ({"lambda": 0.1}, 3, 1, (0.1,)),
        ({"lambda": 1, "margin": "released", "history": "sum", "detach": False}, 2, 0, (1, -1, False, False)),
    ]
]


# ----------------------------------------------------------------------------------------------------------------- pmr
def prototype_logits(f, c):
    return -np.sqrt(np.sum((f[:, None, :] - c[None]) ** 2, axis=2) + 1e-8)


def pmr(m, form, seen=(1, 1, 1), epoch=0):
    model = Model(m)
    c = {n: wave((C, w), 1.5, u) for u, (n, w) in enumerate(model.widths.items())}
    seen = np.array(seen)
    alpha, mu = 1, 0.01 if epoch < 5 else 0

    def own(P, rows):
        f = model.features(P, rows)
        return {n: prototype_logits(f[n], c[n]) * seen - (1 - seen) * 1e9 for n in model.names}

    def step(P, state, rows):
        y = LABELS[rows]
        known = seen[y]
        s = np.array([(p_label(l, y) * known).sum() / known.sum() for l in own(P, rows).values()])
        help = (s < s.max()).astype(float) if form == "switch" else np.clip(s.max() / s - 1, 0, 1)

        def loss(P):
            ls = own(P, rows)
            total = np.mean(ce(model.logits(P, model.features(P, rows)), y))
            total = total + alpha * sum(help[u] * np.mean(known * ce(l, y)) for u, l in enumerate(ls.values()))
            held = ls[model.names[int(np.argmax(s))]]
            return total - mu * help.max() * np.mean(entropy(held))

        stats = {f"score:{n}": v for n, v in zip(model.names, s)} | {f"help:{n}": v for n, v in zip(model.names, help)}
        return gradients(loss, P), state, stats

    P, _, found = run(model, step)
    found["start"] = {f"aux:pmr/{n}/prototypes": rounded(v.ravel()) for n, v in c.items()}
    found["start"] |= {f"aux:pmr/{n}/seen": seen.tolist() for n in model.names}
    return found


result["pmr"] = [
    {"options": options, "m": m, "fusion": "concat", "epoch": epoch, **pmr(m, form, seen, epoch)}
    for options, m, form, seen, epoch in [
        ({}, 2, "paper", (1, 1, 1), 0),
        ({}, 3, "paper", (1, 1, 1), 7),
        ({"coefficient": "switch"}, 2, "switch", (1, 1, 0), 0),
    ]
]


# ------------------------------------------------------------------------------------------------------------ mmpareto
def pareto(joint, own, gamma):
    """Of one encoder: lists of tensors."""
    j, u = np.concatenate([x.ravel() for x in joint]), np.concatenate([x.ravel() for x in own])
    cos = j @ u / (np.linalg.norm(j) * np.linalg.norm(u))
    a = 0.5 if cos > 0 else np.clip((u @ u - j @ u) / ((j - u) @ (j - u)), 0.001, 0.999)
    mixed = [2 * a * x + 2 * (1 - a) * y for x, y in zip(joint, own)]
    norm = np.linalg.norm
    return [gamma * g * max(norm(x + y) / norm(g), 1) for g, x, y in zip(mixed, joint, own)], cos, a


def mmpareto(m, fusion, gamma):
    extra = {}
    if fusion == "concat":
        for u, n in enumerate(NAMES[:m]):
            extra |= {f"head:{n}/kernel": (FEATURES[u], C), f"head:{n}/bias": (C,)}
    model = Model(m, fusion, extra=extra.items())

    def own(P, rows):
        f = model.features(P, rows)
        return {n: f[n] @ P[f"head:{n}/kernel"] + P[f"head:{n}/bias"] for n in model.names}

    def step(P, state, rows):
        y = LABELS[rows]
        J = gradients(lambda P: np.mean(ce(model.logits(P, model.features(P, rows)), y)), P)
        U = gradients(lambda P: sum(np.mean(ce(l, y)) for l in own(P, rows).values()), P)
        G, stats = {n: J[n] + U[n] for n in J}, {}
        for n in model.names:
            names = [f"encoder:{n}/bias", f"encoder:{n}/kernel"]
            joined, stats[f"cosine:{n}"], stats[f"share:{n}"] = pareto([J[k] for k in names], [U[k] for k in names], gamma)
            G.update(zip(names, joined))
        return G, state, stats

    P, _, found = run(model, step)
    found["solo"] = {n: rounded(np.ravel(l)) for n, l in own(P, np.arange(SIZE)).items()}
    return found


result["mmpareto"] = [
    {"options": {"gamma": gamma}, "m": m, "fusion": fusion, "epoch": 0, **mmpareto(m, fusion, gamma)}
    for m, fusion, gamma in [(2, "concat", 1.5), (3, "concat", 1), (3, "decision", 2)]
]


# ------------------------------------------------------------------------------------------------------------ mmcosine
def cosines(f, k, scale):
    return scale * (f @ k) / (np.sqrt(np.sum(f**2, 1, keepdims=True)) * np.sqrt(np.sum(k**2, 0, keepdims=True)))


def mmcosine(m, fusion, scale):
    model = Model(m, fusion)
    kernel = "head/kernel/{}" if fusion == "concat" else "head:{}/kernel"

    def own(P, rows):
        f = model.features(P, rows)
        return {n: cosines(f[n], P[kernel.format(n)], scale) for n in model.names}

    def step(P, state, rows):
        return gradients(lambda P: np.mean(ce(sum(own(P, rows).values()), LABELS[rows])), P), state, {}

    P, _, found = run(model, step)
    found["logits"] = rounded(np.ravel(sum(own(P, np.arange(SIZE)).values())))
    found["solo"] = {n: rounded(np.ravel(l)) for n, l in own(P, np.arange(SIZE)).items()}
    return found


result["mmcosine"] = [
    {"options": {"scale": scale}, "m": m, "fusion": fusion, "epoch": 0, **mmcosine(m, fusion, scale)}
    for m, fusion, scale in [(2, "concat", 10), (3, "sum", 15), (3, "decision", 5)]
]


# ---------------------------------------------------------------------------------------------------------------- amco
def amco(m, fusion, full):
    """Rates of 0 or 1 only: with others, who is masked is drawn."""
    model = Model(m, fusion, extra={"aux:amco/kernel": (C, C), "aux:amco/bias": (C,)}.items())

    def own(P, rows):
        return list(model.solo(P, model.features(P, rows)).values())

    def fused(P, ls):
        return sum(ls) @ P["aux:amco/kernel"] + P["aux:amco/bias"]

    def step(P, dependent, rows):
        y = LABELS[rows]

        def loss(P):
            ls = own(P, rows)
            masked = [l * (1 - d) if full else l for l, d in zip(ls, dependent)]
            return np.mean(ce(fused(P, masked), y)) + sum(np.mean(ce(l, y)) for l in ls)

        together = softmax(np.concatenate(own(P, rows), 1))
        share = np.array([together[:, C * u : C * (u + 1)].sum(1).mean() for u in range(m)])
        stats = {f"share:{n}": s for n, s in zip(model.names, share)} | {"rate": float(full)}
        return gradients(loss, P), (share > 0.5).astype(float), stats

    P, dependent, found = run(model, step, np.zeros(m))
    found["buffers"] = {"aux:amco/dependent": rounded(dependent)}
    found["logits"] = rounded(np.ravel(fused(P, own(P, np.arange(SIZE)))))
    return found


result["amco"] = [
    {"options": options, "m": m, "fusion": fusion, "epoch": epoch, "epochs": 20, **amco(m, fusion, full)}
    for options, m, fusion, epoch, full in [
        ({}, 2, "concat", 0, False),
        ({}, 2, "sum", 9, True),
        ({"ramp": "released"}, 3, "concat", 4, True),
    ]
]


# ----------------------------------------------------------------------------------------------------------------- cml
def cml(m, fusion, lam, order, hinge):
    model = Model(m, fusion)
    chain = [[u for u in range(m) if u not in order[:k]] for k in range(m)]

    def step(P, state, rows):
        y = LABELS[rows]

        def terms(P):
            f = model.features(P, rows)
            ls = [model.zero_filled(P, f, [model.names[u] for u in kept]) for kept in chain]
            sure = [np.max(softmax(l), axis=1) for l in ls]
            rises = [after - before for before, after in zip(sure, sure[1:])]
            hinges = [np.mean(np.maximum(0, r)) if hinge == "sample" else np.maximum(0, np.sum(r)) for r in rises]
            return sum(np.mean(ce(l, y)) for l in ls) / m, lam * sum(hinges)

        joint, sure = terms(P)
        return gradients(lambda P: sum(terms(P)), P), state, {"loss/joint": joint, "loss/confidence": sure}

    return run(model, step)[2] | {
        "controls": {"cml/chain": [int(u in kept) for kept in chain[1:] for u in range(m)]}
    }


result["cml"] = [
    {"options": options, "m": m, "fusion": fusion, "epoch": 0, **cml(m, fusion, *arguments)}
    for options, m, fusion, arguments in [
        ({"lambda": 0.5}, 2, "concat", (0.5, [0, 1], "sample")),
        ({"lambda": 1}, 3, "decision", (1, [2, 0, 1], "sample")),
        ({"hinge": "batch"}, 3, "concat", (0.1, [1, 2, 0], "batch")),
    ]
]


# ---------------------------------------------------------------------------------------------------------------- mbsd
def mbsd(m, fusion, weight=1, distance="logits", divergence="kl", free=False):
    model = Model(m, fusion)

    def pair(a, b, y):
        p, q = p_label(a, y), p_label(b, y)
        either = (np.argmax(sg(a), 1) == y) | (np.argmax(sg(b), 1) == y)
        w = np.abs(p - q) * either
        w = w if free else sg(w)
        x, z = (a, b) if distance == "logits" else (softmax(a), softmax(b))
        first = (sg(p) > sg(q))[:, None] * 1.0
        strong, weak = sg(a * first + b * (1 - first)), b * first + a * (1 - first)
        if divergence == "kl":
            d = np.sum(softmax(strong) * (log_softmax(strong) - log_softmax(weak)), axis=1)
        else:
            own = p_label(weak, y)
            d = own * (np.log(own) - p_label(strong, y))
        return w * np.mean((x - z) ** 2, axis=1), w * d

    def step(P, state, rows):
        y = LABELS[rows]

        def terms(P):
            f = model.features(P, rows)
            ls = list(model.solo(P, f).values())
            pairs = [pair(a, b, y) for a, b in itertools.combinations(ls, 2)]
            near, taught = (weight * sum(np.mean(x) for x in part) / len(pairs) for part in zip(*pairs))
            return np.mean(ce(model.logits(P, f), y)) + sum(np.mean(ce(l, y)) for l in ls), near, taught

        _, near, taught = terms(P)
        return gradients(lambda P: sum(terms(P)), P), state, {"loss/distance": near, "loss/divergence": taught}

    return run(model, step)[2]


result["mbsd"] = [
    {"options": options, "m": m, "fusion": fusion, "epoch": 0, **mbsd(m, fusion, *arguments)}
    for options, m, fusion, arguments in [
        ({}, 2, "concat", ()),
        ({"weight": 0.5, "distance": "probabilities"}, 3, "concat", (0.5, "probabilities")),
        ({"divergence": "released", "weightGradient": True}, 3, "decision", (1, "logits", "released", True)),
    ]
]


# ---------------------------------------------------------------------------------------------------------------- mslr
def mslr(m, fusion, factors):
    model = Model(m, fusion)
    factor = {f"encoder:{n}": c for n, c in zip(model.names, factors)}
    factor |= {f"head:{n}": c for n, c in zip(model.names, factors)}

    def step(P, state, rows):
        G = gradients(lambda P: np.mean(ce(model.logits(P, model.features(P, rows)), LABELS[rows])), P)
        return G, state, {}, lambda name: factor.get(group(name), 1)

    return run(model, step)[2]


result["mslr"] = [
    {"options": options, "m": m, "fusion": fusion, "epoch": epoch, "epochs": 30, **mslr(m, fusion, factors)}
    for options, m, fusion, epoch, factors in [
        ({}, 2, "concat", 0, (0.9, 1.1)),
        ({"init": [0.9, 0.7, 1.4]}, 3, "decision", 19, (0.9, 0.7, 1.4)),
        ({"init": [2, 3], "on": "gradient"}, 2, "decision", 3, (2, 3)),
        ({"init": [2, 3]}, 2, "concat", 20, (1, 1)),
    ]
]


# ----------------------------------------------------------------------------------------------------------------- mlb
def own_heads(m, fusion):
    extra = {}
    if fusion == "concat":
        for u, n in enumerate(NAMES[:m]):
            extra |= {f"head:{n}/kernel": (FEATURES[u], C), f"head:{n}/bias": (C,)}
    return Model(m, fusion, extra=extra.items())


def own_logits(model, P, rows):
    f = model.features(P, rows)
    return {n: f[n] @ P[f"head:{n}/kernel"] + P[f"head:{n}/bias"] for n in model.names}


def mlb(m, fusion, alpha=0.8, beta=2, everything=True):
    model = own_heads(m, fusion)

    def step(P, state, rows):
        y = LABELS[rows]
        s = np.array([p_label(l, y).mean() for l in own_logits(model, P, rows).values()])
        r = np.array([np.delete(s, u).mean() / s[u] for u in range(m)])
        k = dict(zip(model.names, 1 + (np.where(r > 1, beta, 2) - 1) * np.tanh(alpha * (r - 1))))

        def loss(P):
            joint = np.mean(ce(model.logits(P, model.features(P, rows)), y))
            return joint + sum(np.mean(ce(l, y)) for l in own_logits(model, P, rows).values())

        G = gradients(loss, P)
        for n in model.names:
            scaled = [f"encoder:{n}/kernel", f"encoder:{n}/bias"]
            if everything:
                scaled += [f"head:{n}/kernel", f"head:{n}/bias", f"head/kernel/{n}"]
            for name in scaled:
                if name in G:
                    G[name] = k[n] * G[name]
        return G, state, {f"k:{n}": v for n, v in k.items()}

    P, _, found = run(model, step)
    found["solo"] = {n: rounded(np.ravel(l)) for n, l in own_logits(model, P, np.arange(SIZE)).items()}
    return found


result["mlb"] = [
    {"options": options, "m": m, "fusion": fusion, "epoch": 0, **mlb(m, fusion, *arguments)}
    for options, m, fusion, arguments in [
        ({}, 2, "concat", ()),
        ({"alpha": 0.5, "beta": 10}, 3, "decision", (0.5, 10)),
        ({"scope": "encoder"}, 3, "concat", (0.8, 2, False)),
    ]
]


# ----------------------------------------------------------------------------------------------------------------- dgl
def dgl(m, fusion, alpha=4, readout="zero-filled"):
    model = Model(m, fusion)

    def own(P, f):
        if readout == "solo":
            return model.solo(P, f)
        return {n: model.zero_filled(P, f, [n]) for n in model.names}

    def step(P, state, rows):
        y = LABELS[rows]

        # As the paper writes it: the fused path sees detached features, the unimodal ones a detached head.
        def loss(P):
            f = model.features(P, rows)
            fixed = {name: v if name.startswith("encoder:") else sg(v) for name, v in P.items()}
            joint = np.mean(ce(model.logits(P, {n: sg(v) for n, v in f.items()}), y))
            return joint + alpha * sum(np.mean(ce(l, y)) for l in own(fixed, f).values())

        return gradients(loss, P), state, {}

    P, _, found = run(model, step)
    found["solo"] = {n: rounded(np.ravel(l)) for n, l in own(P, model.features(P, np.arange(SIZE))).items()}
    return found


result["dgl"] = [
    {"options": options, "m": m, "fusion": fusion, "epoch": 0, **dgl(m, fusion, *arguments)}
    for options, m, fusion, arguments in [
        ({}, 2, "concat", ()),
        ({"alpha": 2}, 3, "decision", (2,)),
        ({"alpha": 1, "readout": "solo"}, 3, "concat", (1, "solo")),
    ]
]


# ----------------------------------------------------------------------------------------------------------------- arl
def arl_speeds(H, a, T, form="entropy"):
    m = len(H)
    if form == "released":
        return np.full(m, 0.5)
    h = np.maximum(H / H.sum(), 0.6 / m)
    w = (1 / h) / (1 / h).sum()
    if form == "inverse":
        return w
    e = np.exp(T * (1 - a / a.sum()) * w)
    return e / e.sum()


def arl(m, fusion, gamma, T, form, late):
    model = Model(m, fusion)

    def own(P, f):
        return {n: model.zero_filled(P, f, [n]) for n in model.names}

    def step(P, state, rows):
        y = LABELS[rows]
        ls = list(own(P, model.features(P, rows)).values())
        H, a = np.array([entropy(l).mean() for l in ls]), np.array([np.abs(l).mean(0).sum() for l in ls])
        omega = dict(zip(model.names, arl_speeds(H, a, T, form) if late else np.zeros(m)))

        def loss(P):
            f = model.features(P, rows)
            return np.mean(ce(model.logits(P, f), y)) + (gamma if late else 1) * sum(np.mean(ce(l, y)) for l in own(P, f).values())

        G = gradients(loss, P)
        for n in model.names:
            for name in (f"encoder:{n}/kernel", f"encoder:{n}/bias"):
                G[name] = (1 + omega[n]) * G[name]
        return G, state, {f"speed:{n}": v for n, v in omega.items()}

    return run(model, step)[2]


result["arl"] = [
    {"options": options, "m": m, "fusion": fusion, "epoch": epoch, **arl(m, fusion, *arguments, epoch > 5)}
    for options, m, fusion, epoch, arguments in [
        ({}, 2, "concat", 6, (4, 8, "entropy")),
        ({"gamma": 3, "temperature": 4}, 3, "decision", 7, (3, 4, "entropy")),
        ({"weights": "inverse"}, 3, "concat", 6, (4, 8, "inverse")),
        ({"weights": "released"}, 2, "concat", 6, (4, 8, "released")),
        ({}, 2, "concat", 5, (4, 8, "entropy")),
    ]
]


# ---------------------------------------------------------------------------------------------------------------- cggm
def cosine(a, b):
    return np.sum(a * b) / (np.sqrt(np.sum(a**2)) * np.sqrt(np.sum(b**2)))


def cggm_kappa(gains, form):
    S = gains.sum()
    if form == "released":
        return (S + 1e-8 - gains) / (S + 1e-8)
    return np.clip((S - gains) / S, 0, 1) if abs(S) > 1e-8 else np.ones(len(gains))


def cggm(m, fusion, rho=1.3, lam=0.2, form="clipped", direction="weight"):
    extra = {}
    for u, n in enumerate(NAMES[:m]):
        extra |= {f"aux:cggm:{n}/kernel": (FEATURES[u], C), f"aux:cggm:{n}/bias": (C,)}
    model = Model(m, fusion, extra=extra.items())

    def kernels(P):
        if fusion == "concat":
            return {n: P[f"head/kernel/{n}"] for n in model.names}
        return {n: P[f"head:{n}/kernel"] / m for n in model.names}

    def heads(P, f):
        return {n: sg(f[n]) @ P[f"aux:cggm:{n}/kernel"] + P[f"aux:cggm:{n}/bias"] for n in model.names}

    def step(P, state, rows):
        before, kappa, old = state
        y = LABELS[rows]
        now = np.array([(np.argmax(q, 1) == y).mean() for q in heads(P, model.features(P, rows)).values()])
        fresh = cggm_kappa(now - before, form)

        def turned(P):
            """lambda D by weights of now."""
            A = {n: sg(P[f"aux:cggm:{n}/kernel"]) for n in model.names}
            K = kernels(P)
            return lam / m * (np.abs(kappa).sum() - sum(k * cosine(K[n], A[n]) for k, n in zip(kappa, model.names)))

        def loss(P):
            f = model.features(P, rows)
            total = np.mean(ce(model.logits(P, f), y)) + sum(np.mean(ce(q, y)) for q in heads(P, f).values())
            return total + (turned(P) if direction == "weight" else 0)

        G = gradients(loss, P)
        if direction == "released" and old is not None:
            stale = gradients(turned, old)
            for name in G:
                if name.startswith("head"):
                    G[name] = G[name] + stale[name]
        for k, n in zip(fresh, model.names):
            for name in (f"encoder:{n}/kernel", f"encoder:{n}/bias"):
                G[name] = rho * k * G[name]
        stats = {f"kappa:{n}": k for n, k in zip(model.names, fresh)}
        return G, (now, fresh, P), stats, lambda name: 0.5 if name.startswith("aux:cggm") else 1

    P, (accuracy, kappa, _), found = run(model, step, (np.zeros(m), np.zeros(m), None))
    found["buffers"] = {"aux:cggm/accuracy": rounded(accuracy), "aux:cggm/kappa": rounded(kappa)}
    everything = model.features(P, np.arange(SIZE))
    found["solo"] = {n: rounded(np.ravel(q)) for n, q in heads(P, everything).items()}
    return found


result["cggm"] = [
    {"options": options, "m": m, "fusion": fusion, "epoch": 0, **cggm(m, fusion, *arguments)}
    for options, m, fusion, arguments in [
        ({}, 2, "concat", ()),
        ({"rho": 1, "lambda": 2}, 3, "decision", (1, 2)),
        ({"kappa": "released", "direction": "released", "lambda": 1}, 3, "concat", (1.3, 1, "released", "released")),
        ({"direction": "off"}, 2, "decision", (1.3, 0.2, "clipped", "off")),
    ]
]


# ----------------------------------------------------------------------------------------------------------------- pdf
def beliefs(c):
    """[B, m]."""
    m = c.shape[1]
    logs = np.log(np.clip(c, 1e-6, 1 - 1e-6))
    total = np.sum(logs, axis=1, keepdims=True)
    return c + (total - logs) / ((m - 1) * total)


def calibration(ps):
    du = np.stack([np.mean(np.abs(p - 1 / p.shape[1]), axis=1) for p in ps], 1)
    return du / du.max(1, keepdims=True)


def pdf(m, net="relu", calibrate=True):
    extra = {}
    for u, n in enumerate(NAMES[:m]):
        d = FEATURES[u]
        layers = {"hidden": (d, d), "out": (d, 1)} if net == "relu" else {"hidden1": (d, 2 * d), "hidden2": (2 * d, d), "out": (d, 1)}
        for layer, shape in layers.items():
            extra |= {f"aux:pdf:{n}/{layer}/kernel": shape, f"aux:pdf:{n}/{layer}/bias": shape[1:]}
    model = Model(m, "decision", extra=extra.items())

    def confidence(P, n, f):
        def linear(layer, x):
            return x @ P[f"aux:pdf:{n}/{layer}/kernel"] + P[f"aux:pdf:{n}/{layer}/bias"]

        f = sg(f)
        hidden = np.maximum(linear("hidden", f), 0) if net == "relu" else linear("hidden2", linear("hidden1", f))
        return 1 / (1 + np.exp(-linear("out", hidden)[:, 0]))

    def everything(P, rows, test=False):
        f = model.features(P, rows)
        ls = list(model.solo(P, f).values())
        c = [confidence(P, n, f[n]) for n in model.names]
        b = beliefs(np.stack([sg(x) for x in c], 1))
        if test and calibrate:
            b = b * calibration([softmax(l) for l in ls])
        w = softmax(b)
        return ls, c, sum(w[:, u : u + 1] * l for u, l in enumerate(ls))

    def step(P, state, rows):
        y = LABELS[rows]

        def loss(P):
            ls, c, fused = everything(P, rows)
            total = np.mean(ce(fused, y)) + sum(np.mean(ce(l, y)) for l in ls)
            return total + sum(np.mean(np.abs(own - sg(p_label(l, y)))) for own, l in zip(c, ls))

        c = everything(P, rows)[1]
        return gradients(loss, P), state, {f"confidence:{n}": v.mean() for n, v in zip(model.names, c)}

    P, _, found = run(model, step)
    found["logits"] = rounded(np.ravel(everything(P, np.arange(SIZE), test=True)[2]))
    return found


result["pdf"] = [
    {"options": options, "m": m, "fusion": "decision", "epoch": 0, **pdf(m, *arguments)}
    for options, m, arguments in [
        ({}, 2, ()),
        ({}, 3, ()),
        ({"net": "released", "calibrate": "never"}, 2, ("released", False)),
    ]
]


# ---------------------------------------------------------------------------------------------------------------- amid
def info_nce(t, s, y, tau):
    unit = lambda x: x / np.sqrt(np.sum(x**2, axis=1, keepdims=True))  # noqa: E731
    similar = unit(t) @ unit(s).T / tau
    taken = (y[:, None] != y[None]) | np.eye(len(y), dtype=bool)
    masked = similar + (taken - 1.0) * 1e9
    top = np.max(sg(masked))
    rows = top + np.log(np.sum(np.exp(masked - top), axis=1))
    columns = top + np.log(np.sum(np.exp(masked - top), axis=0))
    return (rows + columns) / 2 - np.sum(similar * np.eye(len(y)), axis=1)


def amid(m, fusion, weights=(0.1, 0.001), tau=0.1, teacher="fused", width=5):
    extra = {"aux:amid/teacher/kernel": (C, width)}
    for u, n in enumerate(NAMES[:m]):
        d = FEATURES[u]
        extra |= {f"aux:amid/{n}/kernel": (d, width), f"aux:amid/{n}/guess/kernel": (d, C), f"aux:amid/{n}/guess/bias": (C,)}
    model = Model(m, fusion, extra=extra.items())

    def step(P, state, rows):
        y = LABELS[rows]

        def terms(P):
            f = model.features(P, rows)
            fused = model.logits(P, f)
            total = np.mean(ce(fused, y)) + sum(np.mean(ce(l, y)) for l in model.solo(P, f).values())
            found = {}
            for n in model.names:
                t = sg(fused if teacher == "fused" else model.zero_filled(P, f, [v for v in model.names if v != n]))
                pair = info_nce(t @ P["aux:amid/teacher/kernel"], f[n] @ P[f"aux:amid/{n}/kernel"], y, tau)
                guess = f[n] @ P[f"aux:amid/{n}/guess/kernel"] + P[f"aux:amid/{n}/guess/bias"]
                found[f"loss/nce:{n}"] = weights[0] * np.mean(pair)
                found[f"loss/conditional:{n}"] = weights[1] * np.mean(np.sum((guess - t) ** 2, axis=1))
            return total, found

        def loss(P):
            total, found = terms(P)
            return total + sum(found.values())

        return gradients(loss, P), state, terms(P)[1]

    return run(model, step)[2]


result["amid"] = [
    {"options": {"width": 5} | options, "m": m, "fusion": fusion, "epoch": 0, **amid(m, fusion, *arguments)}
    for options, m, fusion, arguments in [
        ({}, 2, "concat", ()),
        ({"nce": 0.5, "conditional": 0.01, "temperature": 0.5}, 3, "decision", ((0.5, 0.01), 0.5)),
        ({"teacher": "others", "conditional": 0.1}, 3, "concat", ((0.1, 0.1), 0.1, "others")),
    ]
]

if __name__ == "__main__":
    print(json.dumps(result))
