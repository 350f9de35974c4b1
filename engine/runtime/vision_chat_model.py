"""A language model that sees (SmolVLM and its family): answers questions about pictures, over several turns.

In: an image pack with ``vision.onnx``, ``embeddings.onnx`` and a decoder of embeddings; turns with pictures. Out: what
:class:`engine.runtime.language_model.LanguageModel` gives, of which this is one: the features of pictures are tokens with
ids of their own, so that the memory of what was read before works for them too. Legend: N tiles, S side of a tile, K
features of a tile, C hidden size.

    vision: pixel_values [N, 3, S, S] -> image_features [N, K, C]      embedding: input_ids [1, T] -> inputs_embeds [1, T, C]
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.genai_config import EmbeddingConfig, VisionConfig
from engine.labels import Label
from engine.media import tiles
from engine.media.tiles import IMAGE_TOKEN, TileSettings
from engine.packs import Pack, require_kind
from engine.results import Finished, Notice, Progress
from engine.runtime.captions import Caption, CaptionOptions
from engine.runtime.chat_template import ChatTemplate, Rendered
from engine.runtime.decoder import Embed
from engine.runtime.devices import CPU
from engine.runtime.language_model import GenerateOptions, Item, LanguageModel
from engine.runtime.pictures import PictureMemory, PictureTurn, picture_key
from engine.runtime.sampling import Sampler
from engine.runtime.session import DeviceFailure, Interrupted, Session, fits_memory, out_of_memory
from engine.runtime.tokens import Tokenizer

CAPTION_REQUEST = "Describe this image in one short sentence."
RESERVE_TOKENS = 512  # of the context, kept for the answer while turns are dropped to make room


@dataclass(frozen=True)
class _Greedy:
    """How captions are written."""

    max_new_tokens: int
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Prompt:
    """The ids of a prompt with image tokens where features go, and the pictures in their order."""

    ids: list[int]
    pictures: tuple[NDArray[np.uint8], ...]
    split: bool
    dropped_turns: int = 0


class VisionChatModel(LanguageModel):
    """An open image pack that converses."""

    answers_questions = True
    labels: tuple[Label, ...] = ()
    unsure_below = 0.0

    def __init__(
        self,
        pack: Pack,
        tokenizer: Tokenizer,
        template: ChatTemplate,
        settings: TileSettings,
        threads: int = 0,
    ) -> None:
        """Use :meth:`open`."""
        super().__init__(pack, tokenizer, template, threads)
        self.settings = settings
        self._image_id = tokenizer.id_of(IMAGE_TOKEN)
        if IMAGE_TOKEN not in tokenizer.control_tokens or self._image_id != pack.config.image_token_id:
            raise self._unusable(f"{IMAGE_TOKEN} is no control token")
        self._memory = PictureMemory()
        self._vision: Session | None = None
        self._embedding: Session | None = None
        self._watched: _WatchedSampler | None = None

    @classmethod
    def open(cls, pack: Pack, device: str = "auto", threads: int = 0) -> VisionChatModel:
        """Open ``pack`` on a device ("auto", "cpu", "cuda", ...); ``threads`` 0: one a physical core.

        Raises EngineError where it is no such pack, files are missing or damaged, or memory does not suffice.
        """
        require_kind(pack, "image")
        if not fits_memory(pack.size_bytes):
            raise out_of_memory(pack.display_name)
        assert pack.config.vision is not None
        settings = TileSettings.read(pack.folder / pack.config.vision.config_filename)
        tokenizer, template = Tokenizer.open(pack.folder), ChatTemplate.open(pack.folder)
        model = cls(pack, tokenizer, template, settings, threads)
        model._open_on(device)
        return model

    def chat(self, turns: Sequence[PictureTurn], options: GenerateOptions, cancel: Cancel) -> Iterator[Item]:
        """Answer the last turn, which must be the user's. Ends with one :class:`Finished`.

        What does not fit the model's context is never cut silently: the oldest turns go, and a Notice says so. Raises
        EngineError if the last turn alone does not fit, the model is closed, or another run is not over.
        """
        if not turns or turns[-1].role != "user":
            raise ValueError("the last turn must be the user's")
        if turns[0].role != "system" and self.pack.system:
            turns = [PictureTurn("system", self.pack.system), *turns]
        with self.one_run():
            started = perf_counter()
            limit = self.context_limit_tokens
            prompt = self._fit(list(turns), min(options.max_new_tokens, RESERVE_TOKENS, limit // 4))
            if prompt.dropped_turns:
                yield Notice(
                    "turns_dropped",
                    "The conversation is longer than {model} can read ({limit} tokens): "
                    "its {count} oldest messages were left out.",
                    {"model": self.pack.display_name, "limit": limit, "count": prompt.dropped_turns},
                )
            yield from self._answer(prompt, options, cancel, started)

    def caption(self, pixels: NDArray[np.uint8], options: CaptionOptions, cancel: Cancel) -> Caption:
        """One sentence about ``pixels``, uint8 [h, w, 3]: the model asks itself. It looks at the picture as a whole.

        After ``cancel`` the reason is "cancelled" and the text is empty. ``options.beams`` and ``looks`` are for models
        that only caption. Raises EngineError where the model is closed or busy.
        """
        none = np.zeros(0, np.float32)
        with self.one_run():
            prompt = self._prompt([PictureTurn("user", CAPTION_REQUEST, (pixels,))], split=False)
            self._watched = _WatchedSampler(_Greedy(options.max_new_tokens))
            try:
                *_, ended = self._answer(prompt, _Greedy(options.max_new_tokens), cancel, perf_counter())
                confidence = self._watched.confidence
            finally:
                self._watched = None
        assert isinstance(ended, Finished)
        if ended.reason == "cancelled":
            return Caption("", 0.0, "cancelled", (), none)
        return Caption(" ".join(ended.text.split()), confidence, ended.reason, (), none)

    def _answer(
        self, prompt: _Prompt, options: GenerateOptions, cancel: Cancel, started: float
    ) -> Iterator[Item]:
        try:
            yield from self._see(prompt, cancel)
        except Interrupted:
            yield self._cancelled(len(prompt.ids), perf_counter() - started)
            return
        yield from self._generate(self._with_features(prompt), options, cancel, started)

    def _fit(self, turns: list[PictureTurn], reserve: int) -> _Prompt:
        """The prompt of as many turns as leave ``reserve`` of the context; the system turn and the last one stay, and what
        the first of them is about stays in sight.

        If the last one does not fit so, its pictures are seen as a whole only, without tiles.
        """
        limit = self.context_limit_tokens
        system = turns[:1] if turns[0].role == "system" else []
        talk = turns[len(system) :]
        # A question goes with its answer, so that what is left begins with a question again.
        cuts = [0, *(at for at in range(1, len(talk)) if talk[at].role == "user")]
        for cut in cuts:
            prompt = self._prompt([*system, *_from(talk, cut)], self.settings.split)
            if len(prompt.ids) + reserve <= limit:
                return replace(prompt, dropped_turns=cut)
        # At last, little room for an answer is better than none.
        for split, room in ((False, reserve), (self.settings.split, 1), (False, 1)):
            prompt = self._prompt([*system, *_from(talk, cuts[-1])], split)
            if len(prompt.ids) + room <= limit:
                return replace(prompt, dropped_turns=cuts[-1])
        self._check_length(len(prompt.ids))
        return prompt

    def _prompt(self, turns: Sequence[PictureTurn], split: bool) -> _Prompt:
        pictures = tuple(pixels for turn in turns for pixels in turn.pictures)
        counts = [len(turn.pictures) for turn in turns]
        rendered = self.template.render(turns, self.tokenizer.control_tokens, pictures=counts)
        pieces = rendered.text.split(IMAGE_TOKEN)
        if len(pieces) != len(pictures) + 1:
            raise EngineError(
                "The chat template of {model} has no place for pictures.",
                "Use another model, or get this one again.",
                model=self.pack.display_name,
            )
        settings = replace(self.settings, split=split)
        text = pieces[0]
        for pixels, piece in zip(pictures, pieces[1:], strict=True):
            rows, columns = tiles.grid(pixels.shape[1], pixels.shape[0], settings)
            text += tiles.picture_text(rows, columns, settings.tile_tokens) + piece
        ids = self.tokenizer.encode_rendered(Rendered(text, rendered.marker))
        return _Prompt(ids, pictures, split)

    def _see(self, prompt: _Prompt, cancel: Cancel) -> Iterator[Progress | Notice]:
        """Make the features of the pictures that are new. Raises Interrupted when cancelled."""
        keys = {picture_key(pixels, prompt.split): pixels for pixels in prompt.pictures}
        new = {key: pixels for key, pixels in keys.items() if key not in self._memory}
        settings = replace(self.settings, split=prompt.split)
        grids = [tiles.grid(pixels.shape[1], pixels.shape[0], settings) for pixels in new.values()]
        total, done = sum(rows * columns + 1 for rows, columns in grids), 0
        for key, pixels in new.items():
            features: list[NDArray[np.floating]] = []
            for tile in tiles.cut(pixels, settings).pixels:
                yield Progress("describe", done, total, "steps")
                try:
                    features.append(self._features(tile, cancel))
                except DeviceFailure as failure:
                    yield self.fall_back(failure)
                    features.append(self._features(tile, cancel))
                done += 1
            self._memory.add(key, np.concatenate(features), keys)
        if new:
            yield Progress("describe", total, total, "steps")

    def _features(self, tile: NDArray[np.float32], cancel: Cancel) -> NDArray[np.floating]:
        """One tile at a time, so that a run can be stopped soon: [3, S, S] -> [K, C]."""
        if self._vision is None or self._closing:
            raise Interrupted
        config = self._parts[0]
        binding = self._vision.binding()
        binding.bind_cpu_input(config.pixel_values, np.ascontiguousarray(tile[None]))
        binding.bind_output(config.image_features)
        self._vision.run(binding, cancel)
        return binding.get_outputs()[0].numpy()[0]

    def _with_features(self, prompt: _Prompt) -> list[int]:
        """The ids with those of features in place of image tokens."""
        features = iter(
            [id_ for pixels in prompt.pictures for id_ in self._memory.ids(picture_key(pixels, prompt.split))]
        )
        # One image token for each feature, by how the prompt was made; anything else would be our bug.
        ids = [next(features) if id_ == self._image_id else id_ for id_ in prompt.ids]
        if next(features, None) is not None:
            raise RuntimeError("features of a picture are left over")
        return ids

    def _embed(self, ids: Sequence[int]) -> NDArray[np.floating]:
        """Tokens and features, T of them -> [1, T, C]."""
        if self._embedding is None:
            raise self.closed()
        config = self._parts[1]
        tokens = np.maximum(np.array([ids], np.int64), 0)  # where features go, any token
        binding = self._embedding.binding()
        binding.bind_cpu_input(
            config.input_ids, tokens.astype(self._embedding.inputs[config.input_ids].dtype)
        )
        binding.bind_output(config.inputs_embeds)
        self._embedding.run(binding, Cancel())
        embeddings = binding.get_outputs()[0].numpy().copy()
        self._memory.fill_in(ids, embeddings[0])
        return embeddings

    def _sampler(self, options: GenerateOptions, ids: Sequence[int]) -> Sampler:
        return self._watched or Sampler(options, [id_ for id_ in ids if id_ >= 0])

    def _try_out(self, session: Session, embed: Embed | None = None) -> None:
        self._vision = Session(self.pack.vision_path, session.device, self._threads)
        self._embedding = Session(self.pack.embedding_path, CPU, 1)
        self._check_parts(self._vision, self._embedding)
        if session.device is not CPU:  # what runs elsewhere may fail in a run only
            side = self.settings.tile_px
            self._features(np.zeros((3, side, side), np.float32), Cancel())
        super()._try_out(session, self._embed)

    def _check_parts(self, vision: Session, embedding: Session) -> None:
        (seeing, looking_up), side = self._parts, self.settings.tile_px
        missing = {seeing.pixel_values} ^ set(vision.inputs) or {seeing.image_features} - set(vision.outputs)
        missing |= {looking_up.input_ids} ^ set(embedding.inputs)
        missing |= {looking_up.inputs_embeds} - set(embedding.outputs)
        if missing:
            raise self._unusable(min(missing))
        pixels, features = vision.inputs[seeing.pixel_values], vision.outputs[seeing.image_features]
        whole = embedding.inputs[looking_up.input_ids].dtype
        if whole is None or whole.kind != "i" or pixels.dtype != np.float32:
            raise self._unusable("the types of its inputs")
        width = self.pack.config.hidden_size
        if pixels.shape[1:] != (3, side, side) or features.shape[1:] != (self.settings.tile_tokens, width):
            raise self._unusable("the sizes of its parts differ")

    @property
    def _parts(self) -> tuple[VisionConfig, EmbeddingConfig]:
        vision, embedding = self.pack.config.vision, self.pack.config.embedding
        assert vision is not None and embedding is not None
        return vision, embedding

    def _cancelled(self, prompt_tokens: int, wall_s: float) -> Finished:
        return Finished(
            reason="cancelled",
            text="",
            model=self.pack.name,
            provider=self.provider,
            prompt_tokens=prompt_tokens,
            cached_tokens=0,
            new_tokens=0,
            context_tokens=prompt_tokens,
            context_limit_tokens=self.context_limit_tokens,
            first_token_s=wall_s,
            prefill_s=wall_s,
            decode_s=0.0,
        )

    def _unusable(self, name: str) -> EngineError:
        return EngineError(
            "The image model {model} is laid out in a way that Pollux cannot run: {name}.",
            "Get the model again, or build it with the exporter of Pollux.",
            model=self.pack.display_name,
            name=name,
        )

    def _let_go(self) -> None:
        super()._let_go()
        for session in (self._vision, self._embedding):
            if session is not None:
                session.close()
        self._vision = self._embedding = None
        if self._closing:
            self._memory.clear()


def _from(talk: list[PictureTurn], cut: int) -> list[PictureTurn]:
    """The turns from ``cut`` on, a user's. If that one has no pictures, it is about those shown last before it."""
    first, *rest = talk[cut:]
    if not first.pictures:
        shown = next((turn.pictures for turn in reversed(talk[:cut]) if turn.pictures), ())
        first = replace(first, pictures=shown)
    return [first, *rest]


class _WatchedSampler(Sampler):
    """Also notes how probable each chosen token was."""

    def __init__(self, options: GenerateOptions) -> None:
        super().__init__(options)
        self._logprobs: list[float] = []

    def choose(self, logits: NDArray[np.float32]) -> int:
        id_ = super().choose(logits)
        scores = logits.astype(np.float64)
        top = scores.max()
        self._logprobs.append(float(scores[id_] - top - np.log(np.exp(scores - top).sum())))
        return id_

    @property
    def confidence(self) -> float:
        """The geometric mean of the probabilities; 0 where nothing was chosen."""
        return math.exp(sum(self._logprobs) / len(self._logprobs)) if self._logprobs else 0.0
