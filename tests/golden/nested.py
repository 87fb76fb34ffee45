"""Methods with teachers, stages and programs of their own, from their formulas: steps of a linear model each.

Run: python nested.py > nested.json (pip install numpy autograd)
"""
import itertools
import json

import autograd.numpy as np

from reference_run import *  # noqa: F403

result = {}

# The toy logits of two and three modalities, three samples, three classes; labels 0, 1, 2.
AUDIO = np.array([[2, 0, -1], [0.5, 1, 0], [0, 0, 1.0]])
IMAGE = np.array([[0.5, 0, 0], [0, 0.2, 0.1], [1, 0, 0.0]])
TEXT = np.array([[0, 0.3, 0], [0, 0, 0.6], [0.2, 0, 0.4]])
TOY = np.arange(3)


def case(name, options, m, fusion, epoch, found, **more):
    result.setdefault(name, []).append({"options": options, "m": m, "fusion": fusion, "epoch": epoch, **more, **found})


# ----------------------------------------------------------------------------------------------------------------- lfm
A0 = [0.204624, 3.35473e-3, 1.22990e-4, -2.92947e-6, 2.23835e-8, -5.39718e-11]


def fitted(e):
    return sum(a * float(e) ** k for k, a in enumerate(A0))


def gap_weight(e):
    return float(np.clip(1 - fitted(min(e, 199)), 0.05, 0.95))


def js(a, b, reverse=False):
    p, q = softmax(a), softmax(b)
    M = (p + q) / 2
    kl = lambda x, y: np.sum(x * (np.log(x) - np.log(y)), axis=1)
    return (kl(M, p) + kl(M, q)) / 2 if reverse else (kl(p, M) + kl(q, M)) / 2


def lfm(m, fusion, a1, reverse):
    model = Model(m, fusion)

    def terms(P, rows):
        f = model.features(P, rows)
        solo = model.solo(P, f)
        pairs = list(itertools.combinations(model.names, 2))
        gap = sum(np.mean(js(solo[u], solo[v], reverse)) for u, v in pairs) / len(pairs)
        return {"loss/joint": 2 * (1 - a1) * np.mean(ce(model.logits(P, f), LABELS[rows])), "loss/gap": 2 * a1 * gap}

    def step(P, state, rows):
        return gradients(lambda P: sum(terms(P, rows).values()), P), state, terms(P, rows)

    return run(model, step)[2]


for options, m, fusion, epoch, a1, reverse in [
    ({}, 2, "concat", 0, gap_weight(0), False),
    ({}, 3, "decision", 199, gap_weight(199), False),
    ({}, 2, "concat", 250, gap_weight(250), False),
    ({"divergence": "reversed"}, 3, "concat", 50, gap_weight(50), True),
    ({"schedule": "stretched"}, 2, "concat", 5, gap_weight(100), False),
    ({"schedule": "constant", "share": 0}, 2, "concat", 5, 0, False),
]:
    case("lfm", options, m, fusion, epoch, lfm(m, fusion, a1, reverse))
result["formulas"] = {
    "lfm": {
        "fitted": {str(e): round(fitted(e), 6) for e in (0, 10, 50, 100, 150, 199)},
        "js": rounded(js(AUDIO, IMAGE)),
        "reversed": rounded(js(AUDIO, IMAGE, True)),
    }
}


# ------------------------------------------------------------------------------------------------------------ teachers
def teacher(model, rows, n, width):
    """What stands in for a teacher: sines of the sum of a sample's inputs and the position."""
    return np.sin(model.x[n][rows].sum(1, keepdims=True) + np.arange(width))


def umt(m, fusion, weight):
    model = Model(m, fusion)

    def terms(P, rows):
        f = model.features(P, rows)
        found = {"loss/joint": np.mean(ce(model.logits(P, f), LABELS[rows]))}
        for n in model.names:
            found[f"loss/teacher:{n}"] = weight * np.mean((f[n] - teacher(model, rows, n, model.widths[n])) ** 2)
        return found

    def step(P, state, rows):
        return gradients(lambda P: sum(terms(P, rows).values()), P), state, terms(P, rows)

    return run(model, step)[2]


for options, m, fusion, weight in [({}, 2, "concat", 10), ({"weight": 0.5}, 3, "decision", 0.5)]:
    case("umt", options, m, fusion, 0, umt(m, fusion, weight))


def kl(t, l, T=1):
    p, q = softmax(t / T), softmax(l / T)
    return np.sum(p * (np.log(p) - np.log(q)), axis=1)


def g2d(m, fusion, kept, T=1, lam=(1, 1), kind="fused", freeze="gradient", order="batch"):
    model = Model(m, fusion)
    everything = np.arange(SIZE)

    def terms(P, rows):
        f = model.features(P, rows)
        fused, solo = model.logits(P, f), model.solo(P, f)
        found = {"loss/joint": np.mean(ce(fused, LABELS[rows]))}
        for n in model.names:
            to = fused if kind == "fused" else solo[n]
            found[f"loss/logits:{n}"] = lam[0] * T**2 * np.mean(kl(teacher(model, rows, n, C), to, T))
            found[f"loss/features:{n}"] = lam[1] * np.mean((f[n] - teacher(model, rows, n, model.widths[n])) ** 2)
        return found

    def step(P, state, rows):
        seen = rows if order == "batch" else everything
        c = np.array([p_label(teacher(model, seen, n, C), LABELS[seen]).mean() for n in model.names])
        flags = {n: float((c < own).sum() < kept) for n, own in zip(model.names, c)}
        G = gradients(lambda P: sum(terms(P, rows).values()), P)
        G = {k: g * flags.get(group(k).removeprefix("encoder:"), 1) for k, g in G.items()}
        found = terms(P, rows) | {f"kept:{n}": k for n, k in flags.items()}
        return G, state, found

    return run(model, step)[2]


for options, m, fusion, epoch, arguments in [
    ({}, 2, "concat", 0, {"kept": 1}),
    ({"end": 3}, 2, "concat", 4, {"kept": 2}),
    ({"end": 9, "temperature": 2, "kl": "unimodal"}, 3, "decision", 4, {"kept": 1, "T": 2, "kind": "unimodal"}),
    ({"end": 9, "logitWeight": 0.5, "featureWeight": 2}, 3, "concat", 5, {"kept": 2, "lam": (0.5, 2)}),
    ({"freeze": "update"}, 2, "concat", 0, {"kept": 1}),
    ({"order": "run"}, 3, "concat", 0, {"kept": 1, "order": "run"}),
]:
    case("g2d", options, m, fusion, epoch, g2d(m, fusion, **arguments))
result["formulas"]["g2d"] = {
    "kl": {
        str(T): [round(float(T**2 * kl(t, np.array([[0.5, 0.1, 0], [0.05, 0.5, 0], [0, 0, 0.4]]), T).mean()), 6) for t in (AUDIO, IMAGE)]
        for T in (1, 2)
    },
    "confidences": [round(float(p_label(t, TOY).mean()), 6) for t in (AUDIO, IMAGE)],
}


# ------------------------------------------------------------------------------------------------------------ info-reg
def beta(scores, strengths):
    found = []
    for u, own in enumerate(scores):
        gap = own - np.mean([s for v, s in enumerate(scores) if v != u])
        found.append(strengths[u] * np.exp(np.tanh(gap)) if gap > 0 else 0.0)
    return found


def info_reg(m, fusion, strengths, how):
    model = Model(m, fusion)
    start = {k: v for k, v in model.params.items()}

    def terms(P, rows):
        f = model.features(P, rows)
        found = {"loss/joint": np.mean(ce(model.logits(P, f), LABELS[rows]))}
        for n, l in model.solo(P, f).items():
            found[f"loss/uni:{n}"] = np.mean(ce(l, LABELS[rows]))
        return found

    def step(P, state, rows):
        solo = model.solo(P, model.features(P, rows))
        scores = [getattr(p_label(solo[n], LABELS[rows]), how)() for n in model.names]
        betas = dict(zip(model.names, beta(scores, strengths)))
        G = gradients(lambda P: sum(terms(P, rows).values()), P)
        for k in G:
            n = group(k).removeprefix("encoder:")
            if n in betas:
                G[k] = G[k] + betas[n] * (P[k] - start[k])
        found = terms(P, rows)
        for n in model.names:
            found[f"beta:{n}"] = betas[n]
            found[f"trace:{n}"] = np.mean(G[f"encoder:{n}/kernel"] ** 2)
        return G, state, found

    return run(model, step)[2]


for options, m, fusion, arguments in [
    ({}, 2, "concat", ([0.95] * 2, "mean")),
    ({"strength": [0.95, 0.1, 0.5], "score": "sum"}, 3, "decision", ([0.95, 0.1, 0.5], "sum")),
    ({"strength": [0.3]}, 3, "concat", ([0.3] * 3, "mean")),
]:
    case("info-reg", options, m, fusion, 0, info_reg(m, fusion, *arguments))


def gains(traces, span=10):
    found, values = [1.0], [0.0] * span
    for t in traces:
        before, values = sum(values), values[1:] + [t]
        found.append((sum(values) - before) / sum(values) if sum(values) > 0 else 0.0)
    return found


toy_scores = [p_label(l, TOY) for l in (AUDIO, IMAGE)]
result["formulas"]["infoReg"] = {
    "gains": rounded(gains([4, 3, 2, 1, 0.5, 0.4])),
    "reopened": rounded(gains([1, 1, 0, 0, 5, 0, 1], 2)),
    "beta": {
        f"{c} {how}": round(beta([getattr(s, how)() for s in toy_scores], [c, c])[0], 6)
        for c in (0.95, 0.1)
        for how in ("mean", "sum")
    },
}


# ------------------------------------------------------------------------------------------------------- data-remixing
def surety(logits):
    p = softmax(logits)
    return np.log(p.shape[1]) + np.sum(p * np.log(p), axis=1)


def data_remixing(m, fusion, warm, alpha, gamma, split=False):
    extra = []
    widths = {n: FEATURES[u] for u, n in enumerate(NAMES[:m])}
    if not split:
        for n in NAMES[:m]:
            extra += [(f"aux:data-remixing:{n}/kernel", (widths[n], C)), (f"aux:data-remixing:{n}/bias", (C,))]
    model = Model(m, fusion, extra=extra)

    def own(P, f):
        if split:
            return model.solo(P, f)
        return {n: f[n] @ P[f"aux:data-remixing:{n}/kernel"] + P[f"aux:data-remixing:{n}/bias"] for n in model.names}

    def terms(P, rows, kept, weight):
        f = model.features(P, rows)
        logits = model.logits(P, f) if kept == model.names else model.zero_filled(P, f, kept)
        found = {"loss/joint": np.mean(ce(logits, LABELS[rows]))}
        for n in model.names:
            found[f"loss/uni:{n}"] = weight * np.mean(ce(own(P, f)[n], LABELS[rows])) if n in kept else 0.0
        return found

    P, first, stats, assigned = model.params, None, None, []
    for rows in BATCHES[:1] + [np.concatenate(BATCHES[1:])]:
        if warm:
            blocks = [(model.names, part) for part in (rows[:6], rows[6:]) if len(part)]
            weight = alpha
        else:
            # As the harness plans: a pass over the listed samples, then a block for each modality, the last one first.
            D = np.stack([surety(own(P, model.features(P, rows))[n]) for n in model.names], 1)
            least = D.argmin(1)
            assigned += least.tolist()
            blocks = []
            for u in reversed(range(m)):
                mine = rows[least == u]
                blocks += [([model.names[u]], mine[k : k + BATCH]) for k in range(0, len(mine), BATCH)]
            weight = gamma
        for kept, part in blocks:
            loss = lambda P: sum(terms(P, part, kept, weight).values())
            if stats is None:
                stats = terms(P, part, kept, weight)
            P = descend(P, gradients(loss, P))
        first = first or P
    return {
        "first": flat(first),
        "last": flat(P),
        "stats": {k: round(float(v), 8) for k, v in stats.items()},
        "solo": {n: rounded(np.ravel(l)) for n, l in own(P, model.features(P, np.arange(SIZE))).items()},
    }, assigned


for options, m, fusion, arguments in [
    ({}, 2, "concat", (True, 0.5, 1)),
    ({"warmup": 0}, 2, "concat", (False, 0.5, 1)),
    ({"warmup": 0, "gamma": 0.3, "readout": "split"}, 3, "concat", (False, 0.5, 0.3, True)),
    ({"warmup": 0, "idle": "moves"}, 3, "decision", (False, 0.5, 1)),
]:
    found, assigned = data_remixing(m, fusion, *arguments)
    assert not assigned or len(set(assigned)) > 1, assigned
    case("data-remixing", options, m, fusion, 0, found)
result["formulas"]["dataRemixing"] = {"surety": [rounded(surety(l)) for l in (AUDIO, IMAGE)]}


# --------------------------------------------------------------------------------------------------------- recon-boost
def boost_loss(own, y, q, w1, w2):
    return np.mean(ce(own, y) * (w1 - w2 * q) / own.shape[1])


def recon_boost(m, turn, later, rectify=False, hidden=0, gradient=True, alpha=0.5, equal=True):
    widths = [FEATURES[0 if equal else u] for u in range(m)]
    width = max(widths)
    extra = [("aux:recon-boost/out/kernel", (hidden or width, C)), ("aux:recon-boost/out/bias", (C,))]
    if hidden:
        extra += [("aux:recon-boost/hidden/kernel", (width, hidden)), ("aux:recon-boost/hidden/bias", (hidden,))]
    extra += [("aux:recon-boost-scale/beta", ())]
    for n, own in zip(NAMES, widths):
        if own < width:
            extra += [(f"aux:recon-boost:{n}/kernel", (own, width)), (f"aux:recon-boost:{n}/bias", (width,))]
    model = Model(m, "concat", equal_widths=equal, extra=extra)

    def own(P, f):
        found = {}
        for n in model.names:
            x = f[n]
            if x.shape[1] < width:
                x = x @ P[f"aux:recon-boost:{n}/kernel"] + P[f"aux:recon-boost:{n}/bias"]
            if hidden:
                x = np.maximum(x @ P["aux:recon-boost/hidden/kernel"] + P["aux:recon-boost/hidden/bias"], 0)
            found[n] = x @ P["aux:recon-boost/out/kernel"] + P["aux:recon-boost/out/bias"]
        return found

    def joined(P, l, names):
        return P["aux:recon-boost-scale/beta"] * sum(l[n] for n in names)

    def loss(P, rows, at):
        y, l, L = LABELS[rows], own(P, model.features(P, rows)), own(at, model.features(at, rows))
        if rectify:
            return np.mean(ce(joined(P, l, model.names), y))
        n = model.names[turn]
        others = [v for v in model.names if v != n]
        q = p_label(joined(at, L, others) if later else np.zeros_like(L[n]), y)
        value = boost_loss(l[n], y, q, 5, 1)
        if later:
            mine = l[n] if gradient else L[n]
            value = value + alpha * np.mean((softmax(mine) - softmax(L[model.names[turn - 1]])) ** 2)
        return value

    def step(P, state, rows):
        G = gradients(lambda Q: loss(Q, rows, P), P)
        if not rectify:
            n = model.names[turn]
            G = {k: g for k, g in G.items() if group(k) in (f"encoder:{n}", f"aux:recon-boost:{n}", "aux:recon-boost")}
        return G, state, {"loss/joint" if rectify else f"loss/boost:{model.names[turn]}": loss(P, rows, P)}

    P, _, found = run(model, step)
    l = own(P, model.features(P, np.arange(SIZE)))
    found["logits"] = rounded(np.ravel(joined(P, l, model.names)))
    found["solo"] = {n: rounded(np.ravel(v)) for n, v in l.items()}
    return found


for options, m, epoch, arguments in [
    ({"hidden": 0}, 2, 0, {"turn": 0, "later": False}),
    ({"hidden": 0}, 2, 4, {"turn": 0, "later": False, "rectify": True}),
    ({"hidden": 0}, 2, 8, {"turn": 1, "later": True}),
    ({"hidden": 5, "boost": 1, "rectify": 1}, 3, 6, {"turn": 0, "later": True, "hidden": 5}),
    ({"hidden": 0, "boost": 1, "rectify": 1}, 3, 4, {"turn": 2, "later": True, "equal": False}),
    ({"hidden": 0, "boost": 1, "rectify": 1}, 2, 2, {"turn": 1, "later": True, "equal": False}),
    ({"hidden": 0, "agreementGradient": False}, 3, 17, {"turn": 2, "later": True, "gradient": False}),
]:
    case("recon-boost", options, m, "concat", epoch, recon_boost(m, **arguments), equalWidths=arguments.get("equal", True))
result["formulas"]["reconBoost"] = {"boosted": round(float(boost_loss(AUDIO, TOY, p_label(IMAGE, TOY), 5, 1)), 6)}


# ---------------------------------------------------------------------------------------------------------- g-blending
def blending(branches):
    scores = []
    for (t0, tn), (v0, vn) in branches:
        overfit = max(0, (vn - tn) - (v0 - t0))
        scores.append(max(0, v0 - vn) / max(overfit**2, 1e-4))
    total = sum(scores)
    return [s / total if total > 0 else 1 / len(scores) for s in scores]


def g_blending(m, fusion):
    """At equal weights."""
    model = Model(m, fusion)

    def terms(P, rows):
        f = model.features(P, rows)
        found = {"loss/joint": np.mean(ce(model.logits(P, f), LABELS[rows])) / (m + 1)}
        return found | {f"loss/uni:{n}": np.mean(ce(l, LABELS[rows])) / (m + 1) for n, l in model.solo(P, f).items()}

    def step(P, state, rows):
        return gradients(lambda P: sum(terms(P, rows).values()), P), state, terms(P, rows)

    return run(model, step)[2]


for m, fusion in [(2, "concat"), (3, "decision")]:
    case("g-blending", {"superEpoch": 0}, m, fusion, 1, g_blending(m, fusion))
three = [((1.5, 0.8), (1.6, 1.2)), ((1.6, 1.2), (1.7, 1.5)), ((1.4, 0.4), (1.5, 1.0))]
result["formulas"]["gBlending"] = [
    {"branches": branches, "weights": rounded(blending(branches))}
    for branches in (
        three,
        # One that only got worse, one that does not overfit at all, one that overfits ever less.
        [((1.0, 0.5), (1.0, 1.2)), ((1.0, 0.9), (1.0, 0.9)), ((1.0, 0.95), (1.2, 1.0))],
        [((1.0, 0.5), (1.0, 1.2)), ((1.0, 0.9), (1.0, 1.0))],
    )
]


# --------------------------------------------------------------------------------------------------------- re-learning
def k_means(rows, starts):
    centres, assigned = rows[starts].astype(float), None
    for _ in range(100):
        now = ((rows[:, None] - centres[None]) ** 2).sum(2).argmin(1)
        if assigned is not None and (now == assigned).all():
            break
        assigned = now
        for c in range(len(starts)):
            if (assigned == c).any():
                centres[c] = rows[assigned == c].mean(0)
    return assigned


def scaled(x):
    low, high = x.min(0), x.max(0)
    return np.where(high > low, 2 * (x - low) / np.where(high > low, high - low, 1) - 1, 0)


def majority(assigned, labels):
    return sum(np.bincount(labels[assigned == c]).max() for c in set(assigned)) / len(labels)


cases = []
for size, width, starts in [(12, 3, [0, 4, 7]), (20, 2, [1, 2, 3]), (9, 2, [0, 0, 5])]:
    rows = np.concatenate([wave((size, width), 1.3, 0.4), np.full((size, 1), 0.7)], 1)
    assigned = k_means(scaled(rows), starts)
    cases.append({
        "rows": rounded(np.ravel(rows)), "width": width + 1, "starts": starts, "scaled": rounded(np.ravel(scaled(rows))),
        "assigned": assigned.tolist(), "purity": round(float(majority(assigned, np.arange(size) % 3)), 9),
    })
result["formulas"]["reLearning"] = cases


# --------------------------------------------------------------------------------------------------- unimodal-ensemble
def ensemble(m, how):
    model = Model(m, "decision")

    def terms(P, rows):
        solo = model.solo(P, model.features(P, rows))
        return {f"loss/head:{n}": np.mean(ce(l, LABELS[rows])) for n, l in solo.items()}

    def step(P, state, rows):
        return gradients(lambda P: sum(terms(P, rows).values()), P), state, terms(P, rows)

    P, _, found = run(model, step)
    solo = list(model.solo(P, model.features(P, np.arange(SIZE))).values())
    mean = np.log(sum(map(softmax, solo)) / m) if how == "probability" else sum(solo) / m
    return found | {"logits": rounded(np.ravel(mean))}


for m, how in [(2, "probability"), (3, "probability"), (3, "logit")]:
    case("unimodal-ensemble", {"average": how}, m, "decision", 0, ensemble(m, how))

if __name__ == "__main__":
    print(json.dumps(result))
