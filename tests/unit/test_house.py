"""What holds the house up: the packages, the lock and the layout, guarded against known traps."""

import ast
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {name: ROOT / "requirements" / f"{name}.txt" for name in ("run", "build", "dev")}
PACKAGES = (
    ROOT / "operator" / "idlewatt_operator",
    ROOT / "scheduler" / "idlewatt_scheduler",
)
MODULES = sorted(chain.from_iterable(package.rglob("*.py") for package in PACKAGES))
TEST_MODULES = sorted((ROOT / "tests").rglob("*.py"))
ALL_MODULES = [*MODULES, *TEST_MODULES, *sorted((ROOT / "examples").rglob("*.py"))]

LONGEST_MODULE_LINES = 500
LONGEST_FUNCTION_LINES = 70


def pinned(lock: Path) -> dict[str, Version]:
    """Give the version of every package that a lock pins."""
    pins = re.findall(r"^([\w.-]+)==([\w.!+]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in pins}


def wanted(group: str) -> list[Requirement]:
    """Give what a dependency group asks for, with the groups it includes."""
    found: list[Requirement] = []
    for entry in PROJECT["dependency-groups"][group]:
        if isinstance(entry, dict):
            found += wanted(entry["include-group"])
        else:
            found.append(Requirement(entry))
    return found


def named(path: Path) -> str:
    """Name a file by its path in the checkout."""
    return str(path.relative_to(ROOT))


# --- the trap: a folder called operator


@pytest.mark.parametrize("folder", ["", "operator", "scheduler", "tests"])
def test_import_operator_is_the_standard_library(folder: str) -> None:
    """Wherever Python is started in the checkout, `operator` is Python's own."""
    code = "import operator, idlewatt_operator, idlewatt_scheduler; print(operator.__file__)"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / folder, capture_output=True, text=True, check=True
    )
    assert Path(answer.stdout.strip()).parent == Path(sysconfig.get_path("stdlib"))


def test_no_folder_is_a_package_that_must_not_be_one() -> None:
    """An `__init__.py` in operator/, scheduler/ or under tests/ would shadow or break imports."""
    forbidden = [ROOT / "operator" / "__init__.py", ROOT / "scheduler" / "__init__.py"]
    forbidden += (ROOT / "tests").rglob("__init__.py")
    assert [named(path) for path in forbidden if path.exists()] == []


def test_pytest_imports_without_touching_the_path() -> None:
    """The import mode under which test folders need not be packages stays set."""
    assert "--import-mode=importlib" in PROJECT["tool"]["pytest"]["ini_options"]["addopts"]


# --- the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel as a release does."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_module_of_both_packages(wheel: zipfile.ZipFile) -> None:
    """Nothing is lost on the way into the wheel, and each package says that it is typed."""
    inside = set(wheel.namelist())
    expected = {
        str(path.relative_to(package.parent))
        for package in PACKAGES
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected - inside == set()
    assert {"idlewatt_operator/py.typed", "idlewatt_scheduler/py.typed"} <= inside


def test_the_wheel_brings_nothing_else(wheel: zipfile.ZipFile) -> None:
    """Two packages and the metadata: no `operator`, no tests."""
    tops = {name.split("/", maxsplit=1)[0] for name in wheel.namelist()}
    version = PROJECT["project"]["version"]
    assert tops == {"idlewatt_operator", "idlewatt_scheduler", f"idlewatt-{version}.dist-info"}


def test_the_wheel_carries_the_data_of_the_twin(wheel: zipfile.ZipFile) -> None:
    """The night that `idlewatt demo` plays needs its sessions and prices."""
    data = [name for name in wheel.namelist() if name.startswith("idlewatt_operator/twin/data/")]
    assert data


# --- the lock


@pytest.mark.parametrize("lock", LOCKS.values(), ids=list(LOCKS))
def test_the_lock_names_no_index_and_no_host(lock: Path) -> None:
    """A lock is good wherever the packages come from; only hashes tie it."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.search(r"://|--(?:extra-)?index|--find-links", line)] == []


@pytest.mark.parametrize("lock", LOCKS.values(), ids=list(LOCKS))
def test_every_locked_package_has_hashes(lock: Path) -> None:
    """Nothing is installed that is not exactly what was locked."""
    text = lock.read_text(encoding="utf-8")
    stanzas = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(stanzas) == len(pinned(lock))
    assert [stanza for stanza in stanzas if "--hash=sha256:" not in stanza] == []


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("run", [Requirement(text) for text in PROJECT["project"]["dependencies"]]),
        ("build", wanted("build")),
        ("dev", wanted("dev")),
    ],
    ids=list(LOCKS),
)
def test_the_lock_is_in_step_with_the_project(lock: str, requirements: list[Requirement]) -> None:
    """Every dependency is locked, in a version that pyproject.toml allows."""
    pins = pinned(LOCKS[lock])
    out_of_step = [
        str(requirement)
        for requirement in requirements
        if canonicalize_name(requirement.name) not in pins
        or pins[canonicalize_name(requirement.name)] not in requirement.specifier
    ]
    assert out_of_step == [], "run `make lock`"


@pytest.mark.parametrize("smaller", ["run", "build"])
def test_what_is_tested_is_what_is_run(smaller: str) -> None:
    """The lock of the tests holds the very versions that the product is run and built with."""
    assert pinned(LOCKS[smaller]).items() <= pinned(LOCKS["dev"]).items()


def imported_by(folders: list[Path]) -> set[str]:
    """Give the third-party packages that the modules in some folders import, by import name."""
    trees = (
        ast.parse(path.read_text(encoding="utf-8"))
        for folder in folders
        for path in folder.rglob("*.py")
    )
    names: set[str] = set()
    for node in chain.from_iterable(ast.walk(tree) for tree in trees):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    ours = {"idlewatt_operator", "idlewatt_scheduler", "tests", "embedder"}
    return {name.split(".")[0] for name in names} - ours - sys.stdlib_module_names


@pytest.mark.parametrize(
    ("folders", "groups"),
    [(list(PACKAGES), []), ([ROOT / "tests", ROOT / "scripts"], ["dev", "wear"])],
    ids=["product", "tests"],
)
def test_what_is_imported_is_asked_for(folders: list[Path], groups: list[str]) -> None:
    """No module relies on a package that is only there because another one needs it."""
    asked = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    extras = PROJECT["project"]["optional-dependencies"].values()
    asked += map(Requirement, chain.from_iterable(extras))
    asked += chain.from_iterable(wanted(group) for group in groups)
    # pydantic pins its core exactly and documents it as its own.
    names = {canonicalize_name(requirement.name) for requirement in asked} | {"pydantic-core"}
    # What has an environment of its own is not installed here: its name has to do.
    apart = {name.partition("-")[0]: [name] for name in names}
    distributions = {**apart, **packages_distributions()}
    assert [
        name
        for name in sorted(imported_by(folders))
        if not names & {canonicalize_name(found) for found in distributions.get(name, [])}
    ] == []


def test_the_set_up_takes_the_pythons_that_the_project_takes() -> None:
    """`make` refuses the Pythons that the metadata refuses, and no others below."""
    text = (ROOT / "scripts" / "prepare.py").read_text(encoding="utf-8")
    oldest = re.search(r"^OLDEST = \((\d+), (\d+)\)", text, re.MULTILINE)
    assert oldest is not None
    allowed = SpecifierSet(PROJECT["project"]["requires-python"])
    major, minor = int(oldest[1]), int(oldest[2])
    assert f"{major}.{minor}" in allowed
    assert f"{major}.{minor - 1}" not in allowed


# --- the rooms


def functions_of(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give every function of a module, the nested ones too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_modules_are_short() -> None:
    """A module has one subject; 500 lines and more are two."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in ALL_MODULES}
    assert [named(path) for path in lengths if lengths[path] >= LONGEST_MODULE_LINES] == []


def test_functions_are_short() -> None:
    """No function is longer than 70 lines."""
    assert [
        f"{named(path)}: {function.name}"
        for path in ALL_MODULES
        for function in functions_of(path)
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION_LINES
    ] == []


def test_modules_have_names_of_their_own() -> None:
    """No `utils`, no `helpers`: what has no name of its own has no home yet."""
    nameless = {"utils", "util", "helpers", "helper", "common", "misc"}
    parts = {path: set(path.relative_to(ROOT).with_suffix("").parts) for path in ALL_MODULES}
    assert [named(path) for path in ALL_MODULES if parts[path] & nameless] == []


def test_every_test_says_what_it_holds() -> None:
    """Each test has a docstring: one sentence on what is true."""
    assert [
        f"{named(path)}: {function.name}"
        for path in TEST_MODULES
        for function in functions_of(path)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ] == []


def test_every_rule_that_is_off_says_why() -> None:
    """Each ignored rule of ruff has its reason beside it."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    _, _, rest = text.partition("[tool.ruff.lint]")
    section, _, _ = rest.partition("[tool.mypy]")
    rules = [line for line in section.splitlines() if re.match(r'\s+"[A-Z]+\d*",', line)]
    assert rules
    assert [line.strip() for line in rules if "# " not in line] == []
