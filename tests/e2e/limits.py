"""Budgets, rates and concurrency: each level stops at its own figure and names it, and nothing passes a strict one.

What a strict budget shows is exact: spent is never above the limit, and what is left is less than one more request may cost.
"""
import json
import os
import signal

import harness
from harness import in_threads, wait_for

WORDS = "so many words that a request costs something. " * 80  # about 1000 tokens in 3.7 KB
INPUT_NANOUSD, OUTPUT_NANOUSD = 2500, 10000  # gpt-4o, a token
HOLD = "sim:fault=chunks:4000;interval:50"  # a stream that lasts as long as somebody reads it


def budget(kind, figure, mode="strict", **more):
    return {"type": kind, "credit_limit": figure, "mode": mode, **more}


def rate(kind, unit, value, **more):
    return {"type": kind, "unit": unit, "value": value, "mode": "strict", **more}


def nanousd(usd):
    return round(usd * 1e9)


class Limits(harness.Case):
    def spent(self):
        """(nano-USD, tokens, requests) of everything that reached the provider in this case."""
        records = self.s.sim.records()
        into, out = (sum(r[name] for r in records) for name in ("prompt_tokens", "completion_tokens"))
        return into * INPUT_NANOUSD + out * OUTPUT_NANOUSD, into + out, len(records)

    def usage(self, path, nth=0):
        return self.s.admin("GET", path).json["usage"][nth]

    def settled(self, path, used, nth=0):
        """The counter, once the ledger knows all that was used of it."""
        figure = (lambda row: nanousd(row["used"])) if isinstance(used, tuple) else (lambda row: row["used"])
        used = used[0] if isinstance(used, tuple) else used
        return wait_for(f"{path} at {used}", lambda: (row := self.usage(path, nth)) and figure(row) == used and row)

    def spend(self, send, clients=6):
        """send() by several at once until each was refused, then by one: the last refusal."""
        def client(_):
            for _ in range(4000):
                reply = send()
                if reply.status != 200:
                    return reply
            raise AssertionError("nothing stops it")
        in_threads(clients, client)
        return client(0)

    def over_budget(self, reply, *words):
        self.assertEqual((reply.status, reply.error["code"]), (412, "budget_exhausted"), str(reply))
        for word in words:
            self.assertIn(word, reply.message)

    # --- budgets

    def test_each_level_stops_at_its_own_figure(self):
        """The seed's story, thousandfold smaller: integration 1.5, its row in the workspace 1, a provider 0.1, a key 0.05 USD."""
        s = self.s
        other = s.make_workspace("story two")
        s.make_integration("story", usage_limits=[budget("cost", 1.5)])
        s.admin("PUT", "/integrations/story/workspaces", {"workspaces": [
            {"id": s.workspace, "enabled": True, "usage_limits": [budget("cost", 1)]}, {"id": other["id"], "enabled": True}]})
        s.admin("POST", "/providers", {"name": "azure prod experimental", "slug": "azure-prod-experimental", "integration_id": "story",
                                       "workspace_id": s.workspace, "usage_limits": budget("cost", 0.1)})
        key = s.make_key(usage_limits=budget("cost", 0.05))
        experimental = f"/providers/azure-prod-experimental?workspace_id={s.workspace}"
        row = lambda: next(w for w in s.admin("GET", "/integrations/story/workspaces").json["workspaces"]  # noqa: E731
                           if w["workspace_id"] == s.workspace)["usage"][0]
        before = 0
        for name, limit, usage, send in (
                ("api key", 0.05, lambda: self.usage(f"/api-keys/{key['id']}"),
                 lambda: s.chat(WORDS, "@azure-prod-experimental/gpt-4o", key=key["key"], max_tokens=16)),
                ('provider "azure-prod-experimental"', 0.1, lambda: self.usage(experimental),
                 lambda: s.chat(WORDS, "@azure-prod-experimental/gpt-4o", max_tokens=16)),
                ('integration in workspace', 1, row, lambda: s.chat(WORDS, "@story/gpt-4o", max_tokens=16)),
                ('integration "story"', 1.5, lambda: self.usage("/integrations/story"),
                 lambda: s.chat(WORDS, "@story/gpt-4o", key=other["key"], max_tokens=16))):
            with self.subTest(level=name):
                reply = self.spend(send)
                self.over_budget(reply, name, f"{limit:.2f} USD")
                spent = self.spent()[0]
                self.assertLessEqual(spent, nanousd(limit))
                may_cost = nanousd(float(reply.message.split("may use up to ")[1].split(" USD")[0]))
                self.assertGreater(spent + may_cost, nanousd(limit), "refused although it would have fitted")
                shown = wait_for("all is settled", lambda: (u := usage()) and nanousd(u["used"]) == spent and u)
                self.assertEqual(nanousd(shown["remaining"]), nanousd(limit) - spent)
                self.assertGreater(spent, before)
                before = spent
        self.assertEqual(s.chat().status, 200, "another integration goes on")

    def test_requests_are_exact_and_a_raise_or_reset_reopens(self):
        s = self.s
        key = s.make_key(usage_limits=budget("requests", 7))
        path = f"/api-keys/{key['id']}"
        send = lambda: s.chat(key=key["key"])  # noqa: E731
        self.over_budget(self.spend(send), "api key", "7 requests")
        self.assertEqual(self.spent()[2], 7)
        self.settled(path, 7)
        self.assertEqual(s.admin("GET", path).json["status"], "exhausted")
        s.admin("PUT", path, {"usage_limits": budget("requests", 9)})
        self.over_budget(self.spend(send), "9 requests")
        self.assertEqual(self.spent()[2], 9)
        s.admin("PUT", path, {"reset_usage": True})
        self.over_budget(self.spend(send), "9 requests")
        self.assertEqual(self.spent()[2], 18)
        s.admin("PUT", path, {"usage_limits": None})
        self.assertEqual(send().status, 200)

    def test_tokens_of_streams_and_answers(self):
        key = self.s.make_key(usage_limits=budget("tokens", 9000))

        def send():
            with self.s.stream(WORDS[:400], key=key["key"], max_tokens=16) as events:
                for _ in events:
                    pass
            return self.s.chat(WORDS[:400], key=key["key"], max_tokens=16)
        self.over_budget(self.spend(send), "9000 tokens")
        self.assertLessEqual(self.spent()[1], 9000)
        self.settled(f"/api-keys/{key['id']}", self.spent()[1])

    def test_standard_goes_on_to_the_limit_and_stops(self):
        key = self.s.make_key(usage_limits=budget("cost", 0.05, mode="standard"))
        self.over_budget(self.spend(lambda: self.s.chat(WORDS, key=key["key"], max_tokens=16), clients=3), "api key", "0.05 USD")
        self.assertGreaterEqual(self.spent()[0], nanousd(0.05) * 9 // 10)
        self.assertLessEqual(self.spent()[0], nanousd(0.05) + 4 * nanousd(0.01), "more than what was in flight")

    def test_a_strict_budget_needs_a_price_and_a_bound(self):
        s = self.s
        s.make_integration("plain", [{"slug": "ft:mystery", "enabled": True, "is_custom": True},
                                     {"slug": "gpt-4o", "enabled": True}], [s.workspace])
        key = s.make_key(usage_limits=budget("cost", 5))["key"]
        ceiling = s.make_key(usage_limits=budget("cost", 5, unpriced_token_price=0.0001))["key"]
        self.refused(s.chat(model="@plain/ft:mystery", key=key, max_tokens=16), 412, "ft:mystery", code="model_unpriced")
        self.refused(s.chat(model="@plain/ft:mystery", key=ceiling), 412, "max_completion_tokens", code="unbounded_cost")
        self.assertEqual(s.chat(model="@plain/ft:mystery", key=ceiling, max_tokens=16).status, 200)
        self.assertEqual(s.chat(model="@plain/gpt-4o", key=key).status, 200, "bounded by what the model can answer")

    def test_a_smaller_answer_is_made_to_fit(self):
        key = self.s.make_key(usage_limits=budget("cost", 0.05))["key"]
        reply = self.refused(self.s.chat(key=key, max_tokens=16000), 412, "max_tokens of at most", code="budget_exhausted")
        fits = int(reply.message.split("at most ")[1].split()[0])
        reply = self.s.chat(key=key, max_tokens=16000, headers={"x-sluice-clamp-output": "true"})
        self.assertEqual((reply.status, reply.headers["x-sluice-clamped-max-tokens"]), (200, str(fits)), str(reply))

    def test_the_caller_is_told_what_it_cost(self):
        """On answers in headers, on streams behind the last event; to the nano-USD what the ledger has, and whose word it is."""
        s = self.s
        reply = s.chat(WORDS, max_tokens=16)
        cost = int(reply.headers["x-sluice-cost-nanousd"])
        self.assertEqual((cost, reply.headers["x-sluice-usage-source"]), (self.spent()[0], "provider"))
        body, headers = s.chat_body(WORDS, stream=True, max_tokens=16), {}
        text = s.gateway("POST", "/chat/completions", body, headers).body.decode()
        told = f": x-sluice-cost-nanousd={self.spent()[0] - cost} x-sluice-usage-source=provider\n\n"
        self.assertTrue(text.endswith("data: [DONE]\n\n" + told), text[-200:])
        reply = s.chat("sim:fault=status:400")
        self.assertEqual((reply.status, reply.headers["x-sluice-cost-nanousd"]), (400, "0"))
        strict = s.make_key(usage_limits=budget("cost", 5))["key"]
        reply = s.chat("sim:fault=truncate:1", key=strict, max_tokens=16)
        self.assertEqual((reply.status, reply.headers["x-sluice-usage-source"]), (502, "bound"), str(reply))
        self.assertGreater(int(reply.headers["x-sluice-cost-nanousd"]), 0)
        self.assertNotIn("x-sluice-cost-nanousd", s.gateway("GET", "/files", headers={"x-portkey-provider": s.provider}).headers)
        big = s.chat("sim:fault=bytes:2000000")
        self.assertEqual((big.status, len(big.json["choices"][0]["message"]["content"]) >= 2000000), (200, True))

    def test_what_an_abandoned_answer_costs(self):
        """A provider that bills it in full is read to the end; any other is cut, and what was reserved is charged."""
        s = self.s
        for policy, drained in (("drain", True), ("cancel", False)):
            with self.subTest(policy):
                s.sim.reset()
                s.make_integration("left-" + policy, [{"slug": "gpt-4o", "enabled": True}], [s.workspace],
                                   configurations={"custom_host": s.sim.url + "/v1", "on_client_disconnect": policy})
                made = s.make_key(usage_limits=budget("cost", 5))
                for stream in (True, False):
                    more = {"key": made["key"], "max_tokens": 64}
                    if stream:
                        with s.stream("sim:fault=chunks:60;interval:10", f"@left-{policy}/gpt-4o", **more) as events:
                            next(iter(events))
                    else:
                        with s.wire() as wire:
                            body = json.dumps(s.chat_body("sim:fault=latency:400", f"@left-{policy}/gpt-4o", max_tokens=64)).encode()
                            wire.head("POST", "/v1/chat/completions", {"x-portkey-api-key": made["key"], "content-length": len(body)})
                            wire.send(body)
                            wait_for("the request is there", lambda: s.sim.stats()["open_connections"] > 1 and s.metrics())
                records = s.sim.wait_record(2)
                self.assertEqual([r["aborted"] for r in records], [not drained] * 2)
                row = wait_for("all is settled", lambda: (u := self.usage(f"/api-keys/{made['id']}"))["outstanding"] >= 0 and u["used"] and u)
                if drained:
                    self.settled(f"/api-keys/{made['id']}", (self.spent()[0],))
                else:
                    self.assertGreater(nanousd(row["used"]), self.spent()[0])
        reply = s.admin("POST", "/integrations", {"name": "x", "slug": "left-x", "ai_provider_id": "openai", "key": "k",
                                                  "configurations": {"on_client_disconnect": "wait"}}, expect=400)
        self.assertIn("on_client_disconnect", reply.message)

    # --- rates and concurrency

    def test_requests_per_minute(self):
        key = self.s.make_key(rate_limits=[rate("requests", "rpm", 5)])["key"]
        replies = in_threads(12, lambda _: self.s.chat(key=key))
        admitted = [r for r in replies if r.status == 200]
        refused = [r for r in replies if r.status == 429]
        self.assertEqual((len(admitted), len(refused), self.spent()[2]), (5, 7, 5))
        for reply in admitted:
            self.assertEqual(reply.headers["x-ratelimit-limit-requests"], "5", str(reply))
        for reply in refused:
            self.assertIn("5 requests per minute (rpm) of api key", reply.message)
            self.assertGreaterEqual(int(reply.headers["retry-after"]), 1)
        self.assertEqual(refused[0].headers["x-ratelimit-remaining-requests"], "0")

    def test_tokens_per_hour_count_what_was_used(self):
        key = self.s.make_key(rate_limits=[rate("tokens", "rph", 6000)])["key"]
        reply = self.spend(lambda: self.s.chat(WORDS[:400], key=key, max_tokens=16), clients=2)
        self.assertEqual(reply.status, 429, str(reply))
        self.assertIn("6000 tokens per hour", reply.message)
        self.assertLessEqual(self.spent()[1], 6000)
        self.assertGreater(self.spent()[1], 3000, "what a request did not use is given back")

    def test_zero_admits_nothing(self):
        key = self.s.make_key(rate_limits=[rate("requests", "rpm", 0)])["key"]
        self.refused(self.s.chat(key=key), 429, "0 requests per minute")

    def test_concurrency_is_held_until_the_stream_ends(self):
        s = self.s
        key = s.make_key(rate_limits=[{"type": "concurrency", "value": 2}])["key"]
        held = [s.stream(f"{HOLD} {i}", key=key) for i in range(2)]
        for events in held:
            next(iter(events))
        reply = s.chat(key=key)
        self.assertEqual(reply.status, 429, str(reply))
        self.assertIn("2 requests at a time of api key", reply.message)
        held.pop().close()
        wait_for("the permit is back", lambda: s.chat(key=key).status == 200)
        held.pop().close()
        wait_for("both streams have ended", lambda: sum(r["stream"] for r in s.sim.records()) == 2)

    # --- policies

    def test_a_policy_counts_each_group(self):
        s = self.s
        team = s.make_workspace("policies")
        s.provision(s.integration, [team["id"]])
        s.admin("POST", "/policies/usage-limits", {
            "name": "three each", "workspace_id": team["id"], "type": "requests", "credit_limit": 3, "mode": "strict",
            "conditions": [{"key": "metadata.team", "value": ["red", "blue"]}], "group_by": [{"key": "metadata.team"}]})
        s.admin("POST", "/policies/rate-limits", {
            "name": "slow model", "workspace_id": team["id"], "type": "requests", "unit": "rph", "value": 1, "mode": "strict",
            "conditions": [{"key": "model", "value": "*/gpt-4.1"}], "group_by": [{"key": "api_key"}]})

        def send(color=None, model="gpt-4o"):
            headers = {"x-portkey-metadata": f'{{"team":"{color}"}}'} if color else {}
            return s.chat(model=f"@{s.integration}/{model}", key=team["key"], headers=headers)
        for color in ("red", "blue"):
            self.over_budget(self.spend(lambda: send(color)), 'policy "three each"', "3 requests")
        self.assertEqual(self.spent()[2], 6)
        self.assertEqual((send("green").status, send().status), (200, 200), "nobody's condition")
        self.assertEqual(send("green", "gpt-4.1").status, 200)
        reply = send(model="gpt-4.1")
        self.assertEqual(reply.status, 429, str(reply))
        self.assertIn('policy "slow model"', reply.message)

    # --- whoever dies or is away

    def test_a_worker_that_dies_returns_what_it_did_not_spend(self):
        s = self.s
        key = s.make_key(usage_limits=budget("requests", 10))
        held = [s.stream(f"{HOLD} {i}", key=key["key"]) for i in range(3)]
        for events in held:
            next(iter(events))
        workers = s.pids()["workers"]
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        for events in held:
            events.close()
        wait_for("other workers", lambda: len(now := s.pids()["workers"]) == 2 and not set(now) & set(workers) and s.ready())
        self.over_budget(self.spend(lambda: s.chat(key=key["key"])), "10 requests")
        wait_for("all have ended", lambda: self.spent()[2] == 10)
        self.settled(f"/api-keys/{key['id']}", 10)

    def test_without_the_control_plane(self):
        """Strict spends what is held and then stops; standard goes on, within a bound."""
        s = self.s
        strict = s.make_key(usage_limits=budget("requests", 4000))["key"]
        standard = s.make_key(usage_limits=budget("requests", 4000, mode="standard"))["key"]
        unknown = s.make_key(usage_limits=budget("requests", 4000))["key"]
        control = s.pids()["control"]
        self.assertEqual([s.chat(key=key).status for key in (strict, standard)], [200, 200])
        os.kill(control, signal.SIGSTOP)
        try:
            self.assertEqual(s.chat(key=strict).status, 200, "it holds some")
            reply = s.chat(key=unknown)
            self.assertEqual((reply.status, reply.error["code"]), (503, "control_plane_unavailable"), str(reply))
            self.assertIn("on_disconnect", reply.message)
            count = 0
            while (reply := s.chat(key=standard)).status == 200:
                count += 1
            self.assertLess(count, 4000)
            self.over_budget(reply, "4000 requests")
        finally:
            os.kill(control, signal.SIGCONT)
        wait_for("the control plane is heard again", lambda: s.chat(key=unknown).status == 200)


if __name__ == "__main__":
    harness.run_cases()
