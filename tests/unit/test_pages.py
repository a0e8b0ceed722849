"""The documentation: every link leads somewhere, every page can be found, every word holds."""

import re
import tomllib
from pathlib import Path

import pytest

from idlewatt_scheduler.model.reasons import PodReason, VehicleReason

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "changelog.d").glob("*.md")])
PAGES += sorted((ROOT / "examples").rglob("*.md"))
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
FRAGMENTS = sorted(
    path for path in (ROOT / "changelog.d").glob("*") if path.name not in {"README.md", ".gitkeep"}
)

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def prose(page: Path) -> str:
    """Give a page's text without its blocks of code."""
    return CODE_BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as a Markdown viewer makes them."""
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(prose(page)))
    return {heading.strip().replace(" ", "-") for heading in kept}


def local_links(page: Path) -> list[tuple[Path, str]]:
    """Give the files that a page links to, each with its anchor or an empty string."""
    found = []
    for target in LINK.findall(prose(page)):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        found.append(((page.parent / name).resolve() if name else page, anchor))
    return found


def named(path: Path) -> str:
    """Name a file by its path in the checkout."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of ours finds it, and the heading it names."""
    broken = [
        f"{target}#{anchor}"
        for target, anchor in local_links(page)
        if not target.exists()
        or (anchor and target.suffix == ".md" and anchor not in anchors(target))
    ]
    assert broken == []


def test_every_page_can_be_found_from_the_index() -> None:
    """Whoever starts at docs/README.md reaches every page by following links."""
    reached: set[Path] = set()
    ahead = [DOCS / "README.md"]
    while ahead:
        page = ahead.pop()
        if page.suffix != ".md" or page in reached or not page.exists():
            continue
        reached.add(page)
        ahead += [target for target, _ in local_links(page)]
    assert sorted(named(page) for page in set(DOCS.rglob("*.md")) - reached) == []


@pytest.mark.parametrize("decision", DECISIONS, ids=named)
def test_a_decision_has_its_three_parts(decision: Path) -> None:
    """Context, decision and consequences, in this order, under a numbered title."""
    headings = HEADING.findall(prose(decision))
    assert headings[0].startswith(f"{decision.name[:4]}. ")
    parts = ("Context", "Decision", "Consequences")
    assert tuple(heading for heading in headings if heading in parts) == parts


def test_decisions_are_numbered_without_doubles() -> None:
    """A number names one decision."""
    numbers = [decision.name[:4] for decision in DECISIONS]
    assert len(set(numbers)) == len(numbers)


def test_fragments_are_named_and_are_sentences() -> None:
    """A fragment of the changelog has its kind in its name, and ends as a sentence does."""
    form = re.compile(r"[a-z0-9-]+\.(added|changed|deprecated|removed|fixed|security)\.md")
    assert [named(path) for path in FRAGMENTS if not form.fullmatch(path.name)] == []
    texts = {path: path.read_text(encoding="utf-8").rstrip() for path in FRAGMENTS}
    assert [named(path) for path in FRAGMENTS if not texts[path].endswith(".")] == []


@pytest.mark.parametrize(
    ("section", "reasons"),
    [("Vehicle clauses", list(VehicleReason)), ("Pod clauses", list(PodReason))],
    ids=["vehicle", "pod"],
)
def test_the_rules_list_every_reason_in_its_order(
    section: str, reasons: list[VehicleReason] | list[PodReason]
) -> None:
    """The page of the rules and the code have the same reasons, asked in the same order."""
    text = (DOCS / "reference" / "rules.md").read_text(encoding="utf-8")
    (table,) = re.findall(rf"^## {section}$(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [
        reason.value for reason in reasons
    ]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_test_that_a_page_names_is_there(page: Path) -> None:
    """Where a page says that a test holds something, the file it links to has that test."""
    claims = re.findall(r"\[`(test_\w+)`\]\(([^)]+)\)", prose(page))
    assert [
        name
        for name, target in claims
        if f"def {name}(" not in (page.parent / target).read_text(encoding="utf-8")
    ] == []


@pytest.mark.parametrize("package", ["core", "shell"])
def test_the_architecture_page_draws_the_contracts(package: str) -> None:
    """The layers on the page are those that import-linter holds the code to, from top to bottom."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (held,) = (each for each in contracts if each["name"] == f"The {package} is layered")
    layers = [set(re.findall(r"\w+", layer)) for layer in held["layers"]]
    text = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    _, _, section = text.partition(f"## The {package}")
    drawing = section.split("```")[1].strip().splitlines()
    assert len(drawing) == len(layers)
    words = [set(re.findall(r"\w+", line)) for line in drawing]
    assert [layer - line for layer, line in zip(layers, words, strict=True)] == [set()] * len(
        layers
    )
