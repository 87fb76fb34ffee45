"""Reference values for tests/encoders/steps_test.ts, from torchvision's, timm's, Hugging Face's and PyTorch's own modules in
double precision: features, gradients and one step of SGD of every encoder.

Run: python tests/golden/encoder_steps.py [FOLDER]      (torch, torchvision, timm, transformers, safetensors)

Weights and inputs are pseudo-random numbers that both sides compute; a weight's phase is its place among the sorted names.
With a folder that tests/golden/encoder_files.ts wrote, each of its files is loaded with strict=True, too, and gives the
features that are kept beside it.
"""
import json
import math
import pathlib
import sys

sys.path.pop(0)  # a script beside this one is called transformers

import numpy as np
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def noise(shape, scale=1.0, phase=0.0, mean=0.0):
    i = np.arange(math.prod(shape), dtype=np.float64)
    large = np.sin(12.9898 * (i + 1) + 78.233 * phase) * 43758.5453
    return torch.tensor((mean + scale * (2 * (large - np.floor(large)) - 1)).astype(np.float32).astype(np.float64)).reshape(shape)


def weight(name, shape, place):
    if len(shape) > 1:
        return noise(shape, math.sqrt(3 / math.prod(shape[1:])), place)
    if name.endswith("bn3.weight"):  # small branches: else so many normalisations of few numbers magnify rounding
        return noise(shape, 0.05, place, 0.2)
    if name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1):
        return noise(shape, 0.3, place, 1.0)
    return noise(shape, 0.2, place)


class ResNet(nn.Module):
    """torchvision's, of another width, without its classifier."""

    def __init__(self, block, counts, width):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        ins = width
        for level, count in enumerate(counts):
            planes, layers = width * 2**level, []
            for index in range(count):
                stride = 2 if level > 0 and index == 0 else 1
                out = planes * block.expansion
                short = None
                if stride != 1 or ins != out:
                    short = nn.Sequential(nn.Conv2d(ins, out, 1, stride, bias=False), nn.BatchNorm2d(out))
                layers.append(block(ins, planes, stride, short))
                ins = out
            setattr(self, f"layer{level + 1}", nn.Sequential(*layers))

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3))


class Bert(nn.Module):
    """Hugging Face's model with the padding mask of its ids; names without a prefix."""

    def __init__(self, model, read):
        super().__init__()
        self.model, self.read = model, read

    def forward(self, ids):
        out = self.model(input_ids=ids, attention_mask=(ids != 0).long())
        return out.pooler_output if self.read == "pooler" else out.last_hidden_state[:, 0]


class Recurrent(nn.Module):
    """The last output of each direction, as the encoders read it."""

    def __init__(self, kind):
        super().__init__()
        self.rnn = kind(3, 5, batch_first=True)

    def forward(self, x):
        return self.rnn(x)[0][:, -1]


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden1, self.hidden2, self.out = nn.Linear(5, 7), nn.Linear(7, 6), nn.Linear(6, 4)

    def forward(self, x):
        return torch.relu(self.out(torch.relu(self.hidden2(torch.relu(self.hidden1(x))))))


class Block(nn.Module):
    """Stride 2 with TensorFlow's "same" padding of even maps: behind."""

    def __init__(self, ins, outs):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(ins, outs, 3, 2, bias=False), nn.BatchNorm2d(outs)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(nn.functional.pad(x, (0, 1, 0, 1)))))


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1, self.block2, self.out = Block(2, 3), Block(3, 4), nn.Linear(4 * 2 * 3, 5)

    def forward(self, x):
        return torch.relu(self.out(self.block2(self.block1(x)).permute(0, 2, 3, 1).flatten(1)))


class Linear(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(5, 4)

    def forward(self, x):
        return self.out(x)


class Sequence(nn.Module):
    """Steps as tokens behind a class token, timm's blocks, a last norm."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(3, 12)
        self.cls_token, self.pos_embed = nn.Parameter(torch.zeros(1, 1, 12)), nn.Parameter(torch.zeros(1, 8, 12))
        blocks = VisionTransformer(img_size=8, patch_size=4, embed_dim=12, depth=2, num_heads=3, mlp_ratio=2,
                                   num_classes=0, norm_layer=nn.LayerNorm).blocks
        self.blocks, self.norm = blocks, nn.LayerNorm(12)

    def forward(self, x):
        t = torch.cat([self.cls_token.expand(len(x), -1, -1), self.embed(x)], 1) + self.pos_embed
        return self.norm(self.blocks(t))[:, 0]


def bert(**more):
    return BertModel(BertConfig(vocab_size=11, hidden_size=12, num_hidden_layers=2, num_attention_heads=2,
                                intermediate_size=20, max_position_embeddings=8, hidden_dropout_prob=0.0,
                                attention_probs_dropout_prob=0.0, **more))


def distilbert():
    return DistilBertModel(DistilBertConfig(vocab_size=11, dim=12, n_layers=2, n_heads=2, hidden_dim=20,
                                            max_position_embeddings=8, dropout=0.0, attention_dropout=0.0))


ids = torch.tensor([[3, 7, 1, 9, 10, 2], [4, 3, 3, 0, 0, 0], [5, 6, 0, 0, 0, 0]])
photo, map_, steps = noise((4, 3, 64, 64), 1, 0.1), noise((3, 2, 8, 12), 1, 0.1), noise((3, 7, 3), 1, 0.1)
vector = noise((3, 5), 1, 0.1)
vit = lambda **more: VisionTransformer(img_size=(8, 12), patch_size=4, in_chans=2, num_classes=0, embed_dim=12, depth=2,
                                       num_heads=3, mlp_ratio=2, **more)
cases = {
    "mlp": (Mlp(), vector, ""),
    "linear": (Linear(), vector, ""),
    "cnn": (Cnn(), map_, ""),
    "resnet18": (ResNet(BasicBlock, [2, 2, 2, 2], 4), photo, ""),
    "resnet34": (ResNet(BasicBlock, [3, 4, 6, 3], 4), photo, ""),
    "resnet50": (ResNet(Bottleneck, [3, 4, 6, 3], 4), photo, ""),
    "vit": (vit(), map_, ""),
    "vit-mean": (vit(global_pool="avg", class_token=False, fc_norm=False), map_, ""),
    "bert": (Bert(bert(), "pooler"), ids, "model."),
    "distilbert": (Bert(distilbert(), "cls"), ids, "model."),
    "gru": (Recurrent(nn.GRU), steps, ""),
    "lstm": (Recurrent(nn.LSTM), steps, ""),
    "transformer": (Sequence(), steps, ""),
}


def own(model, prefix):
    """Its tensors by the names that files have, without counters."""
    state = model.state_dict()
    return {k.removeprefix(prefix): v for k, v in state.items() if not k.endswith(("num_batches_tracked", "position_ids"))}


def probe(t):
    t = t.detach().double()
    return [float(f"{float((t * noise(t.shape, 1, 0.7)).sum()):.8g}"), float(f"{float(t.norm()):.8g}")]


out = {}
for name, (model, x, prefix) in cases.items():
    with torch.no_grad():
        for place, (key, tensor) in enumerate(sorted(own(model, prefix).items())):
            tensor.copy_(weight(key, tuple(tensor.shape), place))
    model.train()
    params = {k.removeprefix(prefix): p for k, p in model.named_parameters()}
    optimizer = torch.optim.SGD(params.values(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    y = model(x)
    loss = (y * noise(y.shape, 1, 0.3)).sum()
    optimizer.zero_grad()
    loss.backward()
    gradients = {k: probe(p.grad) for k, p in params.items() if p.grad is not None}
    optimizer.step()
    out[name] = {
        "shapes": {k: list(v.shape) for k, v in sorted(own(model, prefix).items())},
        "pooled": [float(f"{v:.8g}") for v in y.detach().flatten().tolist()],
        "gradients": gradients,
        "stepped": {k: probe(p) for k, p in params.items() if k in gradients},
    }
    print(name, sum(p.numel() for p in params.values()), [k for k in params if k not in gradients])

path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(out))
print(path.stat().st_size)

if len(sys.argv) > 1:
    from safetensors.torch import load_file

    folder = pathlib.Path(sys.argv[1])
    for name, (model, x, prefix) in cases.items():
        tensors = load_file(folder / f"{name}.safetensors")
        features = tensors.pop("features")
        model.load_state_dict({prefix + k: v for k, v in tensors.items()}, strict=True)
        model.eval()
        with torch.no_grad():
            y = model(x)
        scale = max(1.0, float(y.abs().max()))
        print(name, "strict", f"{float((y - features).abs().max()) / scale:.1e}")
