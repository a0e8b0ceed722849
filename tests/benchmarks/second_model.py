"""The second planner's model: integers for CP-SAT, and the rules about them."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final

from ortools.sat.python import cp_model
from tests.benchmarks.second_problem import (
    Car,
    Offer,
    Problem,
    SpreadRow,
    circuits_of,
    spreads_of,
    staying,
)

from idlewatt_scheduler.feasibility.power import ac_power, draw_cap, reported_charging
from idlewatt_scheduler.model.units import MILLIWATT_MILLISECONDS_PER_WATT_HOUR

MONEY: Final = 10**7
"""Of the currency, so many parts are counted."""

MILLIWATT_HOURS: Final = MILLIWATT_MILLISECONDS_PER_WATT_HOUR // 1_000


class CarsModel:
    """Integers for how many pods of each kind are on each vehicle, and what each carries alone."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.counts: dict[tuple[int, int], Any] = {}
        self.used: dict[tuple[int, int], Any] = {}
        for c, car in enumerate(problem.cars):
            for o, offer in enumerate(car.offers):
                count = self.model.new_int_var(0, offer.most, f"n{c}_{o}")
                used = self.model.new_bool_var(f"u{c}_{o}") if offer.most > 1 else count
                if offer.most > 1:
                    self.model.add(count <= offer.most * used)
                    self.model.add(count >= used)
                self.counts[c, o], self.used[c, o] = count, used
        self.open = [self.model.new_bool_var(f"open{c}") for c in range(len(problem.cars))]
        for (c, _), used in self.used.items():
            self.model.add(used <= self.open[c])
        self._machines()

    def _machines(self) -> None:
        for c, car in enumerate(self.problem.cars):
            mine = [(offer, self.counts[c, o]) for o, offer in enumerate(car.offers)]
            kinds = self.problem.kinds
            for name, left in car.left.items():
                unit = 1_000 if name not in {"memory", "ephemeral-storage"} else 1_000 * 2**20
                asked = [
                    (ceil(Fraction(1_000 * amount, unit)), n)
                    for offer, n in mine
                    if (amount := kinds[offer.kind].pods[0].requests.get(name, 0))
                ]
                if asked:
                    most = floor(Fraction(1_000 * left, unit))
                    self.model.add(sum(amount * n for amount, n in asked) <= most)
            self.model.add(sum(offer.stay.power * n for offer, n in mine) <= car.power)
            if car.energy is not None:
                self._battery(c, car, mine)

    def _battery(self, c: int, car: Car, mine: Sequence[tuple[Offer, Any]]) -> None:
        if car.energy is None:
            return
        unit = MILLIWATT_HOURS
        most = floor(car.energy / unit)
        standby = self.model.new_int_var(0, max(most, 0), f"standby{c}")
        for o, offer in enumerate(car.offers):
            alone = car.standby * max(offer.stay.end - car.alone_from, 0)
            self.model.add(standby >= ceil(Fraction(alone, unit)) * self.used[c, o])
        taken = [
            (ceil(Fraction(offer.stay.power * (offer.stay.end - offer.stay.start), unit)), n)
            for offer, n in mine
        ]
        self.model.add(sum(each * n for each, n in taken) + standby <= most)

    def raised(self, c: int, car: Car) -> Any:  # noqa: ANN401 - an expression of the model
        """By how many milliwatts AC a car draws more."""
        percent = car.candidate.vehicle.compute.efficiency_percent if car.candidate.vehicle else 100
        cap, charging = draw_cap(car.candidate), reported_charging(car.candidate)
        alone = 0 if car.now else car.standby
        new = sum(offer.stay.power * self.counts[c, o] for o, offer in enumerate(car.offers))
        before = min(cap, charging + ac_power(car.candidate, car.now))
        most = cap - before
        more = self.model.new_int_var(0, max(most, 0), f"raise{c}")
        if most <= 0:
            return more
        wanted = new + alone * self.open[c]
        reach = ac_power(car.candidate, car.power + alone) + 1
        if charging + ac_power(car.candidate, car.now) + reach <= cap:
            self.model.add(percent * more >= 100 * wanted)
            return more
        full = self.model.new_bool_var(f"full{c}")
        self.model.add(percent * more >= 100 * wanted).only_enforce_if(full.negated())
        self.model.add(more >= most).only_enforce_if(full)
        return more

    def weight(self) -> Any:  # noqa: ANN401 - an expression of the model
        """What is placed."""
        cars, kinds = self.problem.cars, self.problem.kinds
        return sum(kinds[cars[c].offers[o].kind].weight * n for (c, o), n in self.counts.items())

    def cost(self) -> Any:  # noqa: ANN401 - an expression of the model
        """What it costs, in fractions of the currency."""
        terms: list[Any] = []
        for c, car in enumerate(self.problem.cars):
            terms += [
                round(offer.cost * MONEY) * self.counts[c, o] for o, offer in enumerate(car.offers)
            ]
            terms += [self.stay_cost(c, car), round(car.opening * MONEY) * self.open[c]]
        return sum(terms)

    def stay_cost(self, c: int, car: Car) -> Any:  # noqa: ANN401 - an expression of the model
        """What a car costs once for its longest stay, rounded down."""
        longest = floor(max(offer.stay_cost for offer in car.offers) * MONEY)
        stay = self.model.new_int_var(0, max(longest, 0), f"stay{c}")
        for o, offer in enumerate(car.offers):
            self.model.add(stay >= floor(offer.stay_cost * MONEY) * self.used[c, o])
        return stay

    def made_of(self, patterns: Mapping[int, Sequence[Sequence[tuple[int, int]]]]) -> None:
        """Let each car carry one of its patterns, by offer and number, or nothing."""
        for c, each in patterns.items():
            chosen = [self.model.new_bool_var("") for _ in each]
            self.model.add(sum(chosen) == self.open[c])
            carried: defaultdict[int, list[Any]] = defaultdict(list)
            for one, counts in zip(chosen, each, strict=True):
                for o, n in counts:
                    carried[o].append(n * one)
            for o in range(len(self.problem.cars[c].offers)):
                self.model.add(self.counts[c, o] == sum(carried[o]))


class FleetModel(CarsModel):
    """All vehicles together: nobody twice, circuits, gangs and spread."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        by_kind: defaultdict[int, list[Any]] = defaultdict(list)
        for (c, o), count in self.counts.items():
            by_kind[problem.cars[c].offers[o].kind].append(count)
        for kind, counts in by_kind.items():
            self.model.add(sum(counts) <= len(problem.kinds[kind].pods))
        self._circuits()
        self._gangs(by_kind)
        for row in spreads_of(problem):
            self._spread(row)

    def _circuits(self) -> None:
        more = [self.raised(c, car) for c, car in enumerate(self.problem.cars)]
        for row in circuits_of(self.problem):
            self.model.add(sum(part * more[c] for c, part in row.parts.items()) <= row.left)

    def _gangs(self, by_kind: Mapping[int, list[Any]]) -> None:
        problem = self.problem
        run = Counter((each.pod.namespace, each.pod.demand.gang) for each in staying(problem))
        gangs: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for index, kind in enumerate(problem.kinds):
            pod = kind.pods[0]
            if pod.demand.gang is not None:
                gangs[pod.namespace, pod.demand.gang].append(index)
        for name, members in gangs.items():
            size = max(problem.kinds[index].pods[0].demand.gang_size for index in members)
            needs = max(size - run[name], 0)
            placed = [count for index in members for count in by_kind.get(index, ())]
            whole = self.model.new_bool_var(f"gang{name}")
            self.model.add(sum(placed) >= needs * whole)
            self.model.add(sum(placed) <= 1_000_000 * whole)

    def _spread(self, row: SpreadRow) -> None:
        for key in row.nowhere:
            self.model.add(self.counts[key] == 0)
        total = sum(len(kind.pods) for kind in self.problem.kinds) + sum(row.base.values())
        here = {
            domain: sum(self.counts[key] for key in row.counted.get(domain, ())) + base
            for domain, base in row.base.items()
        }
        least: Any = 0
        if not row.floor_is_zero:
            least = self.model.new_int_var(0, total, "least")
            for count in here.values():
                self.model.add(least <= count)
        for domain, keys in row.own.items():
            some = self.model.new_bool_var("some")
            self.model.add(sum(self.counts[key] for key in keys) <= total * some)
            self.model.add(here[domain] - least <= row.skew).only_enforce_if(some)
