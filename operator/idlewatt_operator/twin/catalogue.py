"""The pods of the twin: an assumed mix of inference services and jobs, scaled to a number."""

from dataclasses import dataclass
from typing import Final

from idlewatt_operator.twin.controllers import Workload, WorkloadKind
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND, Instant, Milliseconds, thousandths
from idlewatt_scheduler.model.workload import Demand, Pod

GPU: Final = "nvidia.com/gpu"
_GIB: Final = 1 << 30
_GB: Final = 1_000_000_000
_NAMESPACE: Final = "inference"


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of work.

    Attributes:
        share: of all the pods.
        power_watts: what a pod declares.
        load: milliseconds until its model is loaded.
        runtime: milliseconds a job says it needs; None: a service.
        really: the share of `runtime` a job's pod really takes.
        submitted: milliseconds after the start of the play.
        due: milliseconds after the start by which it must be done; None: no deadline.
        stop_seconds: what its containers take to end when told to.
        available: of a service, the share of replicas its disruption budget keeps.
    """

    name: str
    share: float
    priority: int
    power_watts: int
    cpu: int
    memory_gib: int
    gpus: int = 0
    image_gb: int = 4
    load: Milliseconds = 30 * SECOND
    runtime: Milliseconds | None = None
    really: float = 0.95
    submitted: Milliseconds = 0
    due: Milliseconds | None = None
    stop_seconds: int = 5
    grace_seconds: int = 30
    any_tariff: bool = False
    available: float | None = None


MODELS: Final = (
    Model("guard", 0.05, 2_000, 60, 2, 4, image_gb=1, any_tariff=True, available=0.5),
    Model(
        "chat-8b", 0.14, 1_000, 240, 3, 10, gpus=1, image_gb=6, load=60 * SECOND,
        stop_seconds=40, grace_seconds=60,
    ),
    Model("embed", 0.16, 500, 110, 3, 5, image_gb=2, stop_seconds=8),
    Model("rerank", 0.08, 500, 180, 2, 6, gpus=1, image_gb=3, stop_seconds=8),
    Model("transcribe", 0.20, 100, 210, 2, 5, gpus=1, runtime=45 * MINUTE, really=0.9),
    Model(
        "summarise", 0.15, 100, 230, 3, 8, gpus=1, runtime=2 * HOUR, submitted=3 * HOUR,
        due=16 * HOUR,
    ),
    Model(
        "evaluate", 0.09, 50, 300, 3, 12, gpus=1, runtime=4 * HOUR, really=1.01,
        submitted=6 * HOUR,
    ),
    Model("index", 0.12, 10, 140, 4, 6, image_gb=1, runtime=90 * MINUTE, submitted=9 * HOUR),
)  # fmt: skip
GIANT: Final = Model("giant-70b", 0.0, 100, 900, 8, 48, gpus=8, image_gb=40)
"""It asks for more than any car carries: the pod that has to be told so."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A workload, and when somebody creates it."""

    at: Instant
    model: Model
    workload: Workload


def submissions(pods: int, start: Instant) -> tuple[Submission, ...]:
    """Exactly `pods` pods, at least one of each model if there are so many, else the first ones.

    Args:
        pods: at least 1.
        start: when the play begins.
    """
    models = (*MODELS, GIANT)[:pods]
    counts = _counts(models, pods - len(models))
    return tuple(
        _submission(model, count + 1, start) for model, count in zip(models, counts, strict=True)
    )


def _counts(models: tuple[Model, ...], pods: int) -> list[int]:
    """So many pods in the models' proportions; what is left over goes by largest remainder."""
    whole = sum(model.share for model in models)
    exact = [model.share / whole * pods for model in models]
    counts = [int(each) for each in exact]
    by_rest = sorted(range(len(models)), key=lambda i: (counts[i] - exact[i], i))
    for i in by_rest[: pods - sum(counts)]:
        counts[i] += 1
    return counts


def _submission(model: Model, count: int, start: Instant) -> Submission:
    job = model.runtime is not None
    workload = Workload(
        template=_template(model, start),
        kind=WorkloadKind.JOB if job else WorkloadKind.SERVICE,
        count=count,
        run_seconds=round((model.runtime or 0) * model.really / SECOND) if job else None,
        stop_seconds=model.stop_seconds,
        min_available=None if model.available is None else int(count * model.available),
    )
    return Submission(start + model.submitted, model, workload)


def _template(model: Model, start: Instant) -> Pod:
    requests = {
        "pods": thousandths(1),
        "cpu": thousandths(model.cpu),
        "memory": thousandths(model.memory_gib * _GIB),
    }
    if model.gpus:
        requests[GPU] = thousandths(model.gpus)
    demand = Demand(
        expected_runtime=model.runtime,
        power_watts=model.power_watts,
        deadline=None if model.due is None else start + model.due,
        any_tariff=model.any_tariff,
        model_load_time=model.load,
        image_size_bytes=model.image_gb * _GB,
    )
    return Pod(
        namespace=_NAMESPACE,
        name=model.name,
        priority=model.priority,
        requests=requests,
        images=(f"models.example/{model.name}:1",),
        termination_grace_seconds=model.grace_seconds,
        demand=demand,
    )
