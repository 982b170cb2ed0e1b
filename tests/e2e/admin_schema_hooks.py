"""Loaded by schemathesis (admin_schema.py): points most of the requests that it makes at things that exist, signs in for the console's
routes, and counts what came back. $ADMIN_SCHEMA says where and with which key."""
import atexit
import collections
import json
import os
import random
import re
import urllib.request

import schemathesis

GIVEN = json.loads(os.environ["ADMIN_SCHEMA"])
chance = random.Random(1)
counts = collections.defaultdict(collections.Counter)
live = {}


def call(method, path, body=None, headers=None):
    request = urllib.request.Request(f"http://127.0.0.1:{GIVEN['port']}/v1{path}", None if body is None else json.dumps(body).encode(),
                                     headers or {"x-portkey-api-key": GIVEN["key"]}, method=method)
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.loads(response.read()), response.headers


def unique(prefix):
    return f"{prefix}-{chance.randrange(1 << 40):x}"


def make_workspace():
    return call("POST", "/admin/workspaces", {"name": unique("w"), "users": ["ada@example.com"]})[0]["id"]


def make_integration():
    made = call("POST", "/integrations", {"name": "i", "slug": unique("i"), "ai_provider_id": "openai", "key": "sk-" + unique("key")})[0]
    call("PUT", f"/integrations/{made['slug']}/workspaces", {"workspaces": [{"id": get("workspace"), "enabled": True}]})
    return made["slug"]


def make_provider():
    return call("POST", "/providers", {"name": "p", "integration_id": get("integration"), "workspace_id": get("workspace"), "slug": unique("p")})[0]["id"]


def make_virtual_key():
    return call("POST", "/virtual-keys", {"name": "v", "provider": "openai", "key": "sk-" + unique("key"), "workspace_id": get("workspace")})[0]["id"]


def make_config():
    return call("POST", "/configs", {"name": "c", "config": {"retry": {"attempts": 1}}, "workspace_id": get("workspace")})[0]["id"]


def make_key():
    return call("POST", "/api-keys/workspace/service", {"name": "k", "workspace_id": get("workspace"), "scopes": []})[0]["id"]


def make_policy():
    body = {"conditions": [{"key": "workspace_id", "value": "*"}], "group_by": [{"key": "api_key"}], "workspace_id": get("workspace")}
    usage = call("POST", "/policies/usage-limits", {**body, "type": "cost", "credit_limit": 10})[0]["id"]
    return usage, call("POST", "/policies/rate-limits", {**body, "type": "requests", "unit": "rpm", "value": 10})[0]["id"]


def make_invite():
    return call("POST", "/admin/users/invites", {"email": unique("i") + "@example.com", "role": "member"})[0]["id"]


def enter():
    link = call("POST", "/admin/users/invites", {"email": unique("u") + "@example.com", "role": "member"})[0]["invite_link"]
    return call("POST", "/console/invite", {"token": link.split("token=")[1], "password": unique("password")}, {"x-none": "x"})[0]["user_id"]


def sign_in():
    """The headers of somebody who is signed in."""
    body, headers = call("POST", "/console/session", {"email": GIVEN["email"], "password": GIVEN["password"]}, {"x-none": "x"})
    return {"cookie": headers["set-cookie"].split(";")[0], "x-csrf-token": body["csrf_token"], "id": body["id"]}


# passwords are throttled by address, so these are made before the flood; the last ones stay when the rest is used up
users, sessions = [enter() for _ in range(14)], [sign_in() for _ in range(10)]


def make_user():
    return users.pop() if len(users) > 1 else users[0]


def make_session():
    return sessions.pop() if len(sessions) > 1 else sessions[0]


def make_member():
    user = get("user")
    call("POST", f"/admin/workspaces/{get('workspace')}/users", {"users": [{"id": user, "role": "member"}]})
    return user


def make_deleted():
    made = make_key()
    call("DELETE", f"/api-keys/{made}")
    return made


def get(kind):
    if kind not in live:
        live[kind] = globals()["make_" + kind]()
    return live[kind]


def model_of(_):
    rows = call("GET", f"/models?workspace_id={get('workspace')}&limit=1")[0]["data"]
    return rows[0]["id"] if rows else "none"


def segment(operation, name):
    """A value for a path parameter that makes the request find something."""
    if name == "model":
        get("provider")
        return model_of(name)
    if name == "provider" and "ai-providers" in operation.path:
        return "openai"
    if name == "provider" and "virtual" in operation.path:
        return get("virtual_key")
    if name == "policy":
        return get("policy")["rate-limits" in operation.path]
    if name == "entity":
        return unique("entity")
    if name == "session":
        return get("session")["id"]
    if name == "type":
        return "workspace"
    if name == "user" and "{workspace}" in operation.path:
        return get("member")
    return "service" if name == "subtype" else get(name)


BODY = {
    "workspace_id": lambda: get("workspace"), "integration_id": lambda: get("integration"), "user_id": lambda: get("user"),
    "ai_provider_id": lambda: "openai", "provider": lambda: "openai", "email": lambda: unique("e") + "@example.com", "scopes": lambda: ["models.list"],
    "slug": lambda: unique("s"), "config": lambda: {"retry": {"attempts": 1}}, "rotation_policy": lambda: {"rotation_period": "weekly"},
    "key": lambda: unique("sk-brought-from-elsewhere"), "force_delete": lambda: True, "time_zone": lambda: "Europe/Berlin",
    "default_provider_slug": lambda: unique("d"), "workspace_api_key_details": lambda: {"scopes": ["models.list"]},
    "secret_mappings": lambda: [], "pricing_adjustments": lambda: {"multiplier": {"input_token": 1.5}},
    "key_transition_period_ms": lambda: 1800000, "allow_config_override": lambda: True, "is_default": lambda: 1, "configurations": lambda: {},
    "conditions": lambda: [{"key": "metadata.team", "value": ["a", "b"]}], "group_by": lambda: [{"key": "metadata.team"}], "credit_limit": lambda: 10,
    "from": lambda: "2026-01-01T00:00:00Z", "to": lambda: "2026-02-01T00:00:00Z",
}
IN_WORKSPACE = ("provider", "virtual_key", "config", "key", "member", "policy")
GONE = {
    "workspaces_delete": ("workspace", *IN_WORKSPACE), "integrations_delete": ("integration", "provider"), "providers_delete": ("provider",),
    "usage_policies_delete": ("policy",), "rate_policies_delete": ("policy",), "virtual_keys_delete": ("virtual_key",), "configs_delete": ("config",), "api_keys_delete": ("key",), "api_keys_rotate": ("key",),
    "members_delete": ("member",), "users_delete": ("user", "member"), "invites_delete": ("invite",), "sessions_end": ("session",),
    "sessions_revoke": ("session",), "deleted_restore": ("deleted",), "deleted_forget": ("deleted",),
}
DROPPED = ("name",)  # of a DELETE: a confirmation that would have to be right


def help_body(case, operation):
    if not isinstance(case.body, dict):
        return
    for name in list(case.body):
        if name in BODY:
            case.body[name] = BODY[name]()
        elif case.method == "DELETE" and name in DROPPED:
            del case.body[name]
    if "workspaces" in case.body:
        case.body["workspaces"] = [{"id": get("workspace"), "enabled": True, "role": "member"}]
    if "users" in case.body:
        case.body["users"] = [{"id": get("user"), "role": "member"}] if "/users" in operation.path else [get("user")]
    if "models" in case.body and isinstance(case.body["models"], list):
        case.body["models"] = ["x:1"] if case.method == "DELETE" else [{"slug": "x:1", "enabled": True}]
    if "defaults" in case.body:
        case.body["defaults"] = {"metadata": {"a": "b"}}
    if "create" in operation.definition.raw["operationId"] and "workspace_id" not in case.body and "users" not in operation.path:
        case.body["workspace_id"] = get("workspace")


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = case.operation
    name = operation.definition.raw["operationId"]
    spent = name in ("sessions_end", "sessions_revoke", "users_delete") and counts[name]["200"] >= 3
    if "/console/" in operation.path:
        session = get("session") if not spent else {"cookie": "sluice_session=ended", "x-csrf-token": "ended"}
        case.headers, case.cookies = {"cookie": session["cookie"], "x-csrf-token": session["x-csrf-token"]}, {}
    else:
        case.headers = {**(case.headers or {}), "x-portkey-api-key": GIVEN["key"]}
    if chance.random() < 0.25 or spent:
        return
    for name in list(case.path_parameters or {}):
        case.path_parameters[name] = segment(operation, name)
    for name in list(case.query or {}):
        if name in ("workspace_id", "user_id"):
            case.query[name] = get(name[:-3])
        elif name == "dry_run" and chance.random() < 0.8 or name in ("page_size", "current_page", "limit", "offset", "from", "to", "start_time", "end_time"):
            del case.query[name]
    if "workspace_id" not in (case.query or {}) and any(p.name == "workspace_id" for p in operation.query):
        case.query = {**(case.query or {}), "workspace_id": get("workspace")}
    help_body(case, operation)


@schemathesis.hook
def after_call(context, case, response):
    operation = case.operation.definition.raw["operationId"]
    if case.method.lower() == case.operation.method.lower():
        counts[operation][str(response.status_code)] += 1
    for kind in GONE.get(operation, ()) if response.status_code == 200 else ():
        live.pop(kind, None)


@schemathesis.check
def names_the_field(context, response, case):
    """A 400 of ours says which field is wrong and what the rule is."""
    if response.status_code != 400:
        return
    error = response.json()["data"]
    if error["code"] == "invalid_http":
        return
    message = error["message"]
    assert re.match(r"^([A-Za-z_][\w.\[\]-]*: .|The body )", message), f"no field and rule: {message}"


@atexit.register
def report():
    with open(GIVEN["report"], "w", encoding="utf-8") as file:
        json.dump(counts, file)
