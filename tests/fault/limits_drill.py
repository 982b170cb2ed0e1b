#!/usr/bin/env python3
"""Strict budgets are used up while worker, courier and control plane are killed: never above a limit, and nothing of it is lost.

At every instant that the control plane can be asked: used + outstanding <= limit. At the end: what reached the provider <= what the ledger
counted <= limit, and what is left covers no further request. A killed master takes its boot's grants along until node_lost_after, so with
--master-rounds the last is not asked for.
"""
import contextlib
import http.client
import random
import threading
import time

import drill
from drill import harness, wait_for
from kill_drill import WORKERS, kill_child

COST_USD, REQUESTS, ROUNDS = 0.01, 600, 15  # budgets of so many rounds; they grow with them
INPUT_USD, OUTPUT_USD = 0.15e-6, 0.6e-6  # gpt-4o-mini, a token


class Watch(threading.Thread):
    """Asks for the counters of a key without pause and remembers what was wrong."""

    def __init__(self, stack, path):
        super().__init__()
        self.stack, self.path, self.wrong, self.looks = stack, path, [], 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.wait(0.02):
            with contextlib.suppress(OSError, http.client.HTTPException):
                for row in self.stack.admin("GET", self.path, expect=None).json.get("usage", []):
                    self.looks += 1
                    if row["used"] + row["outstanding"] > row["limit"] * (1 + 1e-12):
                        self.wrong.append(row)

    def stop(self):
        self.stopping.set()
        self.join()


def kill(host, role, rng):
    if role == "control":
        host.control.kill()
        time.sleep(rng.uniform(0, 0.5))
        host.start_control()
    elif role == "master":
        host.master.kill()
        host.start_master(WORKERS)
    else:
        kill_child(host, role, rng)


def use_up(stack, key):
    """One by one, until nothing fits any more: the last refusal."""
    for _ in range(100000):
        reply = stack.chat("the rest", f"@{stack.provider}/gpt-4o-mini", key=key, max_tokens=32)
        if reply.status != 200:
            return reply
    raise AssertionError("nothing stops it")


def under_fire(stack, host, given, key, rng):
    roles = (["worker", "courier", "control"] * (given.rounds // 3 + 1))[:given.rounds] + ["master"] * given.master_rounds
    rng.shuffle(roles)
    with drill.Traffic(stack, given.clients, given.seed, key=key, max_tokens=32) as traffic:
        wait_for("traffic", lambda: len(traffic.done()) > 20)
        for role in roles:
            time.sleep(rng.uniform(0.05, 0.4))
            kill(host, role, rng)
    return roles, traffic.done()


def main():
    given = drill.arguments(__doc__, rounds=10, clients=6, master_rounds=0)
    rng = random.Random(given.seed)
    with harness.stack(given.build, workers=WORKERS) as stack:
        host = drill.Host(stack)
        grown = max(1, given.rounds // ROUNDS)
        costs = stack.make_key(usage_limits={"type": "cost", "credit_limit": COST_USD * grown, "mode": "strict"})
        counts = stack.make_key(usage_limits={"type": "requests", "credit_limit": REQUESTS * grown, "mode": "strict"})
        figures = {}
        try:
            for name, made in (("cost", costs), ("requests", counts)):
                before = len(drill.truth_records(stack))
                watch = Watch(stack, f"/api-keys/{made['id']}")
                watch.start()
                try:
                    roles, results = under_fire(stack, host, given, made["key"], rng)
                    wait_for("an answer of the limit", lambda: use_up(stack, made["key"]).status == 412)
                    ledger = drill.prove(stack, host)
                finally:
                    watch.stop()
                assert not watch.wrong, f"{len(watch.wrong)} of {watch.looks} times above: {watch.wrong[:3]}"
                last = use_up(stack, made["key"])
                row = stack.admin("GET", watch.path).json["usage"][0]
                truth = drill.truth_records(stack)[before:]
                sent = sum(r["prompt_tokens"] * INPUT_USD + r["completion_tokens"] * OUTPUT_USD for r in truth) if name == "cost" else len(truth)
                assert sent <= row["used"] * (1 + 1e-9) and row["used"] <= row["limit"] * (1 + 1e-12), f"{sent} sent: {row}"
                fits = float(last.message.split("may use up to ")[1].split()[0]) if "may use up to" in last.message else 0
                assert given.master_rounds or row["used"] + fits >= row["limit"] * (1 - 1e-9), f"stuck: {row}: {last.message}"
                figures[name] = {"sent": sent, "used": row["used"], "limit": row["limit"], "looks": watch.looks, "requests": len(results),
                                 "refused": sum(r.status == 412 for r in results), "ledger": ledger["sources"]}
        finally:
            host.close()
    drill.report(given, {"drill": "limits", "seed": given.seed, "kills": {role: roles.count(role) for role in set(roles)}, **figures})


if __name__ == "__main__":
    main()
