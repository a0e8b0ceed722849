"""Makes what is shipped in an image, inside the build: see Dockerfile.

    image.py packages PREFIX        take out of an environment what no program runs, and out of its
                                    libraries what no loader reads, and compile it
    image.py compile ROOT PREFIX    compile what stands in ROOT/PREFIX and will stand in PREFIX
    image.py system PREFIX ROOT     gather in ROOT the Python of this image, with its libraries

The last makes an image without shell or package manager: the interpreter, the standard library, the
shared libraries that these and the packages in PREFIX are linked to, and certificates. Nothing but
the standard library is used, of Python 3.11 or later, on Debian or Ubuntu.
"""

import compileall
import py_compile
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

USER = 65532
# Parts of the standard library that ask for a terminal or a screen, make packages, test Python
# itself, or are there for databases and directories of long ago, each with libraries of its own.
UNUSED_MODULES = {
    *("curses", "dbm", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tkinter"),
    *("turtledemo", "_curses", "_curses_panel", "_dbm", "_gdbm", "_tkinter", "nis", "readline"),
}
# Loaded by name at run time, so that no file is linked to them: ends threads, in C libraries.
LOADED_BY_NAME = ("libgcc_s.so.1",)
# Tests, headers, link libraries and stubs: for who builds or checks, not for who runs.
UNUSED_FOLDERS = {"tests", "include"}
UNUSED_SUFFIXES = {".a", ".h", ".hpp", ".pxd", ".pyi", ".pyx"}
# Ways of numba to share work that need libraries which are not there; it brings one of its own.
UNUSED_THREADING = re.compile(r"/numba/np/ufunc/(omp|tbb)pool\.")
# Parts of packages that are here for something else: numba's for graphics cards, for running its
# tests and for compiling ahead of time, numpy's bridge to Fortran; and of the Kubernetes client the
# modules generated for every kind of object, half of them a second time, of which three are loaded.
UNUSED_PARTS = re.compile(
    r"/numba/(cuda|pycc|testing)/|/numpy/f2py/|/kubernetes/(aio/)?client/(api|models)/"
    r"(?!__init__|v1_managed_fields_entry|v1_object_meta|v1_owner_reference)"
)
# An ELF file of 64 bits, the lesser byte first; where in its head stands where its segments are
# described and where its sections are; and the size of that head.
ELF = b"\x7fELF\x02\x01"
SEGMENTS, SECTIONS, ELF_HEAD = 32, 40, 64
# Who is trusted, where a Python of one's own has its library, what this is, and kinds of files.
KEPT = tuple(
    Path("/etc", name)
    for name in ("ssl/certs/ca-certificates.crt", "ld.so.cache", "os-release", "mime.types")
)
STATUS = Path("/var/lib/dpkg/status")


def main(arguments: list[str]) -> None:
    """Run one command."""
    command, first, *rest = arguments
    if command == "packages":
        prune(Path(first))
        for library in _shared_objects(Path(first)):
            strip(library)
        compile_all(Path(first))
    elif command == "compile":
        compile_all(Path(first + rest[0]), strip=first)
    else:
        gather(Path(first), Path(rest[0]))


def prune(prefix: Path) -> None:
    """Take out what no program runs; what a package says of its licence stays."""
    for path in sorted(prefix.rglob("*"), reverse=True):
        inside = set(path.relative_to(prefix).parts)
        if path.is_dir() and not path.is_symlink():
            if path.name in UNUSED_FOLDERS and "dist-info" not in str(path):
                shutil.rmtree(path)
        elif (
            (path.suffix in UNUSED_SUFFIXES and not inside & UNUSED_FOLDERS)
            or UNUSED_THREADING.search(str(path))
            or UNUSED_PARTS.search(str(path))
        ):
            path.unlink()
    # Programs of packages that are here as libraries. A virtual environment's own scripts, too.
    for path in (prefix / "bin").iterdir():
        if not path.name.startswith("python"):
            path.unlink()


def strip(library: Path) -> None:
    """Cut off what stands behind the last segment of a library: names for debuggers.

    A loader maps segments and reads nothing else; what calls and is called by name is in these.
    What is not an ELF file of 64 bits, the lesser byte first, stays as it is.
    """
    with library.open("r+b") as file:
        head = file.read(ELF_HEAD)
        if not head.startswith(ELF):
            return
        (table,) = struct.unpack_from("<Q", head, SEGMENTS)
        size, count = struct.unpack_from("<HH", head, 54)
        file.seek(table)
        segments = file.read(size * count)
        places = [struct.unpack_from("<8xQ16xQ", segments, size * n) for n in range(count)]
        end = max(table + size * count, *(offset + length for offset, length in places))
        # Where no sections are, none are described.
        file.seek(SECTIONS)
        file.write(bytes(8))
        file.seek(ELF_HEAD - 6)
        file.write(bytes(6))
        file.truncate(end)


def compile_all(folder: Path, strip: str | None = None) -> None:
    """Compile every module, so that it is never read again whether the source has changed.

    The compiled file is taken as it is: times in an image say nothing, and nothing can be
    written where it runs.
    """
    done = compileall.compile_dir(
        folder,
        quiet=1,
        workers=0,
        stripdir=strip,
        prependdir="/" if strip else None,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not done:
        sys.exit(f"image.py: a module in {folder} does not compile; what is wrong stands above.")


def gather(prefix: Path, root: Path) -> None:
    """Gather in ``root`` this Python, what it and ``prefix`` are linked to, and a user."""
    interpreter = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    copied = root / library.relative_to("/")
    shutil.copytree(library, copied, symlinks=True, ignore=_unused)
    compile_all(copied, strip=str(root))
    _copy(interpreter, root)
    called = root / Path(sys.executable).relative_to("/")
    if not called.exists():
        called.parent.mkdir(parents=True, exist_ok=True)
        called.symlink_to(interpreter)
    programs = [interpreter, *_shared_objects(copied)]
    found = linked([*programs, *_shared_objects(prefix)])
    for path in sorted(found):
        if not path.is_relative_to(prefix):
            _copy(path, root)
    for path in KEPT:
        if path.exists():
            _copy(path, root)
    _describe(root, [interpreter, *_shared_objects(library), *found, *KEPT])
    _make_user(root)


def _unused(folder: str, names: list[str]) -> set[str]:
    if Path(folder).name in {"site-packages", "dist-packages"}:
        return set(names)
    return {
        name
        for name in names
        if name.split(".")[0] in UNUSED_MODULES or name.startswith(("config-", "__pycache__"))
    }


def _shared_objects(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if ".so" in path.suffixes)
    return [path for path in found if path.is_file()]


def linked(programs: Iterable[Path]) -> set[Path]:
    """Give the shared libraries that some programs and libraries are linked to, all the way down.

    Each under the name by which it is found.
    """
    found: set[Path] = set()
    missing: set[str] = set()
    for program in programs:
        told = _told("ldd", str(program))
        found |= {Path(name) for name in re.findall(r"(/\S+) \(0x", told)}
        missing |= {f"{name}, for {program}" for name in re.findall(r"(\S+) => not", told)}
    if missing:
        sys.exit(f"image.py: no such library here: {'; '.join(sorted(missing))}.")
    folders = {path.parent for path in found}
    by_name = {folder / name for folder in folders for name in LOADED_BY_NAME}
    return found | {path for path in by_name if path.exists()}


def _told(*command: str) -> str:
    """Give what a program says of a file; nothing where it knows none such."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _copy(path: Path, root: Path) -> None:
    """Copy a file to the same place in ``root``, what a link leads to under the link's name."""
    target = root / path.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target)


def _describe(root: Path, files: Iterable[Path]) -> None:
    """Name the Debian packages that the files are from, where scanners look for them."""
    names = {str(path) for path in files} | {str(path.resolve()) for path in files}
    # A merged /usr: dpkg knows /lib/x, ldd says /lib/x, and both are /usr/lib/x.
    names |= {name.removeprefix("/usr") for name in names}
    owners = set()
    for name in names:
        owners |= {owner.split(":")[0] for owner in _told("dpkg", "-S", name).splitlines()}
    stanzas = STATUS.read_text(encoding="utf-8").split("\n\n")
    kept = [stanza for stanza in stanzas if _package(stanza) in owners]
    target = root / STATUS.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(stanza + "\n\n" for stanza in kept), encoding="utf-8")


def _package(stanza: str) -> str:
    match = re.match(r"Package: (\S+)", stanza)
    return match[1] if match else ""


def _make_user(root: Path) -> None:
    etc = root / "etc"
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text(
        f"root:x:0:0:root:/:/sbin/nologin\nidlewatt:x:{USER}:{USER}:idlewatt:/:/sbin/nologin\n",
        encoding="utf-8",
    )
    (etc / "group").write_text(f"root:x:0:\nidlewatt:x:{USER}:\n", encoding="utf-8")
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)


if __name__ == "__main__":
    main(sys.argv[1:])
