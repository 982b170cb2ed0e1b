"""Analytics and logs: over traffic at the simulator, each figure compared with the ledger's own sums (GET /v1/usage).

The traffic is made once: chats by a service key and by a person's key at two providers of one workspace, and one at another workspace.
"""
import datetime
import decimal
import urllib.parse

import harness

PRICE = {"type": "static", "pay_as_you_go": {"request_token": {"price": 0.0001}, "response_token": {"price": 0.0004}}}
GRAPHS = {"requests": ("requests",), "cost": ("cost",), "tokens": ("tokens",), "errors": ("errors",), "errors/rate": ("errors-rate",),
          "users": ("users",), "users/requests": ("users-requests",), "latency": ("latency",), "errors/stacks": ("errors-stack",),
          "errors/status-codes": ("errors-status-code",)}
CHATS = {"an-a": 3, "an-b": 2}


def number(value):
    return decimal.Decimal(str(value))


class Analytics(harness.Case):
    made = None

    def setUp(self):
        super().setUp()
        if Analytics.made is None:
            Analytics.made = self.make()
        self.__dict__.update(Analytics.made)

    def make(self):
        team, other = self.s.make_workspace("an-team"), self.s.make_workspace("an-other")
        for slug in CHATS:
            self.s.make_integration(slug, models=[{"slug": m, "enabled": True, "pricing_config": PRICE} for m in ("gpt-4o", "gpt-4o-mini")],
                                    workspaces=[team["id"], other["id"]])
        user = self.s.admin("GET", "/admin/users").json["data"][0]
        mine = self.s.make_key(team["id"], kind="workspace/user", user_id=user["id"])
        for slug, count in CHATS.items():
            for _ in range(count):
                self.chat(f"@{slug}/gpt-4o", team["key"])
        self.chat("@an-a/gpt-4o-mini", mine["key"], {"x-portkey-trace-id": "an-trace"})
        self.chat("@an-a/gpt-4o", other["key"])
        reader = self.s.make_key(team["id"], scopes=("analytics.view", "logs.list", "logs.view", "logs.export"))["key"]
        harness.wait_for("six events in the ledger", lambda: self.s.usage(key=reader)["totals"]["requests"] == 6)
        harness.wait_for("six rows in the log", lambda: self.s.admin("GET", "/logs", key=reader).json["total"] == 6)
        harness.wait_for("the other one", lambda: self.s.usage(workspace_id=other["slug"])["totals"]["requests"] == 1)
        return {"team": team, "other": other, "user": user, "mine": mine, "reader": reader}

    def chat(self, model, key, headers=None):
        reply = self.s.chat(model=model, key=key, headers=headers)
        self.assertEqual(reply.status, 200, str(reply))

    def ask(self, path, key=None, expect=200, **query):
        return self.s.admin("GET", f"/analytics/{path}?" + urllib.parse.urlencode(query), key=key or self.reader, expect=expect).json

    def graph(self, path, key=None, **query):
        answer = self.ask(f"graphs/{path}", key, **query)
        self.assertEqual(answer["object"], "analytics-graph")
        return answer

    def used(self, **query):
        return self.s.usage(key=self.reader, **query)["totals"]

    def test_both_spellings(self):
        for path, others in GRAPHS.items():
            for other in others:
                fixed = {"time_of_generation_min": "2026-01-01", "time_of_generation_max": "2027-01-01"}
                self.assertEqual(self.graph(path, **fixed), self.graph(other, **fixed), path)

    def test_sums_are_the_ledgers(self):
        totals = self.used()
        self.assertEqual(self.graph("requests")["summary"], {"total": 6})
        tokens = totals["input_tokens"] + totals["output_tokens"]
        self.assertGreater(tokens, 0)
        self.assertEqual(self.graph("tokens")["summary"], {"total": tokens, "avg": tokens // 6})
        cost = self.graph("cost")["summary"]
        self.assertGreater(cost["total"], 0)
        self.assertEqual(number(cost["total"]), number(totals["cost_usd"]) * 100, "US cents")
        self.assertEqual(number(cost["avg"]), int(number(totals["cost_usd"]) * 10**9 / 6) / decimal.Decimal(10**7))

    def test_points_add_up(self):
        for path in ("requests", "tokens", "errors", "cost"):
            answer = self.graph(path)
            self.assertIn(len(answer["data_points"]), (30, 31))
            self.assertEqual(sum(number(p["total"]) for p in answer["data_points"]), number(answer["summary"]["total"]), path)

    def test_short_spans_are_by_the_hour(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        span = {"time_of_generation_min": (now - datetime.timedelta(hours=5)).isoformat(), "time_of_generation_max": now.isoformat()}
        points = self.graph("requests", **span)["data_points"]
        self.assertIn(len(points), (5, 6))
        self.assertEqual(sum(p["total"] for p in points), 6)
        self.assertTrue(all(p["timestamp"][14:] == "00:00.000Z" for p in points), points)

    def test_an_empty_span(self):
        span = {"time_of_generation_min": "2026-01-01", "time_of_generation_max": "2026-01-03"}
        self.assertEqual(self.graph("requests", **span)["summary"], {"total": 0})
        self.assertEqual(self.graph("errors/rate", **span)["summary"], {"rate": 0})
        self.assertEqual(self.graph("cost", **span)["summary"], {"total": 0, "avg": 0})
        self.assertEqual(self.ask("groups/ai-models", **span)["data"], [])

    def test_users(self):
        self.assertEqual(self.graph("users")["summary"], {"total": 1})
        self.assertEqual(self.graph("users/requests")["summary"], {"total": 1, "unique": 1, "avg": 1})
        row, = self.ask("groups/users")["data"]
        cost = self.s.usage("user", key=self.reader)["totals"]["cost_usd"]
        self.assertEqual((row["user"], row["requests"], row["object"]), (self.user["email"], "1", "analytics-group"))
        self.assertEqual(number(row["cost"]), number(cost) * 100)

    def test_models_and_pages(self):
        answer = self.ask("groups/ai-models")
        self.assertEqual([(row["ai_model"], row["requests"]) for row in answer["data"]], [("gpt-4o", "5"), ("gpt-4o-mini", "1")])
        for size, page in (("page_size", "current_page"), ("pageSize", "currentPage")):
            second = self.ask("groups/ai-models", **{size: 1, page: 1})
            self.assertEqual((second["data"], second["total"]), (answer["data"][1:], 2))

    def test_filters(self):
        ids = {row["slug"]: row["id"] for row in self.s.usage("provider", key=self.reader)["data"]}
        total = lambda **query: self.graph("requests", **query)["summary"]["total"]
        self.assertEqual(total(virtual_keys="an-b"), 2)
        self.assertEqual(total(virtual_keys=ids["an-b"] + ",an-a,an-b"), 6, "each once")
        self.assertEqual(total(api_key_ids=self.mine["id"]), 1)
        self.assertEqual(total(ai_org_model="openai__gpt-4o"), 5)
        self.assertEqual(total(ai_org_model="openai__gpt-4o,openai__gpt-4o-mini"), 6)
        self.assertEqual(total(ai_org_model="anthropic__gpt-4o"), 0)
        self.assertEqual(total(virtual_keys="an-a", ai_org_model="openai__gpt-4o"), 3)
        models = self.ask("groups/ai-models", virtual_keys="an-a,an-b")["data"]
        self.assertEqual([(row["ai_model"], row["requests"]) for row in models], [("gpt-4o", "5"), ("gpt-4o-mini", "1")])

    def logs(self, key=None, expect=200, **query):
        return self.s.admin("GET", "/logs?" + urllib.parse.urlencode(query), key=key or self.reader, expect=expect).json

    def test_latency_is_of_the_logged_requests(self):
        answer = self.graph("latency")
        times = sorted(row["response_time"] for row in self.logs()["data"])
        self.assertEqual(answer["summary"], {"avg": sum(times) // 6, "p50": times[2], "p90": times[5], "p99": times[5]})
        self.assertEqual(max(point["p99"] for point in answer["data_points"]), times[5])
        one = self.graph("latency", api_key_ids=self.mine["id"])["summary"]
        self.assertEqual(one["p50"], self.logs(api_key_ids=self.mine["id"])["data"][0]["response_time"])

    def test_statuses_of_errors(self):
        team = self.s.make_workspace("an-errors")
        self.s.make_integration("an-errors", models=[{"slug": "gpt-4o", "enabled": True, "pricing_config": PRICE}], workspaces=[team["id"]])
        for status in (418, 418, 422):
            reply = self.s.chat(f"sim:fault=status:{status}", "@an-errors/gpt-4o", key=team["key"])
            self.assertEqual(reply.status, status, str(reply))
        reader = self.s.make_key(team["id"], scopes=("analytics.view", "logs.list"))["key"]
        ask = lambda path, **query: self.graph(path, reader, **query)
        harness.wait_for("three errors", lambda: ask("errors")["summary"]["total"] == 3 and len(self.logs(reader)["data"]) == 3)
        self.assertEqual(ask("errors/rate")["summary"], {"rate": 100})
        codes = ask("errors/status-codes")
        self.assertEqual(codes["summary"], {"total_errors": 3, "unique_error_codes": 2})
        self.assertEqual(codes["data_points"], [{"status_code": 418, "count": 2}, {"status_code": 422, "count": 1}])
        stats = [point["stats"] for point in ask("errors/stacks")["data_points"] if point["stats"]]
        self.assertEqual(stats, [[{"response_status_code": 418, "count": 2}, {"response_status_code": 422, "count": 1}]])
        self.assertEqual(ask("errors/status-codes", status_code="422")["summary"]["total_errors"], 1)
        self.assertEqual(self.logs(reader, status_code="200")["total"], 0)

    def test_logs(self):
        answer = self.logs()
        self.assertEqual((answer["total"], answer["complete"], len(answer["data"])), (6, True, 6))
        newest = answer["data"][0]
        self.assertEqual((newest["ai_org"], newest["ai_model"], newest["api_key_id"], newest["user_id"], newest["response_status_code"]),
                         ("openai", "gpt-4o-mini", self.mine["id"], self.user["id"], 200))
        self.assertEqual(newest["total_units"], newest["req_units"] + newest["res_units"])
        self.assertEqual(sum(number(row["cost"]) for row in answer["data"]), number(self.used()["cost_usd"]) * 100)
        times = [row["created_at"] for row in answer["data"]]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertEqual(self.logs(page_size=2, current_page=1)["data"], answer["data"][2:4])
        self.assertEqual(self.logs(pageSize=2, currentPage=9)["data"], [])

    def test_log_filters(self):
        rows = self.logs()["data"]
        total = lambda **query: self.logs(**query)["total"]
        self.assertEqual(total(virtual_keys="an-b"), 2)
        self.assertEqual(total(ai_org_model="openai__gpt-4o-mini"), 1)
        self.assertEqual((total(trace_id="an-trace"), total(trace_id="none")), (1, 0))
        most = max(row["total_units"] for row in rows)
        self.assertEqual((total(total_units_min=most + 1), total(total_units_max=most)), (0, 6))
        dear = max(number(row["cost"]) for row in rows)
        self.assertEqual(total(cost_min=dear), sum(number(row["cost"]) == dear for row in rows))
        self.assertEqual(total(cost_min=dear + decimal.Decimal("0.0000001")), 0)
        self.assertEqual(total(time_of_generation_max=rows[-1]["created_at"]), 0, "the end is exclusive")
        for field, value in (("cost_min", "x"), ("status_code", "x"), ("span_id", "x"), ("total_units_min", "[1]")):
            self.assertTrue(self.logs(expect=400, **{field: value})["message"].startswith(field + ":"), field)

    def test_one_log(self):
        row = self.logs()["data"][0]
        get = lambda id, key, expect=200: self.s.admin("GET", f"/logs/{id}", key=key, expect=expect).json
        log = get(row["id"], self.reader)
        self.assertEqual((log["id"], log["attempts"]), (row["id"], [row]))
        stranger = self.s.make_key(self.other["id"], scopes=("logs.view", "logs.list"))["key"]
        get(row["id"], stranger, 404)
        get("none", self.reader, 404)
        get(row["id"], self.team["key"], 403)
        self.assertEqual([r["id"] for r in self.logs(stranger)["data"] if r["workspace_id"] != self.other["id"]], [])

    def test_refusals_name_the_field(self):
        for query, field in (({"status_code": "200"}, "status_code"), ({"trace_id": "x"}, "trace_id"), ({"metadata": "x"}, "metadata"),
                             ({"time_of_generation_min": "soon"}, "time_of_generation_min"), ({"api_key_ids": "x"}, "api_key_ids"),
                             ({"time_of_generation_min": "2001-01-01"}, "time_of_generation_min"), ({"ai_org_model": "x"}, "ai_org_model"),
                             ({"api_key_ids": self.mine["id"], "virtual_keys": "an-a"}, "api_key_ids")):
            refused = self.ask("graphs/requests", expect=400, **query)
            self.assertTrue(refused["message"].startswith(field + ":"), refused)
        self.ask("graphs/users", expect=400, virtual_keys="an-a")
        self.ask("graphs/none", expect=404)

    def test_whose(self):
        self.assertEqual(self.graph("requests", workspace_slug=self.other["slug"])["summary"]["total"], 6, "a workspace key has its own")
        admin = self.s.admin_key
        self.assertEqual(self.graph("requests", admin, workspace_slug=self.other["slug"])["summary"]["total"], 1)
        rows = {row["workspace_slug"]: row["requests"] for row in self.ask("groups/workspaces", admin)["data"]}
        self.assertEqual((rows[self.team["slug"]], rows[self.other["slug"]]), (6, 1))
        self.ask("graphs/requests", admin, expect=404, workspace_slug="none")
        self.ask("graphs/requests", self.team["key"], expect=403)


if __name__ == "__main__":
    harness.run_cases()
