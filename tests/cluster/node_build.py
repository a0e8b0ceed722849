"""How the image of kind's nodes is built where no registry answers.

Debian with systemd, containerd and network plugins, the kubelet and kubeadm, and the images of the
control plane, put into containerd's store beforehand: what kind's own image has in it.
"""

import contextlib
import io
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.binaries import KUBERNETES_NODE, LOCAL_PATH, module_version
from tests.cluster.docker import LABEL, docker
from tests.cluster.places import SetupError
from tests.cluster.progress import run_long, say

NODE = Path(__file__).parent / "node"
SUITE = "bookworm"  # containerd 1.6, which this Kubernetes is the last to take
PROXY_PACKAGES = ("conntrack", "iproute2", "iptables", "kmod", "nftables")
NODE_PACKAGES = (
    *PROXY_PACKAGES,
    "ca-certificates",
    "containerd",
    "containernetworking-plugins",
    "dbus",
    "ethtool",
    "hostname",
    "mount",
    "procps",
    "runc",
    "socat",
    "systemd",
    "systemd-sysv",
    "util-linux",
)
UNREAD = ("doc", "info", "locale", "man")
SCRATCH = "idlewatt/kind-node-building"
BUILDING = f"{LABEL}=node-image-build"
CONTAINERD_TIMEOUT_SECONDS = 30.0
PATH = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class SystemImage:
    """An image of the control plane: its name, its program, and what it is put into."""

    name: str
    program: Path
    base: Path | None = None
    starts: bool = False


def build(tag: str, work: Path, programs: dict[str, Path]) -> None:
    """Build the image ``tag`` in the folder ``work``, of programs by name. Raises SetupError."""
    version = module_version(KUBERNETES_NODE)
    names = image_names(programs["kubeadm"], version)
    proxy = _debian(work / "proxy.tar", PROXY_PACKAGES, "[1/4] Fetching Debian for kube-proxy", 35)
    node = _debian(work / "node.tar", NODE_PACKAGES, "[2/4] Fetching Debian for nodes", 45)
    say("[3/4] Making the images of the control plane")
    provisioner = f"docker.io/rancher/local-path-provisioner:{module_version(LOCAL_PATH)}"
    images = [
        SystemImage(names[name], programs[name])
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
    ]
    images += [
        SystemImage(names[name], programs[name], starts=True) for name in ("pause", "coredns")
    ]
    images.append(SystemImage(provisioner, programs["local-path-provisioner"], starts=True))
    images.append(SystemImage(names["kube-proxy"], programs["kube-proxy"], base=proxy))
    for image in images:
        _import_program(image, work)
    archive = work / "images.tar"
    docker("save", "--output", str(archive), *(image.name for image in images))
    # The engine keeps them no longer: they are in the node image.
    docker("image", "rm", *(image.name for image in images))
    texts = {
        "@PAUSE@": names["pause"],
        "@PROVISIONER@": provisioner,
        "@HELPER@": names["kube-proxy"],
    }
    say("[4/4] Putting them into the nodes' image")
    _assemble(tag, node, archive, _context(work / "context", programs, version, texts))


def image_names(kubeadm: Path, version: str) -> dict[str, str]:
    """Ask kubeadm what it calls the images it will start, by the last part of their names."""
    answer = subprocess.run(
        [kubeadm, "config", "images", "list", "--kubernetes-version", version],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.rpartition("/")[2].partition(":")[0]: name for name in answer.stdout.split()}


def _debian(tar: Path, packages: tuple[str, ...], what: str, usual_seconds: float) -> Path:
    # Neither apt, which nobody runs there, nor pages that nobody reads.
    options = ["--variant=essential", f"--include={','.join(packages)}"]
    options += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in UNREAD]
    run_long(
        ["mmdebstrap", *options, SUITE, str(tar)],
        what=what,
        usual_seconds=usual_seconds,
        log=tar.with_suffix(".log"),
    )
    return tar


def _import_program(image: SystemImage, work: Path) -> None:
    """Make an image of one program, alone or on top of a file system."""
    tar = work / "image.tar"
    if image.base is not None:
        shutil.copyfile(image.base, tar)
    with tarfile.open(tar, "w" if image.base is None else "a") as archive:
        entry = tarfile.TarInfo(f"usr/local/bin/{image.program.name}")
        entry.mode = 0o755
        entry.size = image.program.stat().st_size
        with image.program.open("rb") as content:
            archive.addfile(entry, content)
        if image.base is None:
            _add_folder(archive, "tmp", 0o1777)
    changes = ["--change", f"ENV {PATH}"]
    if image.starts:
        changes += ["--change", f'ENTRYPOINT ["/usr/local/bin/{image.program.name}"]']
    docker("import", *changes, str(tar), image.name)
    tar.unlink()


def _add_folder(archive: tarfile.TarFile, name: str, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    archive.addfile(entry, io.BytesIO())


def _context(folder: Path, programs: dict[str, Path], version: str, texts: dict[str, str]) -> Path:
    """Lay out what the Dockerfile copies, with the names of the images filled in."""
    (folder / "bin").mkdir(parents=True)
    for source in NODE.iterdir():
        content = source.read_text()
        for placeholder, text in texts.items():
            content = content.replace(placeholder, text)
        (folder / source.name).write_text(content)
        # What Docker copies keeps its mode; changed in the image, it would be there twice.
        (folder / source.name).chmod(0o755 if source.suffix == "" else 0o644)
    (folder / "version").write_text(f"{version}\n")
    for name in ("kubelet", "kubeadm", "kubectl"):
        shutil.copy(programs[name], folder / "bin" / name)
        (folder / "bin" / name).chmod(0o755)
    return folder


def _assemble(tag: str, node: Path, archive: Path, context: Path) -> None:
    """Build the node without images, let its containerd take them in, and keep the result."""
    base, empty = f"{SCRATCH}:debian", f"{SCRATCH}:empty"
    docker("import", str(node), base)
    docker("build", "--tag", empty, "--build-arg", f"BASE={base}", str(context))
    with _containerd_in(empty) as container:
        docker("cp", str(archive), f"{container}:/images.tar")
        imported = ["images", "import", "--no-unpack", "--all-platforms", "/images.tar"]
        docker("exec", container, "ctr", "--namespace", "k8s.io", *imported)
        docker("exec", container, "rm", "/images.tar")
        docker("stop", "--time", "10", container)
        keep = ["--change", 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]']
        keep += ["--change", f"LABEL {LABEL}=kind-node"]
        docker("commit", *keep, container, tag)
    docker("image", "rm", base, empty)


@contextlib.contextmanager
def _containerd_in(image: str) -> Iterator[str]:
    """Run containerd, and nothing else, in a container of ``image``."""
    run = ["run", "--detach", "--privileged", "--label", BUILDING]
    container = docker(*run, "--entrypoint", "containerd", image).strip()
    try:
        give_up_at = time.monotonic() + CONTAINERD_TIMEOUT_SECONDS
        while True:
            try:
                docker("exec", container, "ctr", "version")
                break
            except SetupError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.2)
        yield container
    finally:
        docker("rm", "--force", "--volumes", container)
