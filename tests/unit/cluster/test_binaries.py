"""Building the control plane's binaries: what is built, once, and never half."""

import concurrent.futures
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cluster import binaries
from tests.cluster.binaries import CHART, CONTROL_PLANE, KIND, ProgramSet
from tests.cluster.places import CHECKOUT, SetupError

ALL_PROGRAMS = [program for programs in binaries.ALL_SETS for program in programs.programs]
ALL_MODULES = [module for programs in binaries.ALL_SETS for module in programs.modules]

FAKE_GO = """#!/bin/sh
[ "$1" = version ] && { echo "go version go1.26.3 linux/amd64"; exit 0; }
sleep 0.05
echo "$PWD $GOFLAGS $*" >> "$FAKE_GO_CALLS"
[ -n "$FAKE_GO_FAILS" ] && { echo "proxy: no route to host" >&2; exit 1; }
while [ "$1" != -o ]; do shift; done
echo "#!/bin/sh" > "$2"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a ``go`` that only takes notes on the PATH; give the file it notes its calls in."""
    folder = tmp_path / "path"
    folder.mkdir()
    program = folder / "go"
    program.write_text(FAKE_GO)
    program.chmod(0o755)
    notes = tmp_path / "calls"
    notes.touch()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_GO_CALLS", str(notes))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return notes


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """Give a copy of the module folders, to be changed."""
    return Path(shutil.copytree(binaries.MODULES, tmp_path / "modules"))


@pytest.mark.parametrize(
    "text",
    [
        "module m\n\nrequire example.org/thing v1.2.3\n",
        "require (\n\texample.org/other v9.9.9\n\texample.org/thing v1.2.3 // indirect\n)\n",
        "require example.org/thing v1.2.3\nreplace example.org/thing => example.org/x v0.0.1\n",
    ],
)
def test_version_is_read_from_any_form_of_require(text: str) -> None:
    """A require line, a require block, and a replacement beside it are told apart."""
    assert binaries.required_version(text, "example.org/thing") == "v1.2.3"


@pytest.mark.parametrize("name", ["example.org/thing/v2", "example.org/thin", "example-org/thing"])
def test_version_of_another_module_is_not_taken(name: str) -> None:
    """A module whose name only resembles a required one is said to be missing."""
    with pytest.raises(SetupError, match="requires no"):
        binaries.required_version("require example.org/thing v1.2.3\n", name)


def test_every_module_pins_what_it_builds() -> None:
    """The committed modules require what is stamped, in sums too, under a Go others have."""
    for module in ALL_MODULES:
        folder = binaries.MODULES / module.folder
        version = binaries.module_version(module)
        assert f"{module.requires} {version} h1:" in (folder / "go.sum").read_text()
        assert "\ngo 1.26.0\n" in (folder / "go.mod").read_text()


def test_every_program_is_kept_by_its_module() -> None:
    """tools.go imports each program, or ``go mod tidy`` would drop what it needs."""
    for program in ALL_PROGRAMS:
        folder = binaries.MODULES / program.module.folder
        own = program.package.startswith("./") and (folder / program.package / "main.go").is_file()
        assert own or f'"{program.package}"' in (folder / "tools.go").read_text()


def test_own_sources_are_in_the_key() -> None:
    """A program that is written here, not required, is built again when it changes."""
    for program in ALL_PROGRAMS:
        if program.package.startswith("./"):
            assert f"{program.package[2:]}/main.go" in program.module.sources


@pytest.mark.parametrize("programs", binaries.ALL_SETS, ids=lambda programs: programs.what)
def test_key_names_the_versions(programs: ProgramSet) -> None:
    """The folder of binaries says to a person what is in it."""
    key = binaries.build_key(programs)
    assert key == binaries.build_key(programs)
    for module in programs.modules:
        assert f"{module.folder}-{binaries.module_version(module)[1:]}" in key


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("kubernetes/go.mod", CONTROL_PLANE),
        ("etcd/go.sum", CONTROL_PLANE),
        ("kwok/go.mod", CONTROL_PLANE),
        ("helm/go.sum", CHART),
        ("kubernetes-node/go.mod", KIND),
        ("kubernetes-node/pause/main.go", KIND),
    ],
)
def test_key_changes_with_every_pinned_byte(modules: Path, name: str, changed: ProgramSet) -> None:
    """Another dependency is another set of binaries, and leaves the other sets as they are."""
    before = {programs: binaries.build_key(programs, modules) for programs in binaries.ALL_SETS}
    with (modules / name).open("a") as file:
        file.write("\n")
    after = {programs: binaries.build_key(programs, modules) for programs in binaries.ALL_SETS}
    assert [one for one in before if before[one] != after[one]] == [changed]


def test_linker_flags_stamp_the_version() -> None:
    """Kubernetes is told its version in full and in parts; the rest is stripped."""
    flags = binaries.linker_flags(binaries.KUBERNETES, "v1.35.4")
    assert flags.startswith("-s -w ")
    assert "-X k8s.io/component-base/version.gitVersion=v1.35.4" in flags
    assert "version.gitMinor=35" in flags
    assert binaries.linker_flags(binaries.ETCD, "v3.6.6") == "-s -w"


def test_build_happens_once(calls: Path) -> None:
    """Each program is built reproducibly, and the second call builds nothing."""
    folder = binaries.ensure()
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        program.name for program in CONTROL_PLANE.programs
    )
    lines = calls.read_text().splitlines()
    assert len(lines) == len(CONTROL_PLANE.programs)
    assert all("-mod=readonly -trimpath -buildvcs=false build" in line for line in lines)
    assert binaries.ensure() == folder
    assert len(calls.read_text().splitlines()) == len(lines)


def test_sets_are_built_apart(calls: Path) -> None:
    """Who asks for helm gets helm: nothing of the control plane is built, nor found there."""
    folder = binaries.ensure(CHART)
    assert sorted(path.name for path in folder.iterdir()) == ["helm", "kubeconform"]
    assert len(calls.read_text().splitlines()) == 2
    assert binaries.ensure() != folder


def test_one_program_is_built_alone(calls: Path) -> None:
    """Who asks for kubectl gets it into the set's folder, and the rest when it is asked for."""
    folder = binaries.ensure(CONTROL_PLANE, "kubectl")
    assert [path.name for path in folder.iterdir()] == ["kubectl"]
    assert binaries.ensure() == folder
    assert len(calls.read_text().splitlines()) == len(CONTROL_PLANE.programs)


def test_two_runs_build_once(calls: Path) -> None:
    """A run that comes while another builds waits, and then builds nothing."""
    command = [sys.executable, "-c", "from tests.cluster.binaries import ensure; ensure()"]

    def run(_: int) -> int:
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=False).returncode

    with concurrent.futures.ThreadPoolExecutor() as pool:
        assert list(pool.map(run, range(3))) == [0, 0, 0]
    assert len(calls.read_text().splitlines()) == len(CONTROL_PLANE.programs)


def test_failed_build_leaves_no_binary(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that fails says what it was doing and why, and the next call starts it again."""
    monkeypatch.setenv("FAKE_GO_FAILS", "yes")
    with pytest.raises(SetupError, match=r"(?s)kube-apiserver.*no route to host"):
        binaries.ensure()
    monkeypatch.setenv("FAKE_GO_FAILS", "")
    assert (binaries.ensure() / "kube-apiserver").is_file()
    assert len(calls.read_text().splitlines()) == 1 + len(CONTROL_PLANE.programs)


def test_interrupted_build_is_taken_up_again(calls: Path) -> None:
    """What was finished before an interruption is not built again; what was not, is."""
    folder = binaries.ensure()
    (folder / "kwok").rename(folder / ".kwok.1.partial")
    calls.write_text("")
    assert (binaries.ensure() / "kwok").is_file()
    (line,) = calls.read_text().splitlines()
    assert "sigs.k8s.io/kwok/cmd/kwok" in line
    assert list(folder.glob(".*")) == []


def test_a_persons_own_settings_do_not_change_the_result(
    calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GOFLAGS of one's own (a vendor folder, say) are not taken over."""
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    binaries.ensure()
    assert "vendor" not in calls.read_text()
