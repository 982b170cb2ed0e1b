#!/usr/bin/env python3
"""Admin writes under kill -9 of the control plane: no acknowledged write is lost, none is half-applied, the audit chain is whole.

Each writer makes workspaces, and gives each an API key and a config. A new workspace gets a provider of every integration with global
access in the same operation: a workspace without one would be half a write.
"""
import http.client
import random
import threading
import time

import drill
from drill import harness

WRITERS = 4


class Writer(threading.Thread):
    """Writes with names of its own, and remembers what was acknowledged."""

    def __init__(self, stack, number, stopping):
        super().__init__()
        self.stack, self.number, self.stopping = stack, number, stopping
        self.acknowledged, self.unknown, self.wrong = [], [], []

    def post(self, path, body):
        """The reply, or None if it is not known what became of the call."""
        try:
            reply = harness.request(f"{self.stack.control_url}/v1{path}", "POST", body, {"x-portkey-api-key": self.stack.admin_key}, 10)
        except (OSError, http.client.HTTPException):
            return None
        if reply.status in (502, 503):
            return None
        if reply.status != 200:
            self.wrong.append(f"{path}: {reply}")
            return None
        return reply

    def run(self):
        count = 0
        while not self.stopping.is_set():
            count += 1
            name = f"drill-{self.number}-{count}"
            reply = self.post("/admin/workspaces", {"name": name, "slug": name})
            if reply is None:
                self.unknown.append(("workspace", name))
                time.sleep(0.005)
                continue
            workspace = reply.json["id"]
            self.keep("workspace", name, workspace, reply)
            reply = self.post("/configs", {"name": name, "workspace_id": workspace, "config": {"provider": "@" + self.stack.provider}})
            if reply is None:
                self.unknown.append(("config", name))
            else:
                self.keep("config", name, reply.json["id"], reply)

    def keep(self, kind, name, identity, reply):
        self.acknowledged.append((kind, name, identity, int(reply.headers["x-sluice-revision"])))


def list_all(stack, path):
    """Every row of a list, page by page."""
    rows, page = [], 0
    while True:
        part = stack.admin("GET", f"{path}{'&' if '?' in path else '?'}page_size=100&current_page={page}").json["data"]
        rows += part
        if len(part) < 100:
            return rows
        page += 1


def check(stack, writers):
    workspaces = {row["name"]: row for row in list_all(stack, "/admin/workspaces")}
    revisions = set()
    for writer in writers:
        assert not writer.wrong, writer.wrong[:3]
        for kind, name, identity, revision in writer.acknowledged:
            assert revision not in revisions, f"revision {revision} was given twice"
            revisions.add(revision)
            if kind == "workspace":
                assert workspaces.get(name, {}).get("id") == identity, f"lost: workspace {name} {identity} of revision {revision}"
            else:
                found = stack.admin("GET", f"/configs/{identity}").json
                assert found["name"] == name, f"lost: config {name}"
    assert max(revisions) <= stack.revision()
    return workspaces, revisions


def check_whole(stack, workspaces):
    """Every workspace of the drill, acknowledged or not, has its provider."""
    for name, row in workspaces.items():
        if name.startswith("drill-"):
            providers = stack.admin("GET", f"/providers?workspace_id={row['id']}").json["data"]
            assert providers, f"half applied: workspace {name} has no provider"


def main():
    given = drill.arguments(__doc__, kills=6)
    rng = random.Random(given.seed)
    ready = []
    with harness.stack(given.build, workers=1) as stack:
        stack.admin("PUT", f"/integrations/{stack.integration}/workspaces", {"global_workspace_access": {"enabled": True}})
        host = drill.Host(stack)
        try:
            stopping = threading.Event()
            writers = [Writer(stack, i, stopping) for i in range(WRITERS)]
            for writer in writers:
                writer.start()
            try:
                for _ in range(given.kills):
                    time.sleep(rng.uniform(0.005, 0.5))
                    host.control.kill()
                    ready.append(host.start_control())
                time.sleep(0.2)
            finally:
                stopping.set()
                for writer in writers:
                    writer.join()
            workspaces, revisions = check(stack, writers)
            check_whole(stack, workspaces)
            store = drill.sluicectl(stack, host, "ledger", "verify")[0]
            assert store["audit_intact"] and store["audit_records"] >= len(revisions), store
            # After so many absences the node's back-off may be anywhere up to 30 s (ARCHITECTURE section 4), and another try follows.
            drill.wait_for("the node has everything", lambda: all(n["revision"] >= stack.revision() for n in stack.nodes()), 90)
        finally:
            host.close()
    drill.report(given, {"drill": "admin_kill", "seed": given.seed, "kills": given.kills, "acknowledged": len(revisions),
                         "unknown": sum(len(w.unknown) for w in writers), "audit_records": store["audit_records"],
                         "ready_s": {"p50": round(drill.percentile(ready, 0.5), 3), "p99": round(drill.percentile(ready, 0.99), 3)}})


if __name__ == "__main__":
    main()
