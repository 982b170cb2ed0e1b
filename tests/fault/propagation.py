#!/usr/bin/env python3
"""From an admin's 200 to its effect on every worker, over kept and over new connections; narrowing and widening changes.

One kept connection per worker calls without pause. A change is in force on a worker with its first answer of the new kind; what was
begun after that must never be answered in the old way again, on that worker or, once all have it, over new connections.
"""
import http.client
import json
import os
import random
import threading
import time

import drill
from drill import harness, wait_for

WORKERS = 2
NEW_CONNECTIONS = 4
LIMIT_S = 60  # no judgement of speed: the figures are reported; a change that never comes is a fault


def owner_of(gateway_port, local_port, workers):
    """The worker that holds the other end of a connection."""
    pattern = f"0100007F:{gateway_port:04X} 0100007F:{local_port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        inode = next((line.split()[9] for line in table if pattern in line), None)
    for pid in workers:
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                if os.readlink(f"/proc/{pid}/fd/{name}") == f"socket:[{inode}]":
                    return pid
            except OSError:
                continue
    return None


class Caller:
    """A kept connection to one worker and the answers on it: (begun, ended, allowed)."""

    def __init__(self, stack, connection, worker):
        self.stack, self.connection, self.worker = stack, connection, worker
        self.answers, self.stopping = [], threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.stopping.is_set():
            begun = time.monotonic()
            allowed = call(self.stack, self.connection)
            self.answers.append((begun, time.monotonic(), allowed))
            time.sleep(0.001)


def call(stack, connection):
    """True: answered by the provider; False: refused by the gateway."""
    body = {"model": f"@{stack.provider}/gpt-4o-mini", "messages": [{"role": "user", "content": "sim:static"}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(body),
                       {"content-type": "application/json", "x-portkey-api-key": stack.subject_key})
    reply = connection.getresponse()
    text = reply.read()
    assert reply.status in (200, 401, 403, 404, 412), f"{reply.status} {text[:300]!r}"
    return reply.status == 200


def connect(stack):
    return http.client.HTTPConnection("127.0.0.1", stack.gateway_port, timeout=harness.WAIT_S)


def one_caller_per_worker(stack):
    workers, found = stack.pids()["workers"], {}
    deadline = time.monotonic() + harness.WAIT_S
    while len(found) < len(workers):
        assert time.monotonic() < deadline, "a worker gets no connections"
        connection = connect(stack)
        call(stack, connection)
        owner = owner_of(stack.gateway_port, connection.sock.getsockname()[1], workers)
        if owner is None or owner in found:
            connection.close()
            continue
        found[owner] = Caller(stack, connection, owner)
    return list(found.values())


def effect(caller, since, allowed):
    """When the caller first saw the new state with a request begun after `since`; None: not yet."""
    return next((ended for begun, ended, was in caller.answers if begun >= since and was == allowed), None)


def relapses(caller, since, until, allowed):
    """Answers of the old kind to requests begun after the first of the new kind ended, before the next change."""
    first = effect(caller, since, allowed)
    return [a for a in caller.answers if a[0] >= first and a[1] <= until and a[2] != allowed]


def changes(stack, rng):
    """An endless row of (name, narrowing change, widening change)."""
    key = stack.subject_id
    models = f"/integrations/{stack.integration}/models"

    def rule(enabled):
        return lambda: stack.admin("PUT", models, {"models": [{"slug": "gpt-4o-mini", "enabled": enabled}], "allow_all_models": True}, wait=False)

    def access(enabled):
        return lambda: stack.admin("PUT", f"/integrations/{stack.integration}/workspaces",
                                   {"workspaces": [{"id": stack.workspace, "enabled": enabled}]}, wait=False)

    def scopes(*names):
        return lambda: stack.admin("PUT", f"/api-keys/{key}", {"scopes": list(names)}, wait=False)

    kinds = [("model rule", rule(False), rule(True)), ("workspace access", access(False), access(True)),
             ("key scopes", scopes("models.list"), scopes("models.list", "completions.write"))]
    while True:
        rng.shuffle(kinds)
        yield from kinds


def main():
    given = drill.arguments(__doc__, changes=24)
    rng = random.Random(given.seed)
    delays = {"narrow": [], "widen": []}
    with harness.stack(given.build, workers=WORKERS) as stack:
        made = stack.make_key()
        stack.subject_key, stack.subject_id = made["key"], made["id"]
        callers = one_caller_per_worker(stack)
        for caller in callers:
            caller.thread.start()
        try:
            source, turn = changes(stack, rng), None
            for i in range(given.changes):
                turn = next(source) if i % 2 == 0 else turn
                name, allowed = turn[0], i % 2 == 1
                (turn[2] if allowed else turn[1])()
                told = time.monotonic()
                kind = "widen" if allowed else "narrow"
                for caller in callers:
                    wait_for(f"{name} ({kind}) on worker {caller.worker}", lambda c=caller: effect(c, told, allowed), LIMIT_S, 0.0005)
                    delays[kind].append(max(0.0, effect(caller, told, allowed) - told))
                for _ in range(NEW_CONNECTIONS):
                    fresh = connect(stack)
                    assert call(stack, fresh) == allowed, f"{name}: a new connection gets the old answer after all workers gave the new one"
                    fresh.close()
                time.sleep(rng.uniform(0, 0.03))
                for caller in callers:
                    wrong = relapses(caller, told, time.monotonic(), allowed)
                    assert not wrong, f"{name} ({kind}): {len(wrong)} old answers after the first new one: {wrong[:3]}"
                    caller.answers = caller.answers[-50:]
        finally:
            for caller in callers:
                caller.stopping.set()
                caller.thread.join(20)
    every = delays["narrow"] + delays["widen"]
    drill.report(given, {"drill": "propagation", "seed": given.seed, "changes": given.changes, "workers": WORKERS,
                         **{name: {"p50_ms": round(drill.percentile(values, 0.5) * 1000, 2), "p99_ms": round(drill.percentile(values, 0.99) * 1000, 2),
                                   "max_ms": round(max(values) * 1000, 2)} for name, values in {**delays, "all": every}.items() if values}})


if __name__ == "__main__":
    main()
