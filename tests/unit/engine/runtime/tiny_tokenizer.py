"""Small tokenizers of the two families, made on the spot."""

from __future__ import annotations

from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

CORPUS = [
    "The quick brown fox jumps over the lazy dog. What is the capital of France? Paris.",
    "你好，世界。法国的首都是巴黎。 def main(argv): return 0\n\n    # indented\tcode",
    "naïve café — “quotes” 🙂👩‍👩‍👧 user assistant system im_start im_end",
] * 3
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def byte_level(truncated: bool = False) -> bytes:
    """Like GPT-2, SmolLM2, Qwen: byte-level BPE with control tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=CONTROL,  # type: ignore[arg-type]
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([AddedToken("<tool call>", special=False)])
    if truncated:
        tokenizer.enable_truncation(4)
        tokenizer.enable_padding(length=4)
    return tokenizer.to_str().encode("utf-8")


def sentencepiece_like() -> bytes:
    """Like Llama 2: spaces as U+2581, unknown characters as bytes, a beginning token."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    words = ["▁Paris", "▁is", "▁nice", ".", "▁", "Par", "is", "世", "a", "b", "c", "▁a", "\n"]
    letters = sorted(set("".join(words)) - set(words))
    vocabulary = {piece: at for at, piece in enumerate([*pieces, *words, *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer.to_str().encode("utf-8")
