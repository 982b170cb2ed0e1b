#!/usr/bin/env python3
"""A second data plane in another network namespace.

    this namespace: the stack (control plane, first node, simulator)          the other: the second node
        10.77.0.1  <-------------------------- veth ------------------------->  10.77.0.2
        relays: link, simulator (listen on 10.77.0.1)                           relay: the simulator's loopback address

The link goes through a relay so that it can be cut in every way: refused, reset, and silent (bytes vanish, nobody is told).
"""
import base64
import contextlib
import os
import pathlib
import re
import secrets
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402

HERE, THERE = "10.77.0.1", "10.77.0.2"
SILENCE_S = 90  # the longest poll (35 s), the reconnect (30 s), and room


def ok(what):
    print(f"ok: {what}", flush=True)


class Relay:
    """Carries connections from `listen` to `target`; `silent` swallows all bytes, close() refuses and resets."""

    def __init__(self, listen, target):
        self.target, self.silent, self.pairs = target, False, []
        self.listener = socket.create_server(listen)
        self.address = self.listener.getsockname()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self.carry, args=(near,), daemon=True).start()

    def carry(self, near):
        with contextlib.suppress(OSError):
            far = socket.create_connection(self.target)
            self.pairs.append((near, far))
            was_silent = False
            while True:
                ready, _, _ = select.select([near, far], [], [], 0.05)
                was_silent = was_silent or self.silent
                for end in ready:
                    data = end.recv(65536)
                    if was_silent:
                        continue  # once silent, for ever: a firewall that forgot this connection
                    if not data:
                        raise OSError
                    (far if end is near else near).sendall(data)
        self.hang_up(near)

    def hang_up(self, near):
        for pair in [p for p in self.pairs if p[0] is near]:
            self.pairs.remove(pair)
            for end in pair:
                with contextlib.suppress(OSError):
                    end.close()
        with contextlib.suppress(OSError):
            near.close()

    def reset(self):
        for pair in list(self.pairs):
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


class OtherHost:
    """Another namespace, alive as long as its first process; reached at `there`, reaches us at `here`."""

    def __init__(self, number=0):
        self.here, self.there = (address.replace(".77.0.", f".77.{number}.") for address in (HERE, THERE))
        near, far = f"s{number}a", f"s{number}b"
        for command in ("ip link set lo up", f"ip link add {near} type veth peer name {far}", f"ip addr add {self.here}/24 dev {near}",
                        f"ip link set {near} up"):
            subprocess.run(command.split(), check=True)
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        harness.wait_for("the other namespace", lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        subprocess.run(["ip", "link", "set", far, "netns", str(self.holder.pid)], check=True)
        for command in ("ip link set lo up", f"ip addr add {self.there}/24 dev {far}", f"ip link set {far} up"):
            subprocess.run(self.inside(command.split()), check=True)

    def inside(self, command):
        return ["nsenter", "--target", str(self.holder.pid), "--net", "--", *command]

    def close(self):
        self.holder.kill()
        self.holder.wait()


class Node:
    """A gateway in the other namespace, started with the one line that `sluicectl node add` asks for."""

    def __init__(self, host, stack, bundle, folder, ports, workers=1):
        there = host.there
        self.stack, self.url = stack, f"http://{there}:{ports[0]}"
        self.status_url = f"http://{there}:{ports[1]}"
        self.log = open(folder / "node.log", "ab")
        simulator = stack.sim.port
        self.process = subprocess.Popen(
            host.inside([str(stack.build / "bin/sluice-gateway"), "--config-dir=", f"--node-file={bundle}", f"--data-dir={folder}",
                         f"--gateway-bind={there}", f"--gateway-port={ports[0]}", f"--status-bind={there}", f"--status-port={ports[1]}",
                         "--insecure-bind=true", f"--workers={workers}", f"--egress-ports=443,{simulator}", "--allowed-private=127.0.0.1/32",
                         "--allowed-http-hosts=127.0.0.1"]), stdout=self.log, stderr=self.log)

    def state(self):
        try:
            return harness.request(self.status_url + "/readyz", timeout=5).json
        except OSError:
            return {}

    def wait(self, what, check, timeout=harness.WAIT_S):
        return harness.wait_for(what, lambda: check(self.state()), timeout, 0.1)

    def chat(self, **more):
        return harness.request(self.url + "/v1/chat/completions", "POST", self.stack.chat_body(**more),
                               {"x-portkey-api-key": self.stack.key})

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=30)
        self.log.close()


def sluicectl(stack, *words):
    done = subprocess.run([str(stack.build / "bin/sluicectl"), *words], capture_output=True, text=True)
    assert done.returncode == 0, f"sluicectl {words}: {done.stdout}{done.stderr}"
    return done.stdout


def control_home(stack):
    """The control plane's own data folder below the quickstart's."""
    return next(path.parent for path in stack.data_dir.rglob("operator.sock"))


def plane(stack, name):
    return next((row for row in stack.nodes() if row["name"] == name), None)


def add_node(stack, name, link, folder):
    bundle = folder / f"{name}.bundle"
    sluicectl(stack, "node", "add", f"--data-dir={control_home(stack)}", "--name", name, "--region", "us", "--group", "us",
              "--link", f"{link.address[0]}:{link.address[1]}", "--control", stack.control_url, "--out", str(bundle))
    return bundle


def check_shared(stack, node):
    for what, reply in (("first", stack.chat()), ("second", node.chat())):
        assert reply.status == 200, f"{what} node: {reply}"
    ok("the same key works on both nodes")
    # What is applied is told with the next poll, a moment after it serves.
    harness.wait_for("both nodes report the revision they serve", lambda: all(
        row["status"] == "connected" and row["revision"] == stack.revision() and row["lag_ms"] == 0 for row in stack.nodes()))
    assert {row["region"] for row in stack.nodes()} >= {"us"}
    ok("both are shown with region, revision and lag")
    integration = stack.integration
    refused = stack.admin("PUT", f"/integrations/{integration}/workspaces", {"workspaces": [{"id": stack.workspace, "enabled": False}]})
    assert refused.headers["x-sluice-applied"] == "applied=2 of=2 refused=0", dict(refused.headers)
    for what, reply in (("first", stack.chat()), ("second", node.chat())):
        assert reply.status == 403, f"{what} node: {reply}"
    stack.provision(integration, [stack.workspace])
    for what, reply in (("first", stack.chat()), ("second", node.chat())):
        assert reply.status == 200, f"{what} node: {reply}"
    ok("a change, narrowing and widening, is enforced on both when the reply says applied")


def check_regions(stack, node):
    """An integration bound to a region is used from its gateways only; its credential reaches no other."""
    path = f"/integrations/{stack.integration}"
    unknown = stack.admin("PUT", path, {"regions": ["mars"]}, expect=400)
    assert "regions" in unknown.message and "mars" in unknown.message, unknown
    stack.admin("PUT", path, {"regions": ["us"]})
    here, there = stack.chat(), node.chat()
    assert (here.status, here.json["error"]["code"]) == (403, "region_bound"), here
    assert there.status == 200, there
    assert stack.admin("GET", path).json["regions"] == ["us"]
    tried = stack.admin("POST", path + "/test", wait=False)
    assert tried.json["success"] and tried.json["data_plane_id"] == plane(stack, "second")["id"], tried
    stack.admin("PUT", path, {"regions": None})
    assert (stack.chat().status, node.chat().status) == (200, 200)
    ok("a bound integration is used from its region only")


def check_cut(stack, node, link, cut, heal):
    """While the link is cut the node serves what it has; healed, it catches up."""
    before = node.state()["revision"]
    cut()
    stack.admin("PUT", f"/admin/workspaces/{stack.workspace}", {"description": f"cut {time.monotonic()}"}, wait=False)
    assert node.chat().status == 200
    assert node.state()["revision"] == before
    heal()
    target = stack.revision()
    node.wait(f"revision {target} after the cut", lambda state: state.get("revision", 0) >= target, SILENCE_S)
    assert node.chat().status == 200


def silent_cut(link):
    link.silent = True


def silent_heal(link):
    time.sleep(1)  # the connection that is there has lost bytes by now
    link.silent = False


def spoiled(bundle, folder, name, line):
    """A copy of a bundle with one line replaced."""
    key = line.split(" ", 1)[0]
    text = re.sub(rf"(?m)^{key} .*$", lambda _: line, bundle.read_text())
    copy = folder / name
    copy.touch(0o600)
    copy.write_text(text)
    return copy


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def check_stranger(host, stack, bundle, folder, ports, what):
    folder.mkdir()
    revision = stack.revision()
    stranger = Node(host, stack, bundle, folder, ports)
    try:
        harness.wait_for("the stranger's status port", lambda: stranger.state() != {})
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            state = stranger.state()
            assert state["ready"] is False and state["revision"] == 0, f"{what}: {state}"
            time.sleep(0.5)
        assert stranger.chat().status == 503, what
    finally:
        stranger.stop()
    assert stack.revision() == revision
    ok(f"{what} gets nothing")


def foreign_bundle(stack, link, folder):
    """A bundle of another installation, pointed at this one's link: its certificate is another authority's."""
    home = folder / "foreign"
    sluicectl(stack, "init", f"--data-dir={home}")
    bundle = folder / "foreign.bundle"
    sluicectl(stack, "node", "add", f"--data-dir={home}", "--name", "foreign", "--link", f"{link.address[0]}:{link.address[1]}",
              "--out", str(bundle))
    return bundle


def check_removal(stack, node):
    sluicectl(stack, "node", "remove", f"--data-dir={control_home(stack)}", "second")
    node.wait("the node to know that it was removed", lambda state: state.get("revoked"))
    revision = node.state()["revision"]
    assert not node.state()["ready"]
    stack.admin("PUT", f"/admin/workspaces/{stack.workspace}", {"description": "after the removal"})
    stack.chat()
    assert node.state()["revision"] == revision
    assert plane(stack, "second")["status"] == "removed"
    ok("a removed node is told so and gets nothing more")


def simulator_there(stack, host):
    """The simulator's loopback address in the other namespace; the relay's process."""
    simulator = Relay((host.here, 0), ("127.0.0.1", stack.sim.port))
    there = subprocess.Popen(host.inside([sys.executable, __file__, "--relay", str(stack.sim.port), host.here, str(simulator.address[1])]),
                             stdout=subprocess.PIPE, text=True)
    assert there.stdout.readline() == "listening\n"
    return there


def run(stack, host, folder):
    link = Relay((HERE, 0), ("127.0.0.1", stack.ports["link"]))
    there = simulator_there(stack, host)
    ports = harness.free_ports(4)
    try:
        bundle = add_node(stack, "second", link, folder)
        (folder / "node").mkdir()
        node = Node(host, stack, bundle, folder / "node", ports[:2])
        try:
            node.wait("the second node to be ready", lambda state: state.get("ready"))
            ok("a second host joins with two commands")
            check_shared(stack, node)
            check_regions(stack, node)
            check_cut(stack, node, link, link.reset, lambda: None)
            ok("a connection that is reset is made again")
            check_cut(stack, node, link, lambda: silent_cut(link), lambda: silent_heal(link))
            ok("a connection that falls silent is given up and made again")
            check_stranger(host, stack, foreign_bundle(stack, link, folder), folder / "a", ports[2:], "a foreign certificate")
            wrong_key = spoiled(bundle, folder, "wrong.bundle", f"node_key {base64url(secrets.token_bytes(32))}")
            check_stranger(host, stack, wrong_key, folder / "b", ports[2:], "a wrong node key")
            assert node.chat().status == 200
            check_removal(stack, node)
        except BaseException:
            print((folder / "node/node.log").read_text(errors="replace")[-4000:], file=sys.stderr)
            raise
        finally:
            node.stop()
    finally:
        there.kill()
        there.wait()
        there.stdout.close()


def main(build):
    host = OtherHost()
    try:
        with harness.stack(build) as stack, tempfile.TemporaryDirectory(prefix="sluice-second-") as folder:
            run(stack, host, pathlib.Path(folder))
    finally:
        host.close()


def relay_only(port, target, target_port):
    Relay(("127.0.0.1", int(port)), (target, int(target_port)))
    print("listening", flush=True)
    signal.pause()


if __name__ == "__main__":
    if sys.argv[1] == "--relay":
        relay_only(*sys.argv[2:])
    else:
        main(sys.argv[1])
