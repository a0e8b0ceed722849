"""What the run measured: kept as JSON, printed as a table at the end, quoted in the docs."""

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

WIDTH: Final = 66


@dataclass
class Figures:
    """Figures by their name, in the order they were first noted; written with every change."""

    path: Path
    _kept: dict[str, str | float | int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, value: str | float) -> None:
        """Keep one; seconds are rounded to a tenth."""
        with self._lock:
            self._kept[name] = round(value, 1) if isinstance(value, float) else value
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps(self._kept, indent=2) + "\n", encoding="utf-8")

    def table(self) -> list[str]:
        """One line each."""
        return [f"{name:<{WIDTH}} {value:>12}" for name, value in self._kept.items()]
