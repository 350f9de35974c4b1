"""Writes captions in training: the likeliest, by beams, or drawn at random.

In: prefix embeddings and prompts. Out: token ids. For a look at the dev photos and for self-critical training; the app
has its own search (``engine/runtime``). Shapes follow :mod:`export.train.decoder`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from export.nn.language import LanguageModel
from export.train.decoder import Decoder, KeysValuesRoom
from export.train.model import CaptionerTraining

MOST_TOKENS = 28


class Writer:
    """The captioner as it is now, whose updates are added to its matrices once, since writing does not change them."""

    def __init__(self, training: CaptionerTraining, allowed: Sequence[int] | None = None) -> None:
        """``allowed`` are the tokens that may be written; all if None."""
        model, scale = training.decoder.model, training.config.lora_scale
        with torch.device("meta"):
            merged = LanguageModel(model.config)
        merged.load_state_dict(_added(model.state_dict(), training.lora, scale), assign=True)
        self._decoder = Decoder(merged.requires_grad_(False).eval(), scale)
        embedding = training.embedding
        self._ids = torch.arange(len(embedding)) if allowed is None else torch.tensor(allowed)
        self._head = embedding if allowed is None else embedding[self._ids]
        self._end = training.end

    @torch.inference_mode()
    def greedy(self, prefix: Tensor, prompts: Sequence[Sequence[int]]) -> list[list[int]]:
        """The likeliest token each time."""
        start = self._begin(prefix, prompts, MOST_TOKENS)
        return self._write(start, lambda logits: logits.argmax(dim=-1))

    @torch.inference_mode()
    def sample(
        self,
        prefix: Tensor,
        prompts: Sequence[Sequence[int]],
        times: int,
        random: torch.Generator,
        temperature: float = 1.0,
    ) -> list[list[int]]:
        """``times`` random captions of each photo, one photo after the other."""
        start = self._begin(prefix, prompts, 0).repeated(times, MOST_TOKENS)

        def draw(logits: Tensor) -> Tensor:
            # The largest of logits plus Gumbel noise is a sample (and needs no sorting of 49,152 words).
            noise = torch.rand(logits.shape, generator=random).clamp_(1e-9, 1 - 1e-7)
            return (logits / temperature - (-noise.log()).log()).argmax(dim=-1)

        return self._write(start, draw)

    @torch.inference_mode()
    def beam(
        self, prefix: Tensor, prompts: Sequence[Sequence[int]], width: int = 3
    ) -> list[tuple[float, list[int]]]:
        """The best of ``width`` beams by the mean log probability of its tokens, which stands before each."""
        photos = len(prompts)
        start = self._begin(prefix, prompts, 0).repeated(width, MOST_TOKENS)
        scores = torch.full((photos, width), float("-inf"))
        scores[:, 0] = 0.0
        written: list[list[list[int]]] = [[[] for _ in range(width)] for _ in range(photos)]
        finished: list[list[tuple[float, list[int]]]] = [[] for _ in range(photos)]
        for length in range(1, MOST_TOKENS + 1):
            logits = functional.linear(start.hidden, self._head).float().log_softmax(dim=-1)
            total = (logits.view(photos, width, -1) + scores[:, :, None]).flatten(1)
            best, places = total.topk(2 * width, dim=-1)
            rows, tokens = places // len(self._ids), self._ids[places % len(self._ids)]
            chosen_rows, chosen_tokens = [], []
            for photo in range(photos):
                kept: list[tuple[float, int, int]] = []
                ranked = zip(best[photo].tolist(), rows[photo].tolist(), tokens[photo].tolist(), strict=True)
                for score, row, token in ranked:
                    if token == self._end:
                        finished[photo].append((score / length, written[photo][row]))
                    elif len(kept) < width:
                        kept.append((score, row, token))
                written[photo] = [[*written[photo][row], token] for _, row, token in kept]
                scores[photo] = torch.tensor([score for score, _, _ in kept])
                chosen_rows += [photo * width + row for _, row, _ in kept]
                chosen_tokens += [token for _, _, token in kept]
            if all(len(ends) >= width for ends in finished) or length == MOST_TOKENS:
                break
            start = start.chosen(torch.tensor(chosen_rows))
            self._next(start, torch.tensor(chosen_tokens))
        for photo, ends in enumerate(finished):
            if not ends:
                ends.append((float(scores[photo][0]) / MOST_TOKENS, written[photo][0]))
        return [max(ends, key=lambda end: end[0]) for ends in finished]

    def _begin(self, prefix: Tensor, prompts: Sequence[Sequence[int]], extra: int) -> _Started:
        """Read prefix and prompts, padded in front."""
        longest = max(len(prompt) for prompt in prompts)
        ids = torch.tensor([[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
        padding = torch.tensor([longest - len(prompt) for prompt in prompts])
        x = torch.cat((prefix, self._decoder.embed(ids)), dim=1)
        tokens, queries = x.shape[1], prefix.shape[1]
        place = torch.arange(tokens)
        empty = (place >= queries) & (place < queries + padding[:, None])  # [B,T], between prefix and prompt
        positions = (place - torch.where(place >= queries, padding[:, None], 0)).clamp_min(0)
        unseen = empty[:, None] | (place[None, :] > place[:, None])[None]
        mask = torch.zeros(unseen.shape).masked_fill(unseen, float("-inf"))
        room = self._decoder.room(len(prompts), tokens + extra)
        hidden = self._decoder.forward(x, positions, mask, room)[:, -1]
        return _Started(room, empty, positions[:, -1] + 1, hidden)

    def _next(self, start: _Started, tokens: Tensor) -> None:
        """Read one more token of every row."""
        start.empty = functional.pad(start.empty, (0, 1))
        mask = torch.zeros(start.empty.shape).masked_fill(start.empty, float("-inf"))[:, None]
        x = self._decoder.embed(tokens)[:, None]
        start.hidden = self._decoder.forward(x, start.positions[:, None], mask, start.room)[:, -1]
        start.positions = start.positions + 1

    def _write(self, start: _Started, choose: Callable[[Tensor], Tensor]) -> list[list[int]]:
        written: list[list[int]] = [[] for _ in start.hidden]
        rows = torch.arange(len(written))
        alive = torch.ones(len(written), dtype=torch.bool)
        for _ in range(MOST_TOKENS):
            tokens = self._ids[choose(functional.linear(start.hidden, self._head).float())]
            alive = alive & (tokens != self._end)
            for row, token in zip(rows[alive].tolist(), tokens[alive].tolist(), strict=True):
                written[row].append(token)
            if not bool(alive.any()):
                break
            if int(alive.sum()) < 0.75 * len(rows):  # finished rows shall cost nothing any more
                start, rows, tokens = start.chosen(alive.nonzero()[:, 0]), rows[alive], tokens[alive]
                alive = alive[alive]
            self._next(start, tokens)
        return written


def _added(language: Mapping[str, Tensor], lora: Mapping[str, Tensor], scale: float) -> dict[str, Tensor]:
    """What :func:`export.nn.captioner.merge` gives, in the model's own precision, several times as fast."""
    state = dict(language)
    for name, second in lora.items():
        if name.endswith(".second"):
            owner = name.removesuffix(".second")
            weight, first = language[f"{owner}.weight"], lora[f"{owner}.first"]
            update = (second.detach() * scale).to(weight.dtype), first.detach().to(weight.dtype)
            state[f"{owner}.weight"] = torch.addmm(weight, *update)
    return state


@dataclass
class _Started:
    """Rows under way: the room, which keys are padding [B,S], the next position [B], the last hidden state [B,C]."""

    room: KeysValuesRoom
    empty: Tensor
    positions: Tensor
    hidden: Tensor

    def chosen(self, rows: Tensor) -> _Started:
        return _Started(self.room.chosen(rows), self.empty[rows], self.positions[rows], self.hidden[rows])

    def repeated(self, times: int, extra: int) -> _Started:
        return _Started(
            self.room.repeated(times, extra),
            *(tensor.repeat_interleave(times, dim=0) for tensor in (self.empty, self.positions, self.hidden)),
        )
