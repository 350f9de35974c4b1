"""A speech model, ready to run: the encoder that hears, the decoder that writes, one step at a time.

In: a speech pack and log-mel frames. Out: logits ``[V]`` after each token. What is written, and when to stop, is decided in
:mod:`engine.runtime.speech_search`. Legend: M mel bins, F frames of 10 ms, S = F/2 positions of the encoder, T new
tokens, P past tokens, H heads, D head size, A alignment heads, V vocabulary.

    encoder: audio_features [1, M, F] -> present_key_cross_* [1, H, D, S], present_value_cross_* [1, H, S, D]
    decoder: input_ids [B, T], past_sequence_length [1], past_*_cross_*, past_*_self_* [B, H, C, D]
             -> logits [B, 1, V], present_*_self_* (in place), cross_weights [B, A, T, S]

B is 1, or the number of texts about the same sound that are tried side by side (see :meth:`SpeechModel.branch`): they
share the sound's keys and values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.packs import Pack, require_kind
from engine.runtime.devices import CPU, Device
from engine.runtime.open_model import OpenModel
from engine.runtime.rows import Rows
from engine.runtime.session import Session, fits_memory, open_session, out_of_memory
from engine.runtime.speech_tokens import SpeechTokens

FRAMES_PER_S = 100
WINDOW_S = 30.0  # the model was trained on windows of this length, and knows no longer ones
TRY_OUT_FRAMES = 200
POSITION_INPUT = "past_sequence_length"
WEIGHTS_OUTPUT = "cross_weights"


class SpeechModel(OpenModel):
    """An open speech pack."""

    def __init__(self, pack: Pack, tokens: SpeechTokens, threads: int = 0) -> None:
        """Use :meth:`open`."""
        super().__init__(pack, threads)
        self.tokens = tokens
        self._encoder: Session | None = None
        self._decoder: _Decoder | None = None

    @classmethod
    def open(cls, pack: Pack, device: str = "auto", threads: int = 0) -> SpeechModel:
        """Open ``pack`` on a device ("auto", "cpu", "cuda", ...); ``threads`` 0: one a physical core.

        Raises EngineError where it is no speech pack, files are missing or damaged, or memory does not suffice.
        """
        require_kind(pack, "speech")
        if not fits_memory(pack.size_bytes):
            raise out_of_memory(pack.display_name)
        model = cls(pack, SpeechTokens.read(pack), threads)
        model._open_on(device)
        return model

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of the languages that it knows ("en", "zh", ...)."""
        return self.tokens.codes

    @property
    def mel_bins(self) -> int:
        """M."""
        encoder = self._opened()[0]
        return encoder.inputs[self._features_name()].shape[1] or 80

    def hear(self, mel: NDArray[np.float32], cancel: Cancel) -> None:
        """Encode ``mel`` [M, F] and begin a new answer about it. Raises Interrupted, DeviceFailure, EngineError."""
        encoder, decoder = self._opened()
        binding = encoder.binding()
        binding.bind_cpu_input(self._features_name(), np.ascontiguousarray(mel[None]))
        for name in decoder.cross_outputs:
            binding.bind_output(name, *decoder.cross_device)
        encoder.run(binding, cancel)
        decoder.begin(binding.get_outputs())

    def rewind(self, length_tokens: int = 0) -> None:
        """Forget all but the first tokens of the answer, and go on from there about the same sound."""
        decoder = self._opened()[1]
        decoder.length = min(decoder.length, length_tokens)

    def read(self, ids: Sequence[int], cancel: Cancel) -> NDArray[np.float32]:
        """Read tokens; the logits [V] after the last one. The array is overwritten by the next call."""
        decoder = self._opened()[1]
        decoder.run(ids, cancel)
        return decoder.logits[0, 0]

    def branch(self, rows: int) -> None:
        """Go on with ``rows`` copies of the answer so far, each with a text of its own from here on."""
        self._opened()[1].branch(rows)

    def read_rows(self, ids: Sequence[int], parents: Sequence[int], cancel: Cancel) -> NDArray[np.float32]:
        """One more token for each row, after taking over the texts of rows ``parents``: logits [B, V]."""
        decoder = self._opened()[1]
        decoder.choose_rows(parents)
        decoder.run_rows(ids, cancel)
        return decoder.row_logits[:, 0]

    @property
    def can_branch(self) -> bool:
        """Whether texts can be tried side by side: rows are copied in memory that only the CPU shares with us."""
        return self._encoder is not None and self._encoder.device is CPU

    def attention(self, ids: Sequence[int], cancel: Cancel) -> NDArray[np.float32]:
        """Read tokens as :meth:`read` does; where the alignment heads looked: [A, T, S], each row sums to 1."""
        return self._opened()[1].run(ids, cancel)[0]

    def _features_name(self) -> str:
        assert self.pack.config.encoder is not None
        return self.pack.config.encoder.audio_features

    def _open_on(self, device: str) -> None:
        def try_out(encoder: Session) -> None:
            self._encoder = encoder
            session = Session(self.pack.model_path, encoder.device, self._threads)
            self._decoder = _Decoder(session, self.pack)
            self.hear(np.zeros((self.mel_bins, TRY_OUT_FRAMES), np.float32), Cancel())
            self.read([self.tokens.start], Cancel())
            self.rewind()

        encoder, notices = open_session(self.pack.encoder_path, device, self._threads, try_out)
        self.notices = (*self.notices, *notices)
        self.provider = encoder.device.label

    def _device(self) -> Device | None:
        return self._encoder.device if self._encoder is not None else None

    def _opened(self) -> tuple[Session, _Decoder]:
        if self._encoder is None or self._decoder is None:
            raise self.closed()
        return self._encoder, self._decoder

    def _let_go(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
        if self._encoder is not None:
            self._encoder.close()
        self._encoder = self._decoder = None


class _Decoder:
    """The decoder's session, its buffers, and how many tokens they hold."""

    def __init__(self, session: Session, pack: Pack) -> None:
        config, encoder = pack.config, pack.config.encoder
        assert encoder is not None
        layers = range(config.num_hidden_layers)
        self.length = 0
        self.cross_outputs = [
            name for n in layers for name in (encoder.cross_present_key(n), encoder.cross_present_value(n))
        ]
        self._cross_inputs = [
            name for n in layers for name in (config.cross_past_key(n), config.cross_past_value(n))
        ]
        past = [name for n in layers for name in (config.past_key(n), config.past_value(n))]
        present = [name for n in layers for name in (config.present_key(n), config.present_value(n))]
        wanted = {config.input_ids, POSITION_INPUT, *past, *self._cross_inputs}
        given = {config.logits, WEIGHTS_OUTPUT, *present}
        missing = wanted ^ set(session.inputs) or given - set(session.outputs)
        if missing:
            raise EngineError(
                "The speech model {model} is laid out in a way that Pollux cannot run: {name}.",
                "Get the model again, or build it with the exporter of Pollux.",
                model=pack.display_name,
                name=min(missing),
            )
        self._session, self._config = session, config
        self.cross_device = session.input_device(self._cross_inputs[0])
        self._ids_type = session.inputs[config.input_ids].dtype or np.dtype(np.int32)
        self._single = Rows(session, config, 1, config.context_length)
        self._many: Rows | None = None
        self._cross: Sequence[ort.OrtValue] = ()

    @property
    def logits(self) -> NDArray[np.float32]:
        """[1, 1, V] after the last token."""
        return self._single.logits

    @property
    def row_logits(self) -> NDArray[np.float32]:
        """[B, 1, V] after the last token of each row."""
        assert self._many is not None
        return self._many.logits

    def begin(self, cross: Sequence[ort.OrtValue]) -> None:
        """Bind the keys and values of other sound, and forget what was written."""
        self._cross = cross
        self._bind_cross(self._single)
        self.length = 0

    def run(self, ids: Sequence[int], cancel: Cancel) -> NDArray[np.float32]:
        """Read ``ids``; fills :attr:`logits`, returns the weights [1, A, T, S]."""
        return self._run(self._single, np.array([ids], self._ids_type), cancel)

    def branch(self, rows: int) -> None:
        """Copy what is held into each of ``rows`` rows."""
        if self._many is None or self._many.rows != rows:
            self._many = Rows(self._session, self._config, rows, self._config.context_length)
        self._bind_cross(self._many)
        self._many.copy_from(self._single, self.length)

    def choose_rows(self, parents: Sequence[int]) -> None:
        """Row n becomes a copy of row ``parents[n]``."""
        assert self._many is not None
        self._many.choose(parents, self.length)

    def run_rows(self, ids: Sequence[int], cancel: Cancel) -> None:
        """One token for each row; fills :attr:`row_logits`."""
        assert self._many is not None
        self._run(self._many, np.array(ids, self._ids_type)[:, None], cancel)

    def close(self) -> None:
        """Let go of all buffers."""
        self._single.close()
        if self._many is not None:
            self._many.close()
        self._cross = ()
        self._session.close()

    def _bind_cross(self, rows: Rows) -> None:
        for name, value in zip(self._cross_inputs, self._cross, strict=True):
            rows.binding.bind_ortvalue_input(name, value)

    def _run(self, rows: Rows, ids: NDArray[np.signedinteger], cancel: Cancel) -> NDArray[np.float32]:
        if self.length + ids.shape[1] > self._config.context_length:
            raise ValueError("the answer is longer than the model's context")
        binding = rows.binding
        binding.bind_cpu_input(self._config.input_ids, ids)
        binding.bind_cpu_input(POSITION_INPUT, np.array([self.length], np.int32))
        binding.bind_output(WEIGHTS_OUTPUT)
        self._session.run(binding, cancel)
        self.length += ids.shape[1]
        return binding.get_outputs()[-1].numpy()
