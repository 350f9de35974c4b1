"""Which token may come next, against cases worked out by hand; prompts; vocabularies that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from engine.errors import EngineError
from engine.runtime.speech_tokens import SpeechTokens
from tests.unit.engine.runtime.scripted_speech import LANGUAGES, say, speech_pack, speech_tokenizer


@pytest.fixture
def tokens(tmp_path: Path) -> SpeechTokens:
    return SpeechTokens.read(speech_pack(tmp_path / "语音 ü"))


def allowed(
    tokens: SpeechTokens, ids: list[int], audio_s: float = 30.0, likely: int | None = None
) -> set[int]:
    """What may follow ``ids``, where all are equally likely but ``likely``."""
    logits = np.full(tokens.vocab_size, -30, np.float32)
    logits[: tokens.first_timestamp] = 0  # no time is forced
    if likely is not None:
        logits[likely] = 9
    tokens.mask(logits, ids, tokens.first_timestamp + round(audio_s / 0.02))
    return set(np.flatnonzero(logits > -np.inf).tolist())


def times(tokens: SpeechTokens, found: set[int]) -> tuple[float, float] | None:
    """The first and the last time among them, which leave none out between them."""
    chosen = sorted(token for token in found if tokens.is_timestamp(token))
    assert not chosen or chosen == list(range(chosen[0], chosen[-1] + 1))
    return (round(tokens.seconds(chosen[0]), 2), round(tokens.seconds(chosen[-1]), 2)) if chosen else None


def texts(tokens: SpeechTokens, found: set[int]) -> set[int]:
    return {token for token in found if not tokens.is_timestamp(token)}


def all_texts(tokens: SpeechTokens) -> set[int]:
    """All that may ever be written, and the end."""
    return set(range(tokens.end + 1)) - set(tokens.suppressed)


def test_the_vocabulary(tokens: SpeechTokens) -> None:
    assert tokens.codes == LANGUAGES and tokens.language_ids.tolist() == [id_ for _, id_ in tokens.languages]
    assert tokens.first_timestamp == tokens.tokenizer.id_of("<|0.00|>")
    assert tokens.seconds(tokens.tokenizer.id_of("<|29.98|>") or 0) == pytest.approx(29.98)
    assert not tokens.is_timestamp(tokens.no_timestamps) and tokens.is_timestamp(tokens.vocab_size - 1)
    assert tokens.text_ids(say(tokens, 0.0, " hello", 1.0)) == say(tokens, " hello")
    assert tokens.suppressed == (tokens.tokenizer.id_of("#"),)


def test_first_comes_a_time_in_the_first_second(tokens: SpeechTokens) -> None:
    found = allowed(tokens, [], likely=say(tokens, " hello")[0])
    assert texts(tokens, found) == set() and times(tokens, found) == (0.0, 1.0)
    assert times(tokens, allowed(tokens, [], audio_s=0.5)) == (0.0, 0.5)
    assert times(tokens, allowed(tokens, [], audio_s=0.0)) == (0.0, 0.0)


def test_then_text(tokens: SpeechTokens) -> None:
    found = allowed(tokens, say(tokens, 0.4), likely=say(tokens, 3.0)[0])
    assert times(tokens, found) is None and texts(tokens, found) == all_texts(tokens)


def test_a_segment_has_some_length(tokens: SpeechTokens) -> None:
    found = allowed(tokens, say(tokens, 0.4, " hello"))
    assert times(tokens, found) == (0.42, 30.0) and texts(tokens, found) == all_texts(tokens)


def test_times_come_in_pairs(tokens: SpeechTokens) -> None:
    """After the end of a segment: the beginning of the next, which may be the same time, or the end of all."""
    found = allowed(tokens, say(tokens, 0.4, " hello", 2.0))
    assert texts(tokens, found) == {tokens.end} and times(tokens, found) == (2.0, 30.0)
    found = allowed(tokens, say(tokens, 0.4, " hello", 2.0, 2.0))
    assert times(tokens, found) is None and texts(tokens, found) == all_texts(tokens)
    found = allowed(tokens, say(tokens, 0.4, " hello", 2.0, 3.0, " world"))
    assert times(tokens, found) == (3.02, 30.0)


def test_no_time_is_after_the_end_of_the_sound(tokens: SpeechTokens) -> None:
    assert times(tokens, allowed(tokens, say(tokens, 0.0, " hello"), audio_s=2.5)) == (0.02, 2.5)
    assert times(tokens, allowed(tokens, say(tokens, 0.0, " hello", 2.5), audio_s=2.5)) == (2.5, 2.5)
    found = allowed(tokens, say(tokens, 0.0, " hello", 2.5, 2.5, " world"), audio_s=2.5)
    assert times(tokens, found) is None and tokens.end in found


@pytest.mark.parametrize(("each", "forced"), [(-4.0, True), (-8.0, False)])
def test_times_together_against_the_likeliest_text(tokens: SpeechTokens, each: float, forced: bool) -> None:
    """1,400 times at exp(-4) are together likelier than a text at 1; at exp(-8) they are not."""
    logits = np.full(tokens.vocab_size, -50, np.float32)
    logits[tokens.first_timestamp :] = each
    logits[say(tokens, " hello")] = 0
    tokens.mask(logits, say(tokens, 0.0, " hello", 1.0, 1.0, " world"), tokens.vocab_size - 1)
    assert (texts(tokens, set(np.flatnonzero(logits > -np.inf).tolist())) == set()) is forced


def test_the_end_counts_as_text_there(tokens: SpeechTokens) -> None:
    logits = np.full(tokens.vocab_size, -50, np.float32)
    logits[tokens.first_timestamp + 100] = 1
    logits[tokens.end] = 2
    tokens.mask(logits, say(tokens, 0.0, " hello"), tokens.vocab_size - 1)
    assert logits.argmax() == tokens.end


def test_control_tokens_are_never_written(tokens: SpeechTokens) -> None:
    for ids in ([], say(tokens, 0.0), say(tokens, 0.0, " hello"), say(tokens, 0.0, " hello", 1.0)):
        for name in (
            "startoftranscript",
            "en",
            "zh",
            "translate",
            "transcribe",
            "startoflm",
            "startofprev",
            "nospeech",
            "notimestamps",
        ):
            token = tokens.tokenizer.id_of(f"<|{name}|>")
            assert token not in allowed(tokens, ids, likely=token), name


def test_the_mask_is_the_reference_written_plainly(tokens: SpeechTokens) -> None:
    """Random answers that follow the rules, step by step, against the rules as sentences."""
    dice = np.random.default_rng(5)
    first, last = tokens.first_timestamp, tokens.first_timestamp + 1000
    for _ in range(4):
        ids: list[int] = []
        while len(ids) < 12:
            logits = dice.normal(0, 4, tokens.vocab_size).astype(np.float32)
            masked = logits.copy()
            tokens.mask(masked, ids, last)
            expected = np.array([_may_follow(tokens, ids, token, last) for token in range(len(logits))])
            plain = np.where(expected, logits, -np.inf)
            together = (
                np.log(np.exp(plain[first:].astype(np.float64)).sum()) if expected[first:].any() else -np.inf
            )
            if ids and together > plain[:first].max():
                plain[:first] = -np.inf
            assert ((masked > -np.inf) == (plain > -np.inf)).all()
            ids.append(int(masked.argmax()))
            if ids[-1] == tokens.end:
                break


def _may_follow(tokens: SpeechTokens, ids: list[int], token: int, last: int) -> bool:
    stamps = [id_ for id_ in ids if tokens.is_timestamp(id_)]
    if tokens.is_timestamp(token):
        if token > last:
            return False
        if not ids:
            return tokens.seconds(token) < 1.01
        if not tokens.is_timestamp(ids[-1]):
            return token > stamps[-1]
        return len(ids) > 1 and not tokens.is_timestamp(ids[-2]) and token >= stamps[-1]
    if not ids or token > tokens.end or token in tokens.suppressed:
        return False
    closed = len(ids) > 1 and tokens.is_timestamp(ids[-1]) and not tokens.is_timestamp(ids[-2])
    return token == tokens.end or not closed


def test_the_prompt(tokens: SpeechTokens) -> None:
    known = dict(tokens.languages)
    assert tokens.prompt("zh", translate=False) == [known["zh"], tokens.transcribe]
    assert tokens.prompt("de", translate=True) == [known["de"], tokens.translate]


def test_what_stands_before(tokens: SpeechTokens) -> None:
    assert tokens.before("  hello world\n", 100) == [tokens.previous, *say(tokens, " hello world")]
    assert tokens.before("hello world", 1) == [tokens.previous, *say(tokens, " world")]
    assert tokens.before(" \n", 100) == [] == tokens.before("", 100)
    assert tokens.before("hello world", 0) == []
    control = tokens.before("<|endoftext|><|en|>", 100)
    assert not set(control[1:]) & tokens.tokenizer.control_ids  # a prompt is text


def test_a_model_that_knows_english_only(tmp_path: Path) -> None:
    tokens = SpeechTokens.read(speech_pack(tmp_path / "a", multilingual=False))
    assert tokens.codes == ("en",) and tokens.languages == () and len(tokens.language_ids) == 0
    assert tokens.prompt("en", translate=False) == []
    found = allowed(tokens, say(tokens, 0.0))
    assert texts(tokens, found) == all_texts(tokens)
    logits = np.zeros(tokens.vocab_size, np.float32)
    tokens.mask(logits, [], tokens.vocab_size - 1)
    assert tokens.is_timestamp(int(logits.argmax()))


def test_an_old_name(tmp_path: Path) -> None:
    """Older vocabularies call the token for silence by another name."""
    text = speech_tokenizer().to_str().replace("<|nospeech|>", "<|nocaptions|>")
    pack = speech_pack(tmp_path / "a", tokenizer=Tokenizer.from_str(text))
    assert SpeechTokens.read(pack).no_speech == pack_token(pack.folder, "<|nocaptions|>")


def pack_token(folder: Path, token: str) -> int | None:
    return Tokenizer.from_str((folder / "tokenizer.json").read_text("utf-8")).token_to_id(token)


@pytest.mark.parametrize("name", ["startoftranscript", "endoftext", "transcribe", "notimestamps", "nospeech"])
def test_no_whisper_vocabulary(tmp_path: Path, name: str) -> None:
    text = speech_tokenizer().to_str().replace(f"<|{name}|>", "<|other|>")
    with pytest.raises(EngineError, match="lacks the token"):
        SpeechTokens.read(speech_pack(tmp_path / "a", tokenizer=Tokenizer.from_str(text)))


def test_a_vocabulary_larger_than_the_model(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"lacks the token <\|notimestamps"):
        pack = speech_pack(tmp_path / "a", vocab_size=tokens_before(speech_tokenizer(), "<|notimestamps|>"))
        SpeechTokens.read(pack)


def tokens_before(tokenizer: Tokenizer, token: str) -> int:
    found = tokenizer.token_to_id(token)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "content", ["", "[]", '{"suppress_tokens": [-2]}', '{"suppress_tokens": "all"}', '{"is_multilingual": 3}']
)
def test_a_damaged_configuration(tmp_path: Path, content: str) -> None:
    pack = speech_pack(tmp_path / "a")
    (pack.folder / "generation_config.json").write_text(content, "utf-8")
    with pytest.raises(EngineError, match=r"generation_config\.json"):
        SpeechTokens.read(pack)
