"""The valuation of a batch by the arithmetic of the code that was released with the paper, for `deno task bench:miv`.

Rendered from its formulas: NMI of 30 x 30 equal-width bins by a double loop over cells, conditional information of
2 x 2 x 2 bins with its unweighted conditional entropies. The released code makes every histogram twice, once for the
information and once for what it is divided by; the third argument says how often it is done here.
Speaks the protocol of side.ts: `run N` answers with the milliseconds of processor time of N batches, `end` ends."""
import json
import os
import resource
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np

TIMES = 1


def normalised_information(x, y, bins=30):
    for _ in range(TIMES):
        counts, _, _ = np.histogram2d(x, y, bins=bins)
    joint = counts / counts.sum()
    px, py = joint.sum(1), joint.sum(0)
    information = 0.0
    for i in range(bins):
        for j in range(bins):
            if joint[i, j] > 0:
                information += joint[i, j] * np.log(joint[i, j] / (px[i] * py[j]))
    entropy = lambda p: -np.sum(p[p > 0] * np.log(p[p > 0]))
    return 2 * information / (entropy(px) + entropy(py))


def conditional_entropy(table, pz):
    pz = np.where(pz > 0, pz, 1e-10)
    quotients = table / pz[:, None, None]
    quotients = quotients[quotients > 0]
    return -np.sum(quotients * np.log(quotients))


def conditional_information(x, y, z, bins=2):
    for _ in range(TIMES):
        counts, _ = np.histogramdd(np.stack([x, y, z], 1), bins=[bins] * 3)
    joint = counts / counts.sum()
    pz = joint.sum((0, 1))
    hx = conditional_entropy(joint.sum(1), pz)
    hy = conditional_entropy(joint.sum(0), pz)
    total = hx + hy
    return (total - conditional_entropy(joint, pz)) / total if total != 0 else 0.0


def valuate(a, b, fused):
    a, b, fused = a.ravel(), b.ravel(), fused.ravel()
    return (normalised_information(a, fused), normalised_information(b, fused),
            conditional_information(a, fused, b), conditional_information(b, fused, a))


if __name__ == "__main__":
    batch, width, TIMES = (int(argument) for argument in sys.argv[1:4])
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, batch, width)).astype(np.float32)
    fused = (0.8 * a + 0.4 * b + 0.1 * rng.normal(size=(batch, width))).astype(np.float32)
    print(json.dumps({"parameters": 0, "version": np.__version__}), flush=True)
    for line in sys.stdin:
        command, *rest = line.split()
        if command != "run":
            print(json.dumps({"peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
            break
        ms = []
        for _ in range(int(rest[0])):
            started = time.process_time()
            valuate(a, b, fused)
            ms.append((time.process_time() - started) * 1000)
        print(json.dumps({"ms": ms}), flush=True)
