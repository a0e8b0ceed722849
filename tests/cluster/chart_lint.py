"""Looks the Helm chart over without a cluster: `python -m tests.cluster.chart_lint`.

helm lints it with several sets of values, and kubeconform checks what each makes, every unknown
field refused. Its schemas are made here from the API description that Kubernetes' own module
carries: the servers that usually have them may be out of reach.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from tests.cluster.binaries import CHART, KUBERNETES, MODULES, ensure, module_version
from tests.cluster.places import CHECKOUT, SetupError
from tests.cluster.progress import say
from tests.cluster.toolchain import go

CHART_FOLDER: Final = CHECKOUT / "charts" / "idlewatt"
VALUES: Final = (
    CHART_FOLDER / "values.yaml",
    CHART_FOLDER / "values-kind.yaml",
    *sorted(Path(__file__).with_name("chart_values").glob("*.yaml")),
)
API_DESCRIPTION: Final = Path("api", "openapi-spec", "swagger.json")

# kubeconform has no schema of these: the first nests without end, and is tried on a real API
# server; the other is the Prometheus operator's.
NOT_CHECKED: Final = ("CustomResourceDefinition", "ServiceMonitor")

Schema = dict[str, Any]
QUANTITY: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING: Final = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
TEXT_OR_NUMBER: Final[Schema] = {"type": ["string", "number"]}


def main() -> int:
    """Look the chart over; 1 where something is amiss, which is told."""
    try:
        programs = ensure(CHART)
        definitions = api_definitions()
    except (SetupError, OSError) as error:
        say(f"The chart cannot be looked over: {error}")
        return 1
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for values in VALUES:
            complaint = looked_over(programs, values, definitions, Path(folder))
            if complaint:
                failed = True
                say(f"--- the chart with {values.name}\n{complaint}")
    if not failed:
        say(f"The chart is in order with each of {len(VALUES)} sets of values.")
    return int(failed)


def looked_over(
    programs: Path,
    values: Path,
    definitions: Mapping[str, Schema],
    folder: Path,
    chart_folder: Path = CHART_FOLDER,
) -> str:
    """Lint the chart with a set of values; what is amiss, nothing where all is well."""
    helm, chart = str(programs / "helm"), str(chart_folder)
    with_values = ["--namespace", "idlewatt", "--values", str(values)]
    version = module_version(KUBERNETES).removeprefix("v")
    status, said = run([helm, "lint", "--strict", "--quiet", chart, *with_values], folder)
    if status:
        return said
    with_values += ["--kube-version", version]
    status, rendered = run([helm, "template", "idlewatt", chart, *with_values], folder)
    if status:
        return rendered
    kinds = kinds_in(filter(None, yaml.safe_load_all(rendered)))
    for name, schema in schemas_of(kinds, definitions):
        (folder / name).write_text(json.dumps(schema))
    manifests = folder / "manifests.yaml"
    manifests.write_text(rendered)
    location = f"{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    check = [str(programs / "kubeconform"), "-strict", "-schema-location", location]
    check += ["-skip", ",".join(NOT_CHECKED), str(manifests)]
    status, said = run(check, folder)
    return said if status else ""


def run(command: list[str], folder: Path) -> tuple[int, str]:
    """Run a command with nothing of the user's; its status, and what it said."""
    own = {f"HELM_{what}_HOME": str(folder / what) for what in ("CACHE", "CONFIG", "DATA")}
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **own}, check=False
    )
    return done.returncode, done.stdout if not done.returncode else done.stdout + done.stderr


def api_definitions() -> Mapping[str, Schema]:
    """Read the description of every kind of Kubernetes' own. Raises SetupError or OSError."""
    text = (kubernetes_source() / API_DESCRIPTION).read_text(encoding="utf-8")
    definitions: Mapping[str, Schema] = json.loads(text)["definitions"]
    return definitions


def kubernetes_source() -> Path:
    """Give the folder of Kubernetes' module, fetching it where it is not there.

    Raises SetupError.
    """
    answer = subprocess.run(
        [str(go()), "mod", "download", "-json", KUBERNETES.requires],
        capture_output=True,
        text=True,
        cwd=MODULES / KUBERNETES.folder,
        env={**os.environ, "GOFLAGS": "-mod=readonly", "GOWORK": "off", "GOTOOLCHAIN": "local"},
        check=False,
    )
    if answer.returncode:
        message = f"{KUBERNETES.requires} cannot be fetched: {answer.stderr or answer.stdout}"
        raise SetupError(message)
    return Path(json.loads(answer.stdout)["Dir"])


def kinds_in(manifests: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Give the API version and kind of each manifest that is to be checked."""
    found = {(str(each["apiVersion"]), str(each["kind"])) for each in manifests}
    return {each for each in found if each[1] not in NOT_CHECKED}


def schemas_of(
    kinds: Iterable[tuple[str, str]], definitions: Mapping[str, Schema]
) -> Iterator[tuple[str, Schema]]:
    """Give each kind's schema, under the name of the file kubeconform asks for."""
    known = {
        (group_version(each), str(each["kind"])): name
        for name, definition in definitions.items()
        for each in definition.get("x-kubernetes-group-version-kind", ())
    }
    for version, kind in sorted(kinds):
        group, _, short = version.rpartition("/")
        suffix = f"{group.partition('.')[0]}-{short}" if group else short
        if (version, kind) in known:
            file = f"{kind.lower()}-{suffix}.json".lower()
            yield file, strict({"$ref": known[version, kind]}, definitions)


def group_version(described: Mapping[str, str]) -> str:
    """Write a group and a version as a manifest does."""
    group, version = described["group"], described["version"]
    return f"{group}/{version}" if group else version


def strict(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Resolve what a schema refers to, and let objects have the fields they name and no others."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        if name in {QUANTITY, INT_OR_STRING}:
            return TEXT_OR_NUMBER
        return strict(definitions[name], definitions)
    made = {key: value for key, value in schema.items() if key in {"type", "enum", "required"}}
    if "properties" in schema:
        properties = schema["properties"].items()
        made["properties"] = {name: strict(value, definitions) for name, value in properties}
        made["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), Mapping):
        made["additionalProperties"] = strict(schema["additionalProperties"], definitions)
    if "items" in schema:
        made["items"] = strict(schema["items"], definitions)
    return made


if __name__ == "__main__":
    sys.exit(main())
