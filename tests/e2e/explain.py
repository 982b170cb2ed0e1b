"""Explain is what happens: for random requests the account given by /v1/explain equals the call made next. SLUICE_EXPLAIN_CALLS: how many."""
import json
import os
import random

import harness

CALLS = int(os.environ.get("SLUICE_EXPLAIN_CALLS", "400"))
MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo", "@a/gpt-4o", "@only/gpt-4o", "@only/gpt-4.1", "@none/gpt-4o", "@claude/claude-sonnet-4-20250514", "gpt-none")
TARGETS = ({"provider": "@a"}, {"provider": "@none"}, {"provider": "@only"}, {"provider": "@only", "override_params": {"model": "gpt-4.1"}},
           {"override_params": {"model": "@claude/claude-sonnet-4-20250514"}}, {"provider": "@b", "override_params": {"max_tokens": 5}},
           {"provider": "@poor"})


def some_config(rng):
    kind = rng.choice(("none", "one", "fallback", "conditional", "nested"))
    some = [dict(rng.choice(TARGETS)) for _ in range(3)]
    if kind == "none":
        return None
    if kind == "one":
        return some[0]
    if kind == "fallback":
        return {"strategy": {"mode": "fallback"}, "targets": some}
    if kind == "nested":
        return {"strategy": {"mode": "fallback"}, "targets": [{"strategy": {"mode": "fallback"}, "targets": some[:2]}, some[2]]}
    names = [{**target, "name": f"t{i}"} for i, target in enumerate(some)]
    conditions = [{"query": {"metadata.team": {"$eq": "red"}}, "then": "t1"}, {"query": {"params.temperature": {"$gt": 1}}, "then": "t2"}]
    return {"strategy": {"mode": "conditional", "conditions": conditions, "default": "t0"}, "targets": names}


class Explain(harness.Case):
    def explain(self, body, headers=None, key=True, path="/explain", method="POST"):
        return self.s.gateway(method, path, body, headers, key)

    def test_the_next_call(self):
        rng, told = random.Random(6), {"allowed": 0, "refused": 0}
        keys = [self.s.key, self.keys["poor"], self.keys["listed"]]
        for i in range(CALLS):
            body = self.s.chat_body("hello " * rng.randrange(1, 5), rng.choice(MODELS), temperature=rng.choice((0.5, 1.5)))
            headers = {"x-portkey-metadata": json.dumps({"team": rng.choice(("red", "blue"))})}
            config = some_config(rng)
            if config:
                headers["x-portkey-config"] = json.dumps(config)
            elif rng.random() < 0.5:
                headers["x-portkey-provider"] = rng.choice(("@a", "@b", "@only"))
            key = rng.choice(keys)
            account = self.explain(body, headers, key)
            self.assertEqual(account.status, 200, str(account))
            reply = self.s.gateway("POST", "/chat/completions", body, headers, key)
            with self.subTest(i, headers=headers, model=body["model"]):
                self.compare(account.json, reply)
            told[account.json["verdict"]] += 1
        self.assertGreater(min(told.values()), CALLS // 10, told)

    def compare(self, account, reply):
        self.assertEqual(account["status"], reply.status, f"{account} {reply}")
        if account["verdict"] == "refused":
            self.assertEqual((account["code"], account["message"]), (reply.error["code"], reply.message))
            return
        attempt = account["attempt"]
        self.assertEqual(attempt["option_index"], reply.headers["x-portkey-last-used-option-index"])
        self.assertEqual(attempt["provider_type"], reply.headers["x-portkey-provider"])
        used, price = reply.json["usage"], attempt["price"]
        charge = used["prompt_tokens"] * price["input_nanousd_per_million"] + used["completion_tokens"] * price["output_nanousd_per_million"]
        self.assertEqual(int(reply.headers["x-sluice-cost-nanousd"]), -(-charge // 1000000), attempt)

    def test_it_leaves_no_trace(self):
        key = self.s.make_key(usage_limits={"credit_limit": 1, "type": "cost"}, rate_limits=[{"type": "requests", "unit": "rph", "value": 3}])
        before = None
        for _ in range(10):
            account = self.explain(self.s.chat_body(model="@a/gpt-4o"), key=key["key"]).json
            self.assertEqual(account["verdict"], "allowed", account)
            limits = account["attempt"]["limits"]
            self.assertEqual([limit["level"] for limit in limits if limit["measure"] == "cost"], ["api key"], limits)
            self.assertGreater(next(limit for limit in limits if limit["measure"] == "cost")["takes"], 0)
            self.assertEqual(account["limits"][0]["limit"], 3)
            remaining = [limit.get("remaining_before") for limit in limits]
            self.assertEqual(remaining, before or remaining)
            before = remaining if None not in remaining else None
        self.assertEqual(self.s.sim.records(), [])
        for _ in range(3):
            self.assertEqual(self.s.chat(model="@a/gpt-4o", key=key["key"]).status, 200)
        account = self.explain(self.s.chat_body(model="@a/gpt-4o"), key=key["key"]).json
        self.assertEqual((account["verdict"], account["status"], account["step"]), ("refused", 429, "admit"))

    def test_the_whole_account(self):
        config = {"strategy": {"mode": "fallback"}, "colour": "red", "request_timeout": 5000, "cache": "simple",
                  "targets": [{"provider": "@none"}, {"provider": "@only", "retry": {"attempts": 2}}]}
        account = self.explain(self.s.chat_body(model="gpt-4o"), {"x-portkey-config": json.dumps(config)}).json
        self.assertEqual([row["code"] for row in account["tried"]], ["provider_not_found"])
        self.assertEqual(account["tried"][0]["option_index"], "config.targets[0]")
        attempt = account["attempt"]
        self.assertEqual((attempt["option_index"], attempt["provider"], attempt["model"]), ("config.targets[1]", "only", "gpt-4o"))
        self.assertEqual((attempt["model_list"]["verdict"], bool(attempt["model_list"]["row"])), ("allowed", True))
        self.assertEqual((attempt["timeouts_ms"]["request"], attempt["cache"], attempt["translated"]), (5000, "MISS", False))
        self.assertEqual([row["mode"] for row in account["plan"]], ["fallback", "target", "target"])
        self.assertEqual(account["plan"][2]["retries"], 2)
        self.assertEqual(len(account["warnings"]), 1)
        self.assertEqual(account["workspace_id"], self.s.workspace)
        self.assertGreater(account["revision"], 0)

    def test_other_operations_and_the_header(self):
        body = {"model": "@a/text-embedding-3-small", "input": "hello"}
        account = self.explain(body, path="/explain/embeddings").json
        self.assertEqual((account["verdict"], account["operation"]), ("allowed", "embeddings"))
        self.assertEqual(self.explain(body, {"x-sluice-explain": "true"}, path="/embeddings").json["operation"], "embeddings")
        self.assertEqual(self.explain(None, path="/explain/batches", method="GET").json["operation"], "batches_list")
        self.refused(self.explain(body, path="/explain/nothing"), 404)
        self.refused(self.explain(body, key="sk-wrong"), 401)
        self.refused(self.explain(b"{"), 400)


def setUpModule():
    s = harness.Case.stack
    rows = [{"slug": slug, "enabled": True} for slug in ("gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo", "text-embedding-3-small")]
    for slug in ("a", "b", "poor"):  # what only the provider could refuse is not explained
        s.make_integration(slug, models=rows, workspaces=[s.workspace])
    s.make_integration("only", models=[{"slug": "gpt-4o", "enabled": True}], workspaces=[s.workspace])
    s.make_integration("claude", kind="anthropic", workspaces=[s.workspace])
    s.admin("PUT", "/integrations/poor/workspaces", {"workspaces": [{"id": s.workspace, "enabled": True,
                                                                     "usage_limits": [{"type": "cost", "credit_limit": 0.000001, "mode": "strict"}]}]})
    Explain.keys = {"poor": s.make_key(usage_limits={"credit_limit": 0.000001, "type": "cost", "mode": "strict"})["key"],
                    "listed": s.make_key(allowed_models=["gpt-4o"])["key"]}


if __name__ == "__main__":
    harness.run_cases("--gateway-arg", "--breaker=false", workers=1)
