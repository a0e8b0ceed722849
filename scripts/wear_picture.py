"""Draw the wear model against the cell models it was fitted to.

    python scripts/wear_picture.py docs/images/wear.svg

Dots are what the cell models say (tests/unit/scheduler/wear_grid.csv), lines the wear model.
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from idlewatt_scheduler.wear import Night, wear_per_kwh

GRID: Final = Path(__file__).resolve().parents[1] / "tests/unit/scheduler/wear_grid.csv"
CHEMISTRIES: Final = ("NCA", "LFP", "NMC811")
ROWS: Final = (
    ("wall", 5, "on wall power, 5 K warmer"),
    ("battery", 0, "on the battery, no warmer"),
)
AMBIENT: Final = ((0, "#2b6cb0"), (10, "#2f9e8f"), (25, "#dd8a1d"), (35, "#c0392b"))
CHARGE: Final = 70
YEARS: Final = range(1, 9)

LEFT, TOP, WIDE, HIGH, GAP = 52, 58, 230, 170, 46
MOST_CENTS: Final = {"wall": 4.0, "battery": 8.0}


@dataclass(frozen=True)
class Panel:
    """One chemistry and source: where its corner is, and what its figures are scaled to."""

    x: float
    y: float
    most: float

    def place(self, years: float, cents: float) -> tuple[float, float]:
        """Where a figure stands."""
        across = self.x + (years - YEARS[0]) / (YEARS[-1] - YEARS[0]) * WIDE
        return round(across, 1), round(self.y + HIGH * (1 - min(cents / self.most, 1)), 1)


def simulated() -> dict[tuple[str, int, int, str, int], float]:
    """What the cell models say at the drawn charge, never below 0, in cents."""
    with GRID.open(encoding="utf-8", newline="") as file:
        return {
            (
                row["chemistry"],
                int(row["ambient_celsius"]),
                int(row["rise_kelvin"]),
                row["source"],
                int(row["years"]),
            ): max(0.0, float(row["cents_per_kwh"]))
            for row in csv.DictReader(file)
            if int(row["charge_percent"]) == CHARGE
        }


def modelled(chemistry: str, ambient: int, rise: int, source: str, tenths: int) -> float:
    """What the wear model says, in cents."""
    night = Night(
        Decimal(ambient),
        Decimal(rise),
        source == "battery",
        Decimal(CHARGE),
        Decimal(tenths) / 10,
    )
    rate = wear_per_kwh(chemistry, Decimal(75_000), Decimal(100), night)
    return 100 * float(rate or 0)


def axes(panel: Panel, title: str) -> Iterator[str]:
    """The frame of a panel, its title, and its scales."""
    yield f'<text x="{panel.x}" y="{panel.y - 10}" class="title">{title}</text>'
    for cents in range(0, int(panel.most) + 1, int(panel.most) // 4):
        x, y = panel.place(YEARS[0], cents)
        yield f'<path d="M{x} {y}h{WIDE}" class="rule"/>'
        yield f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{cents}</text>'
    for year in YEARS:
        x, y = panel.place(year, 0)
        yield f'<text x="{x}" y="{y + 16}" text-anchor="middle">{year}</text>'


def curves(panel: Panel, chemistry: str, source: str, rise: int) -> Iterator[str]:
    """The lines and dots of a panel."""
    said = simulated()
    for ambient, colour in AMBIENT:
        points = [
            panel.place(tenths / 10, modelled(chemistry, ambient, rise, source, tenths))
            for tenths in range(10 * YEARS[0], 10 * YEARS[-1] + 1, 2)
        ]
        line = "L".join(f"{x} {y}" for x, y in points)
        yield f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        for year in YEARS:
            x, y = panel.place(year, said[chemistry, ambient, rise, source, year])
            yield f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>'


def legend(width: int, height: int) -> Iterator[str]:
    """What the colours, the dots and the lines are."""
    title = "cents per kWh computed, after so many years"
    yield f'<text x="{LEFT}" y="22" class="title">{title}</text>'
    for index, (ambient, colour) in enumerate(AMBIENT):
        x = width - 330 + 82 * index
        yield f'<path d="M{x} 18h18" stroke="{colour}" stroke-width="1.6"/>'
        yield f'<circle cx="{x + 9}" cy="18" r="3" fill="{colour}"/>'
        yield f'<text x="{x + 24}" y="22">{ambient} °C</text>'
    words = (
        f"Dots: the cell model. Lines: the wear model. Charge {CHARGE} %, 75 kWh, 100 EUR/kWh, "
        "7 kWh driven a day, 1 kW for 8 hours a night."
    )
    yield f'<text x="{LEFT}" y="{height - 10}">{words}</text>'


def picture() -> str:
    """The whole drawing."""
    width = LEFT + len(CHEMISTRIES) * (WIDE + GAP)
    height = TOP + len(ROWS) * (HIGH + GAP + 16) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"',
        ' aria-label="Wear by years: cell models and the wear model agree">',
        "<style>text{font:12px sans-serif;fill:#333}.title{font-weight:bold}",
        ".rule{stroke:#ddd;stroke-width:1}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *legend(width, height),
    ]
    for down, (source, rise, words) in enumerate(ROWS):
        for across, chemistry in enumerate(CHEMISTRIES):
            corner = LEFT + across * (WIDE + GAP), TOP + down * (HIGH + GAP + 16)
            panel = Panel(*corner, MOST_CENTS[source])
            parts += axes(panel, f"{chemistry}, {words}")
            parts += curves(panel, chemistry, source, rise)
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture(), encoding="utf-8")
