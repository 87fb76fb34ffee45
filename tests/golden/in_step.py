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

if __name__ == "__main__":
    print(json.dumps(result))
