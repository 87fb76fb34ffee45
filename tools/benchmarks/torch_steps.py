"""The training steps of `steps.ts` in PyTorch, driven by lines on standard input; `engine_bench.ts` starts it.

Arguments: step, threads, clock (`wall`, or `cpu` for the process's processor time), device (`cpu`, `cuda`), how (`eager`,
`compiled`). Lines: `run N`, `end`. Ordinary PyTorch as a training script has it: autograd, torch.optim.SGD with momentum and
weight decay, gradients set to None, the loss read after every step, which also waits for the card.
"""
import json
import math
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

from torch_digits import Concat, centred, contributions, valuation

STEP, THREADS = sys.argv[1], int(sys.argv[2])
now = time.perf_counter if sys.argv[3] == "wall" else time.process_time
DEVICE, HOW = sys.argv[4], sys.argv[5]
torch.set_default_device(DEVICE)
torch.set_num_threads(THREADS)
torch.manual_seed(0)


def say(message):
    print(json.dumps(message), flush=True)


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=5e-4)


def plain(model, inputs, batch, classes):
    """Forward, cross-entropy, backward, update."""
    optimizer = sgd(model.parameters())
    labels = torch.arange(batch) % classes

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(*inputs), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, model


# ------------------------------------------------------------------------------------------------------------ av-digits


def finish(model, optimizer, loss, logits, labels, weights, extra=()):
    """Gradients, clipping, update and the numbers that are read."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 10.0)
    optimizer.step()
    correct = ((logits.argmax(1) == labels) * weights).sum()
    return torch.stack([loss.detach(), correct, norm, *extra]).tolist()


def digits_batch(sides, batch=64):
    inputs = [torch.randn(batch, 1, side, side) for side in sides]
    return inputs, torch.arange(batch) % 10, torch.ones(batch)


SIDES = (32, 28)


def digits_concat():
    model = Concat(SIDES)
    optimizer = sgd(model.parameters())
    inputs, labels, weights = digits_batch(SIDES)

    def step():
        _, logits = model.fuse(model.encode(inputs))
        loss = (F.cross_entropy(logits, labels, reduction="none") * weights).sum() / weights.sum()
        return finish(model, optimizer, loss, logits, labels, weights)

    return step, model


def digits_arm():
    model = Concat(SIDES)
    optimizer = sgd(model.parameters())
    inputs, labels, weights = digits_batch(SIDES)
    rows = torch.ones(64, 2)

    def step():
        total = weights.sum()
        mean = lambda values: (values * weights).sum() / total
        features = [f * rows[:, u : u + 1] for u, f in enumerate(model.encode(inputs))]
        z, logits = model.fuse(features)
        readouts = model.readouts(z)
        nmi, ncmi = valuation(torch.stack([centred(vector, weights) for vector in (sum(z), *z)]))
        own = lambda l: l.softmax(1).gather(1, labels[:, None])[:, 0]
        p = own(logits)
        solo = torch.stack([own(l) for l in readouts], 1)
        ce = mean(F.cross_entropy(logits, labels, reduction="none"))
        bound = p * F.relu(-torch.logsumexp(-20 * nmi, 1) / 20)
        term_mi = 0.1 * mean(1 - bound)
        phi = (contributions(p.detach(), solo.detach(), nmi, ncmi) + 1) * (2 / 3)
        centre = phi.mean(1, keepdim=True)
        gap = ((phi - centre).abs() / centre.detach().clamp_min(1e-3)).sum(1)
        term_cmi = mean(gap)
        with torch.no_grad():
            raw = contributions(p, solo, nmi, ncmi)
            joint = raw.mean(1)
            ranged = (raw + 1) * (2 / 3)
            fusion_weights = ranged / ranged.mean(1, keepdim=True).clamp_min(1e-3)
            extra = [mean(p), mean(joint), mean((joint < 0).float()), mean(ncmi.sum((1, 2)) / 2)]
            for u in range(2):
                extra += [mean(nmi[:, u]), mean(raw[:, u])]
        stats = finish(model, optimizer, ce + term_mi + term_cmi, logits, labels, weights, extra)
        return stats, fusion_weights.numpy(), joint.numpy(), raw.numpy()

    return step, model


# ------------------------------------------------------------------------------------------------------- large encoders


def peak():
    a, b = torch.randn(1024, 1024), torch.zeros(1024, 1024)
    return (lambda: torch.mm(a, b)), nn.Module()


def mlp():
    model = nn.Sequential(nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    return plain(model, (torch.randn(64, 512),), 64, 10)


class Block(nn.Module):
    """The basic residual block of ResNet-18."""

    def __init__(self, ins, outs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(ins, outs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outs)
        self.conv2 = nn.Conv2d(outs, outs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outs)
        self.short = (
            nn.Sequential(nn.Conv2d(ins, outs, 1, stride, bias=False), nn.BatchNorm2d(outs))
            if stride != 1 or ins != outs
            else nn.Identity()
        )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.short(x))


def resnet18(channels):
    layers = [nn.Conv2d(channels, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    width = 64
    for outs, stride in [(64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)]:
        layers.append(Block(width, outs, stride))
        width = outs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Pair(nn.Module):
    """Two encoders, concatenated, with a linear head."""

    def __init__(self, first, second, width):
        super().__init__()
        self.first, self.second, self.head = first, second, nn.Linear(width, 10)

    def forward(self, x, y):
        return self.head(torch.cat([self.first(x), self.second(y)], 1))


def resnet18_pair():
    model = Pair(resnet18(1), resnet18(3), 1024)
    return plain(model, (torch.randn(16, 1, 128, 128), torch.randn(16, 3, 128, 128)), 16, 10)


class Attention(nn.Module):
    def __init__(self, width, heads, drop=0.0):
        super().__init__()
        self.heads, self.drop = heads, drop  # of the attention's weights, in training
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, mask=None):
        batch, steps, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=self.drop if self.training else 0.0)
        return self.proj(y.transpose(1, 2).reshape(batch, steps, width))


class VitBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    def __init__(self, side=64, patch=8, width=192, depth=12, heads=3):
        super().__init__()
        self.embed = nn.Conv2d(3, width, patch, patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(0.02 * torch.randn(1, (side // patch) ** 2 + 1, width))
        self.blocks = nn.Sequential(*(VitBlock(width, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, 10)

    def forward(self, x):
        tokens = self.embed(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls.expand(len(x), -1, -1), tokens], 1) + self.positions
        return self.head(self.norm(self.blocks(tokens))[:, 0])


def vit():
    return plain(Vit(), (torch.randn(16, 3, 64, 64),), 16, 10)


class BertLayer(nn.Module):
    def __init__(self, width, heads, hidden, drop):
        super().__init__()
        self.attn = Attention(width, heads, drop)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width, eps=1e-12)
        self.inner, self.outer = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.drop = drop

    def forward(self, x, mask, present):
        x = self.norm1(x + F.dropout(self.attn(x, mask), self.drop, self.training))
        y = self.outer(F.gelu(self.inner(x)))
        return self.norm2(x + F.dropout(y, self.drop, self.training)) * present[..., None]


class Bert(nn.Module):
    def __init__(self, ids=30522, length=64, width=128, depth=2, heads=2, hidden=512, drop=0.1):
        super().__init__()
        self.words, self.places, self.segments = (nn.Embedding(n, width) for n in (ids, length, 2))
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(BertLayer(width, heads, hidden, drop) for _ in range(depth))
        self.pooler, self.head, self.drop = nn.Linear(width, width), nn.Linear(width, 10), drop

    def forward(self, ids):
        present = (ids != 0).float()
        mask = ((1 - present) * -1e9)[:, None, None]
        x = self.words(ids) + self.places(torch.arange(ids.shape[1])) + self.segments(torch.zeros(1, dtype=torch.long))
        x = F.dropout(self.norm(x), self.drop, self.training)
        for layer in self.layers:
            x = layer(x, mask, present)
        return self.head(torch.tanh(self.pooler(x[:, 0])))


def bert():
    return plain(Bert(), (torch.randint(1, 30522, (16, 64)),), 16, 10)


class Bottleneck(nn.Module):
    """The residual block of ResNet-50; the stride is the middle convolution's."""

    def __init__(self, ins, width, stride):
        super().__init__()
        outs = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(ins, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, outs, 1, bias=False), nn.BatchNorm2d(outs)
        self.short = (
            nn.Sequential(nn.Conv2d(ins, outs, 1, stride, bias=False), nn.BatchNorm2d(outs))
            if stride != 1 or ins != outs
            else nn.Identity()
        )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.short(x))


def resnet50_model():
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    ins = 64
    for level, count in enumerate([3, 4, 6, 3]):
        for index in range(count):
            layers.append(Bottleneck(ins, 64 * 2**level, 2 if level > 0 and index == 0 else 1))
            ins = 256 * 2**level
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 10))


def published(model, inputs, forward):
    """A training step, or the forward pass of a frozen model, on a batch of eight."""
    if not forward:
        return plain(model, inputs, 8, 10)
    model.eval()

    @torch.no_grad()
    def step():
        return model(*inputs).mean().item()

    return step, model


def vit_small(forward=False):
    return published(Vit(224, 16, 384, 12, 6), (torch.randn(8, 3, 224, 224),), forward)


def resnet50(forward=False):
    return published(resnet50_model(), (torch.randn(8, 3, 224, 224),), forward)


def bert_base(forward=False):
    model = Bert(length=128, width=768, depth=12, heads=12, hidden=3072)
    return published(model, (torch.randint(1, 30522, (8, 128)),), forward)


STEPS = {
    "peak": peak,
    "mlp": mlp,
    "digits-concat": digits_concat,
    "digits-arm": digits_arm,
    "vit": vit,
    "bert": bert,
    "resnet18-pair": resnet18_pair,
    "vit-small": vit_small,
    "vit-small-forward": lambda: vit_small(True),
    "resnet50": resnet50,
    "resnet50-forward": lambda: resnet50(True),
    "bert-base": bert_base,
    "bert-base-forward": lambda: bert_base(True),
}


def main():
    step, model = STEPS[STEP]()
    if HOW == "compiled":
        model.compile()
    step()
    say({"parameters": sum(p.numel() for p in model.parameters()), "version": torch.__version__})
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "end":
            break
        ms = []
        for _ in range(int(rest[0])):
            started = now()
            step()
            ms.append((now() - started) * 1e3)
        say({"ms": ms})
    say({"peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})


main()
