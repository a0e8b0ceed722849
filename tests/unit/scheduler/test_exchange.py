"""Exchange rates as they are listed, and the plan's currency."""

from decimal import Decimal
from fractions import Fraction

import pytest

from idlewatt_scheduler.exchange import Exchange
from idlewatt_scheduler.model.policy import ExchangeRate
from idlewatt_scheduler.testing import a_policy, a_vehicle

NOK_TO_EUR = ExchangeRate("NOK", "EUR", Decimal("0.086"))
SEK_TO_NOK = ExchangeRate("SEK", "NOK", Decimal("1.05"))


def exchange(*rates: ExchangeRate, fleet: tuple[str, ...] = ("EUR",)) -> Exchange:
    """The exchange of a fleet that is paid in these currencies."""
    vehicles = [a_vehicle(compensation__currency=currency) for currency in fleet]
    return Exchange(a_policy(exchange_rates=rates), vehicles)


@pytest.mark.parametrize(
    ("rates", "fleet", "currency"),
    [
        ((), ("EUR", "EUR"), "EUR"),
        ((), ("EUR", "SEK"), None),
        ((), (), None),
        ((NOK_TO_EUR,), ("SEK",), "EUR"),
        ((SEK_TO_NOK, NOK_TO_EUR), ("EUR",), "NOK"),
        ((NOK_TO_EUR, SEK_TO_NOK), (), "EUR"),
    ],
)
def test_the_plan_is_in_the_first_rates_currency_or_in_the_only_one(
    rates: tuple[ExchangeRate, ...], fleet: tuple[str, ...], currency: str | None
) -> None:
    """A fleet of several currencies without a rate has none."""
    assert exchange(*rates, fleet=fleet).plan_currency == currency


@pytest.mark.parametrize(
    ("pair", "rate"),
    [
        (("NOK", "EUR"), "0.086"),
        (("SEK", "NOK"), "1.05"),
        (("EUR", "NOK"), None),
        (("SEK", "EUR"), None),
        (("USD", "USD"), "1"),
    ],
)
def test_rates_are_used_as_they_are_listed(pair: tuple[str, str], rate: str | None) -> None:
    """No inverse, no chain; every currency is worth itself."""
    found = exchange(NOK_TO_EUR, SEK_TO_NOK).rate(*pair)
    assert found == (None if rate is None else Fraction(rate))


def test_of_two_rates_for_one_pair_the_first_counts() -> None:
    """As the first one gives the plan its currency."""
    twice = exchange(NOK_TO_EUR, ExchangeRate("NOK", "EUR", Decimal(1)))
    assert twice.to_plan("NOK") == Fraction("0.086")


def test_without_a_currency_nothing_can_be_converted() -> None:
    """Not even into itself: a sum of two currencies is none."""
    assert exchange(fleet=("EUR", "SEK")).to_plan("EUR") is None
