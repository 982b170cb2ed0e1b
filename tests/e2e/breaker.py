"""The circuit breaker from outside: opens within ten failures, for all workers; recovers by itself; never refuses a request."""
import collections
import json

import harness


def config(first, mode="fallback"):
    return json.dumps({"strategy": {"mode": mode}, "targets": [{"provider": "@a", "override_params": {"user": f"sim:fault={first}"}}, {"provider": "@b"}]})


class Breaker(harness.Case):
    def index(self, document, model):
        reply = self.s.chat(model=model, headers={"x-portkey-config": document})
        self.assertEqual(reply.status, 200, str(reply))
        return reply.headers["x-portkey-last-used-option-index"][-2]

    def failed(self):
        return sum(record["status"] == 500 for record in self.s.sim.records())

    def test_a_fallback_passes_over_a_dead_target(self):
        for _ in range(40):  # each on a connection of its own: over both workers
            self.assertEqual(self.index(config("status:500"), "gpt-4o"), "1")
        opened = self.failed()
        self.assertLessEqual(opened, 10)
        self.assertEqual(self.index(config("status:500"), "gpt-4o"), "1")
        self.assertEqual(self.failed(), opened)
        self.assertEqual(self.index(config("latency:0"), "gpt-4o-mini"), "0", "another model of the provider is another matter")

    def test_a_loadbalance_draws_among_the_others(self):
        document = config("status:500", "loadbalance")
        seen = collections.Counter(self.s.chat(model="gpt-4.1", headers={"x-portkey-config": document}).status for _ in range(60))
        self.assertLessEqual(seen[500], 10)
        self.assertEqual(seen[500] + seen[200], 60)

    def test_it_comes_back(self):
        for _ in range(10):
            self.index(config("status:500"), "o1-mini")
        self.assertEqual(self.index(config("latency:0"), "o1-mini"), "1")
        harness.wait_for("the first target", lambda: self.index(config("latency:0"), "o1-mini") == "0", pause=0.2)
        self.assertEqual([self.index(config("latency:0"), "o1-mini") for _ in range(10)], ["0"] * 10)

    def test_it_never_refuses(self):
        document = json.dumps({"provider": "@a", "override_params": {"user": "sim:fault=status:500"}})
        for _ in range(15):
            reply = self.s.chat(model="o3-mini", headers={"x-portkey-config": document})
            self.assertEqual((reply.status, reply.headers["x-sluice-error-source"]), (500, "provider"))
        self.assertEqual(self.failed(), 15)

    def test_wrong_requests_open_nothing(self):
        for _ in range(15):
            self.assertEqual(self.index(config("status:400"), "gpt-3.5-turbo"), "1")
        self.assertEqual(sum(record["status"] == 400 for record in self.s.sim.records()), 15)


def setUpModule():
    for slug in ("a", "b"):
        harness.Case.stack.make_integration(slug, workspaces=[harness.Case.stack.workspace])


if __name__ == "__main__":
    harness.run_cases()
