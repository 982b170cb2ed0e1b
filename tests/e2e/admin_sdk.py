#!/usr/bin/env python3
"""Black box: portkey-ai for Python (sync and async) and for JavaScript against sluice-control, every admin method that the SDKs have, in the
order of a thing's life. A method that no step calls fails the suite. Usage: admin_sdk.py BUILD_DIR FILE.mjs (beside node_modules)."""
import asyncio
import inspect
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from portkey_ai import AsyncPortkey, Portkey

from admin_client import check, finish, make, start, stop

RESOURCES = ("admin", "integrations", "providers", "virtual_keys", "api_keys", "configs")


def methods(path, resource, depth=0):
    """Every public method below a resource: "admin.users.invites.create"."""
    for name in sorted(dir(resource)):
        if name.startswith("_"):
            continue
        member = getattr(resource, name)
        if inspect.ismethod(member):
            yield f"{path}.{name}"
        elif type(member).__module__.startswith("portkey_ai.api_resources.apis") and depth < 3:
            yield from methods(f"{path}.{name}", member, depth + 1)


def resolve(client, path):
    for name in path.split("."):
        client = getattr(client, name)
    return client


def plain(result):
    """A result as dicts and lists, whichever class the SDK made of it."""
    if hasattr(result, "model_dump"):
        result = result.model_dump()
    return result if isinstance(result, dict) else json.loads(json.dumps(result, default=lambda o: getattr(o, "__dict__", str(o))))


def walk(client, call, tag, owner):
    """One thing of each kind from its making to its end."""
    made = call("admin.workspaces.create", name=f"Team {tag}", description="of the suite", defaults={"metadata": {"a": "b"}})
    workspace = made["id"]
    check(made["slug"] and made["created_at"].endswith("Z"), "workspace", made)
    check(call("admin.workspaces.retrieve", workspace_id=made["slug"])["id"] == workspace, "workspace by slug")
    call("admin.workspaces.update", workspace_id=workspace, name=f"Team {tag} 2", description="changed")
    check(call("admin.workspaces.list", exact_name=f"Team {tag} 2")["total"] == 1, "workspace renamed")

    users = call("admin.users.list", page_size=10, current_page=0, role="owner")
    check(users["data"][0]["id"] == owner and call("admin.users.retrieve", user_id=owner)["role"] == "owner", "owner", users)
    invite = call("admin.users.invites.create", email=f"{tag}@example.com", role="member", workspaces=[{"id": made["slug"], "role": "member"}],
                  workspace_api_key_details={"scopes": ["logs.list"]})
    check(call("admin.users.invites.retrieve", invite_id=invite["id"])["status"] == "pending", "invite")
    check(call("admin.users.invites.list", page_size=10, current_page=0, email=f"{tag}@example.com")["total"] == 1, "invites")
    where = "invites.resend" if hasattr(client.admin.users.invites, "resend") else "resend"  # the async client has it one level up
    link = call(f"admin.users.{where}", invite_id=invite["id"])["inviteLink"]
    member = accept(link, tag)
    call("admin.users.invites.delete", invite_id=invite["id"])
    call("admin.users.update", user_id=member, role="admin")
    check(call("admin.users.retrieve", user_id=member)["role"] == "admin", "promoted")
    call("admin.users.update", user_id=member, role="member")
    call("admin.workspaces.users.create", workspace_id=workspace, users=[{"id": member, "role": "manager"}])
    check(call("admin.workspaces.users.retrieve", workspace_id=workspace, user_id=member)["role"] == "manager", "member")
    call("admin.workspaces.users.update", workspace_id=workspace, user_id=member, role="admin")
    check(call("admin.workspaces.users.list", workspace_id=workspace, page_size=10, current_page=0, role="admin")["total"] == 1, "members")

    slug = f"i-{tag}"
    call("integrations.create", name="OpenAI", ai_provider_id="openai", slug=slug, key="sk-0123456789abcdef", configurations={"openai_project": "p"})
    check(call("integrations.retrieve", slug=slug)["configurations"]["openai_project"] == "p", "integration")
    call("integrations.update", slug=slug, name="Renamed", description="d")
    check(slug in [i["slug"] for i in call("integrations.list", current_page=0, page_size=100)["data"]], "integrations")
    call("integrations.models.update", slug=slug, allow_all_models=True, models=[{"slug": "mine:1", "enabled": True, "is_custom": True}])
    check("mine:1" in [m["slug"] for m in call("integrations.models.list", slug=slug)["models"]], "models")
    call("integrations.models.delete", slug=slug, slugs="mine:1")
    call("integrations.workspaces.update", slug=slug, workspaces=[{"id": workspace, "enabled": True}], override_existing_workspaces_access=False,
         global_workspace_access={"enabled": False})
    check(call("integrations.workspaces.list", slug=slug)["workspaces"][0]["enabled"] is True, "provisioned")

    provider = call("providers.create", name="P", integration_id=slug, workspace_id=workspace, slug=f"p-{tag}", note="n", usage_limits={"credit_limit": 5})
    check(call("providers.retrieve", slug=provider["slug"], workspace_id=workspace)["usage_limits"]["credit_limit"] == 5, "provider")
    call("providers.update", slug=provider["slug"], workspace_id=workspace, name="P2", note="m", usage_limits=None, reset_usage=True)
    check(call("providers.list", workspace_id=workspace)["total"] == 2, "providers")
    key = call("virtual_keys.create", name="V", provider="openai", key="sk-abcdef0123456789", note="n", workspace_id=workspace)
    check(call("virtual_keys.retrieve", slug=key["slug"])["ai_provider_name"] == "openai", "virtual key")
    call("virtual_keys.update", slug=key["slug"], name="V2", note="m")
    check(call("virtual_keys.list", workspace_id=workspace)["total"] == 3, "virtual keys are providers")

    config = call("configs.create", name="C", config={"retry": {"attempts": 2}}, workspace_id=workspace, is_default=0)
    check(call("configs.retrieve", slug=config["slug"])["config"] == {"retry": {"attempts": 2}}, "config")
    call("configs.update", slug=config["slug"], name="C2", config={"retry": {"attempts": 3}}, status="active")
    check([c["name"] for c in call("configs.list", workspace_id=workspace)["data"]] == ["C2"], "configs")

    api_key = call("api_keys.create", type="workspace", sub_type="user", name="K", workspace_id=workspace, user_id=member, scopes=["completions.write"],
                   defaults={"config_id": config["slug"], "metadata": {"a": "b"}}, usage_limits={"credit_limit": 5})
    check(call("api_keys.retrieve", id=api_key["id"])["user_id"] == member, "api key")
    call("api_keys.update", id=api_key["id"], name="K2", defaults={"config_id": None})
    check([k["name"] for k in call("api_keys.list", workspace_id=workspace)["data"] if k["id"] == api_key["id"]] == ["K2"], "api keys")

    call("api_keys.delete", id=api_key["id"])
    call("configs.delete", id=config["id"], slug=config["slug"])
    call("virtual_keys.delete", slug=key["slug"])
    call("providers.delete", slug=provider["slug"], workspace_id=workspace)
    call("admin.workspaces.users.delete", workspace_id=workspace, user_id=member)
    call("admin.users.delete", user_id=member)
    call("integrations.delete", slug=slug)
    for left in call("api_keys.list", workspace_id=workspace)["data"]:
        call("api_keys.delete", id=left["id"])
    call("admin.workspaces.delete", workspace_id=workspace, name=f"Team {tag} 2")


PORT = None
warnings.simplefilter("ignore", DeprecationWarning)  # the SDK's own, about configs.delete(id=)


def accept(link, tag):
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    connection.request("POST", "/v1/console/invite", json.dumps({"token": link.split("token=")[1], "password": f"the password of {tag}"}),
                       {"content-type": "application/json"})
    return json.loads(connection.getresponse().read())["user_id"]


def drive(client, tag, owner, run):
    called = set()

    def call(path, **options):
        called.add(path)
        return plain(run(resolve(client, path)(**options)))

    walk(client, call, tag, owner)
    have = {m for resource in RESOURCES for m in methods(resource, getattr(client, resource))}
    check(called == have, f"{tag}: every method was called", sorted(have - called))
    return len(called)


def main():
    global PORT
    build, module = Path(sys.argv[1]).resolve(), sys.argv[2]
    with tempfile.TemporaryDirectory(prefix="sluice-sdk-") as name:
        folder = Path(name) / "data"
        boot = make(build, folder)
        program, PORT = start(build, folder)
        url = f"http://127.0.0.1:{PORT}/v1"
        try:
            options = {"api_key": boot["org_admin_key"], "base_url": url}
            count = drive(Portkey(**options), "sync", boot["admin_id"], lambda result: result)
            loop = asyncio.new_event_loop()
            drive(AsyncPortkey(**options), "async", boot["admin_id"], loop.run_until_complete)
            print(f"portkey-ai for Python: {count} methods, sync and async")
            env = {**os.environ, "ADMIN_SDK": json.dumps({"url": url, "key": boot["org_admin_key"], "owner": boot["admin_id"]})}
            done = subprocess.run(["node", module], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
            print(done.stdout[-4000:])
            check(done.returncode == 0, "the JavaScript SDK")
        finally:
            stop(program)
    finish()


main()
