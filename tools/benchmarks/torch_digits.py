"""The av-digits model and ARM's valuation in PyTorch, for `torch_steps.py` and `torch_grid.py`."""
import torch
import torch.nn.functional as F
from torch import nn


class Cnn(nn.Module):
    """3x3 convolutions of stride 2 with ReLU, flattened, mapped to 128 features."""

    def __init__(self, side, channels=(8, 16, 32), width=128):
        super().__init__()
        ins = (1, *channels[:-1])
        self.convs = nn.ModuleList(nn.Conv2d(i, o, 3, 2, 1) for i, o in zip(ins, channels))
        for _ in channels:
            side = (side + 1) // 2
        self.out = nn.Linear(side * side * channels[-1], width)

    def forward(self, x):
        for conv in self.convs:
            x = F.relu(conv(x))
        return F.relu(self.out(x.flatten(1)))


class Concat(nn.Module):
    """Encoders, a linear map of each feature to the fused width, a linear head."""

    def __init__(self, sides, classes=10, width=128):
        super().__init__()
        self.encoders = nn.ModuleList(Cnn(side) for side in sides)
        self.parts = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in sides)
        self.bias = nn.Parameter(torch.zeros(width))
        self.head = nn.Linear(width, classes)

    def encode(self, inputs):
        return [encoder(x) for encoder, x in zip(self.encoders, inputs)]

    def fuse(self, features):
        z = [part(f) for part, f in zip(self.parts, features)]
        return z, self.head(sum(z) + self.bias)

    def readouts(self, z):
        """Each modality's own logits; their sum is the fused one's."""
        share = 1 / len(z)
        return [F.linear(part + share * self.bias, self.head.weight, share * self.head.bias) for part in z]


def entropy(table, axes):
    return -(table * (table + 1e-12).log()).sum(axes)


def normalised(information, first, second):
    defined = (first > 1e-5) & (second > 1e-5)
    one = torch.ones_like(first)
    scale = (torch.where(defined, first, one) * torch.where(defined, second, one)).sqrt()
    return torch.where(defined, (information / scale).clamp(0, 1), torch.zeros_like(first))


def information(assigned):
    """NMI [B, m] and NCMI [B, m, m] of assignments [1 + m, B, b, d]: fused, then m = 1 or 2 parts."""
    fused, first = assigned[:2]
    batch, bins, d = fused.shape
    if len(assigned) == 2:
        table = first @ fused.transpose(1, 2) / d
        h0, hy, h0y = entropy(table.sum(2), 1), entropy(table.sum(1), 1), entropy(table, (1, 2))
        return normalised(h0 + hy - h0y, h0, hy)[:, None], table.new_zeros(batch, 1, 1)
    second = assigned[2]
    hy, h0, h1 = entropy(assigned.sum(3) / d, 2)
    pair = (first[:, :, None] * second[:, None]).reshape(batch, bins * bins, d)
    table = (pair @ fused.transpose(1, 2) / d).reshape(batch, bins, bins, bins)
    h01y = entropy(table, (1, 2, 3))
    h01, h0y, h1y = entropy(table.sum(3), (1, 2)), entropy(table.sum(2), (1, 2)), entropy(table.sum(1), (1, 2))
    nmi = torch.stack([normalised(h0 + hy - h0y, h0, hy), normalised(h1 + hy - h1y, h1, hy)], 1)
    zero = torch.zeros(batch)
    given0 = normalised(h01 + h0y - h0 - h01y, h01 - h0, h0y - h0)
    given1 = normalised(h01 + h1y - h1 - h01y, h01 - h1, h1y - h1)
    return nmi, torch.stack([zero, given0, given1, zero], 1).reshape(batch, 2, 2)


def centred(vectors, weights=None):
    """Vectors [..., B, d] less their (weighted) mean over the batch."""
    if weights is None:
        return vectors - vectors.mean(-2, keepdim=True)
    return vectors - (weights[None] @ vectors) / weights.sum().clamp_min(1e-12)


def standardised(vectors):
    """Each vector over its own coordinates, cut to [-2, 2]."""
    deviation = vectors - vectors.mean(-1, keepdim=True)
    variance = deviation.square().mean(-1, keepdim=True)
    return (deviation * torch.rsqrt(variance + 1e-8)).clamp(-2, 2)


def hard_bins(vectors, bins):
    """One-hot assignments [..., b, d] of standardised vectors [..., d]; no gradient."""
    index = ((vectors.detach() + 2) * (bins / 4)).floor().clamp_max(bins - 1)
    return (index[..., None, :] == torch.arange(bins)[:, None]).float()


def measured(vectors, bins=3):
    """Hard histogram estimate of centred vectors [1 + m, B, d]."""
    return information(hard_bins(standardised(vectors), bins))


def valuation(vectors, bins=3):
    """Straight-through histogram estimate of centred vectors [1 + m, B, d]: values of hard bins, gradients of soft ones."""
    vectors = standardised(vectors)
    step = 4 / (bins - 1)
    centres = torch.linspace(-2, 2, bins)[:, None]
    soft = F.relu(1 - (vectors[..., None, :] - centres).abs() / step)
    nmi, ncmi = information(soft)
    nmi_hard, ncmi_hard = information(hard_bins(vectors, bins))
    return nmi + (nmi_hard - nmi).detach(), ncmi + (ncmi_hard - ncmi).detach()


def contributions(p, solo, nmi, ncmi):
    """ARM Eq. 11: p [B], solo and NMI [B, m], NCMI [B, m, m] to [B, m]."""
    off = 1 - torch.eye(nmi.shape[1])
    return p[:, None] * nmi + ((solo[:, None] * (nmi[:, None] - ncmi)) * off).sum(2)
