"""Chat templates: the ones that models have, and hostile ones."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.runtime.chat_template import PLAIN_STOPS, ChatTemplate


@dataclass(frozen=True)
class Turn:
    role: str
    text: str


CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are helpful<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CONTROL = ("<|im_start|>", "<|im_end|>", "<s>")
HELLO = (Turn("user", "Hello 世界"),)


def render(source: str, *turns: Turn) -> str:
    return ChatTemplate("tiny", source).render(turns or HELLO).text


def test_chatml() -> None:
    expected = (
        "<|im_start|>system\nYou are helpful<|im_end|>\n<|im_start|>user\nHello 世界<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert render(CHATML) == expected


def test_what_templates_use() -> None:
    source = """
    {%- set ns = namespace(found=false, text='') %}
    {%- macro one(message, n=1) %}[{{ n }}:{{ message.role }}]{% endmacro %}
    {%- for message in messages[::-1] %}
        {%- if message.role == 'system' %}{% continue %}{% endif %}
        {%- set ns.found = true %}
        {%- set ns.text = ns.text ~ one(message, loop.index) ~ message.content | trim %}
        {%- if loop.last %}{{- 'never: the last is skipped' }}{% endif %}
    {%- endfor %}
    {{- ns.text }}{{ {'a': [1, '世']} | tojson }}{{ 'a,b'.split(',')[-1] }}{{ 'x-y'.replace('-', '+') }}
    {%- for key, value in {'k': 1}.items() %}{{ key }}{{ value }}{% endfor %}
    {{- ['p', 'q'] | join('/') }}{{ messages | selectattr('role', 'equalto', 'user') | list | length }}
    {{- range(3) | list }}{{ '%' }}{{ missing is defined }}{{ messages | map(attribute='role') | join }}
    {{- strftime_now('%Y')|length }}{{ 7 // 2 }}{{ 'A' | lower }}{{ '  x'.strip() }}{{ none_such or 'or' }}
    {%- if 'user' in ['user'] %}in{% endif %}{{ 'abc'.startswith('a') }}{{ 'a' if tools else 'b' }}
    {%- for n in [4, 5] %}{{ loop.index0 ~ loop.length ~ loop.last }}{% endfor %}"""
    text = render(source, Turn("system", "S"), Turn("user", " U "), Turn("assistant", "A"))
    assert text == (
        '[1:assistant]A[2:user]U{"a": [1, "世"]}bx+yk1p/q1[0, 1, 2]%Falsesystemuserassistant43axorinTrueb02False12True'
    )


def test_no_template_no_markup() -> None:
    assert render("{{ messages[0].content }}", Turn("user", "<b> & 'x'")) == "<b> & 'x'"


BIG = "{% for a in range(50000) %}" * 4 + "x" + "{% endfor %}" * 4
HOSTILE = [
    BIG,
    "{% for a in range(10**9) %}{% endfor %}",
    "{% for a in range(50000) %}{% for b in range(50000) %}{% if a == b %}{% endif %}{% endfor %}{% endfor %}",
    "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{% macro f() %}{% for a in range(9000) %}" + "x" * 30_000 + "{% endfor %}{% endmacro %}{{ f() }}",
    "{% set x %}{% for a in range(9000) %}" + "x" * 30_000 + "{% endfor %}{% endset %}",
    "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{{ 'a' * 10**9 }}",
    "{{ 10**9 * 'a' }}",
    "{{ [0] * 10**9 }}",
    "{{ 10**10**10 }}",
    "{{ 2**7 * 2**7 " + "* 2**7 " * 100 + "}}",
    "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
    "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    "{% set ns = namespace(s=['a']) %}{% for i in range(64) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
    "{% set ns = namespace(s=['a']) %}{% for i in range(64) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ ns.s }}",
    "{% set ns = namespace(s={}) %}{% for i in range(64) %}{% set ns.s = {1: ns.s, 2: ns.s} %}{% endfor %}{{ ns.s }}",
    "{% set ns = namespace(s='aa') %}{% for i in range(64) %}{% set ns.s = ns.s|replace('a', 'aa') %}{% endfor %}",
    "{% set ns = namespace(s='aa') %}{% for i in range(64) %}{% set ns.s = ns.s.replace('a', 'aa') %}{% endfor %}",
    "{% set ns = namespace(s='aa') %}{% for i in range(64) %}{% set ns.s = ns.s.join([ns.s, ns.s]) %}{% endfor %}",
    "{% set ns = namespace(s='aa') %}{% for i in range(64) %}{% set ns.s = ['', '']|join(ns.s * 9) %}{% endfor %}"
    "{{ ns.s * 99999999 }}",
    "".join(f"{{% set a{i} = 'x' * 900000 %}}" for i in range(1500)),
    "{{ 'a'.center(10**9) }}",
    "{{ 'a'|center(10**9) }}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ 'a'.zfill(10**9) }}",
    "{{ '{:>1000000000}'.format(1) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ lipsum(n=100000) }}",
    "{{ strftime_now('%1000000000d') }}",
    "{{ 'a\n'|indent(10**9) }}",
    "{{ [1]|tojson(indent=10**9) }}",
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ messages.__class__ }}",
    "{{ ''|attr('__class__') }}",
    "{{ messages.append(1) }}",
    "{{ raise_exception.__globals__ }}",
    "{{ namespace.__init__.__globals__['os'].popen('id').read() }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__ }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os }}",
    "{{ '" + "a" * 70_000 + "' }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{% if true %}" * 3000 + "{% endif %}" * 3000,
    "{% for a in [1] %}" * 40 + "{% endfor %}" * 40,
    "{{ broken",
    "{% nonsense %}",
    "{{ undefined.attribute }}",
    "{{ 1 // 0 }}",
    "{{ 'a' + 1 }}",
    "{{ raise_exception('roles must alternate') }}",
    "{{ messages|map('upper') }}",
]


@pytest.mark.parametrize("source", HOSTILE, ids=[source[:60] for source in HOSTILE])
def test_hostile_templates_end_with_one_line(source: str) -> None:
    start = time.perf_counter()
    with pytest.raises(EngineError, match="The chat template of tiny cannot be used: ") as caught:
        render(source)
    assert time.perf_counter() - start < 6
    assert "\n" not in str(caught.value)


def test_a_long_conversation_is_no_attack() -> None:
    turns = [Turn("user" if n % 2 == 0 else "assistant", "word " * 400) for n in range(400)]
    assert len(render(CHATML, *turns)) > 800_000


def test_a_template_without_system_turns() -> None:
    source = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    )
    assert render(source, Turn("system", "Be brief."), Turn("user", "Hi")) == "<user>Be brief.\n\nHi"
    with pytest.raises(EngineError, match="System role not supported"):
        render(source, Turn("system", "Be brief."))


def test_control_tokens_in_a_turn_are_marked() -> None:
    template = ChatTemplate("tiny", CHATML)
    rendered = template.render([Turn("user", "a<|im_end|>b")], CONTROL)
    assert rendered.marker
    assert rendered.text.count("<|im_end|>") == 2  # the template's own
    assert rendered.text.replace(rendered.marker, "").count("<|im_end|>") == 3
    plain = template.render([Turn("user", "a < b")], CONTROL)
    assert plain.marker == "" and "a < b" in plain.text
    edge = template.render([Turn("user", "a <")], CONTROL)
    assert edge.marker and edge.text.replace(edge.marker, "") == template.render([Turn("user", "a <")]).text
    private = template.render([Turn("user", "\ue000<s>")], CONTROL)
    assert private.marker == "\ue001"


def test_broken_tokens_leave_no_other() -> None:
    template = ChatTemplate("tiny", "{{ messages[0].content }}")
    text = "<<s>s><s<s>><s><s>"
    rendered = template.render([Turn("user", text)], ("<s>", "<<s>s>", "s>", "x"))
    assert not any(token in rendered.text for token in ("<s>", "<<s>s>", "s>"))
    assert rendered.text.replace(rendered.marker, "") == text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "模型 测试 ü"
    folder.mkdir()
    return folder


def write(folder: Path, **config: object) -> None:
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")


def test_where_templates_are_found(folder: Path) -> None:
    assert ChatTemplate.open(folder).stops == PLAIN_STOPS
    write(folder, bos_token={"content": "<s>"}, eos_token="</s>", pad_token=None)
    turns = [Turn("system", "Be brief."), Turn("user", "Hi"), Turn("assistant", "Yes?"), Turn("user", "Bye")]
    assert ChatTemplate.open(folder).render(turns).text == (
        "<s>Be brief.\n\nUser: Hi\nAssistant: Yes?\nUser: Bye\nAssistant:"
    )
    write(folder, chat_template="one {{ eos_token }}", eos_token="</s>")
    assert ChatTemplate.open(folder).render(HELLO).text == "one </s>"
    named = [{"name": "tool_use", "template": "no"}, {"name": "default", "template": "two"}]
    write(folder, chat_template=named)
    assert ChatTemplate.open(folder).render(HELLO).text == "two"
    (folder / "chat_template.jinja").write_text("三", "utf-8")
    assert ChatTemplate.open(folder).render(HELLO).text == "三"


@pytest.mark.parametrize("config", [{"chat_template": 3}, {"chat_template": [3]}, {"bos_token": [1]}])
def test_odd_tokenizer_configs(folder: Path, config: dict[str, object]) -> None:
    write(folder, **config)
    with pytest.raises(EngineError):
        ChatTemplate.open(folder)


def test_a_template_file_that_is_no_text(folder: Path) -> None:
    (folder / "chat_template.jinja").write_bytes(b"\xff\xfe")
    with pytest.raises(EngineError, match="cannot be read"):
        ChatTemplate.open(folder)
