"""Builds the programs of a Kubernetes control plane from source, once, into the user's cache.

There may be no image registry and no release server within reach, but a Go module proxy is:
``modules/*/go.mod`` and ``go.sum`` pin what is built to the last byte. The first build takes
minutes and says so; every later call finds the files and returns at once.

    from tests.cluster.binaries import ensure
    ensure() / "kubectl"
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
class Program:
    """One binary: the module folder that pins it, its package, and how long it takes cold."""

    name: str
    module: str
    package: str
    usual_seconds: int


@dataclass(frozen=True)
class Module:
    """A folder of ``modules/``, what it requires, and where the version is stamped in."""

    folder: str
    requires: str
    stamps: tuple[str, ...] = ()


KUBERNETES = Module(
    "kubernetes",
    "k8s.io/kubernetes",
    (
        "k8s.io/component-base/version.gitVersion={version}",
        "k8s.io/component-base/version.gitMajor={major}",
        "k8s.io/component-base/version.gitMinor={minor}",
        "k8s.io/component-base/version.gitTreeState=clean",
        "k8s.io/client-go/pkg/version.gitVersion={version}",
    ),
)
ETCD = Module("etcd", "go.etcd.io/etcd/server/v3")
KWOK = Module("kwok", "sigs.k8s.io/kwok", ("sigs.k8s.io/kwok/pkg/consts.Version={version}",))
ALL_MODULES = {module.folder: module for module in (KUBERNETES, ETCD, KWOK)}

# Measured cold on two cores, in this order: each later one finds part of its work done.
PROGRAMS = (
    Program("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", 270),
    Program(
        "kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", 80
    ),
    Program("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl", 30),
    Program("etcd", "etcd", "go.etcd.io/etcd/server/v3", 40),
    Program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok", 110),
)


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


def build_key(modules: Path = MODULES) -> str:
    """Name the set of binaries: the versions, the machine, and a hash of go.mod and go.sum."""
    digest = hashlib.sha256()
    names = []
    for module in ALL_MODULES.values():
        for name in ("go.mod", "go.sum"):
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


def ensure() -> Path:
    """Give the folder of built binaries, building what is missing.

    Two callers at once build once: the second waits for the first. A binary is built under a
    temporary name and renamed, so an interrupted build is never taken for a finished one.
    Raises SetupError.
    """
    home = cache_home() / build_key()
    folder = home / "bin"
    if _missing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with (home / "lock").open("w") as lock:
            _wait_for(lock.fileno())
            _build(home, folder)
    return folder


def _missing(folder: Path) -> list[Program]:
    return [program for program in PROGRAMS if not (folder / program.name).is_file()]


def _wait_for(lock: int) -> None:
    said_at = float("-inf")
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() - said_at >= HEARTBEAT_SECONDS:
                said_at = time.monotonic()
                say("Another run is building the control plane's binaries; waiting for it.")
            time.sleep(LOCK_POLL_SECONDS)
        else:
            return


def _build(home: Path, folder: Path) -> None:
    missing = _missing(folder)
    if not missing:
        return
    # A build that was killed; should its compiler live on, it writes to a file without a name.
    for abandoned in folder.glob(".*.partial"):
        abandoned.unlink(missing_ok=True)
    minutes = sum(program.usual_seconds for program in missing) / 60
    say(
        f"Building {', '.join(program.name for program in missing)} from source into {folder}.\n"
        f"This is done once, and takes about {minutes:.0f} minutes on two cores without a Go "
        "cache, half a minute with one."
    )
    compiler = go()
    for number, program in enumerate(missing, start=1):
        _build_one(compiler, home, folder, program, f"[{number}/{len(missing)}]")


def _build_one(compiler: Path, home: Path, folder: Path, program: Program, count: str) -> None:
    module = ALL_MODULES[program.module]
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
            cwd=MODULES / program.module,
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
