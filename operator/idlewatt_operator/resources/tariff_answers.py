"""What the source of a tariff answers: JSON with `intervals`, written as in an EnergyTariff.

An answer is taken whole or not at all: half of a day's prices would be a day with gaps.
"""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from idlewatt_operator.resources.energytariff import Interval
from idlewatt_operator.resources.errors import mistakes
from idlewatt_operator.resources.to_model import to_interval
from idlewatt_scheduler.model.tariff import TariffInterval

MOST_BYTES: Final = 64_000_000
"""A month of carbon at five minutes with its 36 forecasts is 62 MB of JSON."""

MOST_INTERVALS: Final = 400_000


class AnswerError(ValueError):
    """An answer cannot be used; the message is a sentence."""


class _Answer(BaseModel):
    """The whole answer; what else a publisher writes into it is not looked at."""

    model_config = ConfigDict(extra="ignore")

    intervals: tuple[Interval, ...] = Field(min_length=1, max_length=MOST_INTERVALS)


def answered_intervals(text: bytes) -> tuple[TariffInterval, ...]:
    """The intervals of an answer, in its order.

    Raises:
        AnswerError: it is too long, no JSON, or any interval of it is wrong.
    """
    if len(text) > MOST_BYTES:
        message = f"The answer has {len(text):,} bytes, and at most {MOST_BYTES:,} are read."
        raise AnswerError(message)
    try:
        answer = _Answer.model_validate_json(text)
    except ValidationError as error:
        found = mistakes(error, _Answer)
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        message = f"The answer cannot be used: {found[0]}{more}."
        raise AnswerError(message) from error
    return tuple(map(to_interval, answer.intervals))
