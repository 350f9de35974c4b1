"""The captioner, ready to run: a picture in, one English sentence out.

In: an image pack of Pollux's own kind (``vision.onnx``, ``model.onnx``, ``captioner.json``, ``labels.tsv``) and pixels.
Out: a :class:`Caption`. The picture becomes a few embeddings that stand before the text, the classifier's likeliest nouns
follow, and a beam search writes the sentence. Legend: Q embeddings, C hidden size, N patches, S side in
pixels, K keywords.

    vision: pixel_values uint8 [1, S, S, 3] -> image_features [1, Q, C], class_probabilities [1, 1000],
            keyword_shares [1, K], patch_weights [1, Q, N]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.labels import Label, load_labels
from engine.media.image import resize_for_model
from engine.packs import LABELS_FILE, Pack, require_kind
from engine.runtime.beam import Beam, beam_search
from engine.runtime.caption_decoder import CaptionDecoder
from engine.runtime.captioner_settings import CaptionerSettings
from engine.runtime.captions import Caption, CaptionOptions
from engine.runtime.devices import Device
from engine.runtime.looks import looks_of
from engine.runtime.open_model import OpenModel
from engine.runtime.session import (
    DeviceFailure,
    Interrupted,
    Session,
    fits_memory,
    open_session,
    out_of_memory,
)
from engine.runtime.tokens import Tokenizer

CAPACITY_TOKENS = 192  # prefix, nouns and the longest caption, with room to spare
NO_REPEAT_TOKENS = 3  # no three tokens stand twice in a caption
PROBABILITIES, SHARES, PATCH_WEIGHTS = "class_probabilities", "keyword_shares", "patch_weights"


@dataclass(frozen=True)
class _Seen:
    """What the picture network makes of one picture."""

    prefix: NDArray[np.float32]  # [Q, C]
    probabilities: NDArray[np.float32]  # [1000]
    shares: NDArray[np.float32]  # [K]
    patch_weights: NDArray[np.float32]  # [Q, N]


class Captioner(OpenModel):
    """An open captioner pack."""

    answers_questions = False

    def __init__(
        self,
        pack: Pack,
        tokenizer: Tokenizer,
        settings: CaptionerSettings,
        labels: Sequence[Label],
        threads: int = 0,
    ) -> None:
        """Use :meth:`open`."""
        super().__init__(pack, threads)
        self.settings, self.labels = settings, tuple(labels)
        self._tokenizer = tokenizer
        self._vision: Session | None = None
        self._decoder: CaptionDecoder | None = None
        self._never = np.array(sorted(tokenizer.control_ids - set(pack.config.eos_token_ids)), np.int64)

    @classmethod
    def open(cls, pack: Pack, device: str = "auto", threads: int = 0) -> Captioner:
        """Open ``pack`` on a device ("auto", "cpu", "cuda", ...); ``threads`` 0: one a physical core.

        Raises EngineError where it is no captioner, files are missing or damaged, or memory does not suffice.
        """
        require_kind(pack, "image")
        if not fits_memory(pack.size_bytes):
            raise out_of_memory(pack.display_name)
        assert pack.config.vision is not None
        settings = CaptionerSettings.read(pack.folder / pack.config.vision.config_filename)
        labels = load_labels(pack.folder / LABELS_FILE)
        model = cls(pack, Tokenizer.open(pack.folder), settings, labels, threads)
        model._open_on(device)
        return model

    @property
    def unsure_below(self) -> float:
        """A caption with less confidence should be read with doubt."""
        return self.settings.unsure_below

    def caption(self, pixels: NDArray[np.uint8], options: CaptionOptions, cancel: Cancel) -> Caption:
        """One sentence about ``pixels``, uint8 [height, width, 3] RGB, upright.

        After ``cancel`` the reason is "cancelled" and the text is empty. Raises EngineError where the model is closed or
        busy.
        """
        with self.one_run():
            try:
                return self._caption(pixels, options, cancel)
            except DeviceFailure as failure:
                self.fall_back(failure)
                return self._caption(pixels, options, cancel)
            except Interrupted:
                return Caption("", 0.0, "cancelled", (), np.zeros(0, np.float32))

    def _caption(self, pixels: NDArray[np.uint8], options: CaptionOptions, cancel: Cancel) -> Caption:
        seen = self._see(pixels, cancel)
        decoder = self._opened()[1]
        names = self.settings.prompt(seen.probabilities, self.labels, seen.shares)
        prompt = self._tokenizer.encode(names)
        begin = decoder.begin(seen.prefix, prompt, cancel)
        decoder.branch(options.beams)
        room = min(options.max_new_tokens, CAPACITY_TOKENS - len(seen.prefix) - len(prompt))
        beam = beam_search(_Writing(self, cancel), begin, rows=options.beams, room=room)
        text = self._tokenizer.decode(beam.ids)
        looks = ()
        if options.looks and beam.ids:
            # A token is decided on where the one before it is read: the row before its own.
            weights = decoder.weights(seen.prefix, [*prompt, *beam.ids], cancel)
            rows = weights[-len(beam.ids) - 1 : -1, : len(seen.prefix)]  # [tokens, Q]
            pieces = [self._tokenizer.decode(beam.ids[:end]) for end in range(len(beam.ids) + 1)]
            patches = seen.patch_weights.reshape(-1, self.settings.grid, self.settings.grid)
            looks = looks_of(text, pieces, beam.logprobs, rows, patches)
        return Caption(
            text=text.strip(),
            confidence=_confidence(beam),
            reason="stop" if beam.ended else "length",
            looks=looks,
            probabilities=seen.probabilities,
        )

    def _see(self, pixels: NDArray[np.uint8], cancel: Cancel) -> _Seen:
        vision = self._opened()[0]
        config = self.pack.config.vision
        assert config is not None
        binding = vision.binding()
        square = resize_for_model(pixels, self.settings.image_px)
        binding.bind_cpu_input(config.pixel_values, np.ascontiguousarray(square[None]))
        for name in (config.image_features, PROBABILITIES, SHARES, PATCH_WEIGHTS):
            binding.bind_output(name)
        vision.run(binding, cancel)
        return _Seen(*(value.numpy()[0] for value in binding.get_outputs()))

    def _open_on(self, device: str) -> None:
        def try_out(vision: Session) -> None:
            self._check_vision(vision)
            self._vision = vision
            session = Session(self.pack.model_path, vision.device, self._threads)
            self._decoder = CaptionDecoder(session, self.pack, CAPACITY_TOKENS)
            grey = np.full((self.settings.image_px, self.settings.image_px, 3), 128, np.uint8)
            seen = self._see(grey, Cancel())
            patches = self.settings.grid**2
            sizes = (len(seen.probabilities), len(seen.shares), seen.patch_weights.shape[1])
            if sizes != (len(self.labels), len(self.settings.keywords), patches):
                raise self._unusable("the sizes of its parts differ")
            self._decoder.begin(seen.prefix, [0], Cancel())

        session, notices = open_session(self.pack.vision_path, device, self._threads, try_out)
        self.notices = (*self.notices, *notices)
        self.provider = session.device.label

    def _check_vision(self, vision: Session) -> None:
        config = self.pack.config.vision
        assert config is not None
        wanted = {config.image_features, PROBABILITIES, SHARES, PATCH_WEIGHTS} - set(vision.outputs)
        if missing := wanted | ({config.pixel_values} ^ set(vision.inputs)):
            raise self._unusable(min(missing))

    def _unusable(self, name: str) -> EngineError:
        return EngineError(
            "The image model {model} is laid out in a way that Pollux cannot run: {name}.",
            "Get the model again, or build it with the exporter of Pollux.",
            model=self.pack.display_name,
            name=name,
        )

    def _device(self) -> Device | None:
        return self._vision.device if self._vision is not None else None

    def _opened(self) -> tuple[Session, CaptionDecoder]:
        if self._vision is None or self._decoder is None:
            raise self.closed()
        return self._vision, self._decoder

    def _let_go(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
        if self._vision is not None:
            self._vision.close()
        self._vision = self._decoder = None


class _Writing:
    """How a caption is written: no control tokens, and nothing twice."""

    def __init__(self, model: Captioner, cancel: Cancel) -> None:
        self._model, self._cancel = model, cancel
        self._decoder = model._opened()[1]
        self.end = model.pack.config.eos_token_ids[0]

    @property
    def closing(self) -> bool:
        return self._model.closing

    def mask(self, scores: NDArray[np.float32], ids: Sequence[int]) -> None:
        scores[self._model._never] = -np.inf
        if not ids:
            scores[self.end] = -np.inf
        scores[repeated(ids, NO_REPEAT_TOKENS)] = -np.inf

    def advance(self, ids: Sequence[int], parents: Sequence[int]) -> NDArray[np.float32]:
        return self._decoder.advance(ids, parents, self._cancel)


def repeated(ids: Sequence[int], length: int) -> list[int]:
    """The tokens after which the last ``length`` tokens would stand in ``ids`` a second time."""
    last = tuple(ids[len(ids) - length + 1 :]) if length > 1 else ()
    if len(last) < length - 1:
        return []
    return [
        ids[at + length - 1]
        for at in range(len(ids) - length + 1)
        if tuple(ids[at : at + length - 1]) == last
    ]


def _confidence(beam: Beam) -> float:
    return math.exp(beam.mean) if beam.logprobs else 0.0
