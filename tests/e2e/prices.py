"""What an attempt costs and what its team is charged: own prices, contracts, multipliers, free teams and dates, through the gateway.

Each case charges one chat and reads both amounts from the ledger; the expected ones follow from the tokens that the ledger counted.
"""
import csv
import decimal
import io
import json
import subprocess
import time

import harness

IN, OUT = decimal.Decimal("0.0001"), decimal.Decimal("0.0004")  # US cents per token
PRICE = {"type": "static", "pay_as_you_go": {"request_token": {"price": float(IN)}, "response_token": {"price": float(OUT)}}}


def usd(number):
    return decimal.Decimal(str(number))


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


class Prices(harness.Case):
    count = 0

    def setUp(self):
        super().setUp()
        Prices.count += 1
        self.slug = f"priced-{Prices.count}"
        self.team = self.s.make_workspace(self.slug)
        self.s.make_integration(self.slug, models=[{"slug": "gpt-4o", "enabled": True, "pricing_config": PRICE}],
                                workspaces=[self.team["id"]])

    def row(self, **members):
        self.s.admin("PUT", f"/integrations/{self.slug}/workspaces", {"workspaces": [{"id": self.team["id"], "enabled": True, **members}]})

    def adjust(self, **adjustments):
        self.s.admin("PUT", f"/integrations/{self.slug}", {"pricing_adjustments": adjustments})

    def chat(self):
        """One chat; gives (cost, charge, input tokens, output tokens), amounts in USD."""
        before = self.totals()
        reply = self.s.chat(model=f"@{self.slug}/gpt-4o", key=self.team["key"])
        self.assertEqual(reply.status, 200, str(reply))
        after = harness.wait_for("the event in the ledger", lambda: (t := self.totals())["requests"] > before["requests"] and t)
        usd = [decimal.Decimal(str(after[name])) - decimal.Decimal(str(before[name])) for name in ("cost_usd", "charge_usd")]
        self.assertEqual(after["unpriced_requests"], before["unpriced_requests"])
        return (*usd, after["input_tokens"] - before["input_tokens"], after["output_tokens"] - before["output_tokens"])

    def totals(self):
        return self.s.usage("model", key=self.team_key())["totals"]

    def team_key(self):
        if not hasattr(self, "reader"):
            self.reader = self.s.make_key(self.team["id"], scopes=("analytics.view",))["key"]
        return self.reader

    @staticmethod
    def list_price(tokens_in, tokens_out):
        return (IN * tokens_in + OUT * tokens_out) / 100

    def test_own_price_of_a_model(self):
        cost, charge, n, m = self.chat()
        self.assertEqual((cost, charge), (self.list_price(n, m),) * 2)

    def test_contract_and_multiplier(self):
        self.adjust(multiplier={"default": 1.5}, cost_multiplier={"default": 0.5})
        cost, charge, n, m = self.chat()
        self.assertEqual((cost, charge), (self.list_price(n, m) / 2, self.list_price(n, m) * 3 / 4))

    def test_a_team_with_a_multiplier_of_its_own(self):
        self.adjust(multiplier={"default": 1.5})
        self.row(pricing_adjustments={"multiplier": {"default": 3}})
        cost, charge, n, m = self.chat()
        self.assertEqual((cost, charge), (self.list_price(n, m), self.list_price(n, m) * 3))

    def test_a_team_with_a_price_of_its_own(self):
        self.adjust(multiplier={"default": 1.5})
        self.row(model_prices=[{"slug": "gpt-4o", "pricing_config": {"pay_as_you_go": {"request_token": {"price": 1}, "response_token": {"price": 0}}}}])
        cost, charge, n, m = self.chat()
        self.assertEqual((cost, charge), (self.list_price(n, m), decimal.Decimal(n) / 100))

    def test_a_free_team(self):
        self.row(free=True)
        cost, charge, n, m = self.chat()
        self.assertEqual((cost, charge), (self.list_price(n, m), 0))

    def test_a_price_holds_from_its_date(self):
        later = {"effective_from": stamp(3600), **PRICE, "pay_as_you_go": {"request_token": {"price": 5}, "response_token": {"price": 5}}}
        path = f"/integrations/{self.slug}/models"
        self.s.admin("PUT", path, {"models": [{"slug": "gpt-4o", "enabled": True, "pricing_config": later}]})
        cost, _, n, m = self.chat()
        self.assertEqual(cost, self.list_price(n, m), "not yet")
        self.s.admin("PUT", path, {"models": [{"slug": "gpt-4o", "enabled": True, "pricing_config": {**later, "effective_from": stamp(-1)}}]})
        cost, _, n, m = self.chat()
        self.assertEqual(cost, decimal.Decimal(5 * (n + m)) / 100)

    def test_exports_add_up(self):
        self.adjust(multiplier={"default": 3})
        spent = [self.chat() for _ in range(3)]
        reply = self.s.admin("GET", f"/usage/export?format=csv&workspace_id={self.team['id']}")
        self.assertEqual(reply.headers["content-type"], "text/csv; charset=utf-8")
        rows = list(csv.DictReader(io.StringIO(reply.body.decode())))
        self.assertEqual(len(rows), 3)
        for at, name in enumerate(("cost_usd", "charge_usd")):
            self.assertEqual(sum(decimal.Decimal(row[name]) for row in rows), sum(each[at] for each in spent), name)
        relayed = self.s.gateway("GET", f"/usage/export?format=csv&workspace_id={self.team['id']}", key=self.s.admin_key)
        self.assertEqual((relayed.status, relayed.body), (200, reply.body), "the same through the gateway")
        lines = self.ctl("export", "--format", "jsonl", "--workspace", self.team["slug"]).splitlines()
        self.assertEqual([json.loads(line)["attempt_id"] for line in lines], [row["attempt_id"] for row in rows])

    def test_requests_are_logged_apart_from_the_store(self):
        self.chat()
        url = self.s.control_url + "/metrics"
        lines = dict(line.split(" ") for line in harness.request(url).body.decode().splitlines() if not line.startswith("#"))
        self.assertGreater(int(lines["sluice_control_request_log_rows"]), 0)
        self.assertEqual((lines["sluice_control_request_log_dropped"], lines["sluice_control_request_log_broken"]), ("0", "0"))
        self.assertTrue((self.s.data_dir / "logs/data.mdb").exists())

    def test_a_corrected_price_is_rerated(self):
        began = stamp(-5)
        spent = [self.chat() for _ in range(3)]
        path = f"/integrations/{self.slug}/models"
        right = {"effective_from": began, "pay_as_you_go": {"request_token": {"price": 1}, "response_token": {"price": 2}}}
        self.s.admin("PUT", path, {"models": [{"slug": "gpt-4o", "enabled": True, "pricing_config": right}]})
        should = sum(decimal.Decimal(n + 2 * m) / 100 for _, _, n, m in spent)
        was = sum(cost for cost, *_ in spent)
        span = {"from": began, "to": stamp(60), "workspace_id": self.team["slug"]}
        seen = self.s.admin("POST", "/usage/rerate", span, wait=False).json
        self.assertEqual((seen["applied"], seen["entries"], seen["changed"], seen["cursor"]), (False, 3, 3, None))
        self.assertEqual((usd(seen["charge_usd_before"]), usd(seen["charge_usd_after"])), (was, should))
        self.assertEqual(usd(self.totals()["charge_usd"]), was, "a preview changes nothing")
        done = json.loads(self.ctl("rerate", "--apply", "--note", "list price", "--from", began, "--workspace", self.team["slug"], "--json"))
        self.assertEqual((done["applied"], done["changed"]), (True, 3))
        totals = self.totals()
        self.assertEqual((usd(totals["cost_usd"]), usd(totals["charge_usd"]), totals["requests"]), (should, should, 3))
        self.assertEqual(self.s.admin("POST", "/usage/rerate", {**span, "apply": True}, wait=False).json["changed"], 0)
        self.ctl("verify")

    def ctl(self, *words):
        command = [self.s.build / "bin/sluicectl", "ledger", *words, "--data-dir", self.s.data_dir]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


if __name__ == "__main__":
    harness.run_cases()
