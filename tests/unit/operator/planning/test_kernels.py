"""Kernels that came with the image are put where numba looks for them."""

from pathlib import Path

from idlewatt_operator.planning.kernels import KEPT, SHIPPED, prepare


def test_what_was_shipped_is_copied_and_nothing_is_replaced(tmp_path: Path) -> None:
    """Folders too; what is there already was compiled here."""
    shipped, kept = tmp_path / "shipped", tmp_path / "kept"
    (shipped / "solvers_1").mkdir(parents=True)
    (shipped / "solvers_1" / "search.nbi").write_bytes(b"index")
    (shipped / "solvers_1" / "search.nbc").write_bytes(b"code")
    (kept / "solvers_1").mkdir(parents=True)
    (kept / "solvers_1" / "search.nbi").write_bytes(b"our own")
    prepare({SHIPPED: str(shipped), KEPT: str(kept)})
    assert (kept / "solvers_1" / "search.nbi").read_bytes() == b"our own"
    assert (kept / "solvers_1" / "search.nbc").read_bytes() == b"code"
    assert sorted(path.name for path in kept.rglob("*")) == [
        *("search.nbc", "search.nbi", "solvers_1")
    ]


def test_without_a_place_to_write_to_planning_goes_on(tmp_path: Path) -> None:
    """Neither a missing variable nor a folder that cannot be made is an error."""
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "search.nbc").write_bytes(b"code")
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    prepare({SHIPPED: str(tmp_path / "shipped"), KEPT: str(blocked / "kept")})
    prepare({SHIPPED: str(tmp_path / "shipped")})
    prepare({KEPT: str(tmp_path / "kept")})
    assert not (tmp_path / "kept").exists()
