"""EfficientNet-Lite: what the captioner sees with.

In: pixels in [0, 255] mapped by :func:`normalise`. Out: one vector for each patch of the picture, and the logits of
the 1,000 ImageNet classes.

The network is EfficientNet (Tan and Le 2019, arXiv:1905.11946) without squeeze-and-excitation and with ReLU6, the
"lite" form: inverted residuals (arXiv:1801.04381) whose widths and depths are scaled together. Its convolutions pad
as TensorFlow's "SAME" does, which for an even size and stride 2 is not symmetrical.

Legend for shapes::

    B batch      S side of the picture in pixels      g side of the grid of patches, S / 32 rounded up
    N = g * g patches, row by row                     P channels before the head convolution (320 or 352)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

# Inverted residuals of the unscaled network: expansion, channels, repeats, stride, kernel.
_STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
_BN_EPS = 1e-3
PIXEL_MEAN, PIXEL_SCALE = 0.498, 0.502


@dataclass(frozen=True)
class EfficientNetConfig:
    """Sizes of one member of the family; ``image_px`` is the side it was trained at."""

    name: str
    width: float
    depth: float
    image_px: int
    stem_channels: int = 32
    feature_channels: int = 1280
    classes: int = 1000

    @property
    def grid(self) -> int:
        """Patches along one side."""
        return math.ceil(self.image_px / 32)

    @property
    def patch_channels(self) -> int:
        """Channels of a patch before the head convolution."""
        return self.channels(_STAGES[-1][1])

    def channels(self, base: int) -> int:
        """A scaled width: a multiple of 8, never more than a tenth below."""
        scaled = base * self.width
        rounded = max(8, int(scaled + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * scaled else rounded


LITE0 = EfficientNetConfig("efficientnet-lite0", 1.0, 1.0, 224)
LITE1 = EfficientNetConfig("efficientnet-lite1", 1.0, 1.1, 240)
LITE2 = EfficientNetConfig("efficientnet-lite2", 1.1, 1.2, 260)
CONFIGS = {config.name: config for config in (LITE0, LITE1, LITE2)}


def normalise(pixels: Tensor) -> Tensor:
    """Pixels in [0, 255] -> what the network was trained on, about [-1, 1]."""
    return (pixels / 255 - PIXEL_MEAN) / PIXEL_SCALE


def same_padding(x: Tensor, kernel: int, stride: int) -> Tensor:
    """TensorFlow's SAME: as much as the last window needs, the odd pixel at the end."""
    height, width = (
        max((math.ceil(size / stride) - 1) * stride + kernel - size, 0) for size in (x.shape[-2], x.shape[-1])
    )
    return functional.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))


class ConvNorm(nn.Module):
    """Convolution, batch normalisation with fixed statistics, and ReLU6 where ``act``."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, groups: int = 1, act: bool = True
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.act = kernel, stride, act
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=_BN_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """[B,inputs,h,w] -> [B,outputs,h/stride,w/stride]."""
        x = self.norm(self.conv(same_padding(x, self.kernel, self.stride)))
        return functional.hardtanh(x, 0.0, 6.0) if self.act else x


class InvertedResidual(nn.Module):
    """Widen, filter every channel by itself, narrow; the input is added where the shapes allow it."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = ConvNorm(inputs, inner, 1) if expansion != 1 else None
        self.depthwise = ConvNorm(inner, inner, kernel, stride, groups=inner)
        self.project = ConvNorm(inner, outputs, 1, act=False)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """[B,inputs,h,w] -> [B,outputs,h/stride,w/stride]."""
        out = x if self.expand is None else self.expand(x)
        out = self.project(self.depthwise(out))
        return x + out if self.adds else out


class EfficientNet(nn.Module):
    """The whole network, in evaluation mode only: its statistics are not meant to change."""

    def __init__(self, config: EfficientNetConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = ConvNorm(3, config.stem_channels, 3, stride=2)
        blocks: list[nn.Module] = []
        channels = config.stem_channels
        for place, (expansion, base, repeats, stride, kernel) in enumerate(_STAGES):
            outputs = config.channels(base)
            # The lite family leaves the first and the last stage at their depth.
            scaled = repeats if place in (0, len(_STAGES) - 1) else math.ceil(repeats * config.depth)
            for repeat in range(scaled):
                step = stride if repeat == 0 else 1
                blocks.append(InvertedResidual(channels, outputs, expansion, step, kernel))
                channels = outputs
        self.blocks = nn.ModuleList(blocks)
        self.head = ConvNorm(channels, config.feature_channels, 1)
        self.classifier = nn.Linear(config.feature_channels, config.classes)
        self.eval()

    def patch_map(self, pixels: Tensor) -> Tensor:
        """Normalised pixels [B,3,S,S] -> [B,P,g,g], before the head convolution."""
        x = self.stem(pixels)
        for block in self.blocks:
            x = block(x)
        return x

    def patches(self, pixels: Tensor) -> Tensor:
        """The same as one vector for each patch, [B,N,P]: the smallest form to keep."""
        return self.patch_map(pixels).flatten(2).transpose(1, 2)

    def widen(self, patches: Tensor) -> Tensor:
        """The head convolution on patches: [B,N,P] -> [B,N,1280]."""
        conv, norm = self.head.conv, self.head.norm
        assert norm.running_var is not None and norm.running_mean is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)  # [1280]
        weight = conv.weight.flatten(1) * scale[:, None]  # [1280,P]
        bias = norm.bias - norm.running_mean * scale
        return functional.linear(patches, weight, bias).clamp(0.0, 6.0)

    def features(self, pixels: Tensor) -> Tensor:
        """Normalised pixels [B,3,S,S] -> features of the patches [B,N,1280]."""
        return self.widen(self.patches(pixels))

    def classify(self, features: Tensor) -> Tensor:
        """Features [B,N,1280] -> logits of the ImageNet classes [B,1000]."""
        return self.classifier(features.mean(dim=1))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised pixels [B,3,S,S] -> (features [B,N,1280], logits [B,1000])."""
        features = self.features(pixels)
        return features, self.classify(features)


def load_efficientnet(config: EfficientNetConfig, state: Mapping[str, Tensor]) -> EfficientNet:
    """The network with the weights of a published ``.pth``, without gradients; KeyError where one is missing."""
    model = EfficientNet(config)
    own = {
        name: state[published_name(name)]
        for name in model.state_dict()
        if not name.endswith("batches_tracked")
    }
    model.load_state_dict(own, strict=False)
    return model.requires_grad_(False)


def published_name(name: str) -> str:
    """What the published files call one of our tensors."""
    if name.startswith("classifier."):
        return name.replace("classifier", "_fc")
    owner, part, field = name.rsplit(".", 2)
    if not owner.startswith("blocks."):
        conv, norm = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}[owner]
        return f"{conv if part == 'conv' else norm}.{field}"
    _, number, layer = owner.split(".")
    norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[layer]
    return f"_blocks.{number}.{f'_{layer}_conv' if part == 'conv' else norm}.{field}"
