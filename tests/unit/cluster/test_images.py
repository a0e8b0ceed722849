"""Which images are built, of what, and when again."""

import re
import shutil
from pathlib import Path

import pytest
from tests.cluster import engine, images, keyed_images
from tests.cluster.images import EMBEDDING, OPERATOR, Image
from tests.cluster.places import CHECKOUT, SetupError

OURS = [OPERATOR, EMBEDDING]
IDS = [image.name for image in OURS]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a copy of what the operator's image is built from."""
    for path in OPERATOR.files():
        target = tmp_path / path.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    monkeypatch.setattr(images, "CHECKOUT", tmp_path)
    return tmp_path


def test_a_copy_of_the_tree_has_the_same_key(tree: Path) -> None:
    """The key tells content: neither when a file was written nor where the checkout is."""
    key = OPERATOR.key()
    (tree / "pyproject.toml").touch()
    assert OPERATOR.key() == key


@pytest.mark.parametrize(
    "path", ["Dockerfile", "requirements/run.txt", "operator/idlewatt_operator/settings.py"]
)
def test_any_change_has_another_key(tree: Path, path: str) -> None:
    """A line more in anything that is built from, and the image is built again."""
    before = OPERATOR.key()
    with (tree / path).open("a") as file:
        file.write("# more\n")
    assert OPERATOR.key() != before


def test_a_new_file_has_another_key(tree: Path) -> None:
    """A module that was not there before is part of the image."""
    before = OPERATOR.key()
    (tree / "operator" / "idlewatt_operator" / "new.py").touch()
    assert OPERATOR.key() != before


def test_what_python_wrote_is_no_part_of_it(tree: Path) -> None:
    """A run of the tests does not make the image again."""
    before = OPERATOR.key()
    cache = tree / "operator" / "idlewatt_operator" / "__pycache__"
    cache.mkdir()
    (cache / "settings.cpython-311.pyc").write_bytes(b"compiled")
    assert OPERATOR.key() == before


def copied(image: Image) -> list[str]:
    """Give what an image's Dockerfile copies out of the checkout."""
    text = (CHECKOUT / image.dockerfile).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
    return [name for line in lines for name in line.split()[:-1] if name != "wheel[s]"]


@pytest.mark.parametrize("image", OURS, ids=IDS)
def test_a_dockerfile_copies_only_what_the_key_covers(image: Image) -> None:
    """Whatever gets into an image is part of its key, and is there when it is built."""
    files = {str(path.relative_to(CHECKOUT)) for path in image.files()}
    names = copied(image)
    assert names
    assert [
        name
        for name in names
        if not any(file == name or file.startswith(f"{name}/") for file in files)
    ] == []


@pytest.mark.parametrize("image", OURS, ids=IDS)
def test_a_plain_build_sees_what_it_copies(image: Image) -> None:
    """`.dockerignore` leaves out everything but what a Dockerfile copies."""
    ignored = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    seen = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    assert [
        name
        for name in copied(image)
        if not any(name == path or name.startswith(f"{path}/") for path in seen)
    ] == []


@pytest.mark.parametrize("image", OURS, ids=IDS)
def test_stages_are_the_dockerfiles(image: Image) -> None:
    """Each stage before the last is built by its name, in the Dockerfile's order."""
    text = (CHECKOUT / image.dockerfile).read_text(encoding="utf-8")
    assert re.findall(r"^FROM \S+ AS (\w+)$", text, re.MULTILINE) == list(image.stages)


@pytest.mark.parametrize("image", OURS, ids=IDS)
def test_the_version_is_the_projects(image: Image) -> None:
    """The tag and the label say the version that pyproject.toml says."""
    text = (CHECKOUT / image.dockerfile).read_text(encoding="utf-8")
    labelled = re.findall(r'image\.version="([^"]+)"', text)
    assert labelled == [image.tag.partition(":")[2]]


def test_the_builds_folder_holds_the_files_and_the_wheels(tree: Path, tmp_path: Path) -> None:
    """What the engine is sent is what the key covers, with the wheels beside it."""
    wheel = tmp_path / "thing-1.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    context = tmp_path / "context"
    context.mkdir()
    images.lay_out(OPERATOR, [wheel], context)
    sent = {path.relative_to(context) for path in context.rglob("*") if path.is_file()}
    covered = {path.relative_to(tree) for path in OPERATOR.files()}
    assert sent == covered | {Path("wheels", wheel.name)}


@pytest.mark.parametrize(("known", "builds"), [("the tree's", 0), ("another", 1), (None, 1)])
def test_a_tree_that_did_not_change_builds_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, known: str | None, builds: int
) -> None:
    """An image is built where the engine has none, or one of other content, and then only."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(engine, "ensure", lambda: None)
    monkeypatch.setattr(Image, "key", lambda _: "the tree's")
    monkeypatch.setattr(keyed_images, "key_of", lambda _: known)
    built: list[Image] = []
    monkeypatch.setattr(images, "_build", lambda wanted, _: built.append(wanted))
    assert images.operator_image() == OPERATOR.tag
    assert built == [OPERATOR] * builds


def test_an_unknown_image_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Who mistypes an image's name is told which there are."""
    assert images.main(["operater"]) == 2
    assert "no image operater; there are operator, redis" in capsys.readouterr().err


def test_what_cannot_be_built_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no engine answers, the command ends with what to do, and no trace."""

    def refuse() -> None:
        message = "No Docker engine answers: start it."
        raise SetupError(message)

    monkeypatch.setattr(engine, "ensure", refuse)
    assert images.main([]) == 1
    assert capsys.readouterr().err == "No Docker engine answers: start it.\n"
