"""The quick grid's cells one after another in PyTorch; `quick_grid.ts` starts it.

Arguments: folder (`data.safetensors`, `cells.json`), threads. Ordinary eager PyTorch: data in memory, batches by index,
autograd, fused SGD, evaluation without autograd in large batches. Each cell does what ours does with it: the same
network, start, batches, schedule, budget, losses, methods' tables and re-sampling, all metrics of validation after every
epoch, the best epoch tested. It keeps no checkpoints and no records. Prints one JSON line.
"""
import time

started = time.perf_counter()
import json
import resource
import sys
from math import ceil, cos, floor, pi
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from torch_digits import Cnn, Concat, centred, contributions, measured, valuation

import_seconds = time.perf_counter() - started
BINS = 3
EVALUATION_BATCH = 256


# ----------------------------------------------------------------------------------------------------------------- data


def load(folder):
    """Splits of tensors from a safetensors file: 8 bytes of length, a JSON header, the arrays."""
    raw = (folder / "data.safetensors").read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    splits = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        split, array = name.split("/")
        dtype = {"F32": np.float32, "I32": np.int32}[entry["dtype"]]
        first, last = entry["data_offsets"]
        values = np.frombuffer(raw, dtype, (last - first) // 4, 8 + length + first).reshape(entry["shape"])
        # Ours has the one channel last, PyTorch first; either way the numbers lie in memory alike.
        tensor = torch.from_numpy(values.copy())
        splits.setdefault(split, {})[array] = tensor.long() if array == "labels" else tensor.squeeze(-1).unsqueeze(1)
    return splits


# ---------------------------------------------------------------------------------------------------------------- model


class Sum(nn.Module):
    """Encoders, a linear head each, the sum of their logits."""

    def __init__(self, sides, classes=10, width=128):
        super().__init__()
        self.encoders = nn.ModuleList(Cnn(side) for side in sides)
        self.heads = nn.ModuleList(nn.Linear(width, classes) for _ in sides)

    def encode(self, inputs):
        return [encoder(x) for encoder, x in zip(self.encoders, inputs)]

    def fuse(self, features):
        z = [F.linear(f, head.weight) for f, head in zip(features, self.heads)]
        return z, sum(self.readouts(z))

    def readouts(self, z):
        return [part + head.bias for part, head in zip(z, self.heads)]


def build(config, sides):
    model = {"concat": Concat, "sum": Sum}[config["fusion"]["name"]](sides)
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1:
            nn.init.zeros_(parameter)
        elif ".convs." in name:
            nn.init.kaiming_normal_(parameter, mode="fan_out", nonlinearity="relu")
        elif name.startswith("encoders."):
            nn.init.kaiming_normal_(parameter, mode="fan_in", nonlinearity="relu")
        elif name.startswith("parts."):
            nn.init.normal_(parameter, std=(2 / (parameter.shape[1] * len(sides) + parameter.shape[0])) ** 0.5)
        else:
            nn.init.xavier_normal_(parameter)
    return model


def own(logits, labels):
    """Probability of each sample's label."""
    return logits.softmax(1).gather(1, labels[:, None])[:, 0]


# ----------------------------------------------------------------------------------------------------------- evaluation


@torch.inference_mode()
def evaluate(model, inputs, labels, means):
    """All metrics of a split."""
    z, logits, ablated = [], [], []
    rest = model.fuse(means)[0]
    for at in range(0, len(labels), EVALUATION_BATCH):
        parts, output = model.fuse(model.encode([x[at : at + EVALUATION_BATCH] for x in inputs]))
        z.append(torch.stack(parts))
        logits.append(output)
        # One modality as it is, the others at their training means: what changes in the logits is linear in the parts.
        for u, part in enumerate(parts):
            kept = [part if v == u else mean.expand_as(part) for v, mean in enumerate(rest)]
            ablated.append(sum(model.readouts(kept)).argmax(1))
    z, logits = torch.cat(z, 1), torch.cat(logits)
    m = len(z)
    solo_logits = model.readouts(list(z))
    joint, solo = own(logits, labels), torch.stack([own(l, labels) for l in solo_logits], 1)
    nmi, ncmi = measured(centred(torch.cat([z.sum(0, keepdim=True), z])), BINS)
    phi = contributions(joint, solo, nmi, ncmi)
    predicted = logits.argmax(1)
    classes = logits.shape[1]
    counts = torch.bincount(labels * classes + predicted, minlength=classes * classes).reshape(classes, classes)
    hit, true, found = counts.diagonal(), counts.sum(1), counts.sum(0)
    pairs = [(phi[:, u] - phi[:, v]).abs() for u in range(m) for v in range(u + 1, m)]
    right = lambda guess: (guess == labels).float().mean().item()
    return {
        "loss": F.cross_entropy(logits, labels).item(),
        "accuracy": right(predicted),
        "macroF1": (2 * hit / (true + found).clamp_min(1)).mean().item(),
        "recall": (hit / true.clamp_min(1)).tolist(),
        "contributionGap": torch.stack(pairs).mean().item() if pairs else 0.0,
        "jointContribution": phi.mean().item(),
        "perModality": [
            {
                "accuracy": right(solo_logits[u].argmax(1)),
                "ablateMean": right(torch.cat(ablated[u::m])),
                "nmi": nmi[:, u].mean().item(),
                "probability": solo[:, u].mean().item(),
                "phi": phi[:, u].mean().item(),
            }
            for u in range(m)
        ],
    }


# -------------------------------------------------------------------------------------------------------------- methods


class Method:
    """No method: what a cell does beside its plain step."""

    def before_epoch(self, epoch):
        pass

    def plan(self, order, generator):
        return order

    def features(self, features, items):
        return features

    def loss(self, step):
        """Further terms, a list of scalars."""
        return []

    def gradients(self, model, step):
        """Numbers to log."""
        return []

    def emit(self, step, items):
        return []

    def report(self):
        return {}


class UniCe(Method):
    def __init__(self, options, size, epochs):
        self.weight = options["weight"]
        expect(part(part(options, "loss", "readouts"), "criterion", "cross-entropy"), smoothing=0, classWeights="none")

    def loss(self, step):
        return [self.weight * F.cross_entropy(logits, step["labels"]) for logits in step["readouts"]()]


class OgmGe(Method):
    def __init__(self, options, size, epochs):
        self.alpha, self.start, self.end = options["alpha"], options["start"], options["end"]
        expect(options, scope="matrices", others="mean")

    def before_epoch(self, epoch):
        self.open = self.start <= epoch <= self.end

    @torch.no_grad()
    def gradients(self, model, step):
        if not self.open:
            return [torch.tensor(1.0)] * 2
        score = torch.stack([own(logits.detach(), step["labels"]).sum() for logits in step["readouts"]()])
        ratio = score / score.flip(0).clamp_min(1e-8)
        k = torch.where(ratio > 1, 1 - torch.tanh(self.alpha * ratio), torch.ones(2))
        for u, encoder in enumerate(model.encoders):
            for parameter in encoder.parameters():
                gradient = parameter.grad
                if gradient.dim() < 2:
                    continue
                spread = gradient.std() + 1e-8
                gradient.mul_(k[u]).addcmul_(torch.randn_like(gradient), spread)
        return list(k)


class Arm(Method):
    """DFE, BMML and DSR from one valuation per step, with trained readouts."""

    def __init__(self, options, size, epochs):
        self.options, self.size = options, size
        self.warmup = options["warmup"] if options["warmup"] >= 0 else max(1, floor(epochs / 8 + 0.5))
        expect(
            options, dfe="ratio", view="aligned", granularity="sample", center="batch", index="other", readout="solo",
            gradient="all", range="shift", fwTest="one", losses=[], lossWeight=1,
        )
        expect(
            part(options, "estimator", "histogram"), binning="straight-through", bins=0, cmiBins=0, edges="standard",
            norm="sqrt", conditionalNorm="sqrt",
        )
        minimum = part(options, "minimum", "minimum-information")
        expect(minimum, minimum="softmin")
        gap = part(options, "gap", "contribution-gap")
        expect(gap, range="shift", probGradient=False, denominatorGradient=False, asymmetric=False)
        sampler = part(options, "sampler", "dsr")
        expect(sampler, match=0)
        self.tau, self.k = minimum["tau"], sampler["k"]
        self.weights, self.next = torch.ones(size, 2), torch.ones(size, 2)
        self.joint, self.measured = torch.zeros(size), torch.zeros(size, 9)
        self.copies = np.zeros(size, np.int64)

    def before_epoch(self, epoch):
        self.started = epoch >= self.warmup
        self.losses_on = epoch >= self.options["lossFrom"]
        if self.started:
            self.weights.copy_(self.next)

    def plan(self, order, generator):
        self.copies = np.zeros(self.size, np.int64)
        if not self.started:
            return order
        k = self.k
        wanted = np.floor(k * self.joint.numpy() - 2 * k + 0.5)
        self.copies = np.clip(wanted, 0, ceil(-2 * k)).astype(np.int64)
        items = order.repeat_interleave(torch.from_numpy(1 + self.copies)[order])
        return items[torch.randperm(len(items), generator=generator)]

    def features(self, features, items):
        weights = self.weights[items]
        return [f * weights[:, u : u + 1] for u, f in enumerate(features)]

    def loss(self, step):
        z, labels, options = step["z"], step["labels"], self.options
        readouts = step["readouts"]()
        vectors = centred(torch.stack([sum(z), *z]))
        nmi, ncmi = valuation(vectors, BINS)
        p, solo = own(step["logits"], labels), torch.stack([own(l, labels) for l in readouts], 1)
        tau = self.tau
        term_mi = (1 - p * F.relu(-torch.logsumexp(-tau * nmi, 1) / tau)).mean()
        phi = (contributions(p.detach(), solo.detach(), nmi, ncmi) + 1) * (2 / 3)
        centre = phi.mean(1, keepdim=True)
        term_cmi = ((phi - centre).abs() / centre.detach().clamp_min(1e-3)).sum(1).mean()
        self.found = [x.detach() for x in (vectors, nmi, ncmi, p, solo, term_mi, term_cmi)]
        terms = [options["readoutWeight"] * F.cross_entropy(logits, labels) for logits in readouts]
        if self.losses_on:
            terms += [options["lambda1"] * term_mi, options["lambda2"] * term_cmi]
        return terms

    @torch.no_grad()
    def emit(self, step, items):
        vectors, nmi, ncmi, p, solo, term_mi, term_cmi = self.found
        phi = contributions(p, solo, nmi, ncmi)
        joint = phi.mean(1)
        ranged = (phi + 1) * (2 / 3)
        quantities = torch.cat([p[:, None], solo, nmi, phi, ncmi[:, [0, 1], [1, 0]]], 1)
        if len(items) > 1:
            self.next[items] = ranged / ranged.mean(1, keepdim=True).clamp_min(1e-3)
            self.joint[items] = joint
            self.measured[items] = quantities
        # What the estimator finds between mismatched samples, of 16 rows.
        some = vectors[:, :16]
        floor_nmi, floor_ncmi = measured(torch.cat([some[:1], some[1:].roll(1, 1)]), BINS)
        cosine = F.cosine_similarity(vectors[1], vectors[2], dim=1)
        return [
            joint.mean(), (joint < 0).float().mean(), cosine.mean(), floor_nmi.mean(), floor_ncmi.sum((1, 2)).mean() / 2,
            term_mi, term_cmi, *quantities.mean(0),
        ]

    def report(self):
        percentiles = lambda table: np.percentile(table.numpy(), [5, 50, 95], axis=0, method="lower").tolist()
        bins = [np.unique(np.floor(column * 10) / 10, return_counts=True) for column in self.weights.numpy().T]
        return {
            "measured": percentiles(self.measured), "phi": percentiles(self.joint), "fw": percentiles(self.weights),
            "weights": [dict(zip(values.tolist(), counts.tolist())) for values, counts in bins],
            "copies": np.bincount(self.copies).tolist(), "copies:mean": float(self.copies.mean()),
        }


def part(options, name, wanted):
    """Options of the part that is chosen as `name`."""
    expect({name: options[name]["name"]}, **{name: wanted})
    return options[name]["options"]


def expect(options, **wanted):
    """Says what this script does not do."""
    for name, value in wanted.items():
        if options[name] != value:
            raise ValueError(f"Cannot do this cell as {name} must be {value!r}: found {options[name]!r}")


METHODS = {"uni-ce": UniCe, "ogm-ge": OgmGe, "arm": Arm}


# ------------------------------------------------------------------------------------------------------------- training


def train(config, data):
    """One cell: metrics of the best epoch by validation on the test split."""
    training, modalities = config["training"], config["modalities"]
    expect(training, budget="samples", optimizer="sgd", schedule="cosine", select="best")
    expect(part(training, "loss", "cross-entropy"), smoothing=0, classWeights="none")
    torch.manual_seed(config["seed"])
    generator = torch.Generator().manual_seed(config["seed"])
    inputs = {split: [arrays[modality] for modality in modalities] for split, arrays in data.items()}
    labels = {split: arrays["labels"] for split, arrays in data.items()}
    size, batch = len(labels["train"]), training["batchSize"]
    model = build(config, [x.shape[2] for x in inputs["train"]])
    named = config["methods"]
    method = METHODS[named[0]["name"]](named[0]["options"], size, training["epochs"]) if named else Method()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0, momentum=training["momentum"], weight_decay=training["weightDecay"], fused=True
    )
    budget, drawn, epoch = training["epochs"] * size, 0, 0
    best, chosen, records = -1.0, None, []
    while drawn < budget:
        method.before_epoch(epoch)
        order = method.plan(torch.randperm(size, generator=generator), generator)[: budget - drawn]
        sums, totals, steps = [torch.zeros(1, 128) for _ in modalities], 0, 0
        for at in range(0, len(order), batch):
            items = order[at : at + batch]
            for group in optimizer.param_groups:
                group["lr"] = training["learningRate"] * (1 + cos(pi * drawn / budget)) / 2
            y = labels["train"][items]
            encoded = model.encode([x[items] for x in inputs["train"]])
            z, logits = model.fuse(method.features(encoded, items))
            memo = []
            step = {"labels": y, "z": z, "logits": logits, "readouts": lambda: memo or memo.extend(model.readouts(z)) or memo}
            terms = [F.cross_entropy(logits, y), *method.loss(step)]
            loss = sum(terms)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            logged = method.gradients(model, step)
            norm = nn.utils.clip_grad_norm_(model.parameters(), training["clipNorm"])
            optimizer.step()
            with torch.no_grad():
                for total, f in zip(sums, encoded):
                    total += f.sum(0)
                correct = (logits.argmax(1) == y).sum()
                clipped = norm > training["clipNorm"]
                stats = [loss, *terms, correct, norm, clipped, *logged, *method.emit(step, items)]
                totals += torch.stack([value.detach().float() for value in stats])
            drawn += len(items)
            steps += 1
        if not totals.isfinite().all():
            raise ValueError(f"Cannot go on as every statistic must be finite: epoch {epoch} of {config}")
        means = [total / len(order) for total in sums]
        metrics = evaluate(model, inputs["validation"], labels["validation"], means)
        records.append({"means": (totals / steps).tolist(), "validation": metrics, "method": method.report()})
        if metrics["accuracy"] > best:
            best = metrics["accuracy"]
            chosen = {name: value.clone() for name, value in model.state_dict().items()}, means
        epoch += 1
    model.load_state_dict(chosen[0])
    return evaluate(model, inputs["test"], labels["test"], chosen[1])


def main():
    torch.set_num_threads(int(sys.argv[2]))
    folder = Path(sys.argv[1])
    data = load(folder)
    results = []
    for cell in json.loads((folder / "cells.json").read_text()):
        began = time.perf_counter()
        test = train(cell["config"], data)
        results.append(
            {"label": cell["label"], "seed": cell["config"]["seed"], "accuracy": test["accuracy"],
             "seconds": time.perf_counter() - began}
        )
        print(f"{cell['label']}, seed {cell['config']['seed']}: {100 * test['accuracy']:.2f} %", file=sys.stderr)
    print(json.dumps({
        "version": torch.__version__,
        "importSeconds": import_seconds,
        "processorSeconds": time.process_time(),
        "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "cells": results,
    }))


main()
