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


def digits_concat(batch=64, width=128):
    params = {
        "encoders": [cnn(key + 1, side) for key, side in enumerate(SIDES)],
        "parts": [normal(7 + key, width, width) for key in range(2)],
        "bias": jnp.zeros(width),
        "head": linear(9, width, 10),
    }
    inputs = [normal(20 + key, batch, 1, side, side, scale=1) for key, side in enumerate(SIDES)]
    labels, weights = jnp.arange(batch) % 10, jnp.ones(batch)

    def loss(params, inputs, labels, weights):
        fused = sum(encode(e, x) @ part for e, x, part in zip(params["encoders"], inputs, params["parts"]))
        logits = (fused + params["bias"]) @ params["head"]["w"] + params["head"]["b"]
        values = (cross_entropy(logits, labels) * weights).sum() / weights.sum()
        return values, jnp.stack([values, ((logits.argmax(1) == labels) * weights).sum()])

    return params, loss, (inputs, labels, weights), 10.0


STEPS = {"mlp": mlp, "digits-concat": digits_concat}


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
