"""Values and gradients of operations that tfjs's CPU backend gets wrong, by NumPy and PyTorch.

Run with Python 3, NumPy and PyTorch: `python kernels.py > kernels.json`. The loss is the sum of sin(result + 0.3).
Images are [batch, height, width, channels], as in tfjs.
"""
import json

import numpy as np
import torch
import torch.nn.functional as F


def wave(shape, phase=0.0):
    return np.sin(1.7 * np.arange(int(np.prod(shape))) + phase).reshape(shape)


def first(x):
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


def case(run, *shapes):
    inputs = [torch.tensor(wave(shape, 0.4 * k), dtype=torch.float64, requires_grad=True)
              for k, shape in enumerate(shapes)]
    result = run(*inputs)
    torch.sin(result + 0.3).sum().backward()
    flat = lambda x: [round(v, 9) for v in x.detach().reshape(-1).tolist()]
    return {"given": [flat(x) for x in inputs], "values": [flat(result)], "gradients": [flat(x.grad) for x in inputs]}


def resize(size, **how):
    return lambda x: last(F.interpolate(first(x), size=size, **how))


def average_same(x):
    # TensorFlow's "same" for 5 x 6, window 3, stride 2: one row before and after, one column after; padding is not counted.
    padded = F.pad(first(x), (0, 1, 1, 1))
    counted = F.pad(torch.ones_like(first(x)), (0, 1, 1, 1))
    return last(F.avg_pool2d(padded, 3, 2) / F.avg_pool2d(counted, 3, 2))


def average_same_3d(x):
    # Depth 4 by 2 and width 4 by 2 need no padding; height 5 by 3 with stride 2: one before and after.
    padded = F.pad(first(x), (0, 0, 1, 1, 0, 0))
    counted = F.pad(torch.ones_like(first(x)), (0, 0, 1, 1, 0, 0))
    return last(F.avg_pool3d(padded, (2, 3, 2), 2) / F.avg_pool3d(counted, (2, 3, 2), 2))


print(json.dumps({
    "matmul": case(torch.matmul, (2, 1, 3, 4), (1, 3, 4, 2)),
    "einsum": case(lambda x, y: torch.einsum("ij,j->j", x, y), (2, 3), (3,)),
    "bilinear corners": case(resize((6, 7), mode="bilinear", align_corners=True), (2, 3, 5, 2)),
    "bilinear half": case(resize((6, 7), mode="bilinear", align_corners=False), (2, 3, 5, 2)),
    "bilinear half smaller": case(resize((2, 3), mode="bilinear", align_corners=False), (1, 5, 4, 2)),
    "nearest": case(resize((7, 4), mode="nearest"), (2, 3, 5, 2)),
    "nearest half": case(resize((7, 4), mode="nearest-exact"), (2, 3, 5, 2)),
    "average": case(average_same, (2, 5, 6, 2)),
    "average 3d": case(average_same_3d, (1, 4, 5, 4, 2)),
}))
