"""Learned departures, from the ConfigMap of a real API server into what a plan is made from."""

import asyncio
from pathlib import Path

import pytest
from tests.cluster.control_plane import ControlPlane
from tests.integration.fleet_manifests import a_policy

from idlewatt_operator.gateways.clock import WallClock
from idlewatt_operator.gateways.kubernetes.credentials import CredentialSource
from idlewatt_operator.gateways.kubernetes.gateway import KubernetesCluster
from idlewatt_operator.gateways.kubernetes.session import ApiSession
from idlewatt_operator.reconcile.snapshot import build_snapshot

EXAMPLE = Path(__file__).parents[2] / "examples" / "energy" / "departures.yaml"


@pytest.mark.parametrize("made", [True, False], ids=["there", "missing"])
async def test_the_first_view_has_what_was_learned(cluster: ControlPlane, *, made: bool) -> None:
    """It is synced only once the ConfigMap was asked for; a missing one is told, and no model."""
    cluster.apply_definitions()
    policy = a_policy()
    policy["spec"]["departuresRef"] = {"namespace": "idlewatt", "name": "idlewatt-departures"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "idlewatt"}}
    cluster.api.apply(policy, namespace)
    if made:
        cluster.api.apply(EXAMPLE)
    async with ApiSession(CredentialSource(cluster.kubeconfig)) as session:
        gateway = KubernetesCluster(session, WallClock(), lambda: None)
        async with gateway.running():
            await asyncio.wait_for(gateway.wait_synced(), 30)
            view = gateway.view()
    assert view.synced
    model = build_snapshot(0, view, None, {}).departures
    if made:
        assert model is not None
        assert {entry.site for entry in model.quantiles} == {None, "yard"}
    else:
        assert model is None
        assert view.learned.fault.startswith("There is no ConfigMap idlewatt/idlewatt-departures")
