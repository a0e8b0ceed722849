"""The simulated cars are changed with the commands that the example's page teaches."""

from tests.e2e.cars import PARKED, Cars
from tests.unit.examples.test_cars import CARS


def test_a_change_is_a_command_and_is_remembered() -> None:
    """With the words of the program in the pod."""
    asked: list[tuple[str, ...]] = []

    def kubectl(*words: str) -> str:
        asked.append(words)
        return 'v-1 {"parked": false}\n'

    cars = Cars(kubectl)
    at = cars.set("v-1", parked=False, departure=None, charge=28)
    (words,) = asked
    assert words[:4] == ("-n", "idlewatt", "exec", "deploy/cars")
    assert words[-5:] == ("set", "v-1", "parked=false", "departure=none", "charge=28")
    assert cars.changes == [(at, "v-1", {"parked": False})]


def test_to_park_is_understood_by_the_program() -> None:
    """Every word of it is one that the example's program reads."""
    assert set(PARKED) <= set(CARS.PARKED)
