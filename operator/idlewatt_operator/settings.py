"""What a person may set about the operator's own pace; the fleet's rules stand in FleetPolicy."""

from dataclasses import dataclass

from idlewatt_scheduler.model.units import MINUTE, SECOND, Milliseconds


@dataclass(frozen=True, slots=True)
class Settings:
    """The pace and the patience of the cycle.

    Attributes:
        scheduler_name: pods that name it in `spec.schedulerName` are ours.
        dry_run: plan and explain, write nothing at all.
        cycle_at_least_every: time moves even where nothing else does.
        cycle_at_most_every: from the start of one cycle to the start of the next.
        debounce: how long requests are gathered before a cycle starts.
        writes_in_flight: how many writes run at once; 16 to 32 binds fastest.
        binding_settles_within: after that the watch is not waited for, the pod is asked.
        bind_backoff_first, bind_backoff_most: a pod whose binding was refused is left alone
            for the first, doubled with each refusal, up to the most.
        wake_margin: what a vehicle may take to wake beyond its `wakeSeconds`.
        wake_avoided_for: how long a vehicle that did not wake is left alone.
        battery_spared_for: how long a battery is left alone that would not have lasted.
        event_again_after: a waiting pod's event is repeated after that.
        advised_at_most: kinds of waiting pods for which a cycle looks up what would place them.
        status_at_most_every: one vehicle's status.
        status_writes_per_second: of all vehicles together.
        profiles_per_second: charging profiles that are sent to charge points.
        charging_beside: await the charge points' answers beside the next cycles; while one is
            waited for, its charger is told nothing else but to give less.
        threads: look a fleet up beside the event loop, which goes on in turns with it.
        status_beside: write status, findings and taints beside the next cycles rather than before
            them; they are many and in no hurry.
        judged_every: sites, tariffs and the policy are looked through for what is amiss.
        telemetry_awaited_for: at the start; then cycles begin, and place nothing on vehicles.
        lease_duration: so long after a renewal was last seen, another may take the lease.
        lease_renewed_within: so long after a renewal was asked for, the holder stops writing.
        lease_retried_every: between two attempts to take the lease, or to renew it.
        plan_awaited_for: a cycle waits so long for its plan, then goes on without placements.
        first_plan_awaited_for: the same until there was one: the planner's process has to start.
        plan_deadline: after that the best plan so far has to do.
        plan_too_old: a plan that took so long to be made is thrown away.
        check_at_once: a whole check of a plan that takes longer comes after its placements.
        heartbeat_age_limit: a loop that has finished no cycle well for so long is a zombie.
    """

    scheduler_name: str = "idlewatt"
    dry_run: bool = False
    cycle_at_least_every: Milliseconds = 10 * SECOND
    cycle_at_most_every: Milliseconds = 1 * SECOND
    debounce: Milliseconds = 200
    writes_in_flight: int = 24
    binding_settles_within: Milliseconds = 5 * SECOND
    bind_backoff_first: Milliseconds = 10 * SECOND
    bind_backoff_most: Milliseconds = 5 * MINUTE
    wake_margin: Milliseconds = 60 * SECOND
    wake_avoided_for: Milliseconds = 15 * MINUTE
    battery_spared_for: Milliseconds = 15 * MINUTE
    event_again_after: Milliseconds = 5 * MINUTE
    advised_at_most: int = 2
    status_at_most_every: Milliseconds = 1 * MINUTE
    status_writes_per_second: int = 50
    profiles_per_second: int = 50
    charging_beside: bool = False
    threads: bool = False
    status_beside: bool = False
    judged_every: Milliseconds = 30 * SECOND
    telemetry_awaited_for: Milliseconds = 30 * SECOND
    lease_duration: Milliseconds = 15 * SECOND
    lease_renewed_within: Milliseconds = 10 * SECOND
    lease_retried_every: Milliseconds = 2 * SECOND
    plan_awaited_for: Milliseconds = 2 * SECOND
    first_plan_awaited_for: Milliseconds = 10 * SECOND
    plan_deadline: Milliseconds = 20 * SECOND
    plan_too_old: Milliseconds = 2 * MINUTE
    check_at_once: Milliseconds = 2 * SECOND
    heartbeat_age_limit: Milliseconds = 5 * MINUTE
