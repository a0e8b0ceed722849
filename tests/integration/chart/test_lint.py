"""What `make lint` sees in a chart: a field that Kubernetes does not know is named."""

import shutil
from pathlib import Path

import pytest
from tests.cluster.binaries import CHART, ensure
from tests.cluster.chart_lint import VALUES, Schema, api_definitions, looked_over, strict
from tests.integration.chart.release import FOLDER


def chart_with(folder: Path, file: str, right: str, wrong: str) -> Path:
    """A copy of the chart with one mistake."""
    chart = folder / "chart"
    shutil.copytree(FOLDER, chart)
    path = chart / "templates" / file
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    return chart


@pytest.mark.parametrize(
    ("file", "right", "wrong", "named"),
    [
        ("deployment.yaml", "enableServiceLinks", "enableServiceLink", "enableServiceLink"),
        ("deployment.yaml", "periodSeconds: 2", "periodSecond: 2", "periodSecond"),
        ("deployment.yaml", "periodSeconds: 2", "periodSeconds: often", "periodSeconds"),
        ("networkpolicy.yaml", "policyTypes:", "policyType:", "policyType"),
        ("redis-statefulset.yaml", "serviceName:", "service:", "service"),
        ("service.yaml", "{{- include", "{{- includes", "includes"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, file: str, right: str, wrong: str, named: str) -> None:
    """A field of another name or type, at any depth, and a template that cannot be read."""
    chart = chart_with(tmp_path, file, right, wrong)
    said = looked_over(ensure(CHART), VALUES[0], api_definitions(), tmp_path, chart)
    assert named in said


def test_a_schema_is_strict_at_every_depth() -> None:
    """What a definition refers to is put in its place, and takes no more than it names."""
    definitions: dict[str, Schema] = {
        "a": {"type": "object", "properties": {"b": {"$ref": "#/definitions/b"}, "c": {}}},
        "b": {"type": "array", "items": {"$ref": "#/definitions/d"}},
        "d": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    assert strict({"$ref": "#/definitions/a"}, definitions) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "b": {
                "type": "array",
                "items": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "c": {},
        },
    }
