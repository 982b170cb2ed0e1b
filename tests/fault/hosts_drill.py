#!/usr/bin/env python3
"""One budget, several hosts: each in a network namespace of its own, with two workers and its own way to the control plane.

    this namespace: control plane, first host, simulator, clients
    host 1:   link through a relay with 150 ms of delay and 1 % loss
    host 2..: plain links, one of which is cut at random for a while

While clients spend the budget (streams, cancels, errors of the provider), workers, couriers and the control plane are killed at random. At every
instant that the control plane can be asked: used + outstanding <= limit. At the end: what reached the provider <= what the ledger counted <= limit,
and at least 97 % of the limit is used. In standard mode: limit passed by at most a starter per host and what was in flight (limits.h).
"""
import os
import pathlib
import queue
import random
import signal
import subprocess
import tempfile
import threading
import time

import drill
from drill import harness, wait_for
from limits_drill import INPUT_USD, OUTPUT_USD, Watch
from second_node import Node, OtherHost, Relay, add_node, simulator_there

WORKERS = 2
BOUND_USD = 0.0001  # more than any request here can cost: 32 tokens of output, some hundred of input
STARTER = 64  # LIMITS_STARTER: this part of the limit


class FarRelay(Relay):
    """A relay with a distance: each piece of bytes comes so much later, and some wait for a retransmission in order."""

    delay_s, loss, resend_s = 0.075, 0.01, 0.2

    def __init__(self, listen, target, rng):
        self.rng = rng
        super().__init__(listen, target)

    def carry(self, near):
        try:
            far = harness.socket.create_connection(self.target)
        except OSError:
            near.close()
            return
        self.pairs.append((near, far))
        ways = [threading.Thread(target=self.one_way, args=pair, daemon=True) for pair in ((near, far), (far, near))]
        for way in ways:
            way.start()

    def one_way(self, source, sink):
        pieces = queue.Queue()
        threading.Thread(target=self.deliver, args=(pieces, sink), daemon=True).start()
        try:
            while data := source.recv(65536):
                late = self.resend_s if self.rng.random() < self.loss else 0
                pieces.put((time.monotonic() + self.delay_s + late, data))
        except OSError:
            pass
        pieces.put((0, None))

    @staticmethod
    def deliver(pieces, sink):
        while True:
            due, data = pieces.get()
            if data is None:
                break
            time.sleep(max(0, due - time.monotonic()))
            try:
                sink.sendall(data)
            except OSError:
                break
        try:
            sink.shutdown(harness.socket.SHUT_RDWR)
        except OSError:
            pass


class Far:
    """Another host: namespace, link, node."""

    def __init__(self, stack, number, folder, rng):
        self.host = OtherHost(number)
        address, target = (self.host.here, 0), ("127.0.0.1", stack.ports["link"])
        self.link = FarRelay(address, target, rng) if number == 1 else Relay(address, target)
        self.simulator = simulator_there(stack, self.host)
        ports = harness.free_ports(2)
        bundle = add_node(stack, f"host-{number}", self.link, folder)
        (folder / f"host-{number}").mkdir()
        self.node = Node(self.host, stack, bundle, folder / f"host-{number}", ports, WORKERS)
        self.gateway = (self.host.there, ports[0])

    def kill(self, role, rng):
        """Kills a worker or the courier, whose master makes another."""
        found = [pid for pid in harness.children_of(self.node.process.pid) if harness.command_of(pid)[1:2] == [role]]
        if found:
            os.kill(rng.choice(found), signal.SIGKILL)

    def close(self):
        self.node.stop()
        self.simulator.kill()
        self.simulator.wait()
        self.simulator.stdout.close()
        self.host.close()


def kill(host, far, role, rng):
    place = rng.randrange(len(far) + 1)
    if role == "control":
        host.control.kill()
        time.sleep(rng.uniform(0, 0.5))
        host.start_control()
    elif place < len(far):
        far[place].kill(role, rng)
    else:
        roles = host.pids()
        victims = roles["workers"] if role == "worker" else [roles["courier"]]
        if victims and victims[0]:
            os.kill(rng.choice(victims), signal.SIGKILL)


def cut(far, seconds, rng):
    """One plain link falls silent, is refused anew, and comes back."""
    link = rng.choice(far[1:]).link
    link.silent = True
    time.sleep(seconds)
    link.silent = False
    link.reset()


def ask(gateway, stack, key):
    try:
        return harness.request(f"http://{gateway[0]}:{gateway[1]}/v1/chat/completions", "POST",
                               stack.chat_body("the rest", f"@{stack.provider}/gpt-4o-mini", max_tokens=32), {"x-portkey-api-key": key})
    except OSError:
        return None


def use_up(gateways, stack, key):
    """Until every host refuses for the budget."""
    def refused(gateway):
        reply = ask(gateway, stack, key)
        return reply is not None and reply.status == 412
    wait_for("every host refuses", lambda: all(harness.in_threads(len(gateways), lambda i: refused(gateways[i]))), timeout=180, pause=0)


def spend(stack, host, far, given, key, gateways, rng):
    roles = (["worker", "courier", "control"] * (given.rounds // 3 + 1))[:given.rounds]
    rng.shuffle(roles)
    with drill.Traffic(stack, given.clients, given.seed, key=key, gateways=gateways, rude=True, max_tokens=32) as traffic:
        wait_for("traffic", lambda: len(traffic.done()) > 20)
        cutter = threading.Thread(target=cut, args=(far, given.cut_seconds, random.Random(rng.random())))
        if len(far) > 1:
            cutter.start()
        for role in roles:
            time.sleep(rng.uniform(0.1, 0.5))
            kill(host, far, role, rng)
        if len(far) > 1:
            cutter.join()
        wait_for("the budget ends", lambda: all(r.status == 412 for r in traffic.done()[-4 * given.clients:]), timeout=300, pause=0.1)
    wait_for("every host is heard", lambda: all(n["status"] == "connected" for n in stack.nodes()), timeout=120, pause=0.1)
    return roles, traffic.done()


def judge(stack, mode, key, watch, hosts, clients, before):
    row = stack.admin("GET", watch.path).json["usage"][0]
    truth = drill.truth_records(stack)[before:]
    costs = [r["prompt_tokens"] * INPUT_USD + r["completion_tokens"] * OUTPUT_USD for r in truth]
    sent, limit = sum(costs), row["limit"]
    assert sent <= row["used"] * (1 + 1e-9), f"{sent} sent: {row}"
    over = max(0.0, row["used"] - limit)
    if mode == "strict":
        assert not watch.wrong, f"{len(watch.wrong)} of {watch.looks} times above: {watch.wrong[:3]}"
        assert over <= limit * 1e-12, f"overspent: {row}"
        assert row["used"] >= limit * 0.97, f"stuck: {row}"
        bound = 0
    else:
        bound = hosts * limit / STARTER + clients * max(costs)
        assert over <= bound, f"{over} above {limit}, stated are {bound}: {row}"
    return {"sent": sent, "used": row["used"], "limit": limit, "over": over, "over_bound": bound, "looks": watch.looks}


def main():
    given = drill.arguments(__doc__, hosts=4, rounds=9, clients=12, cut_seconds=4.0, budget=0.025)
    assert BOUND_USD < given.budget * 0.005, "the budget is too small to ask for 97 % of it"
    rng = random.Random(given.seed)
    far, figures = [], {}
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with harness.stack(given.build, workers=WORKERS) as stack, tempfile.TemporaryDirectory(prefix="sluice-hosts-") as folder:
        host = drill.Host(stack)
        try:
            for number in range(1, given.hosts):
                far.append(Far(stack, number, pathlib.Path(folder), random.Random(rng.random())))
            for other in far:
                other.node.wait("the host to be ready", lambda state: state.get("ready"))
            gateways = [("127.0.0.1", stack.gateway_port)] + [other.gateway for other in far]
            for mode in ("strict", "standard"):
                made = stack.make_key(usage_limits={"type": "cost", "credit_limit": given.budget, "mode": mode})
                before = len(drill.truth_records(stack))
                watch = Watch(stack, f"/api-keys/{made['id']}")
                watch.start()
                try:
                    roles, results = spend(stack, host, far, given, made["key"], gateways, rng)
                    use_up(gateways, stack, made["key"])
                    ledger = drill.prove(stack, host)
                finally:
                    watch.stop()
                figures[mode] = {**judge(stack, mode, made["key"], watch, given.hosts, given.clients, before), "requests": len(results),
                                 "kills": {role: roles.count(role) for role in sorted(set(roles))}, "ledger": ledger["sources"]}
        finally:
            for other in far:
                other.close()
            host.close()
    drill.report(given, {"drill": "hosts", "seed": given.seed, "hosts": given.hosts, "workers": given.hosts * WORKERS, **figures})


if __name__ == "__main__":
    main()
