#!/usr/bin/env python3
"""The control plane is away: no request fails; the data plane restarts without it and gives the same answers; back again, all usage is
reported, nothing twice.
"""
import os
import random
import signal
import time

import drill
from drill import harness, wait_for

WORKERS = 2


def answers(stack):
    """What clients see of the configuration, comparable between two moments."""
    models = stack.gateway("GET", "/models")
    seen = {"models": (models.status, sorted(row["id"] for row in models.json["data"]))}
    for name, reply in (("chat", stack.chat("the same words")), ("unknown model", stack.chat("x", model=f"@{stack.provider}/no-such-model")),
                        ("unknown provider", stack.chat("x", model="@nobody/gpt-4o")), ("unknown key", stack.chat("x", key="slk_" + "A" * 49)),
                        ("organisation key", stack.chat("x", key=stack.admin_key))):
        text = reply.json["choices"][0]["message"]["content"] if reply.status == 200 else reply.message
        seen[name] = (reply.status, text)
    return seen


def restart_data_plane(stack, host):
    """kill -9 of everything on the host, at a quiet moment; seconds from exec to ready."""
    wait_for("all usage is on disk", lambda: stack.metrics()["sluice_requests_open"] == 0 and drill.journaled(stack))
    roles = host.pids()
    for pid in [roles["master"], roles["courier"], *roles["workers"]]:
        os.kill(pid, signal.SIGKILL)
    wait_for("the data plane is gone", lambda: not any(drill.alive(pid) for pid in [roles["master"], roles["courier"], *roles["workers"]]))
    return host.start_master(WORKERS)


def main():
    given = drill.arguments(__doc__, seconds=3.0, restarts=2, clients=6)
    rng = random.Random(given.seed)
    with harness.stack(given.build, workers=WORKERS) as stack:
        host = drill.Host(stack)
        try:
            before = answers(stack)
            assert before["chat"][0] == 200 and all(before[n][0] >= 400 for n in before if n not in ("chat", "models")), before
            ready, results = [], []
            with drill.Traffic(stack, given.clients, given.seed) as traffic:
                time.sleep(rng.uniform(0.2, 0.5))
                host.control.kill()
                time.sleep(given.seconds)
            results += traffic.done()
            for _ in range(given.restarts):
                ready.append(restart_data_plane(stack, host))
                after = answers(stack)
                assert after == before, f"other answers than before: {before} {after}"
                with drill.Traffic(stack, given.clients, rng.random()) as traffic:
                    time.sleep(0.5)
                results += traffic.done()
            host.start_control()
            wait_for("the node is back", lambda: all(n["status"] == "connected" for n in stack.nodes()))
            assert answers(stack) == before
            failed = [r for r in results if r.failed]
            assert not failed, f"{len(failed)} of {len(results)} failed: " + "; ".join(str(r.fault) for r in failed[:5])
            figures = drill.prove(stack, host)
        finally:
            host.close()
    assert figures["sources"].get("provider", 0) >= len(results), figures
    drill.report(given, {"drill": "control_away", "seed": given.seed, "requests": len(results), "failed": 0, "ledger": figures,
                         "data_plane_ready_s": [round(s, 3) for s in ready]})


if __name__ == "__main__":
    main()
