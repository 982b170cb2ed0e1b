#!/usr/bin/env python3
"""Black box: the list of models is answered by a node's catalog and by the control plane's store, and both say the same, to the byte of
every row, whatever is filtered, searched or sorted. Runs beside a stack (harness.py)."""
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from suite import FACTS, KEY, admin  # noqa: E402

CUSTOM = {"slug": "tuned/x:1", "enabled": True, "is_custom": True, "is_finetune": True, "base_model_slug": "gpt-4o", "name": "Tuned", "description": "Our own one",
          "pricing_config": {"type": "static", "pay_as_you_go": {"request_token": {"price": 0.0005}, "response_token": {"price": 0.001}}}}
QUERIES = ("", "type=chat", "type=embedding", "search=mini", "search=our%20own", "search=%40models", "status=deprecated", "capability=vision,function_calling", "input_modality=image",
           "output_modality=text", "is_custom=true", "is_custom=false&limit=3", "provider=models", "provider=%40models", "provider=openai", "ai_service=openai",
           "ai_service=nobody", "sort=name&limit=7&offset=3", "sort=created&order=desc&limit=9", "sort=context_window&order=desc&limit=5", "sort=ai_service", "sort=provider&order=desc",
           "limit=0", "offset=100000")
WANTED = ("id", "object", "created", "owned_by", "slug", "canonical_slug", "provider", "ai_service", "name", "description", "type", "is_custom", "status", "deprecated",
          "release_date", "modalities", "capabilities", "limits", "price")


def get(base, path):
    reply = harness.request(f"{base}/v1{path}", "GET", None, {"x-portkey-api-key": KEY})
    assert reply.status == 200, f"{base}{path}: {reply}"
    return reply.json


def main():
    admin("POST", "/integrations", {"name": "models", "slug": "models", "ai_provider_id": "openai", "key": "sk-0123456789abcdef"})
    admin("PUT", "/integrations/models/models", {"models": [CUSTOM, {"slug": "gpt-4o-mini", "enabled": False},
                                                            {"slug": "gpt-4", "enabled": True, "pricing_config": {"pay_as_you_go": {"request_token": {"price": 0.1}}}}]})
    admin("PUT", "/integrations/models/workspaces", {"workspaces": [{"id": FACTS["workspace"]["id"], "enabled": True}]})
    admin("PUT", f"/providers/models?workspace_id={FACTS['workspace']['id']}", {"allowed_models": ["gpt-*", "tuned/*", "text-embedding-*"]})
    seen = 0
    for query in QUERIES:
        node, control = (get(FACTS[url], f"/models?{query}") for url in ("gateway_url", "control_url"))
        assert node == control, f"{query}: {[(a, b) for a, b in zip(node['data'], control['data']) if a != b][:1] or (node['total'], control['total'])}"
        seen += len(node["data"])
    rows = {row["id"]: row for row in get(FACTS["gateway_url"], "/models")["data"]}
    assert all(set(WANTED) == set(row) for row in rows.values()), next(row for row in rows.values() if set(row) != set(WANTED))
    tuned = rows["@models/tuned/x:1"]
    own = {"input_token": 0.000005, "output_token": 0.00001}
    rest = {unit: price for unit, price in rows["@models/gpt-4o"]["price"]["per_unit"].items() if "token" not in unit and "cache" not in unit}
    assert tuned["price"] == {"currency": "USD", "source": "integration", "per_unit": {**rest, **own}}, f"own token prices in place of all of its base's: {tuned}"
    assert tuned["is_custom"] and tuned["name"] == "Tuned" and tuned["description"] == "Our own one" and tuned["type"] == "chat" and tuned["created"] > 0, tuned
    assert rows["@models/gpt-4o"]["price"]["source"] == "catalog" and rows["@models/gpt-4o"]["limits"]["context_window"] > 0
    assert "@models/gpt-4o-mini" not in rows and not any(i.startswith("@models/o1") for i in rows), "denied and narrowed ones are not listed"
    for model in ("@models/tuned/x:1", "@models/gpt-4o"):
        path = f"/models/{urllib.parse.quote(model, safe='')}"
        assert get(FACTS["gateway_url"], path) == get(FACTS["control_url"], path) == rows[model], model
    print(f"{len(QUERIES)} queries, {seen} rows alike at both planes")


main()
