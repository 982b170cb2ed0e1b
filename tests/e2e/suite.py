"""What the Python suites that run beside with_stack.sh share: the stack of $SLUICE_STACK, its admin API, the simulator."""
import json
import os

import harness

FACTS = json.loads(os.environ["SLUICE_STACK"])
BASE_URL = FACTS["gateway_url"] + "/v1"
KEY = FACTS["workspace_key"]
PROVIDER = "@" + FACTS["provider"]["slug"]
SIM = harness.Sim(FACTS["sim_url"])


def admin(method, path, body=None):
    """One admin call with the organisation's key; AssertionError unless 200; a change is applied at the node when it returns."""
    if method != "GET":
        path += ("&" if "?" in path else "?") + "wait=applied"
    reply = harness.request(f"{FACTS['control_url']}/v1{path}", method, body, {"x-portkey-api-key": FACTS["org_admin_key"]})
    assert reply.status == 200, f"{method} {path}: {reply}"
    return reply.json


def integrate(slug, kind, **more):
    """An integration of that type at the simulator, with a provider in the workspace. Gives "@slug"."""
    admin("POST", "/integrations", {"name": slug, "slug": slug, "ai_provider_id": kind, "key": f"sk-upstream-{slug}",
                                    "configurations": {"custom_host": FACTS["sim_url"] + "/v1"}, **more})
    admin("PUT", f"/integrations/{slug}/workspaces", {"workspaces": [{"id": FACTS["workspace"]["id"], "enabled": True}]})
    return "@" + slug
