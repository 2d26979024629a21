"""Small models for which the choice of a layer used to go wrong, with the layer that `auto` means: auto/.

    python make_auto.py auto

`why` in auto.json says what each is about. Weights are seeded random numbers.
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn


class Permute(nn.Module):
    def __init__(self, dims):
        super().__init__()
        self.dims = dims

    def forward(self, x):
        return torch.permute(x, self.dims)


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution, then a perceptron over the last axis: channels are last in between."""

    def __init__(self, channels):
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
            Permute([0, 2, 3, 1]),
            nn.LayerNorm(channels),
            nn.Linear(channels, 2 * channels),
            nn.GELU(),
            nn.Linear(2 * channels, channels),
            Permute([0, 3, 1, 2]),
        )
        self.layer_scale = nn.Parameter(torch.ones(channels, 1, 1) / 2)

    def forward(self, x):
        result = self.layer_scale * self.block(x)
        result += x
        return result


class ConvNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 2, 2), ConvNeXtBlock(8), nn.Conv2d(8, 12, 2, 2), ConvNeXtBlock(12))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(12, 5)

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class AdaptivePool(nn.Module):
    """As AlexNet: 3x3 positions become 6x6, which the exporter writes as gathered windows and their mean."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.MaxPool2d(3, 2))
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Linear(8 * 36, 5)

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class TwoBranches(nn.Module):
    """As LR-ASPP: a map times what a global pool says, and two convolutions that make class maps."""

    def __init__(self):
        super().__init__()
        self.low = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU())
        self.high = nn.Sequential(nn.Conv2d(6, 8, 3, 2, 1), nn.ReLU())
        self.cbr = nn.Sequential(nn.Conv2d(8, 8, 1), nn.ReLU())
        self.scale = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1), nn.Sigmoid())
        self.low_classifier = nn.Conv2d(6, 4, 1)
        self.high_classifier = nn.Conv2d(8, 4, 1)

    def forward(self, x):
        low = self.low(x)
        high = self.high(low)
        high = self.cbr(high) * self.scale(high)
        return self.low_classifier(low) + nn.functional.interpolate(self.high_classifier(high), scale_factor=2.0)


class Letters(nn.Module):
    """A small vocabulary, so that the table of positions has more rows than that of letters."""

    def __init__(self):
        super().__init__()
        self.positions = nn.Embedding(64, 8)
        self.letters = nn.Embedding(12, 8)
        self.kinds = nn.Embedding(2, 8)
        self.hidden = nn.Linear(8, 8)
        self.classifier = nn.Linear(8, 3)

    def forward(self, ids):
        places = torch.arange(ids.size(1)).unsqueeze(0)
        x = self.letters(ids) + self.positions(places) + self.kinds(torch.zeros_like(ids))
        return self.classifier(torch.tanh(self.hidden(x)).mean(1))


class Spans(nn.Module):
    """Extractive question answering: a score for each position where the answer may begin, and where it may end."""

    def __init__(self):
        super().__init__()
        self.letters = nn.Embedding(12, 8)
        self.mixed = nn.Conv1d(8, 8, 3, padding=1)
        self.scores = nn.Linear(8, 2)

    def forward(self, ids):
        x = self.letters(ids)
        x = x + torch.tanh(self.mixed(x.transpose(1, 2)).transpose(1, 2))
        begin, end = self.scores(x).split(1, dim=-1)
        return begin.squeeze(-1), end.squeeze(-1)


class Sparse(nn.Module):
    """A sparse encoder as SPLADE: a weight for each entry of the vocabulary, the largest over the positions."""

    def __init__(self):
        super().__init__()
        self.letters = nn.Embedding(12, 8)
        self.mixed = nn.Conv1d(8, 8, 3, padding=1)
        self.vocabulary = nn.Linear(8, 12)

    def forward(self, ids):
        x = self.letters(ids)
        x = x + torch.tanh(self.mixed(x.transpose(1, 2)).transpose(1, 2))
        return torch.log1p(torch.relu(self.vocabulary(x))).max(dim=1).values


def words(net, ids, output, index):
    """Gradient x activation of a score at the embedding, summed over its channels."""
    kept = []

    def keep(module, inputs, result):
        result.retain_grad()
        kept.append(result)

    handle = net.letters.register_forward_hook(keep)
    result = net(ids)
    handle.remove()
    score = (result[output] if isinstance(result, tuple) else result)[0, index]
    score.backward()
    return (kept[0].grad * kept[0]).sum(-1)[0].detach().tolist()


def main(folder):
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    torch.manual_seed(7)
    picture = torch.randn(1, 3, 16, 16)
    ids = torch.randint(0, 12, (1, 9))
    cases = {
        "convnext": (ConvNeXt(), picture, "features", "channels move to the end and back inside of a block"),
        "adaptive_pool": (AdaptivePool(), torch.randn(1, 3, 14, 14), "avgpool", "an adaptive pool leaves positions"),
        "letters": (Letters(), ids, "letters", "more positions than letters"),
        "spans": (Spans(), ids, "mixed", "two outputs, a score for each position"),
        "sparse": (Sparse(), ids, "mixed", "a score for each entry of the vocabulary"),
        "two_branches": (TwoBranches(), picture, "cbr", "a global pool and a convolution make no map"),
    }
    facts = {}
    for name, (net, example, layer, why) in cases.items():
        net.eval()
        if name != "two_branches":  # interpolate, scripted, calls an operator that torch 2.7 lacks
            torch.jit.script(net).save(folder / f"{name}.scripted.pt")
        torch.jit.trace(net, example).save(folder / f"{name}.traced.pt")
        if name in ("convnext", "adaptive_pool"):
            torch.onnx.export(net, (example,), folder / f"{name}.onnx", dynamo=True, external_data=False, verbose=False)
        facts[name] = {"auto": layer, "why": why}
        if name in ("spans", "sparse"):
            facts[name]["ids"] = ids[0].tolist()
            facts[name]["words"] = {
                f"{output}:{index}": words(net, ids, output, index)
                for output in range(2 if name == "spans" else 1)
                for index in (3, 7)
            }
    (folder / "auto.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
