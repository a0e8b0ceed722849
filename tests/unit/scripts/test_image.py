"""What is taken out of an image and what is put in, tried on folders."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.cluster.places import CHECKOUT


@pytest.fixture(scope="module")
def image() -> ModuleType:
    """Load the script as a module."""
    spec = importlib.util.spec_from_file_location("image", CHECKOUT / "scripts" / "image.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written(prefix: Path, *names: str) -> None:
    """Write small files, with the folders they are in."""
    for name in names:
        path = prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("answer = 42\n")


def left(prefix: Path) -> set[str]:
    """Give what files are left, by their path in the folder."""
    return {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}


def test_what_no_program_runs_is_taken_out(image: ModuleType, tmp_path: Path) -> None:
    """Tests, headers, stubs and other packages' programs go; modules, data and licences stay."""
    kept = {
        "bin/python3",
        "lib/thing/__init__.py",
        "lib/thing/testing.py",
        "lib/thing/data.json",
        "lib/thing/core.so",
        "lib/thing-1.0.dist-info/licenses/tests/LICENSE",
        "lib/kubernetes/client/models/__init__.py",
        "lib/kubernetes/aio/client/models/v1_object_meta.py",
        "lib/kubernetes/aio/config/__init__.py",
        "lib/numba/core/cuda.py",
    }
    gone = {
        "bin/f2py",
        "bin/activate",
        "lib/thing/__init__.pyi",
        "lib/thing/tests/test_core.py",
        "lib/thing/tests/data/core.h",
        "lib/thing/include/core.h",
        "lib/thing/libcore.a",
        "lib/numba/np/ufunc/tbbpool.cpython-311-x86_64-linux-gnu.so",
        "lib/numba/cuda/api.py",
        "lib/numpy/f2py/crackfortran.py",
        "lib/kubernetes/client/models/v1_pod.py",
        "lib/kubernetes/aio/client/api/core_v1_api.py",
    }
    written(tmp_path, *kept, *gone)
    image.prune(tmp_path)
    assert left(tmp_path) == kept


def test_a_compiled_module_is_taken_as_it_is(image: ModuleType, tmp_path: Path) -> None:
    """A source with another time is not compiled again: an image's files may have any time."""
    written(tmp_path, "thing.py")
    image.compile_all(tmp_path)
    (tmp_path / "thing.py").write_text("answer = 43\n")
    code = "import thing; print(thing.answer)"
    answer = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "42\n"


def test_a_trace_names_the_place_in_the_image(image: ModuleType, tmp_path: Path) -> None:
    """A module compiled where the image is put together knows where it will be."""
    written(tmp_path, "opt/thing/thing.py")
    image.main(["compile", str(tmp_path), "/opt/thing"])
    (compiled,) = (tmp_path / "opt").rglob("*.pyc")
    assert b"/opt/thing/thing.py" in compiled.read_bytes()
    assert os.fsencode(tmp_path) not in compiled.read_bytes()


def test_a_module_that_does_not_compile_ends_the_build(
    image: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A broken module is said while the image is built, not when the operator starts."""
    (tmp_path / "thing.py").write_text("answer =\n")
    with pytest.raises(SystemExit, match="does not compile"):
        image.compile_all(tmp_path)
    assert "thing.py" in capfd.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="libraries are ELF files there")
def test_a_library_without_its_names_for_debuggers_is_loaded(
    image: ModuleType, tmp_path: Path
) -> None:
    """One that others link to, with many functions, does the same, and is smaller by its names."""
    compiler = importlib.util.find_spec("llvmlite")
    assert compiler is not None
    assert compiler.origin is not None
    (library,) = Path(compiler.origin).parent.glob("binding/libllvmlite*")
    copied = tmp_path / library.name
    shutil.copy(library, copied)
    image.strip(copied)
    assert copied.stat().st_size < library.stat().st_size
    stripped = copied.read_bytes()
    image.strip(copied)
    assert copied.read_bytes() == stripped
    code = f"import ctypes; print(ctypes.CDLL({str(copied)!r}).LLVMPY_GetHostCPUName)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_what_is_no_library_is_not_cut(image: ModuleType, tmp_path: Path) -> None:
    """Some packages have text under such a name: a linker's script."""
    written(tmp_path, "libthing.so")
    image.strip(tmp_path / "libthing.so")
    assert (tmp_path / "libthing.so").read_text() == "answer = 42\n"


@pytest.mark.skipif(sys.platform != "linux", reason="asks ldd, as a build on Debian does")
def test_a_program_brings_its_libraries(image: ModuleType) -> None:
    """What a program is linked to is found, with the loader and what is loaded by name."""
    names = {path.name for path in image.linked([Path(sys.executable).resolve()])}
    assert any(name.startswith("ld-linux") for name in names)
    assert {"libc.so.6", "libgcc_s.so.1"} <= names
