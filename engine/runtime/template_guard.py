"""A jinja2 sandbox in which a hostile template can neither reach out, nor run long, nor fill memory.

In: the source of a chat template (untrusted) and the values for it. Out: the text, or a :class:`GuardError`.

jinja2's sandbox keeps a template from attributes and from mutation, but lets it loop for hours and double
a string until memory is gone. So here every loop step, call and filter takes from a :class:`Budget` of steps
and time, and every operation that can make a value much larger than its operands is checked before it is
done. The loops, literals and concatenations in the template's syntax tree are wrapped for this in filters of
our own before it is compiled.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, ValuesView
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_context
from jinja2.visitor import NodeTransformer

T = TypeVar("T")
MAX_SOURCE_CHARS = 65_536
MAX_STEPS = 300_000
MAX_TIME_S = 3.0
MAX_ITEMS = 50_000  # in one value, counted through everything that it holds
MAX_CHARS = 1_000_000  # likewise; and more in proportion to what the template is given
MAX_MADE = 32_000_000  # characters and items made in one rendering
MAX_ARGUMENT = 64  # a number given to a filter: a width, an indentation
MAX_NUMBER_BITS = 256

FILTERS = (
    "abs capitalize count d default dictsort e escape first float groupby indent int items join last length list "
    "lower map max min reject rejectattr replace reverse round safe select selectattr sort string title trim "
    "unique upper wordcount"
).split()
TEXT_METHODS = (
    "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit islower isnumeric "
    "isspace istitle isupper join lower lstrip partition removeprefix removesuffix replace rfind rindex "
    "rpartition rsplit rstrip split splitlines startswith strip swapcase title upper"
).split()
_ITERATE, _HOLD, _CONCAT = "guard iterate", "guard hold", "guard concat"  # no template can spell these
_DATE_FORMAT = re.compile(r"([^%]|%-?[A-Za-z%])*")


class GuardError(Exception):
    """What is wrong with a template, in a few words; ``own`` if the template itself said so."""

    def __init__(self, reason: str, own: bool = False) -> None:
        super().__init__(reason)
        self.own = own


class Budget:
    """How much a rendering may still do, in steps, time and memory."""

    def __init__(self, source_chars: int = 0, input_chars: int = 0) -> None:
        self._steps = MAX_STEPS
        self._deadline = time.monotonic() + MAX_TIME_S
        self._source_chars = source_chars
        self._made = MAX_MADE + 1000 * source_chars + 50 * input_chars
        self.max_chars = MAX_CHARS + 8 * input_chars

    def take(self) -> None:
        """Use up a step; raises GuardError when there are none left, or no time."""
        self._steps -= 1
        if self._steps < 0 or time.monotonic() > self._deadline:
            raise GuardError("it does not come to an end")

    def enter(self) -> None:
        """A step that runs a body once, which can put out the template's own text at most once."""
        self.take()
        self.make(self._source_chars)

    def make(self, size: int) -> None:
        """Account for characters or items about to be made."""
        self._made -= size
        if self._made < 0 or size > self.max_chars:
            too_large()

    def hold(self, value: Any) -> Any:
        """Let a value pass if it is plain data and not too large, counted through everything that it holds."""
        chars, items = self.max_chars, MAX_ITEMS
        waiting = [value]
        while waiting:
            item = waiting.pop()
            items -= 1
            if isinstance(item, str):
                chars -= len(item)
            elif isinstance(item, (list, tuple)):
                items -= len(item)
                waiting.extend(item if items >= 0 else ())
            elif isinstance(item, dict):
                items -= len(item)
                waiting.extend((*item.keys(), *item.values()) if items >= 0 else ())
            elif isinstance(item, int):
                chars -= item.bit_length() > MAX_NUMBER_BITS and self.max_chars
            elif not isinstance(item, (float, Undefined)) and item is not None:
                raise GuardError("it handles something that is no data")
            if chars <= 0 or items < 0:
                too_large()
        return value


class _Ended(jinja2.TemplateError):
    """Raised by the template's own ``raise_exception``."""


class GuardedEnvironment(ImmutableSandboxedEnvironment):
    """Everything that a template does goes through :attr:`budget`, which each rendering renews."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

    def __init__(self) -> None:
        self.budget = Budget()
        self._source_chars = 0
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.loopcontrols"],
            finalize=pass_context(lambda _, value: self._output(value)),
        )
        originals = self.filters
        self.filters = {name: self._guarded(originals[name]) for name in FILTERS}
        self.filters |= {
            "tojson": pass_context(lambda _, value, **options: self._to_json(value, **options)),
            "join": pass_context(
                lambda _, value, glue="", attribute=None: self._join(value, glue, attribute)
            ),
            "replace": pass_context(
                lambda _, value, old, new, *count: self._replace(value, old, new, *count)
            ),
            _ITERATE: pass_context(lambda _, value: self._iterate(value)),
            _HOLD: pass_context(lambda _, value: self.budget.hold(value)),
            _CONCAT: pass_context(lambda _, parts: self._concat(parts)),
        }
        self.globals = {
            "range": self._range,
            "dict": dict,
            "namespace": self.globals["namespace"],
            "raise_exception": _raise_exception,
            "strftime_now": _strftime_now,
        }

    def compile_guarded(self, source: str) -> jinja2.Template:
        """Compile a template; raises GuardError."""
        if len(source) > MAX_SOURCE_CHARS:
            raise GuardError("it is too long")
        self.budget = Budget(len(source))
        self._source_chars = len(source)
        return _telling(lambda: self.from_string(source))

    def render_guarded(self, template: jinja2.Template, values: dict[str, object], input_chars: int) -> str:
        """Render a template within a new budget, given ``input_chars`` characters of data; raises GuardError."""
        budget = self.budget = Budget(self._source_chars, input_chars)

        def render() -> str:
            pieces: list[str] = []
            length = 0
            for piece in template.generate(values):
                length += len(piece)
                if length > budget.max_chars:
                    too_large()
                pieces.append(piece)
            return "".join(pieces)

        return _telling(render)

    # What jinja2 calls.

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        return _Wrapping(self).visit(tree)

    def unsafe_undefined(self, obj: Any, attribute: str) -> NoReturn:
        raise SecurityError(f"it reaches for {attribute!r}")

    def is_safe_callable(self, obj: Any) -> bool:
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str):
            return getattr(obj, "__name__", "") in TEXT_METHODS
        return super().is_safe_callable(obj)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.budget.enter()
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        if isinstance(owner, str) and name == "join":
            return self._join(*args, glue=owner)
        if isinstance(owner, str) and name == "replace":
            return self._replace(owner, *args, **kwargs)
        return self._made(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        self.budget.take()
        sequence = (str, list, tuple)
        if operator == "*":
            for one, other in ((left, right), (right, left)):
                if isinstance(one, sequence) and isinstance(other, int):
                    self.budget.make(len(one) * other)
        elif operator == "+" and isinstance(left, sequence) and isinstance(right, sequence):
            self.budget.make(len(left) + len(right))
        elif operator == "%" and isinstance(left, str):
            raise GuardError("it formats text with %")
        elif operator == "**" and not (_is_small(left, 64) and _is_small(right, 3)):
            too_large()
        return self._held(super().call_binop(context, operator, left, right))

    # What stands in for filters and functions.

    def _guarded(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """A filter of jinja2's whose operands, numbers and result are bounded."""
        kind = getattr(getattr(original, "jinja_pass_arg", None), "name", "")

        def guarded(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
            self.budget.take()
            for argument in (*args, *kwargs.values()):
                self.budget.hold(argument)
                if isinstance(argument, int) and abs(argument) > MAX_ARGUMENT:
                    too_large()
            value = self._iterate(value) if isinstance(value, Iterator) else self.budget.hold(_plain(value))
            leading = {"context": (context,), "eval_context": (context.eval_ctx,), "environment": (self,)}
            return self._made(original(*leading.get(kind, ()), value, *args, **kwargs))

        return pass_context(guarded)

    def _held(self, value: Any) -> Any:
        """Bound a value; iterators are bounded as they run, and objects of jinja2's hold nothing by themselves."""
        return self.budget.hold(value) if isinstance(value, (str, int, list, tuple, dict)) else value

    def _made(self, value: Any) -> Any:
        """Bound a value that was just made, and account for it."""
        if isinstance(value, (str, list, tuple, dict)):
            self.budget.make(len(value))
        return self._held(value)

    def _concat(self, parts: list[Any]) -> str:
        return self._made("".join(str(self._output(part)) for part in self.budget.hold(parts)))

    def _iterate(self, value: Any) -> Any:
        """The iterable of a loop, one step a turn; its length stays known where it was."""
        value = _plain(value)
        if isinstance(value, Undefined) or not isinstance(value, Iterable):
            return value
        if isinstance(value, (list, tuple, dict, str, range)):
            return _Counted(value, self.budget)
        return (self._entered(item) for item in value)

    def _entered(self, item: Any) -> Any:
        self.budget.enter()
        return item

    def _range(self, *bounds: int) -> range:
        numbers = range(*bounds)
        if len(numbers) > MAX_ITEMS:
            too_large()
        return numbers

    def _join(self, parts: Any, glue: Any = "", attribute: Any = None) -> str:
        if attribute is not None:
            raise GuardError("it joins attributes")
        glue = str(self._output(glue))
        texts: list[str] = []
        for part in self._iterate(parts):
            texts.append(str(self._output(part)))
            self.budget.make(len(texts[-1]) + len(glue))
        return self._made(glue.join(texts))

    def _replace(self, text: Any, old: Any, new: Any, count: Any = -1) -> str:
        text, old, new = (str(self._output(value)) for value in (text, old, new))
        self.budget.make(len(text) + text.count(old) * len(new))
        return text.replace(old, new, -1 if count is None else int(count))

    def _to_json(self, value: Any, indent: int | None = None, **options: Any) -> str:
        """Like the one that chat templates are written for: no HTML escapes, other scripts left readable."""
        if indent is not None and not (isinstance(indent, int) and 0 <= indent <= 8):
            too_large()
        separators = options.get("separators")
        text = json.dumps(
            self.budget.hold(_plain(value)),
            ensure_ascii=False,
            indent=indent,
            sort_keys=bool(options.get("sort_keys", False)),
            separators=tuple(separators) if separators else None,
        )
        return self._made(text)

    def _output(self, value: Any) -> Any:
        """What is about to become text: plain data of bounded size, "" for jinja2's own objects."""
        self.budget.take()
        value = _plain(value)
        if isinstance(value, Iterator):
            raise GuardError("it prints something that is no text")
        if value is None or isinstance(value, (str, int, float, list, tuple, dict, Undefined)):
            return self._made(value)
        return ""


class _Counted:
    """A finite iterable of known length that takes a step for each item."""

    def __init__(self, items: Any, budget: Budget) -> None:
        self._items = items
        self._budget = budget

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            self._budget.enter()
            yield item


class _Wrapping(NodeTransformer):
    """Sends loops, literals and concatenations through the guard's filters."""

    def __init__(self, environment: GuardedEnvironment) -> None:
        self._environment = environment

    def _wrap(self, node: Any, name: str) -> nodes.Filter:
        wrapped = nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
        wrapped.set_environment(self._environment)
        return wrapped

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - jinja2's name
        self.generic_visit(node)
        node.iter = self._wrap(node.iter, _ITERATE)
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._wrap(node, _HOLD)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._wrap(node, _HOLD)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._wrap(node, _HOLD) if node.ctx == "load" else node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        parts.set_environment(self._environment)
        return self._wrap(parts, _CONCAT)


def too_large() -> NoReturn:
    """Refuse a value."""
    raise GuardError("it makes something far too large")


def _plain(value: Any) -> Any:
    """Views and ranges as lists; everything else as it is."""
    return list(value) if isinstance(value, (KeysView, ValuesView, ItemsView, range)) else value


def _is_small(value: Any, bits: int) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and abs(value).bit_length() <= bits)


def _raise_exception(message: object) -> NoReturn:
    raise _Ended(str(message)[:200])


def _strftime_now(format: str) -> str:
    if not isinstance(format, str) or len(format) > 200 or not _DATE_FORMAT.fullmatch(format):
        raise GuardError("it asks for an odd date format")
    return datetime.now().strftime(format)


def _telling(work: Callable[[], T]) -> T:
    """Turn whatever foreign code can raise into one GuardError."""
    try:
        return work()
    except GuardError:
        raise
    except _Ended as error:
        raise GuardError(_one_line(error), own=True) from error
    except (RecursionError, MemoryError) as error:
        raise GuardError("it does not come to an end") from error
    except (
        jinja2.TemplateError,
        SyntaxError,
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        AttributeError,
    ) as error:
        raise GuardError(_one_line(error)) from error


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())[:200]
    return "".join(char for char in text if char.isprintable()) or type(error).__name__
