"""What the four kinds share: strict parts, rules said twice, references, conditions, metadata."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, core_schema

from idlewatt_operator.resources.fields import (
    RULES,
    Generation,
    LongText,
    ObjectName,
    ShortText,
    Time,
    cel_message,
    refusal,
)

GROUP: Final = "idlewatt.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"

SCHEMA_VERSION: Final = 3
"""Raised by one with every change of the definitions; an operator refuses those of a lower one."""

SCHEMA_VERSION_ANNOTATION: Final = f"{GROUP}/schema-version"
"""Where a CustomResourceDefinition carries it."""

Location: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold between the fields of a part, once in CEL and once in Python.

    Attributes:
        cel: for the API server; `self` is the part.
        message: the sentence for whoever broke it; `{}` stands for `value_cel`.
        holds: for offline reading; None where a validator of the part, or only the API
            server (which knows the object's old state), can tell.
        field: the field, as it is written in manifests, that the sentence is about.
        value_cel: a CEL string for the `{}` of the message.
        value: what stands for it offline.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool] | None = None
    field: str = ""
    value_cel: str = ""
    value: Callable[[Any], str] = str

    def schema(self) -> dict[str, str]:
        """The rule as an item of `x-kubernetes-validations`."""
        path = {"fieldPath": f".{self.field}"} if self.field else {}
        return {"rule": self.cel, **cel_message(self.message, self.value_cel), **path}


class Part(BaseModel):
    """A JSON object with known fields only; an explicit null counts as absent."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, value: object) -> object:
        if isinstance(value, dict) and None in value.values():
            return {name: item for name, item in value.items() if item is not None}
        return value

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        rules = self.rules
        if rules and (broken := [r for r in rules if r.holds is not None and not r.holds(self)]):
            refuse(
                type(self).__name__,
                (
                    ((rule.field,) if rule.field else (), rule.message.format(rule.value(self)))
                    for rule in broken
                ),
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        produced = handler(schema)
        if cls.rules:
            handler.resolve_ref_schema(produced)[RULES] = [rule.schema() for rule in cls.rules]
        return produced


def refuse(title: str, mistakes: Iterable[tuple[Location, str]]) -> None:
    """Raise one ValidationError with all the mistakes, if there are any.

    Raises:
        ValidationError: with one line for each mistake, at its place.
    """
    lines = [
        InitErrorDetails(type=refusal(sentence), loc=place, input=None)
        for place, sentence in mistakes
    ]
    if lines:
        raise ValidationError.from_exception_data(title, lines)


@dataclass(frozen=True, slots=True)
class ListMap:
    """Marks a list whose items are told apart by the fields `keys`, as manifests write them."""

    keys: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._distinct, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            **handler(schema),
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": list(self.keys),
        }

    def _distinct(self, items: tuple[Part, ...]) -> tuple[Part, ...]:
        if len(items) > 1:
            refuse("list", self._twins(items))
        return items

    def _twins(self, items: tuple[Part, ...]) -> Iterator[tuple[Location, str]]:
        seen = set()
        for index, item in enumerate(items):
            written = item.model_dump(by_alias=True, include=set(_attributes(item, self.keys)))
            key = tuple(written.values())
            if key in seen:
                text = ", ".join(f"{name} '{value}'" for name, value in written.items())
                yield (index,), f"{text} stands in this list twice; each may stand there once"
            seen.add(key)


def _attributes(item: Part, keys: tuple[str, ...]) -> Iterator[str]:
    return (name for name, field in type(item).model_fields.items() if field.alias in keys)


@dataclass(frozen=True, slots=True)
class ListSet:
    """Marks a list of plain values of which each may stand there once."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._distinct, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "x-kubernetes-list-type": "set"}

    @staticmethod
    def _distinct(items: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(items)) < len(items):
            ListSet._refuse(items)
        return items

    @staticmethod
    def _refuse(items: tuple[str, ...]) -> None:
        refuse(
            "list",
            (
                ((index,), f"'{item}' stands in this list twice; each may stand there once")
                for index, item in enumerate(items)
                if item in items[:index]
            ),
        )


class SiteRef(Part):
    """A reference to a ParkingSite."""

    name: ObjectName
    """The ParkingSite's name."""


class TariffRef(Part):
    """A reference to an EnergyTariff."""

    name: ObjectName
    """The EnergyTariff's name."""


ConditionStatus: TypeAlias = Literal["True", "False", "Unknown"]


class Condition(Part):
    """One aspect of the object's state, as Kubernetes writes conditions."""

    type: ShortText
    """What the condition is about, in CamelCase."""
    status: ConditionStatus
    """Whether it holds."""
    reason: ShortText | None = None
    """Why, in one CamelCase word."""
    message: LongText | None = None
    """Why, in a sentence."""
    last_transition_time: Time | None = None
    """When `status` last changed."""
    observed_generation: Generation | None = None
    """The generation of the object that the condition is about."""


Conditions: TypeAlias = Annotated[
    tuple[Condition, ...], Field(max_length=32), ListMap(keys=("type",))
]

_StringMap: TypeAlias = dict[str, str]


class ObjectMeta(BaseModel):
    """What Kubernetes keeps with every object; only the name matters to us."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    name: ObjectName
    generate_name: str | None = None
    namespace: str | None = None
    labels: _StringMap | None = None
    annotations: _StringMap | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    finalizers: list[str] | None = None
    owner_references: list[dict[str, Any]] | None = None
    managed_fields: list[dict[str, Any]] | None = None
    self_link: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`; those of a priority above 0 show with `-o wide` only."""

    name: str
    path: str
    type: str = "string"
    description: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Naming:
    """The names under which a kind is known to the API."""

    kind: str
    plural: str
    singular: str
    short: str


class Resource(Part):
    """An object of one of our kinds."""

    naming: ClassVar[Naming]
    columns: ClassVar[tuple[Column, ...]]

    api_version: Literal["idlewatt.dev/v1alpha1"]
    metadata: ObjectMeta
