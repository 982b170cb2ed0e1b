#!/usr/bin/env python3
"""Black box: a data plane tries credentials, saved and not, and asks the provider for its models. Runs beside a stack (harness.py)."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from suite import FACTS, KEY, SIM, admin  # noqa: E402

PATH = "/integrations/asked"
HOST = {"custom_host": SIM.url + "/v1"}


def call(method, path, body=None):
    return harness.request(f"{FACTS['control_url']}/v1{path}", method, body, {"x-portkey-api-key": FACTS["org_admin_key"]})


def ok(what):
    print("ok", what, flush=True)


def sent(key):
    """The provider's record of a request is written when it ends, which may be after its answer."""
    harness.wait_for(f"{key} at the provider", lambda: (SIM.last() or {"headers": {}})["headers"].get("authorization") == f"Bearer {key}")


def check_test():
    before = admin("GET", PATH)
    tried = admin("POST", PATH + "/test")
    assert tried["success"] and tried["http_status"] == 200, tried
    sent("sk-saved-0123456789")
    tried = admin("POST", PATH + "/test", {"key": "sk-other-0123456789"})
    assert tried["success"], tried
    sent("sk-other-0123456789")
    tried = admin("POST", PATH + "/test", {"key": "sk-third-0123456789", "configurations": HOST})
    assert tried["success"], tried
    sent("sk-third-0123456789")
    tried = admin("POST", PATH + "/test", {"configurations": {"custom_host": SIM.url + "/elsewhere/v1"}})
    assert tried["success"], tried
    sent("sk-saved-0123456789")  # a kept key goes to a host that it may go to
    assert SIM.last()["path"] == "/elsewhere/v1/models", SIM.last()
    SIM.reset()
    refused = call("POST", PATH + "/test", {"configurations": {"custom_host": SIM.url.replace("127.0.0.1", "localhost") + "/v1"}})
    assert refused.status == 400 and SIM.records() == [], f"a kept key never goes to another host: {refused}"
    for body in ({"key": 1}, {"key": "sk-0123456789", "nothing": 1}, {"configurations": []}):
        refused = call("POST", PATH + "/test", body)
        assert refused.status == (200 if "nothing" in body else 400), (body, refused)
    tried = admin("POST", PATH + "/test", {"key": None})
    assert not tried["success"] and tried["http_status"] == 401, f"without a key: {tried}"
    assert admin("GET", PATH) == before, "nothing of it is saved"
    admin("POST", PATH + "/test")
    sent("sk-saved-0123456789")
    ok("credentials are tried before they are saved")


def models():
    listed = admin("GET", PATH + "/models")
    return listed, {row["slug"]: row for row in listed["models"]}


def check_refresh():
    listed, rows = models()
    assert listed["refreshed_at"] is None and {row["listed_by_provider"] for row in rows.values()} == {None}
    SIM.reset()
    rehearsed = admin("POST", PATH + "/models/refresh?dry_run=true")
    assert rehearsed["success"] and rehearsed["dry_run"] and models()[0] == listed, rehearsed
    fresh = admin("POST", PATH + "/models/refresh")
    assert fresh == {**rehearsed, "dry_run": False, "latency_ms": fresh["latency_ms"]}, (fresh, rehearsed)
    at_provider = {row["id"] for row in harness.request(SIM.url + "/v1/models", headers={"authorization": "Bearer x"}).json["data"]}
    assert fresh["complete"] and fresh["listed"] == len(at_provider) and set(fresh["added"]) == at_provider - set(rows), fresh
    assert fresh["vanished"] == fresh["returned"] == [] and fresh["absent"] == len(set(rows) - at_provider)
    after, rows = models()
    assert after["refreshed_at"] and {slug for slug, row in rows.items() if row["listed_by_provider"]} == at_provider
    assert {slug for slug, row in rows.items() if row["discovered"]} == set(fresh["added"]) and all(row["enabled"] for row in rows.values())
    again = admin("POST", PATH + "/models/refresh")
    assert again["added"] == [] and again["listed"] == fresh["listed"]
    ok(f"the provider's {fresh['listed']} models are known, {len(fresh['added'])} of them new")
    return fresh["added"]


def list_models():
    """What both planes list of the provider; the same."""
    def alike():
        lists = [harness.request(f"{FACTS[url]}/v1/models?provider=asked", "GET", None, {"x-portkey-api-key": KEY}).json for url in ("gateway_url", "control_url")]
        return lists[0] == lists[1] and lists
    return {row["slug"]: row for row in harness.wait_for("both planes list the same models", alike)[0]["data"]}


def check_followers(added):
    body = {"model": f"@asked/{added[0]}", "messages": [{"role": "user", "content": "hello"}]}
    assert set(added) <= set(list_models())
    chat = lambda: harness.request(f"{FACTS['gateway_url']}/v1/chat/completions", "POST", body, {"x-portkey-api-key": KEY})  # noqa: E731
    assert chat().status == 200, chat()
    admin("PUT", PATH + "/models", {"allow_all_models": False})
    assert not set(added) & set(list_models()) and chat().status == 404, chat()
    admin("PUT", PATH + "/models", {"models": [{"slug": added[0], "enabled": True}]})
    assert set(list_models()) == {added[0]} and chat().status == 200, chat()
    ok("a model that was found follows allow_all_models until somebody rules it")


def main():
    workspace = FACTS["workspace"]["id"]
    admin("POST", "/integrations", {"name": "asked", "slug": "asked", "ai_provider_id": "groq", "key": "sk-saved-0123456789", "configurations": HOST})
    admin("PUT", PATH + "/workspaces", {"workspaces": [{"id": workspace, "enabled": True}]})
    check_test()
    added = check_refresh()
    check_followers(added)


main()
