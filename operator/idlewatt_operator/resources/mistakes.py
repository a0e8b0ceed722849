"""A mistake in a manifest: the field, as it is written there, and a sentence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong.

    Attributes:
        field: such as `spec.containers[0].resources.requests.cpu`; empty: the whole object.
        sentence: what is wrong with it, and what to write instead.
    """

    field: str
    sentence: str

    def __str__(self) -> str:
        """The field and the sentence, as one line."""
        return f"{self.field}: {self.sentence}" if self.field else self.sentence
