"""The field reference lists every field of every kind, in words a reader can use."""

from idlewatt_operator.resources.reference import field_reference


def test_a_field_has_its_limits_default_and_meaning() -> None:
    """A row tells type, limits, default and meaning; required fields are bold."""
    page = field_reference()
    assert (
        "| **`spec.battery.reservePercent`** | 0 to 100 |  | The charge never falls below this "
        "while a pod stays. |"
    ) in page
    assert '| `spec.plainNodes` | `Deny`, `Allow` | `"Deny"` | Whether Nodes' in page
    assert '| `spec.offPeak` | object | `{"band": "OffPeak"}` |' in page
    assert "| `spec.parkingWindows[].startTime` | time, RFC 3339 |" in page


def test_every_kind_has_its_section() -> None:
    """The four kinds stand there under their own names, with how to list them."""
    page = field_reference()
    for kind, short in (
        ("VehicleNode", "vn"),
        ("ParkingSite", "site"),
        ("EnergyTariff", "tariff"),
        ("FleetPolicy", "policy"),
    ):
        assert f"## {kind}\n" in page
        assert f"`kubectl get {short}`" in page
