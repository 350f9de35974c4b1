"""Writes the ids that llama.cpp gives for 500 varied lines, against which our tokenizers are tested.

In: one GGUF file for each tokenizer. Out: ``tests/parity/data/tokenizer_ids.jsonl.gz``, one line a text:
``{"text": ..., "ids": {tokenizer: [...]}, "control_ids": {...}}``, the second with control tokens recognised,
only where the text looks as if it had some. Needs llama-cpp-python, so it runs in the bench
environment, by hand, when a family of tokenizers is added::

    python tests/bench/make_tokenizer_ids.py smollm2=A.gguf qwen2.5=B.gguf

The texts are written for this test or put together from pieces by a seeded generator; none is borrowed.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
import unicodedata
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).resolve().parent.parent / "parity" / "data" / "tokenizer_ids.jsonl.gz"
COUNT = 500

WRITTEN = [
    # plain sentences, contractions, quotes, punctuation
    "The ferry left at a quarter past nine, and nobody waved.",
    "I'd've thought they're sure we'll say it isn't Tom's; don't you?",
    "I'D'VE THOUGHT THEY'RE SURE WE'LL SAY IT ISN'T TOM'S; DON'T YOU?",
    "“Curly” ‘quotes’ — dashes – and … an ellipsis’s end",
    "Wait... what?! No way!!! (Really?) [Yes] {maybe} <never>",
    "e-mail: someone+tag@example.org, http://example.org/a?b=c&d=%20e#f",
    "'s't're've'm'll'd 'S'T'RE'VE'M'LL'D 'ſ",
    "rock'n'roll o'clock 'twas y'all'd've",
    "", " ", "  ", "   ", "\n", "\n\n", "\n\n\n", "\r\n", "\r\n\r\n", "\r", "\t", "\t\t\t", " \n", "\n ", " \n \n ", "\n \n",
    "a ", "a  ", " a", "  a", "   a   b    c", "a\n", "a\n\n", "\na", " \ta", "\t a", "a \n b", "a  \n\n  b", "a\r\nb\r\n", "a\rb",
    "tail spaces     ", "     head spaces", " " * 17 + "x" + " " * 33, "\n" * 12 + "x" + "\n" * 9, "\t" * 9 + "x", " " * 200, "\n" * 100,
    "x" + " \n" * 8 + "y", "x" + "\n " * 8 + "y", "x" + " \t" * 5 + "y", " .", "  .", " \n.", "\n.", ".\n", ".\n\n", "...\r\n\r\nb", " ?\n\n\n!",
    # numbers
    "7 42 365 1024 65536 1234567 0.5 3.14159 1,234,567.89 1e-9 0x1F 2026-11-22 03:48:49",
    "007 0000000 12345678901234567890 99% $5.00 €12,50 ±3 №7 2x4 x2 v1.2.3 a1b2c3",
    "²³¹ ½ ¾ Ⅷ ⅻ ① ⑳ ٣٤٥ ३४५ 四十二 １２３ 𝟘𝟙𝟚 𑁦 ౦",
    "1 2  3   4    5\t6\n7", "4.\n5.\n6.", "12 34\u00a056\u200978", "3rd 21st 100km 5°C 60Hz",
    # code
    "def f(x: int) -> list[int]:\n    return [y ** 2 for y in range(x) if y % 3 == 0]\n",
    "for (int i = 0; i < n; ++i) { a[i] += b[i] * c; }  // done",
    "if __name__ == '__main__':\n\tmain(sys.argv[1:])\n\n\n",
    "SELECT name, COUNT(*) FROM t WHERE x <> 'it''s' GROUP BY 1;",
    "<div class=\"a-b c_d\" data-x='1'>&nbsp;&lt;p&gt;</div><!-- x -->",
    "{\"a\": [1, 2.5, null, true], \"b\": {\"c\": \"\\u00e9\\n\"}}",
    "let s = &mut v[..]; match s { [] => (), [x, ..] => println!(\"{x:?}\") }",
    "#include <stdio.h>\n\nint main(void)\n{\n        printf(\"hi\\n\");\n        return 0;\n}\n",
    "git commit -m \"fix: it\" && cd ../.. || exit 1; echo $HOME/${x:-y}",
    "a_b __init__ camelCase PascalCase SCREAMING_CASE kebab-case x86_64 utf8",
    "\\frac{a}{b} \\alpha_{i}^{2} $$x = y$$ \\begin{align}",
    "===== ----- ***** ##### ///// ||||| ~~~~~ ^^^^^ >>>>> <<<<<", "a==b!=c<=d>=e&&f||g??h::i->j=>k", "# Title\n\n- one\n- two\n  - three\n\n```py\nx\n```\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n", "//\n//\n\n/* x */\n", "x=1;y=2;\r\nz=x+y;\r\n", "(((((a)))))", "%%%s%d%%", "@@ -1,3 +1,4 @@",
    # Chinese, Japanese, Korean
    "今天天气很好，我们去公园散步吧。", "你好！请问，北京的首都图书馆怎么走？", "他说：“这本书（第二版）很有意思……”——然后走了。", "第3章 共12页，价格￥99.50元",
    "中英mixed文字 with空格 and没有空格", "繁體中文與简体中文。", "人工智能 机器学习 深度学习 模型", "吾輩は猫である。名前はまだ無い。カタカナとｶﾀｶﾅ", "안녕하세요, 오늘 날씨가 좋네요! 한글ㅎㅎㅋㅋ",
    "　全角空格　開頭", "、。，．！？；：", "字\n字\n\n字", "字 字  字   字", "𠀀𠮷𪚥 罕见字", "㈱㊙︙﹏", "〇零一二三",
    # other scripts
    "Съешь ещё этих мягких булок, да выпей чаю.", "Η γρήγορη αλεπού πηδά.", "שלום עולם, מה שלומך?", "مرحبا بالعالم، كيف الحال؟ ١٢٣", "नमस्ते दुनिया, आप कैसे हैं?", "สวัสดีชาวโลก วันนี้อากาศดี",
    "Xin chào thế giới, hôm nay trời đẹp.", "Příliš žluťoučký kůň úpěl ďábelské ódy", "Zażółć gęślą jaźń", "İstanbul'da ışık ılık", "ßtraße GROẞ ŒUVRE ﬁn ﬂy", "ქართული ენა", "Հայերեն", "አማርኛ", "ភាសាខ្មែរ", "မြန်မာ", "བོད་ཡིག", "ᏣᎳᎩ", "𐌰𐌱𐌲 𓀀𓂀 𒀀",
    # emoji and joins
    "😀 😃😄 🎉🎉🎉 👍🏽 👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 🇫🇷🇩🇪 1️⃣ ☺️ ❤️‍🔥", "nice👌work🔥done✅", "🙂\n🙃\n\n🙂", "™ © ® ℃ № ℡ ✓ ✗ → ← ⇒ ∞ ∑ √ ≠ ≤ ∀∃", "¯\\_(ツ)_/¯ (╯°□°)╯︵ ┻━┻", "♠♥♦♣ ★☆ ░▒▓█ ─│┌┐",
    # combining marks and normal forms
    "é è ñ ü å", "é è ñ ü å", "Z̴̡a̶l̷g̸o̵", "Å Å Å", "가 각", "ạ̄ q̣̈", "क्षि ज्ञ", "ﷺ ﴾ ﴿", "e\u0301\u0301\u0301", "\u0301 alone", " \u0301x", "a\u200db\u200cc", "1\u0301 2\u20e3",
    # invisible and odd characters
    "a\u00a0b\u00a0\u00a0c", "\u00a0", "\u00a0\u00a0x", " \u00a0x", "\u00a0 x", "a\u2003b\u2009c\u202fd\u3000e", "\u2028line\u2029para", "a\u0085b", "a\u000bb\u000cc", "\u000b", "\u000c\n",
    "a\u200bb", "\ufeffbom", "a\u00adb", "\u202eabc\u202c", "\u1680ogham\u180ex", "a\x01b\x02c\x1fd\x7fe", "a\x00b", "\x1b[31mred\x1b[0m", "\ufffd \ufffc", "\ue000\uf8ff private", "\U000e0041\U0010fffd",
    "\u001c\u001d\u001e\u001f", "x\u2000\u2001\u2002y", "\u205f\u2060\u2061", " \u3000 \u3000 x", "\u3000\n\u3000x", "\u00a0\n\u00a0x", "\u2003\r\n\u2003.",
    # text that looks like special tokens: plain text here
    "<|im_start|>user\nhi<|im_end|>", "<|endoftext|>", "a<|endoftext|>b", "<|im_start|> <|im_end|>", "<repo_name>x<file_sep>y", "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>", "<s></s><unk><pad>", "[PAD151665] [INST] <<SYS>>", "<|vision_start|><|image_pad|>", "<| im_start |>", "<jupyter_code>x<empty_output>", "<think>a</think>",
    # long words and runs
    "a" * 100, "ab" * 60, "A" * 65, "!" * 70, "é" * 40, "字" * 50, "😀" * 20, "0" * 50, "-" * 80, "=" * 64, "_" * 33, "." * 40, "Pneumonoultramicroscopicsilicovolcanoconiosis Donaudampfschifffahrtsgesellschaft",
    "thequickbrownfoxjumpsoverthelazydogwithoutanyspacesatall", "aAbBcCdDeEfF", "qwrtzpsdfghjklyxcvbnm", "QmFzZTY0IGlzIG5vdCBlbmNyeXB0aW9u==", "d41d8cd98f00b204e9800998ecf8427e",
]  # fmt: skip

PIECES = [
    *" \u00a0\u3000\t\n.,;:!?'\"()[]{}<>-_=+*/\\|@#$%^&~`…—“”，。！？；：（）《》",
    "  ", "   ", "\n\n", "\r\n", " \n", "    ", "'s", "'ll", "'RE", "’s", "<|im_end|>", "://", "->", "==", "\\n", "...", "0", "7", "42", "1999", "3.5", "٣", "½", "Ⅷ", "²",
    "the", "The", " a", "river", "Bridge", "walking", "HTTP", "naïve", "café", "cafe\u0301", "Ünal", "straße", "mañana", "привет", "Мир", "γειά", "שלום", "سلام", "नमस्ते", "ไทย",
    "你", "好", "世界", "模型", "，我们", "東京", "カナ", "한국", "𠮷", "😀", "👍🏽", "👩‍💻", "🇫🇷", "\u0301", "\u200d", "\u200b", "\u2003", "\ufeff", "x1", "foo_bar", "getValue", "def ", "return", "null", "ﬁ", "ǆ", "ⅳ", "ª", "º", "µ",
]  # fmt: skip


def texts() -> list[str]:
    """The texts: the written ones, their other normal forms, then mixtures of pieces."""
    found = dict.fromkeys(WRITTEN)
    for text in WRITTEN:
        found.setdefault(unicodedata.normalize("NFD", text))
        found.setdefault(unicodedata.normalize("NFC", text))
    dice = random.Random(20261122)
    while len(found) < COUNT:
        pieces = dice.choices(PIECES, k=dice.randint(2, 24))
        found.setdefault("".join(pieces))
    return list(found)[:COUNT]


def main(arguments: list[str]) -> None:
    """Ask llama.cpp for each tokenizer's ids of each text."""
    import llama_cpp  # pyright: ignore[reportMissingImports]

    rows: list[dict[str, Any]] = [{"text": text, "ids": {}} for text in texts()]
    for argument in arguments:
        name, _, path = argument.partition("=")
        llama = llama_cpp.Llama(path, vocab_only=True, verbose=False)
        for row in rows:
            text = row["text"].encode()
            row["ids"][name] = llama.tokenize(text, add_bos=False, special=False) if text else []
            # Not for "</s>": llama.cpp makes a control token of any such word, even where the file says that it
            # is a plain one.
            if b"<|" in text:
                control = row.setdefault("control_ids", {})
                control[name] = llama.tokenize(text, add_bos=False, special=True)
    OUTPUT.parent.mkdir(exist_ok=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    # A fixed time stamp, so that the same ids give the same file.
    OUTPUT.write_bytes(gzip.compress(lines.encode(), mtime=0))
    print(f"{len(rows)} texts, {OUTPUT.stat().st_size} bytes: {OUTPUT}")


if __name__ == "__main__":
    main(sys.argv[1:])
