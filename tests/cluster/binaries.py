"""Builds the programs that clusters are made of from source, once, into the user's cache.

There may be no image registry and no release server within reach, but a Go module proxy is:
``modules/*/go.mod`` and ``go.sum`` pin what is built to the last byte. The first build takes
minutes and says so; every later call finds the files and returns at once. Each set of programs
has a folder of its own: who needs only helm never waits for a kubelet.

    from tests.cluster.binaries import CHART, ensure
    ensure() / "kubectl"
    ensure(CHART) / "helm"
"""

import fcntl
import hashlib
import os
import platform
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.places import SetupError, cache_home
from tests.cluster.progress import HEARTBEAT_SECONDS, run_long, say
from tests.cluster.toolchain import go

MODULES = Path(__file__).parent / "modules"
LOCK_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Module:
    """A folder of ``modules/``: what it requires, where the version is stamped in, own sources."""

    folder: str
    requires: str
    stamps: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """One binary: the module that pins it, its package, and how long it takes cold."""

    name: str
    module: Module
    package: str
    usual_seconds: int


@dataclass(frozen=True)
class ProgramSet:
    """Programs that are built together and kept in one folder, in the order they are built."""

    what: str
    programs: tuple[Program, ...]

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules of the programs, each once, in that order."""
        return tuple(dict.fromkeys(program.module for program in self.programs))


KUBERNETES_STAMPS = (
    "k8s.io/component-base/version.gitVersion={version}",
    "k8s.io/component-base/version.gitMajor={major}",
    "k8s.io/component-base/version.gitMinor={minor}",
    "k8s.io/component-base/version.gitTreeState=clean",
    "k8s.io/client-go/pkg/version.gitVersion={version}",
)
KUBERNETES = Module("kubernetes", "k8s.io/kubernetes", KUBERNETES_STAMPS)
# A folder of its own: what a kubelet needs more would give the control plane another key.
KUBERNETES_NODE = Module(
    "kubernetes-node", "k8s.io/kubernetes", KUBERNETES_STAMPS, sources=("pause/main.go",)
)
ETCD = Module("etcd", "go.etcd.io/etcd/server/v3")
KWOK = Module("kwok", "sigs.k8s.io/kwok", ("sigs.k8s.io/kwok/pkg/consts.Version={version}",))
HELM = Module("helm", "helm.sh/helm/v4", ("helm.sh/helm/v4/internal/version.version={version}",))
KUBECONFORM = Module("kubeconform", "github.com/yannh/kubeconform", ("main.version={version}",))
KIND_MODULE = Module("kind", "sigs.k8s.io/kind")
COREDNS = Module("coredns", "github.com/coredns/coredns")
LOCAL_PATH = Module("local-path-provisioner", "github.com/rancher/local-path-provisioner")

# Measured cold on two cores, in this order: each later one finds part of its work done.
CONTROL_PLANE = ProgramSet(
    "the control plane",
    (
        Program("kube-apiserver", KUBERNETES, "k8s.io/kubernetes/cmd/kube-apiserver", 270),
        Program(
            "kube-controller-manager",
            KUBERNETES,
            "k8s.io/kubernetes/cmd/kube-controller-manager",
            80,
        ),
        Program("kubectl", KUBERNETES, "k8s.io/kubernetes/cmd/kubectl", 30),
        Program("etcd", ETCD, "go.etcd.io/etcd/server/v3", 40),
        Program("kwok", KWOK, "sigs.k8s.io/kwok/cmd/kwok", 110),
    ),
)
CHART = ProgramSet(
    "what checks and installs the chart",
    (
        Program("helm", HELM, "helm.sh/helm/v4/cmd/helm", 100),
        Program("kubeconform", KUBECONFORM, "github.com/yannh/kubeconform/cmd/kubeconform", 10),
    ),
)
# After the control plane, whose compiled packages these share.
KIND = ProgramSet(
    "kind and what runs on its nodes",
    (
        Program("kind", KIND_MODULE, "sigs.k8s.io/kind", 5),
        Program("kubelet", KUBERNETES_NODE, "k8s.io/kubernetes/cmd/kubelet", 60),
        Program("kubeadm", KUBERNETES_NODE, "k8s.io/kubernetes/cmd/kubeadm", 20),
        Program("kube-proxy", KUBERNETES_NODE, "k8s.io/kubernetes/cmd/kube-proxy", 15),
        Program("kube-scheduler", KUBERNETES_NODE, "k8s.io/kubernetes/cmd/kube-scheduler", 20),
        Program("pause", KUBERNETES_NODE, "./pause", 1),
        Program("coredns", COREDNS, "github.com/coredns/coredns", 85),
        Program(
            "local-path-provisioner", LOCAL_PATH, "github.com/rancher/local-path-provisioner", 60
        ),
    ),
)
ALL_SETS = (CONTROL_PLANE, CHART, KIND)


def required_version(go_mod: str, module: str) -> str:
    """Read the version of ``module`` (``v1.35.4``) out of a go.mod's text.

    Raises SetupError where go.mod does not require it.
    """
    # A replaced module stands on a line with an arrow, which this does not match.
    pattern = rf"^\s*(?:require\s+)?{re.escape(module)}\s+(v\S+)\s*(?://.*)?$"
    match = re.search(pattern, go_mod, flags=re.MULTILINE)
    if match is None:
        message = f"go.mod requires no {module}: name it in a `require` line, with its version."
        raise SetupError(message)
    return match[1]


def module_version(module: Module, modules: Path = MODULES) -> str:
    """Give the version a module folder pins."""
    return required_version((modules / module.folder / "go.mod").read_text(), module.requires)


def build_key(programs: ProgramSet = CONTROL_PLANE, modules: Path = MODULES) -> str:
    """Name a set of binaries: the versions, the machine, and a hash of all that pins them."""
    digest = hashlib.sha256()
    names = []
    for module in programs.modules:
        for name in ("go.mod", "go.sum", *module.sources):
            content = (modules / module.folder / name).read_bytes()
            digest.update(f"{module.folder}/{name} {len(content)}\n".encode() + content)
        names.append(f"{module.folder}-{module_version(module, modules).removeprefix('v')}")
    machine = f"{sys.platform}-{platform.machine()}".lower()
    return "_".join([*names, machine, digest.hexdigest()[:12]])


def linker_flags(module: Module, version: str) -> str:
    """Give ``-ldflags`` that strip the binary and stamp its version in."""
    major, minor = version.removeprefix("v").split(".")[:2]
    stamps = [stamp.format(version=version, major=major, minor=minor) for stamp in module.stamps]
    return " ".join(["-s -w", *(f"-X {stamp}" for stamp in stamps)])


def ensure(programs: ProgramSet = CONTROL_PLANE, *names: str) -> Path:
    """Give the folder of a set's binaries, building what is missing: all of it, or those named.

    Two callers at once build once: the second waits for the first. A binary is built under a
    temporary name and renamed, so an interrupted build is never taken for a finished one.
    Raises SetupError.
    """
    home = cache_home() / build_key(programs)
    folder = home / "bin"
    if _missing(programs, names, folder):
        folder.mkdir(parents=True, exist_ok=True)
        with (home / "lock").open("w") as lock:
            _wait_for(lock.fileno(), programs.what)
            _build(_missing(programs, names, folder), home, folder)
    return folder


def _missing(programs: ProgramSet, names: tuple[str, ...], folder: Path) -> list[Program]:
    return [
        program
        for program in programs.programs
        if (not names or program.name in names) and not (folder / program.name).is_file()
    ]


def _wait_for(lock: int, what: str) -> None:
    said_at = float("-inf")
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() - said_at >= HEARTBEAT_SECONDS:
                said_at = time.monotonic()
                say(f"Another run is building {what}; waiting for it.")
            time.sleep(LOCK_POLL_SECONDS)
        else:
            return


def _build(missing: list[Program], home: Path, folder: Path) -> None:
    if not missing:
        return
    # A build that was killed; should its compiler live on, it writes to a file without a name.
    for abandoned in folder.glob(".*.partial"):
        abandoned.unlink(missing_ok=True)
    minutes = max(1, sum(program.usual_seconds for program in missing) / 60)
    say(
        f"Building {', '.join(program.name for program in missing)} from source into {folder}.\n"
        f"This is done once, and takes about {minutes:.0f} minutes on two cores without a Go "
        "cache, half a minute with one."
    )
    compiler = go()
    for number, program in enumerate(missing, start=1):
        _build_one(compiler, home, folder, program, f"[{number}/{len(missing)}]")


def _build_one(compiler: Path, home: Path, folder: Path, program: Program, count: str) -> None:
    module = program.module
    partial = folder / f".{program.name}.{os.getpid()}.partial"
    # -v names each package as it is compiled: the person who waits sees that it moves.
    command = [str(compiler), "build", "-v", "-o", str(partial)]
    command += ["-ldflags", linker_flags(module, module_version(module)), program.package]
    try:
        run_long(
            command,
            what=f"{count} Building {program.name} {module_version(module)}",
            usual_seconds=program.usual_seconds,
            log=home / f"{program.name}.log",
            cwd=MODULES / module.folder,
            environment=_environment(compiler),
        )
        partial.replace(folder / program.name)
    finally:
        partial.unlink(missing_ok=True)


def _environment(compiler: Path) -> dict[str, str]:
    """Keep the user's Go settings (proxy, caches), but for those the result depends on."""
    kept = {name: value for name, value in os.environ.items() if name != "GOROOT"}
    return kept | {
        "PATH": f"{compiler.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
