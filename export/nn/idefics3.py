"""Idefics3 (SmolVLM), a language model that sees: written to be read from top to bottom.

In: token ids, among them one for each vector of a picture, and the pixels of the pictures' tiles. Out: logits.

The model is that of "Building and better understanding vision-language models" (Laurençon et al. 2024,
arXiv:2408.12637): SigLIP sees each tile, neighbouring patches are gathered into one vector (pixel shuffle) and projected
to the width of the language model, which reads them where its text has image tokens. SmolVLM (Marafioti et al. 2025,
arXiv:2504.05299) is the same with other numbers.

Legend for shapes: as in ``export/nn/siglip.py`` and ``export/nn/language.py``, where they differ::

    N tiles of all pictures      K = S / F^2 vectors of a tile      F scale factor
    B batch    T tokens          C hidden size of the language model, Z that of what sees
"""

from __future__ import annotations

from torch import Tensor, nn

from export.idefics3_config import Idefics3Config
from export.nn.language import LanguageModel
from export.nn.siglip import VisionTower


def gather_patches(x: Tensor, factor: int) -> Tensor:
    """Put each square of ``factor`` x ``factor`` patches into one vector: [N,S,Z] -> [N,S/F^2,Z*F^2]."""
    pictures, patches, width = x.shape
    sides = round(patches**0.5) // factor
    x = x.reshape(pictures, sides, factor, sides, factor, width)  # [N,Y/F,F,X/F,F,Z]
    return x.transpose(2, 3).reshape(pictures, sides * sides, factor * factor * width)  # [N,K,Z*F^2]


class PictureEncoder(nn.Module):
    """What turns tiles into vectors that the language model reads."""

    def __init__(self, config: Idefics3Config) -> None:
        super().__init__()
        self.config = config
        self.vision = VisionTower(config.vision)
        self.projection = nn.Linear(config.joint_size, config.text.hidden_size, bias=False)

    def forward(self, pixels: Tensor, seen: Tensor | None = None) -> Tensor:
        """``pixels`` [N,3,Y*P,X*P], Y = X; ``seen`` bool [N,Y,X] where some is padding -> [N,K,C]."""
        return self.project(self.vision(pixels, seen))

    def project(self, states: Tensor) -> Tensor:
        """States of patches [N,S,Z] -> [N,K,C]."""
        return self.projection(gather_patches(states, self.config.scale_factor))


class Idefics3(nn.Module):
    """The whole model."""

    def __init__(self, pictures: PictureEncoder, language: LanguageModel) -> None:
        super().__init__()
        self.config = pictures.config
        self.pictures, self.language = pictures, language

    def embed(self, input_ids: Tensor, features: Tensor | None) -> Tensor:
        """[B,T] -> [B,T,C]; each image token is the next vector of ``features`` [N,K,C]."""
        x = self.language.embedding(input_ids)
        if features is None:
            return x
        x = x.clone()
        x[input_ids == self.config.image_token_id] = features.flatten(0, 1).to(x.dtype)
        return x

    def forward(self, input_ids: Tensor, pixels: Tensor | None = None, seen: Tensor | None = None) -> Tensor:
        """``input_ids`` [B,T] and the tiles [N,3,...] of all pictures in the order of the text -> logits [B,T,V]."""
        features = None if pixels is None else self.pictures(pixels, seen)
        return self.language.decode(self.embed(input_ids, features))[0]
