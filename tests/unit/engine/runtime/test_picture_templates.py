"""Templates that show pictures get the content of a turn in parts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine.errors import EngineError
from engine.runtime.chat_template import ChatTemplate


@dataclass(frozen=True)
class Turn:
    role: str
    text: str


# As SmolVLM has it.
SMOLVLM = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
CONTROL = ("<image>", "<end_of_utterance>", "<|im_start|>")


def test_parts() -> None:
    turns = [Turn("user", "What?"), Turn("assistant", "A cat."), Turn("user", "Sure? 真的?")]
    rendered = ChatTemplate("tiny", SMOLVLM).render(turns, CONTROL, pictures=[2, 0, 1])
    assert rendered.text == (
        "<|im_start|>User:<image><image>What?<end_of_utterance>\nAssistant: A cat.<end_of_utterance>\n"
        "User:<image>Sure? 真的?<end_of_utterance>\nAssistant:"
    )
    assert rendered.marker == ""


def test_what_users_write_is_no_picture() -> None:
    rendered = ChatTemplate("tiny", SMOLVLM).render([Turn("user", "an <image> of")], CONTROL, pictures=[1])
    assert rendered.marker and rendered.text.count("<image>") == 1
    assert "an <image> of" in rendered.text.replace(rendered.marker, "")


def test_a_template_that_refuses_system_turns() -> None:
    """Its text goes to the head of the first user turn, whose pictures stay."""
    source = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + SMOLVLM
    turns = [Turn("system", "Be short."), Turn("user", "What?")]
    rendered = ChatTemplate("tiny", source).render(turns, CONTROL, pictures=[0, 1])
    assert "User:<image>Be short.\n\nWhat?<end_of_utterance>" in rendered.text


def test_a_template_for_text_alone() -> None:
    with pytest.raises(EngineError, match="chat template of tiny cannot be used"):
        ChatTemplate("tiny", "{{ messages[0].content.strip() }}").render([Turn("user", "x")], pictures=[1])
