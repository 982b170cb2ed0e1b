#!/usr/bin/env python3
"""Backup under load, then more requests and changes, then restore: the nodes serve the restored configuration, and the ledger agrees with
the truth log, because nodes send again what the restored store has not seen.
"""
import random
import shutil
import threading
import time

import drill
from drill import harness, wait_for

WORKERS = 2


def change(stack, rng, made):
    """One admin change, of those that a client can tell apart."""
    kind = rng.choice(("key", "workspace", "integration"))
    if kind == "key":
        made.append(stack.admin("POST", "/api-keys/workspace/service", {
            "name": f"later {len(made)}", "workspace_id": stack.workspace, "scopes": ["completions.write"]}, wait=False).json["key"])
    elif kind == "workspace":
        stack.admin("POST", "/admin/workspaces", {"name": f"later {rng.randrange(1 << 40)}"}, wait=False)
    else:
        stack.admin("PUT", f"/integrations/{stack.integration}", {"description": f"later {rng.randrange(1 << 40)}"}, wait=False)


def restore(stack, host, backup):
    """Puts the backup in the place of the store, as the run book says."""
    host.control.kill(drill.signal.SIGTERM)
    drill.sluicectl(stack, host, "restore", str(backup), "--force")
    return host.start_control()


def main():
    given = drill.arguments(__doc__, requests=600, changes=10, clients=6)
    rng = random.Random(given.seed)
    with harness.stack(given.build, workers=WORKERS) as stack:
        host = drill.Host(stack)
        backup = stack.data_dir / "drill-backup"
        try:
            made = []
            with drill.Traffic(stack, given.clients, given.seed, slow=False) as traffic:
                wait_for("requests before the backup", lambda: len(traffic.done()) >= given.requests // 3, 300)
                early = stack.make_key()["key"]
                revision = stack.revision()
                drill.sluicectl(stack, host, "backup", str(backup))
                share = threading.Thread(target=lambda: [change(stack, rng, made) or time.sleep(0.01) for _ in range(given.changes)])
                share.start()
                share.join()
                late = stack.make_key()["key"]
                assert stack.chat("x", key=late).status == 200
                wait_for("requests behind the backup", lambda: len(traffic.done()) >= given.requests, 600)
            failed = [r for r in traffic.done() if r.failed]
            assert not failed, f"{len(failed)} failed: {failed[0].fault}"
            drill.settle(stack)
            ready = restore(stack, host, backup)
            wait_for("the node follows the restored store", lambda: stack.chat("x", key=late).status == 401, 60)
            assert stack.revision() >= revision
            assert stack.chat("x", key=early).status == 200 and stack.chat("x").status == 200
            assert all(stack.chat("x", key=key).status == 401 for key in made)
            figures = drill.prove(stack, host)
        finally:
            host.close()
            shutil.rmtree(backup, ignore_errors=True)
    drill.report(given, {"drill": "restore", "seed": given.seed, "requests": len(traffic.results), "changes": given.changes, "ledger": figures,
                         "control_ready_s": round(ready, 3)})


if __name__ == "__main__":
    main()
