"""A fallback of two targets whose first one is sick, in every way the simulator knows: a table of outcome, attempts and ledger entries."""
import json

import harness

TIMEOUT_S = 2
# fault of the first target: index that answers (None: the answer breaks off), outcomes of the attempts in the ledger; whole, streamed
TABLE = {
    "status:500": ((1, "provider_error ok"), (1, "provider_error ok")),
    "status:503;retry-after:60": ((1, "provider_error ok"), (1, "provider_error ok")),
    "status:429;retry-date:60": ((1, "provider_error ok"), (1, "provider_error ok")),
    "status:401": ((1, "provider_error ok"), (1, "provider_error ok")),
    "refuse": ((1, "broken ok"), (1, "broken ok")),
    "reset": ((1, "broken ok"), (1, "broken ok")),
    "hang": ((1, "timeout ok"), (1, "timeout ok")),
    "reset-after:0": ((1, "broken ok"), (1, "broken ok")),
    "error-event:0": (None, (1, "provider_error ok")),
    "hang-after:0": (None, (1, "timeout ok")),
    "truncate:0": ((1, "broken ok"), None),
    "chunks:6;reset-after:2": (None, (None, "broken")),
    "chunks:6;error-event:2": (None, (None, "ok")),
    "chunks:6;hang-after:2": (None, (None, "timeout")),
    "garbage": ((0, "ok"), None),
    "slow:200": ((0, "ok"), (0, "ok")),
}


class Faults(harness.Case):
    def config(self, fault):
        first = {"provider": "@dead"} if fault == "refuse" else {"provider": "@a", "override_params": {"user": f"sim:fault={fault}"}}
        return json.dumps({"strategy": {"mode": "fallback"}, "targets": [first, {"provider": "@b"}]})

    def ledger(self, key, count):
        """Outcomes of this key's entries, oldest first."""
        def read():
            reply = self.s.admin("GET", f"/usage/export?format=jsonl&api_key_id={key}")
            return [json.loads(line) for line in reply.body.splitlines()]
        rows = harness.wait_for(f"{count} entries", lambda: (r := read()) and len(r) >= count and r)
        self.assertEqual(len({row["attempt_id"] for row in rows}), len(rows))
        return " ".join(row["outcome"] for row in sorted(rows, key=lambda row: row["duration_us"]))

    def check(self, fault, streamed, index, outcomes):
        made = self.s.make_key()
        headers = {"x-portkey-config": self.config(fault)}
        if streamed:
            with self.s.stream(model="gpt-4o", headers=headers, key=made["key"]) as events:
                data = [data for _, data in events]
                status, reply, whole = events.status, events, data[-1:] == ["[DONE]"]
        else:
            reply = self.s.chat(model="gpt-4o", headers=headers, key=made["key"])
            status, whole = reply.status, True
        self.assertEqual((status, whole), (200, index is not None))
        self.assertEqual(reply.headers["x-portkey-last-used-option-index"], f"config.targets[{index or 0}]")
        self.assertEqual(self.ledger(made["id"], len(outcomes.split())), outcomes)

    def test_the_table(self):
        for fault, row in TABLE.items():
            for streamed, expected in enumerate(row):
                if expected:
                    with self.subTest(fault, streamed=bool(streamed)):
                        self.check(fault, streamed, *expected)

    def test_dates(self):
        """BUG of the reference: a Retry-After that is a date is not understood."""
        retry = {"attempts": 1, "on_status_codes": [429], "use_retry_after_header": True}
        for seconds, count in ((1, "1"), (3600, "-1")):
            config = {"retry": retry, "provider": "@a", "override_params": {"user": f"sim:fault=status:429;retry-date:{seconds};first:1"}}
            reply = self.s.chat(model="gpt-4o", headers={"x-portkey-config": json.dumps(config)})
            self.assertEqual(reply.headers["x-portkey-retry-attempt-count"], count)

    def test_honest_targets_are_unaffected(self):
        """While one target hangs for some callers, others get their answers from another at once."""
        def work(i):
            if i % 2 == 0:
                return self.s.chat(model="gpt-4o", headers={"x-portkey-config": json.dumps(
                    {"provider": "@a", "override_params": {"user": "sim:fault=hang"}})}).status
            return {self.s.chat(model="@b/gpt-4o").status for _ in range(20)}
        answers = harness.in_threads(16, work)
        self.assertEqual(answers[0::2], [504] * 8)
        self.assertEqual(answers[1::2], [{200}] * 8)


def setUpModule():
    s = harness.Case.stack
    for slug in ("a", "b"):
        s.make_integration(slug, workspaces=[s.workspace])
    s.make_integration("dead", host=f"https://127.0.0.1:{s.sim.port}/v1", workspaces=[s.workspace])  # no TLS there


if __name__ == "__main__":
    harness.run_cases("--gateway-arg", "--breaker=false", "--gateway-arg", f"--first-byte-timeout={TIMEOUT_S}s",
                      "--gateway-arg", f"--idle-timeout={TIMEOUT_S}s")
