#!/usr/bin/env python3
"""kill -9 of worker, courier, control plane and master at random, under load; then the ledger must agree with the truth log.

Killing the control plane or the courier fails no request at all. Killing a worker fails what that worker had in hand; killing the
master takes the host down until it is started again.
"""
import os
import random
import signal
import time

import drill
from drill import harness, wait_for

WORKERS = 2
GRACE_S = 1.0  # after a worker's death: its successor serves the backlog


def kill_child(host, role, rng):
    """Kills one worker or the courier and waits for its successor."""
    roles = host.pids()
    victim = rng.choice(roles["workers"]) if role == "worker" else roles["courier"]
    begun = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    wait_for(f"another {role}", lambda: not drill.alive(victim) and host.workers_serve(WORKERS), pause=0.005)
    return begun


def round_of(host, role, rng, times):
    """One kill; returns the window in which requests may fail, or None."""
    begun = time.monotonic()
    print(f"{time.time():.3f} kill {role}", flush=True)
    if role == "control":
        host.control.kill()
        time.sleep(rng.uniform(0, 0.5))
        times["control_ready_s"].append(host.start_control())
        return None
    if role == "master":
        host.master.kill()
        time.sleep(rng.uniform(0, 0.2))
        times["master_ready_s"].append(host.start_master(WORKERS))
        return begun, time.monotonic() + GRACE_S
    kill_child(host, role, rng)
    times[f"{role}_back_s"].append(time.monotonic() - begun)
    return (begun, time.monotonic() + GRACE_S) if role == "worker" else None


def main():
    given = drill.arguments(__doc__, rounds=10, clients=8, master_rounds=1)
    rng = random.Random(given.seed)
    times = {name: [] for name in ("control_ready_s", "master_ready_s", "worker_back_s", "courier_back_s")}
    roles = ["worker", "courier", "control"] * (given.rounds // 3 + 1)
    roles = roles[:given.rounds]
    rng.shuffle(roles)
    for _ in range(given.master_rounds):
        roles.insert(rng.randrange(len(roles) + 1), "master")
    with harness.stack(given.build, workers=WORKERS) as stack:
        host = drill.Host(stack)
        try:
            windows = []
            with drill.Traffic(stack, given.clients, given.seed) as traffic:
                wait_for("traffic", lambda: len(traffic.done()) > 20)
                for role in roles:
                    time.sleep(rng.uniform(0.05, 0.6))
                    if window := round_of(host, role, rng, times):
                        windows.append(window)
                time.sleep(0.5)
            results, clock = traffic.done(), time.time() - time.monotonic()
            outside = drill.failures_outside(results, windows)
            assert not outside, f"{len(outside)} requests failed without a cause: " + "; ".join(f"{r.begun + clock:.3f}-{r.ended + clock:.3f} {r.fault}" for r in outside[:8])
            figures = drill.prove(stack, host)
        finally:
            host.close()
    allowed = given.clients * (roles.count("worker") + roles.count("master"))
    assert figures["outcomes"].get("died", 0) <= allowed, f"more died than were in hand: {figures}"
    drill.report(given, {"drill": "kill", "seed": given.seed, "kills": {role: roles.count(role) for role in set(roles)}, "requests": len(results),
                         "failed_in_windows": sum(r.failed for r in results), "ledger": figures,
                         **{name: {"max": round(max(values), 3), "p50": round(drill.percentile(values, 0.5), 3)} for name, values in times.items() if values}})


if __name__ == "__main__":
    main()
