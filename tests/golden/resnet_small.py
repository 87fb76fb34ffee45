"""Reference values of ResNet-34 and ResNet-50 of width 2 in evaluation, from NumPy, under torchvision's names.

Run: python tests/golden/resnet_small.py > tests/golden/resnet_small.json
"""
import json

import numpy as np

out = {}


def value(name, shape, shapes):
    shapes[name] = list(shape)
    phase = (sum((i + 1) * ord(c) for i, c in enumerate(name)) % 97) / 10
    wave = np.sin(1.7 * np.arange(int(np.prod(shape))) + phase).reshape(shape)
    if name.endswith("running_var"):
        return 1 + 0.3 * wave
    if name.split(".")[-2].startswith(("bn", "1")) and name.endswith("weight"):
        return 1 + 0.1 * wave
    return 0.4 * wave


def conv(x, w, stride, pad):
    k = w.shape[-1]
    x = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    h, v = [(n - k) // stride + 1 for n in x.shape[2:]]
    y = np.zeros((len(x), len(w), h, v))
    for i in range(k):
        for j in range(k):
            window = x[:, :, i : i + stride * (h - 1) + 1 : stride, j : j + stride * (v - 1) + 1 : stride]
            y += np.einsum("bihw,oi->bohw", window, w[:, :, i, j])
    return y


def pool(x):
    x = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=-np.inf)
    h, v = [(n - 3) // 2 + 1 for n in x.shape[2:]]
    return np.max([x[:, :, i : i + 2 * h - 1 : 2, j : j + 2 * v - 1 : 2] for i in range(3) for j in range(3)], 0)


for label, counts, wide in (("resnet34", [3, 4, 6, 3], 1), ("resnet50", [3, 4, 6, 3], 4)):
    shapes = {}

    def norm(name, x):
        p = {k: value(f"{name}.{k}", [x.shape[1]], shapes)[None, :, None, None] for k in
             ("weight", "bias", "running_mean", "running_var")}
        return (x - p["running_mean"]) / np.sqrt(p["running_var"] + 1e-5) * p["weight"] + p["bias"]

    def convolve(name, x, channels, k, stride):
        return conv(x, value(f"{name}.weight", [channels, x.shape[1], k, k], shapes), stride, (k - 1) // 2)

    relu = lambda x: np.maximum(0, x)
    image = np.sin(1.7 * np.arange(2 * 32 * 32 * 3) + 0.2).reshape(2, 32, 32, 3).transpose(0, 3, 1, 2)
    x = pool(relu(norm("bn1", convolve("conv1", image, 2, 7, 2))))
    for level, count in enumerate(counts):
        for index in range(count):
            name, c = f"layer{level + 1}.{index}", 2 * 2**level
            stride = 2 if level > 0 and index == 0 else 1
            if wide == 1:
                y = relu(norm(f"{name}.bn1", convolve(f"{name}.conv1", x, c, 3, stride)))
                y = norm(f"{name}.bn2", convolve(f"{name}.conv2", y, c, 3, 1))
            else:
                y = relu(norm(f"{name}.bn1", convolve(f"{name}.conv1", x, c, 1, 1)))
                y = relu(norm(f"{name}.bn2", convolve(f"{name}.conv2", y, c, 3, stride)))
                y = norm(f"{name}.bn3", convolve(f"{name}.conv3", y, 4 * c, 1, 1))
            if x.shape != y.shape:
                x = norm(f"{name}.downsample.1", convolve(f"{name}.downsample.0", x, y.shape[1], 1, stride))
            x = relu(x + y)
    pooled = x.mean((2, 3))
    out[label] = {"shapes": shapes, "pooled": [float(f"{v:.7g}") for v in pooled.flatten()]}
print(json.dumps(out))
