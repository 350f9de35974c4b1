"""Measures a speech pack against its checkpoint: how likely each finds what is said in a recording.

In: the checkpoint and the folder of its finished graphs. Out: :class:`SpeechParity`, for ``pack.json``. The error rates on
many recordings stand in ``tests/bench``; this tells a broken pack from a sound one where it is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from engine.folders import resources_folder
from engine.media.audio import AudioFile
from engine.media.mel import log_mel
from export.checkpoints.load import load_whisper
from export.checkpoints.whisper import WhisperCheckpoint
from export.verify import cpu_session
from export.whisper_config import WhisperConfig
from export.whisper_graph import DECODER_FILE, ENCODER_FILE

SAMPLE = "speech_en.flac"
SPOKEN = " Good morning. The weather is fine today, and the boats are leaving the harbour."
FRAMES = 800


@dataclass(frozen=True)
class SpeechParity:
    """Perplexity of the words of a recording, given its sound: of the checkpoint in fp32, and of the pack."""

    tokens: int
    checkpoint: float
    pack: float
    max_abs_logit_difference: float

    def as_json(self) -> dict[str, object]:
        """As it stands in ``pack.json``."""
        figures = {
            "tokens": self.tokens,
            "checkpoint_fp32": round(self.checkpoint, 4),
            "pack": round(self.pack, 4),
            "ratio": round(self.pack / self.checkpoint, 4),
        }
        return {
            "spoken_perplexity": {"en": figures},
            "max_abs_logit_difference": round(self.max_abs_logit_difference, 4),
        }


def measure_speech(checkpoint: WhisperCheckpoint, folder: Path) -> SpeechParity:
    """Run both on the sample that ships with Pollux."""
    with AudioFile.open(resources_folder() / "samples" / SAMPLE) as audio:
        sound = np.concatenate(list(audio.blocks()))
    mel = log_mel(sound, checkpoint.config.mels, FRAMES)[None]
    ids, spoken = sample_ids(Tokenizer.from_str(checkpoint.tokenizer_json()))
    runner = PackRunner(folder, checkpoint.config, mel)
    runner.step(ids[: -len(spoken) - 1])
    found = np.stack([runner.step([token_id]) for token_id in ids[-len(spoken) - 1 : -1]])
    with torch.no_grad():
        model = load_whisper(checkpoint)
        cross = model.decoder.cross_keys_values(model.encoder(torch.from_numpy(mel)))
        logits, _ = model.decoder(torch.tensor([ids[:-1]]), None, cross)
    wanted = logits[0, -len(spoken) :].numpy()
    return SpeechParity(
        tokens=len(spoken),
        checkpoint=_perplexity(wanted, spoken),
        pack=_perplexity(found, spoken),
        max_abs_logit_difference=float(np.abs(found - wanted).max()),
    )


def sample_ids(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """All tokens of the sample, and those of what is said with the end token, which are the last of them."""
    names = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
    if "<|zh|>" not in tokenizer.get_vocab():  # English only: neither language nor task is told
        names = (names[0], names[3])
    spoken = tokenizer.encode(SPOKEN, add_special_tokens=False).ids
    vocabulary = tokenizer.get_vocab()
    spoken.append(vocabulary["<|endoftext|>"])
    return [*(vocabulary[name] for name in names), *spoken], spoken


class PackRunner:
    """The plainest way to run a speech pack: one sound, one text, logits after the last token."""

    def __init__(self, folder: Path, config: WhisperConfig, mel: NDArray[np.float32]) -> None:
        """``mel`` [1, M, F]."""
        encoder, self._decoder = (cpu_session(folder / name) for name in (ENCODER_FILE, DECODER_FILE))
        names = [info.name.replace("present", "past") for info in encoder.get_outputs()]
        self._sound = dict(zip(names, encoder.run(None, {"audio_features": mel}), strict=True))
        shape = (1, config.heads, config.text_context_tokens, config.head_size)
        self._buffers = {
            f"{part}_self_{layer}": ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32))
            for layer in range(config.decoder_layers)
            for part in ("key", "value")
        }
        self._past_tokens = 0

    def step(self, ids: list[int]) -> NDArray[np.float32]:
        """Read more tokens: -> logits after the last one, fp32 [V]."""
        binding = self._decoder.io_binding()
        binding.bind_cpu_input("input_ids", np.array([ids], np.int32))
        binding.bind_cpu_input("past_sequence_length", np.array([self._past_tokens], np.int32))
        binding.bind_output("logits", "cpu")
        for name, value in self._sound.items():
            binding.bind_cpu_input(name, value)
        for name, buffer in self._buffers.items():
            binding.bind_ortvalue_input(f"past_{name}", buffer)
            binding.bind_ortvalue_output(f"present_{name}", buffer)
        self._decoder.run_with_iobinding(binding)
        self._past_tokens += len(ids)
        return binding.get_outputs()[0].numpy()[0, -1]


def _perplexity(logits: NDArray[np.float32], ids: list[int]) -> float:
    """exp of the mean of -ln p(id): logits [T, V], T ids."""
    scores = logits.astype(np.float64)
    top = scores.max(axis=-1)
    total = top + np.log(np.exp(scores - top[:, None]).sum(axis=-1))
    return float(np.exp((total - scores[np.arange(len(ids)), ids]).mean()))
