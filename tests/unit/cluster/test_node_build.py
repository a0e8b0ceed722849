"""Building the nodes' image: names from kubeadm, files filled in, programs put where they run."""

import tarfile
from pathlib import Path

import pytest
from tests.cluster import node_build


def test_names_come_from_kubeadm(tmp_path: Path) -> None:
    """What kubeadm will ask for is what the images are called, nested names too."""
    kubeadm = tmp_path / "kubeadm"
    kubeadm.write_text(
        "#!/bin/sh\necho registry.k8s.io/etcd:3.6.6-0\n"
        "echo registry.k8s.io/coredns/coredns:v1.13.1\n"
    )
    kubeadm.chmod(0o755)
    assert node_build.image_names(kubeadm, "v1.35.4") == {
        "etcd": "registry.k8s.io/etcd:3.6.6-0",
        "coredns": "registry.k8s.io/coredns/coredns:v1.13.1",
    }


def test_every_placeholder_is_filled(tmp_path: Path) -> None:
    """No file of the node keeps a name to be filled in, and programs stay executable."""
    for name in ("kubelet", "kubeadm", "kubectl"):
        (tmp_path / name).write_text("#!/bin/sh\n")
    programs = {name: tmp_path / name for name in ("kubelet", "kubeadm", "kubectl")}
    texts = {"@PAUSE@": "p:1", "@PROVISIONER@": "l:1", "@HELPER@": "h:1"}
    folder = node_build._context(tmp_path / "context", programs, "v1", texts)  # noqa: SLF001
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in written if "@P" in path.read_text() or "@H" in path.read_text()]
    assert 'sandbox_image = "p:1"' in (folder / "containerd.toml").read_text()
    executable = {path.name for path in written if path.stat().st_mode & 0o111}
    assert executable >= {"entrypoint", "kubelet-groups", "kubelet", "kubeadm", "kubectl"}


def test_an_image_is_its_program_and_what_it_is_put_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program joins a file system without losing any of it, and is executable there."""
    seen: dict[str, list[str]] = {}

    def imported(*arguments: str) -> str:
        with tarfile.open(arguments[-2]) as archive:
            seen[arguments[-1]] = [
                member.name for member in archive if member.mode & 0o111 or member.isdir()
            ]
        return ""

    monkeypatch.setattr(node_build, "docker", imported)
    program = tmp_path / "kube-proxy"
    program.write_text("x")
    with tarfile.open(tmp_path / "base.tar", "w") as base:
        base.addfile(tarfile.TarInfo("bin"))
        entry = tarfile.TarInfo("bin/sh")
        entry.mode = 0o755
        base.addfile(entry)
    for image in (
        node_build.SystemImage("alone:1", program),
        node_build.SystemImage("on:1", program, base=tmp_path / "base.tar"),
    ):
        node_build._import_program(image, tmp_path)  # noqa: SLF001
    assert "usr/local/bin/kube-proxy" in seen["alone:1"]
    assert {"bin/sh", "usr/local/bin/kube-proxy"} <= set(seen["on:1"])
