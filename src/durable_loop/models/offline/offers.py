"""The offered tools as the offline model reads them: slots to fill, and the words that speak for a tool."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, cast

from agents import FunctionTool, Tool

from durable_loop.models.offline.words import (
    READ_VERBS,
    WRITE_VERBS,
    concepts,
    content_stems,
    spaced,
    stem,
    tokens,
)

__all__ = ["Effect", "Kind", "Offer", "Slot", "offers_of"]

# `isinstance` tells pyright that something is a dict, not that its keys are JSON's: hence the casts here.
JsonSchema = dict[str, Any]

_MAX_DEPTH: Final = 5


class Kind(StrEnum):
    """What a slot wants, read from its schema and its words."""

    EXPRESSION = "expression"
    TICKER = "ticker"
    PLACE = "place"
    CODE = "code"
    TEXT = "text"
    NAME = "name"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LIST = "list"
    OTHER = "other"


class Effect(StrEnum):
    """Whether a tool changes something, looks something up, or does not say."""

    READ = "read"
    WRITE = "write"
    UNSAID = "unsaid"


# The words of a string slot's name that say what it wants.
_KIND_WORDS: Final = {
    Kind.EXPRESSION: "expression formula equation calculation arithmetic",
    Kind.TICKER: "ticker symbol",
    Kind.PLACE: "city place location town country destination region",
    Kind.CODE: "project key id issue ticket code sku reference",
    Kind.TEXT: "text message body content query question note prompt comment title subject sentence phrase input",
}
_KIND_STEMS: Final = {kind: frozenset(stem(word) for word in words.split()) for kind, words in _KIND_WORDS.items()}


@dataclass(frozen=True, eq=False)
class Slot:
    """One value that a tool takes; `path` leads to it through nested objects. Each is only equal to itself."""

    path: tuple[str, ...]
    schema: JsonSchema
    required: bool

    @property
    def type(self) -> str:
        """The JSON type of the value."""
        declared = self.schema.get("type")
        if isinstance(declared, list):
            names = [name for name in cast("list[Any]", declared) if name != "null"]
            declared = names[0] if names else None
        if declared is None and self.choices:
            return "string" if all(isinstance(choice, str) for choice in self.choices) else "other"
        return str(declared or "string")

    @property
    def label(self) -> str:
        """The slot's name in words."""
        return spaced(self.path[-1])

    @property
    def description(self) -> str:
        """What the schema says about the slot."""
        return str(self.schema.get("description") or "")

    @property
    def choices(self) -> list[Any]:
        """The values of an enum; empty where anything goes."""
        if "const" in self.schema:
            return [self.schema["const"]]
        choices = self.schema.get("enum")
        return cast("list[Any]", choices) if isinstance(choices, list) else []

    @property
    def has_fallback(self) -> bool:
        """Whether the schema itself names a value for a slot that nobody fills."""
        return "default" in self.schema or bool(self.schema.get("x-nullable"))

    @property
    def needed(self) -> bool:
        """Whether the user has to say it."""
        return self.required and not self.has_fallback

    @cached_property
    def name_stems(self) -> frozenset[str]:
        """The stems of the slot's name."""
        return frozenset(stem(word) for word in self.label.split())

    @cached_property
    def description_stems(self) -> frozenset[str]:
        """The stems that the description adds."""
        return content_stems(token.lower for token in tokens(self.description)) - self.name_stems

    @cached_property
    def kind(self) -> Kind:
        """What the slot wants."""
        by_type = {"number": Kind.NUMBER, "integer": Kind.NUMBER, "boolean": Kind.BOOLEAN, "array": Kind.LIST}
        if self.choices:
            return Kind.CHOICE
        if self.type != "string":
            return by_type.get(self.type, Kind.OTHER)
        return next((kind for kind, stems in _KIND_STEMS.items() if stems & self.name_stems), self._described_kind)

    @property
    def _described_kind(self) -> Kind:
        """Read the kind from a description, for a name that says nothing; only the kinds with a form of their own."""
        clear = (Kind.EXPRESSION, Kind.TICKER, Kind.PLACE)
        return next((kind for kind in clear if _KIND_STEMS[kind] & self.description_stems), Kind.NAME)


# How much a word of the request says for a tool, by where the tool has it.
_NAME, _CHOICE, _SLOT, _DESCRIPTION, _SLOT_DESCRIPTION = 3.0, 2.0, 1.5, 1.0, 0.5
# A word that only means the same says a little less.
_ALIKE: Final = 0.7


@dataclass(frozen=True, eq=False)
class Offer:
    """A tool of the request."""

    name: str
    description: str
    slots: tuple[Slot, ...]

    @property
    def label(self) -> str:
        """The tool's name in words."""
        return spaced(self.name)

    @cached_property
    def effect(self) -> Effect:
        """What kind of tool it is, by the first verb of its name or of its description."""
        for text in (self.label, self.description):
            first = next((token.lower for token in tokens(text)), "")
            for verb in (first, stem(first), first.removesuffix("s")):
                if verb in WRITE_VERBS:
                    return Effect.WRITE
                if verb in READ_VERBS:
                    return Effect.READ
        return Effect.UNSAID

    @cached_property
    def name_stems(self) -> frozenset[str]:
        """The stems of the tool's name."""
        return frozenset(stem(word) for word in self.label.split())

    @cached_property
    def weights(self) -> dict[str, float]:
        """How much each stem says for this tool."""
        weighted: dict[str, float] = {}
        for word, weight in self._weighted_words():
            weighted[word] = max(weight, weighted.get(word, 0.0))
        return weighted

    @cached_property
    def concept_weights(self) -> dict[int, float]:
        """How much each meaning says for this tool."""
        weighted: dict[int, float] = {}
        for word, weight in self.weights.items():
            for concept in concepts(word):
                weighted[concept] = max(weight * _ALIKE, weighted.get(concept, 0.0))
        return weighted

    def _weighted_words(self) -> Iterator[tuple[str, float]]:
        yield from ((word, _NAME) for word in content_stems(self.label.split()))
        yield from ((word, _DESCRIPTION) for word in content_stems(token.lower for token in tokens(self.description)))
        for slot in self.slots:
            yield from ((word, _SLOT) for word in slot.name_stems)
            yield from ((word, _SLOT_DESCRIPTION) for word in slot.description_stems)
            for choice in slot.choices:
                yield from ((word, _CHOICE) for word in content_stems(spaced(str(choice)).split()))


def offers_of(tools: Sequence[Tool]) -> list[Offer]:
    """Read the function tools among `tools`; the offline model uses no other kind."""
    return [
        Offer(
            name=tool.name,
            description=tool.description or "",
            slots=tuple(_slots(tool.params_json_schema, root=tool.params_json_schema)),
        )
        for tool in tools
        if isinstance(tool, FunctionTool)
    ]


def _slots(
    schema: JsonSchema, *, root: JsonSchema, path: tuple[str, ...] = (), required: bool = True
) -> Iterator[Slot]:
    """Yield the leaves of an object schema, nested ones too."""
    schema = _resolved(schema, root=root)
    properties = schema.get("properties")
    if not isinstance(properties, dict) or len(path) >= _MAX_DEPTH:
        if path:
            yield Slot(path=path, schema=schema, required=required)
        return
    wanted = _strings(schema.get("required"))
    for name, inner in cast("dict[str, Any]", properties).items():
        if isinstance(inner, dict):
            inner_schema = cast("JsonSchema", inner)
            yield from _slots(inner_schema, root=root, path=(*path, name), required=required and name in wanted)


def _resolved(schema: JsonSchema, *, root: JsonSchema) -> JsonSchema:
    """Follow `$ref`, and take the first real alternative of `X | None`."""
    for _ in range(_MAX_DEPTH):
        alternatives = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if isinstance(reference := schema.get("$ref"), str):
            outer = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**_referenced(reference, root=root), **outer}
        elif isinstance(alternatives, list):
            schema = _first_alternative(schema, cast("list[Any]", alternatives))
        else:
            break
    declared = schema.get("type")
    return {**schema, "x-nullable": True} if isinstance(declared, list) and "null" in declared else schema


def _first_alternative(schema: JsonSchema, alternatives: list[Any]) -> JsonSchema:
    outer = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf", "allOf"}}
    shapes = [cast("JsonSchema", shape) for shape in alternatives if isinstance(shape, dict)]
    real = [shape for shape in shapes if shape.get("type") != "null"]
    if len(real) < len(shapes):
        outer["x-nullable"] = True
    return {**(real[0] if real else {}), **outer}


def _referenced(reference: str, *, root: JsonSchema) -> JsonSchema:
    node: Any = root
    for part in reference.removeprefix("#/").split("/"):
        node = cast("JsonSchema", node).get(part) if isinstance(node, dict) else None
    return cast("JsonSchema", node) if isinstance(node, dict) else {}


def _strings(value: Any) -> frozenset[str]:
    return (
        frozenset(item for item in cast("list[Any]", value) if isinstance(item, str))
        if isinstance(value, list)
        else frozenset()
    )
