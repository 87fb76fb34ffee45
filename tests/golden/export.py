"""Reference values of exported models, from Python's onnxruntime and PyTorch.

    python tests/golden/export.py      (onnx, onnxruntime, safetensors, torch; deno on the path)

Writes export.json: for a run whose weights follow from a seed, the logits of its exported ONNX model in onnxruntime at
batch sizes 1, 3 and 64, and those of the same network written in PyTorch with the exported weights loaded into it by
`load_state_dict`. Inputs are sin(0.7 i).
"""
import json, pathlib, subprocess, tempfile

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.torch import load_file
from torch import nn

here = pathlib.Path(__file__).parent


class Block(nn.Module):
    """Convolution of stride 2 with TensorFlow's "same" padding, batch normalisation, ReLU."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        pads = []
        for extent in reversed(x.shape[2:]):
            total = max(0, (-(-extent // 2) - 1) * 2 + 3 - extent)
            pads += [total // 2, total - total // 2]
        return torch.relu(self.norm(self.conv(nn.functional.pad(x, pads))))


class Cnn(nn.Module):
    def __init__(self, side):
        super().__init__()
        self.block1, self.block2 = Block(1, 4), Block(4, 6)
        self.out = nn.Linear(6 * (side // 4) ** 2, 16)

    def forward(self, x):
        x = self.block2(self.block1(x.permute(0, 3, 1, 2)))
        return torch.relu(self.out(x.permute(0, 2, 3, 1).flatten(1)))  # flattened channels last


class Fusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = nn.ParameterDict({m: nn.Parameter(torch.zeros(16, 12)) for m in ("audio", "image")})
        self.bias = nn.Parameter(torch.zeros(12))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict({"audio": Cnn(32), "image": Cnn(28)})
        self.fusion = Fusion()
        self.head = nn.Linear(12, 10)

    def forward(self, inputs):
        fused = sum(self.encoder[m](x) @ self.fusion.kernel[m] for m, x in inputs.items()) + self.fusion.bias
        return self.head(fused)


with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["deno", "run", "-A", "--no-check", "--config", here / "../../deno.json", here / "export_files.ts", folder],
                   check=True)
    onnx.checker.check_model(onnx.load(f"{folder}/model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
    model = Model().eval()
    weights = load_file(f"{folder}/weights.safetensors")
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert unexpected == [], unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing), missing
    result = {"names": sorted(weights), "shapes": {name: list(w.shape) for name, w in sorted(weights.items())}, "cases": []}
    for batch in (1, 3, 64):
        inputs = {m: np.sin(0.7 * np.arange(batch * s * s)).astype("float32").reshape(batch, s, s, 1)
                  for m, s in (("audio", 32), ("image", 28))}
        logits, probabilities = session.run(["logits", "probabilities"], inputs)
        with torch.no_grad():
            torch_logits = model({m: torch.from_numpy(x) for m, x in inputs.items()}).numpy()
        difference = float(np.abs(logits - torch_logits).max())
        print(f"batch {batch}: onnxruntime and PyTorch differ by at most {difference:.1e}")
        assert difference < 1e-4 and np.allclose(probabilities.sum(1), 1, atol=1e-5)
        rows = [0, batch - 1]
        result["cases"].append({
            "batch": batch, "rows": rows,
            "onnxruntime": [[round(float(v), 6) for v in logits[r]] for r in rows],
            "torch": [[round(float(v), 6) for v in torch_logits[r]] for r in rows],
        })

(here / "export.json").write_text(json.dumps({
    "versions": {"onnxruntime": onnxruntime.__version__, "torch": torch.__version__}, **result}) + "\n")
