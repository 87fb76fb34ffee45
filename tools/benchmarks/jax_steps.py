"""The small training steps of `steps.ts` in jax, driven by lines on standard input; `engine_bench.ts --jax` starts it.

Arguments: step, threads, clock (`wall`, or `cpu` for the process's processor time). Lines: `run N`, `end`. A step is one
jitted function on the CPU that gives its parameters' memory to the new ones, and its numbers are read after every step.
"""
import json
import os
import resource
import sys
import time

STEP, THREADS = sys.argv[1], int(sys.argv[2])
now = time.perf_counter if sys.argv[3] == "wall" else time.process_time
# XLA takes as many threads as there are processors for it, and looks once.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])

import jax
import jax.numpy as jnp
from jax import lax

RATE, MOMENTUM, DECAY = 0.01, 0.9, 5e-4


def say(message):
    print(json.dumps(message), flush=True)


def normal(key, *shape, scale=0.05):
    return scale * jax.random.normal(jax.random.key(key), shape)


def linear(key, ins, outs):
    return {"w": normal(key, ins, outs), "b": jnp.zeros(outs)}


def cross_entropy(logits, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1)[:, 0]


def mlp():
    params = [linear(1, 512, 512), linear(2, 512, 512), linear(3, 512, 10)]
    x, labels = normal(0, 64, 512, scale=1), jnp.arange(64) % 10

    def loss(params, x, labels):
        h = x
        for layer in params[:-1]:
            h = jax.nn.relu(h @ layer["w"] + layer["b"])
        values = cross_entropy(h @ params[-1]["w"] + params[-1]["b"], labels).mean()
        return values, values

    return params, loss, (x, labels), None


SIDES = (32, 28)


def cnn(key, side, channels=(8, 16, 32), width=128):
    params, ins = {"convs": []}, 1
    for level, outs in enumerate(channels):
        params["convs"].append({"w": normal(10 * key + level, outs, ins, 3, 3), "b": jnp.zeros(outs)})
        ins, side = outs, (side + 1) // 2
    return params | {"out": linear(10 * key + 9, side * side * ins, width)}


def encode(params, x):
    for conv in params["convs"]:
        y = lax.conv_general_dilated(x, conv["w"], (2, 2), ((1, 1), (1, 1)), dimension_numbers=("NCHW", "OIHW", "NCHW"))
        x = jax.nn.relu(y + conv["b"][:, None, None])
    return jax.nn.relu(x.reshape(len(x), -1) @ params["out"]["w"] + params["out"]["b"])


def digits(batch=64, width=128):
    """The two-CNN model's parameters and a batch: inputs, labels, weights."""
    params = {
        "encoders": [cnn(key + 1, side) for key, side in enumerate(SIDES)],
        "parts": [normal(7 + key, width, width) for key in range(2)],
        "bias": jnp.zeros(width),
        "head": linear(9, width, 10),
    }
    inputs = [normal(20 + key, batch, 1, side, side, scale=1) for key, side in enumerate(SIDES)]
    return params, (inputs, jnp.arange(batch) % 10, jnp.ones(batch))


def correct(logits, labels, weights):
    return ((logits.argmax(1) == labels) * weights).sum()


def digits_concat():
    def loss(params, inputs, labels, weights):
        fused = sum(encode(e, x) @ part for e, x, part in zip(params["encoders"], inputs, params["parts"]))
        logits = (fused + params["bias"]) @ params["head"]["w"] + params["head"]["b"]
        values = (cross_entropy(logits, labels) * weights).sum() / weights.sum()
        return values, jnp.stack([values, correct(logits, labels, weights)])

    params, batch = digits()
    return params, loss, batch, 10.0


BINS = 3


def entropy(table, axes):
    return -(table * jnp.log(table + 1e-12)).sum(axes)


def normalised(value, first, second):
    defined = (first > 1e-5) & (second > 1e-5)
    scale = jnp.sqrt(jnp.where(defined, first, 1) * jnp.where(defined, second, 1))
    return jnp.where(defined, jnp.clip(value / scale, 0, 1), 0)


def information(assigned):
    """NMI [B, 2] and NCMI [B, 2, 2] of assignments [3, B, b, d]: fused, then both parts; as in `torch_digits.py`."""
    d = assigned.shape[3]
    hy, h0, h1 = entropy(assigned.sum(3) / d, 2)
    pair = jnp.einsum("nid,njd->nijd", assigned[1], assigned[2])
    table = jnp.einsum("nijd,nkd->nijk", pair, assigned[0]) / d
    h01y = entropy(table, (1, 2, 3))
    h01, h0y, h1y = entropy(table.sum(3), (1, 2)), entropy(table.sum(2), (1, 2)), entropy(table.sum(1), (1, 2))
    nmi = jnp.stack([normalised(h0 + hy - h0y, h0, hy), normalised(h1 + hy - h1y, h1, hy)], 1)
    given0 = normalised(h01 + h0y - h0 - h01y, h01 - h0, h0y - h0)
    given1 = normalised(h01 + h1y - h1 - h01y, h01 - h1, h1y - h1)
    zero = jnp.zeros_like(given0)
    return nmi, jnp.stack([zero, given0, given1, zero], 1).reshape(-1, 2, 2)


def valuation(vectors):
    """Straight-through estimate of centred vectors [3, B, d]: values of hard bins, gradients of soft ones."""
    deviation = vectors - vectors.mean(-1, keepdims=True)
    vectors = jnp.clip(deviation * lax.rsqrt(jnp.square(deviation).mean(-1, keepdims=True) + 1e-8), -2, 2)
    centres = jnp.linspace(-2, 2, BINS)[:, None]
    nmi, ncmi = information(jax.nn.relu(1 - jnp.abs(vectors[..., None, :] - centres) * (BINS - 1) / 4))
    index = jnp.minimum(jnp.floor((lax.stop_gradient(vectors) + 2) * (BINS / 4)), BINS - 1)
    hard = information((index[..., None, :] == jnp.arange(BINS)[:, None]).astype(jnp.float32))
    return tuple(soft + lax.stop_gradient(value - soft) for soft, value in zip((nmi, ncmi), hard))


def contributions(p, solo, nmi, ncmi):
    """ARM Eq. 11: p [B], solo and NMI [B, 2], NCMI [B, 2, 2] to [B, 2]."""
    return p[:, None] * nmi + (solo[:, None] * (nmi[:, None] - ncmi) * (1 - jnp.eye(2))).sum(2)


def digits_arm():
    params, batch = digits()

    def loss(params, inputs, labels, weights, rows):
        mean = lambda values: (values * weights).sum() / weights.sum()
        own = lambda logits: jnp.take_along_axis(jax.nn.softmax(logits), labels[:, None], 1)[:, 0]
        head, bias = params["head"], params["bias"]
        features = [encode(e, x) * rows[:, u : u + 1] for u, (e, x) in enumerate(zip(params["encoders"], inputs))]
        z = [f @ part for f, part in zip(features, params["parts"])]
        logits = (sum(z) + bias) @ head["w"] + head["b"]
        readouts = [(part + bias / 2) @ head["w"] + head["b"] / 2 for part in z]
        vectors = jnp.stack([sum(z), *z])
        nmi, ncmi = valuation(vectors - (weights @ vectors)[:, None] / weights.sum())
        p, solo = own(logits), jnp.stack([own(l) for l in readouts], 1)
        ce = mean(cross_entropy(logits, labels))
        term_mi = 0.1 * mean(1 - p * jax.nn.relu(-jax.nn.logsumexp(-20 * nmi, 1) / 20))
        raw = contributions(lax.stop_gradient(p), lax.stop_gradient(solo), nmi, ncmi)
        phi = (raw + 1) * (2 / 3)
        centre = phi.mean(1, keepdims=True)
        term_cmi = mean((jnp.abs(phi - centre) / jnp.maximum(lax.stop_gradient(centre), 1e-3)).sum(1))
        joint = raw.mean(1)
        extra = [mean(p), mean(joint), mean(joint < 0), mean(ncmi.sum((1, 2)) / 2)]
        for u in range(2):
            extra += [mean(nmi[:, u]), mean(raw[:, u])]
        stats = jnp.stack([ce, term_mi, term_cmi, correct(logits, labels, weights), *extra])
        table = jnp.concatenate([phi / jnp.maximum(phi.mean(1, keepdims=True), 1e-3), joint[:, None], raw], 1)
        return ce + term_mi + term_cmi, jnp.concatenate([stats, table.ravel()])

    return params, loss, (*batch, jnp.ones((64, 2))), 10.0


STEPS = {"mlp": mlp, "digits-concat": digits_concat, "digits-arm": digits_arm}


def main():
    params, loss, batch, bound = STEPS[STEP]()
    slots = jax.tree.map(jnp.zeros_like, params)

    def update(params, slots, batch):
        gradients, stats = jax.grad(loss, has_aux=True)(params, *batch)
        if bound is not None:
            norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in jax.tree.leaves(gradients)))
            gradients = jax.tree.map(lambda g: g * jnp.minimum(1, bound / (norm + 1e-6)), gradients)
            stats = jnp.append(stats, norm)
        slots = jax.tree.map(lambda v, g, p: MOMENTUM * v + g + DECAY * p, slots, gradients, params)
        return jax.tree.map(lambda p, v: p - RATE * v, params, slots), slots, stats

    step = jax.jit(update, donate_argnums=(0, 1))
    params, slots, stats = step(params, slots, batch)
    say({"parameters": sum(p.size for p in jax.tree.leaves(params)), "version": jax.__version__})
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "end":
            break
        ms = []
        for _ in range(int(rest[0])):
            started = now()
            params, slots, stats = step(params, slots, batch)
            stats.tolist()
            ms.append((now() - started) * 1e3)
        say({"ms": ms})
    say({"peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})


main()
