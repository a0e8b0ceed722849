"""Sources looked up once: files in a folder, and what Redis keeps; of the rest nothing is known."""

from pathlib import Path

from tests.unit.operator.gateways.tariffs.test_refreshing import Kept, a_source, answer

from idlewatt_operator.gateways.tariffs.once import as_kept, in_folder, supplied
from idlewatt_operator.resources.energytariff import Source
from idlewatt_scheduler.testing import AT, a_tariff

SOURCED = a_tariff(zones=(), max_age=3_600_000)
NIGHT = a_tariff(name="night")


async def test_a_file_is_read_as_of_now(tmp_path: Path) -> None:
    """Tariffs without a source stay as they are."""
    (tmp_path / "prices.json").write_bytes(answer("0.20"))
    both = {"depot": SOURCED, "night": NIGHT}
    found = await supplied(both, {"depot": a_source()}, in_folder(tmp_path, AT))
    assert len(found.tariffs["depot"].intervals) == 1
    assert found.tariffs["depot"].refreshed_at == AT
    assert found.tariffs["night"] is NIGHT
    assert found.notes == ()


async def test_what_is_not_asked_is_noted(tmp_path: Path) -> None:
    """Without a folder, at an address, and where the file is garbage."""
    address = Source.model_validate({"type": "Http", "url": "https://prices.example/"})
    (tmp_path / "prices.json").write_bytes(b"garbage")
    one = {"depot": SOURCED}
    for source, folder, note in (
        (a_source(), None, "name its folder with --tariffs-dir"),
        (address, tmp_path, "not asked here. Its prices are unknown"),
        (a_source(), tmp_path, "The answer cannot be used"),
    ):
        found = await supplied(one, {"depot": source}, in_folder(folder, AT))
        assert found.tariffs["depot"] is SOURCED
        assert len(found.notes) == 1
        assert note in found.notes[0]


async def test_what_the_operator_kept_is_as_old_as_it_is() -> None:
    """And nothing is known of what it never kept."""
    keeping = Kept({("depot", "prices.json"): (answer("0.20"), AT - 60_000)})
    one = {"depot": SOURCED}
    found = await supplied(one, {"depot": a_source()}, as_kept(keeping))
    assert found.tariffs["depot"].refreshed_at == AT - 60_000
    empty = await supplied(one, {"depot": a_source()}, as_kept(Kept()))
    assert empty.notes == ("Nothing is kept of the source of the tariff depot.",)
    away = await supplied(one, {"depot": a_source()}, as_kept(Kept(away=True)))
    assert away.notes == ("Redis is away.",)


async def test_a_source_of_no_tariff_is_passed_over(tmp_path: Path) -> None:
    """It was refused, and stands for nothing."""
    found = await supplied({}, {"depot": a_source()}, in_folder(tmp_path, AT))
    assert found.tariffs == {}
    assert found.notes == ()
