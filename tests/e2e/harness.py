#!/usr/bin/env python3
"""Starts the whole stack in a folder of its own and talks to it from outside; the Python standard library only.

    with harness.stack(build) as s:                 # deploy/quickstart.sh --sim --detach --json, free ports, stopped at the end
        s.chat("hello").status                      # one call through the gateway with the workspace's key
        s.admin("PUT", "/integrations/x", {...})    # organisation key; waits until the node has it; raises unless 2xx
        s.sim.records()                             # what really reached the provider
        s.pids()                                    # {"control": 1, "master": 2, "courier": 3, "workers": [4, 5], "sim": 6}

    harness.py BUILD [quickstart options] -- COMMAND ARG...    runs COMMAND beside a stack, described by the JSON in $SLUICE_STACK

A stack is always stopped, and its logs are printed if the block fails. Owner of a Stack: one thread; Reply, Wire and Events are
plain values and may go anywhere.
"""
import contextlib
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest
import urllib.parse

from wire import WAIT_S, Events, Reply, Wire, chat_text, encode, multipart, request  # noqa: F401 - suites take them from here

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOG_TAIL = 40
SECRET_ENV = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")


def free_ports(count):
    """Ports nobody listens on, below the ephemeral range so that no outgoing connection takes them meanwhile."""
    found = []
    while len(found) < count:
        port = random.randint(10240, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def wait_for(what, check, timeout=WAIT_S, pause=0.02):
    """The first true answer of check(); AssertionError naming `what` if there is none in time."""
    deadline = time.monotonic() + timeout
    while True:
        if answer := check():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{timeout} s without: {what}")
        time.sleep(pause)


class Sim:
    """The simulator's control side (tests/sim/README.md)."""

    def __init__(self, url):
        self.url = url.removesuffix("/").removesuffix("/v1")
        self.port = urllib.parse.urlsplit(self.url).port

    def get(self, path):
        return request(self.url + path).json

    def reset(self):
        """Forgets records, objects and counters."""
        assert request(self.url + "/__sim/reset", "POST").status == 200

    def stats(self):
        return self.get("/__sim/stats")

    def records(self, attempt=None):
        """Truth records, oldest first: of one attempt, or all since the last reset."""
        return self.get("/__sim/requests" + (f"?attempt_id={attempt}" if attempt else ""))

    def last(self):
        """The newest truth record, or None."""
        found = self.get("/__sim/last?n=1")
        return found[-1] if found else None

    def wait_record(self, count=1):
        """All records, once there are `count`: a record is written when its request ends."""
        return wait_for(f"{count} requests at the simulator", lambda: (r := self.records()) and len(r) >= count and r)


def children_of(pid):
    out = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as stat:
                if int(stat.read().rsplit(")", 1)[1].split()[1]) == pid:
                    out.append(int(name))
    return out


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            return line.read().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


class Stack:
    """A running stack. Made by stack(); `facts` is what quickstart printed (ARCHITECTURE section 7)."""

    def __init__(self, build, facts, ports):
        self.build, self.facts, self.ports = pathlib.Path(build), facts, ports
        self.data_dir = pathlib.Path(facts["data_dir"])
        self.gateway_url, self.control_url = facts["gateway_url"], facts["control_url"]
        self.status_url = f"http://127.0.0.1:{ports['status']}"
        self.gateway_port = urllib.parse.urlsplit(self.gateway_url).port
        self.admin_key, self.key = facts["org_admin_key"], facts["workspace_key"]
        self.workspace, self.provider = facts["workspace"]["id"], facts["provider"]["slug"]
        self.integration, self.model = facts["integration"]["slug"], facts["model"]
        configured = self.admin("GET", f"/integrations/{self.integration}").json["configurations"]
        self.sim = Sim(configured["custom_host"])

    # --- calls

    def gateway(self, method, path, body=None, headers=None, key=True, timeout=WAIT_S):
        """One call to the gateway, path behind /v1. key: True = the workspace's, a string = that one, None = none."""
        headers = dict(headers or {})
        if key:
            headers["x-portkey-api-key"] = self.key if key is True else key
        return request(f"{self.gateway_url}/v1{path}", method, body, headers, timeout)

    def chat_body(self, text="hello", model=None, **more):
        return {"model": model or f"@{self.provider}/gpt-4o", "messages": [{"role": "user", "content": text}], **more}

    def chat(self, text="hello", model=None, headers=None, key=True, **more):
        return self.gateway("POST", "/chat/completions", self.chat_body(text, model, **more), headers, key)

    def stream(self, text="hello", model=None, headers=None, key=True, **more):
        """Events of a streamed chat."""
        headers = {"x-portkey-api-key": self.key if key is True else key, **(headers or {})}
        return Events(f"{self.gateway_url}/v1/chat/completions", self.chat_body(text, model, stream=True, **more), headers)

    def wire(self, **options):
        return Wire(self.gateway_port, **options)

    def admin(self, method, path, body=None, key=None, expect=200, wait=True, url=None):
        """One admin call, path behind /v1; AssertionError unless its status is `expect` (None: any). Changes are applied at the node when
        this returns, unless wait=False."""
        if method != "GET" and wait:
            path += ("&" if "?" in path else "?") + "wait=applied"
        reply = request(f"{url or self.control_url}/v1{path}", method, body, {"x-portkey-api-key": key or self.admin_key})
        assert expect is None or reply.status == expect, f"{method} {path}: {reply}"
        if method != "GET" and wait and reply.status == 200:
            self.check_applied(path, reply)
        return reply

    @staticmethod
    def check_applied(path, reply):
        words = dict(word.split("=") for word in reply.headers.get("x-sluice-applied", "").split())
        assert words and words["applied"] == words["of"], f"{path}: not applied: {dict(reply.headers)}"

    def revision(self):
        """The newest committed revision of the control plane."""
        return self.admin("GET", "/data-planes").json["revision"]

    def wait_applied(self, revision=None):
        """Waits until every connected node has the revision (default: the newest)."""
        revision = revision or self.revision()
        wait_for(f"revision {revision} at every node",
                 lambda: all(n["revision"] >= revision for n in self.nodes() if n["status"] == "connected"))

    def nodes(self):
        """Rows of GET /v1/data-planes: name, region, status, revision, lag_ms, ..."""
        return self.admin("GET", "/data-planes").json["data"]

    def usage(self, group="day", key=None, **query):
        return self.admin("GET", "/usage?" + urllib.parse.urlencode({"group_by": group, **query}), key=key).json

    # --- entities

    def make_workspace(self, name, key=None):
        """{"id","slug","key"}: a workspace with a service key of all a developer needs."""
        made = self.admin("POST", "/admin/workspaces", {"name": name}, key=key).json
        return {"id": made["id"], "slug": made["slug"], "key": self.make_key(made["id"])["key"]}

    def make_key(self, workspace=None, scopes=("completions.write", "models.list"), kind="workspace/service", **more):
        body = {"name": f"e2e {random.randrange(1 << 40)}", "scopes": list(scopes), **more}
        if kind != "organisation/service":
            body["workspace_id"] = workspace or self.workspace
        return self.admin("POST", f"/api-keys/{kind}", body).json

    def make_integration(self, slug, models=None, workspaces=(), allow_all=False, host=None, kind="openai", **more):
        """An integration at the simulator. models: None = as made (all), else rows of PUT models; then a provider `slug` per workspace."""
        self.admin("POST", "/integrations", {"name": slug, "slug": slug, "ai_provider_id": kind, "key": "sk-upstream-" + slug,
                                             "configurations": {"custom_host": host or self.sim.url + "/v1"}, **more})
        if models is not None:
            self.admin("PUT", f"/integrations/{slug}/models", {"models": models, "allow_all_models": allow_all})
        if workspaces:
            self.provision(slug, workspaces)

    def provision(self, integration, workspaces, enabled=True):
        rows = [{"id": workspace, "enabled": enabled} for workspace in workspaces]
        self.admin("PUT", f"/integrations/{integration}/workspaces", {"workspaces": rows})

    # --- processes

    def pids(self):
        """Pids by role: control, master, courier, sim (None if dead) and workers, in order of their number."""
        roles = {"control": None, "master": None, "courier": None, "sim": None, "workers": []}
        todo = list(self.facts["pids"])
        workers = []
        for pid in todo:
            command = command_of(pid)
            program = os.path.basename(command[0]) if command else ""
            if program == "sluice-control":
                roles["control"] = pid
            elif program == "sluice-sim":
                roles["sim"] = pid
            elif program == "sluice-gateway" and command[1:2] not in (["courier"], ["worker"]):
                roles["master"] = pid
                for child in children_of(pid):
                    role = command_of(child)[1:3]
                    if role[:1] == ["courier"]:
                        roles["courier"] = child
                    elif role[:1] == ["worker"]:
                        workers.append((role[1:], child))
        roles["workers"] = [pid for _, pid in sorted(workers)]
        return roles

    def metrics(self):
        """Samples of the gateway: {"name{labels}": value}."""
        lines = request(self.status_url + "/metrics").body.decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line and not line.startswith("#")}

    def ready(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return request(self.status_url + "/readyz", timeout=2).status == 200
        return False

    def describe(self):
        """What a suite in another language needs, as JSON."""
        return json.dumps({**self.facts, "status_url": self.status_url, "sim_url": self.sim.url, "build": str(self.build)})


def print_logs(data_dir):
    for path in sorted(pathlib.Path(data_dir).glob("log/*.log")):
        lines = path.read_text(errors="replace").splitlines()
        print(f"--- {path.relative_to(data_dir)} ({len(lines)} lines)", *lines[-LOG_TAIL:], sep="\n", file=sys.stderr)


def quickstart(build, data_dir, *options, environment=None):
    build = pathlib.Path(build).resolve()
    command = [str(ROOT / "deploy/quickstart.sh"), "--data-dir", str(data_dir), *options]
    if "--stop" not in options:
        command += ["--no-build", "--build-type", os.path.relpath(build, ROOT / "build")]
    environment = {**os.environ, **(environment or {})}
    for name in SECRET_ENV:
        if name not in (environment or {}):
            environment.pop(name, None)
    # Files, not pipes: daemons that kept our pipe open would make the wait for its end last as long as they live.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = subprocess.run(command, stdout=out, stderr=err, env=environment, stdin=subprocess.DEVNULL, timeout=180).returncode
        out.seek(0)
        err.seek(0)
        return code, out.read().decode(errors="replace"), err.read().decode(errors="replace")


def start(build, data_dir, *options, workers=2, environment=None):
    """A Stack in data_dir; another set of ports is tried if one was taken meanwhile."""
    for attempt in range(4):
        ports = dict(zip(("gateway", "control", "link", "status"), free_ports(4)))
        where = [text for name, port in ports.items() for text in (f"--{name}-port", str(port))]
        code, out, err = quickstart(build, data_dir, "--sim", "--detach", "--json", "--workers", str(workers), *where, *options,
                                    environment=environment)
        if code == 0:
            return Stack(build, json.loads(out), ports)
        stop(build, data_dir)
        if attempt == 3 or "in use" not in err.lower() + log_text(data_dir):
            print_logs(data_dir)
            raise AssertionError(f"quickstart: {code}\n{out}\n{err}")
        shutil.rmtree(data_dir)
        os.mkdir(data_dir)
    return None


def log_text(data_dir):
    return "\n".join(path.read_text(errors="replace")[-4000:] for path in pathlib.Path(data_dir).glob("log/*.log")).lower()


def stop(build, data_dir):
    code, out, err = quickstart(build, data_dir, "--stop")
    if code != 0:
        print(f"quickstart --stop: {code}\n{out}\n{err}", file=sys.stderr)


@contextlib.contextmanager
def stack(build, *options, workers=2, environment=None):
    """A stack for a `with` block: stopped and removed behind it, logs printed if the block fails."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ctest's time limit must not leave a stack behind
    data_dir = tempfile.mkdtemp(prefix="sluice-e2e-")
    try:
        running = start(build, data_dir, *options, workers=workers, environment=environment)
        try:
            yield running
        except BaseException:
            traceback.print_exc()
            print_logs(data_dir)
            raise
        finally:
            stop(build, data_dir)
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)


class Case(unittest.TestCase):
    """A case of a suite that run_cases starts: self.s is its stack, whose simulator has been reset."""

    stack = None

    @property
    def s(self):
        return Case.stack

    def setUp(self):
        self.s.sim.reset()

    def refused(self, reply, status, *words, code=None):
        """The gateway's own refusal with this status whose message has these words; the simulator got nothing."""
        self.assertEqual(reply.status, status, str(reply))
        self.assertEqual(reply.headers.get("x-sluice-error-source"), "gateway", str(reply))
        for word in words:
            self.assertIn(word, reply.message)
        if code:
            self.assertEqual(reply.error["code"], code, str(reply))
        self.assertEqual(self.s.sim.records(), [], "the provider was asked")
        return reply


def run_cases(*options, **more):
    """unittest.main beside one stack, for a script that is called with the build folder: SUITE.py BUILD [unittest's arguments]"""
    with stack(sys.argv.pop(1), *options, **more) as Case.stack:
        program = unittest.main(module="__main__", exit=False, verbosity=1)
        if not program.result.wasSuccessful():
            print_logs(Case.stack.data_dir)
    sys.exit(not program.result.wasSuccessful())


def in_threads(count, work):
    """Runs work(i) in `count` threads and gives their answers in order; the first exception is raised here."""
    answers, faults = [None] * count, []

    def run(i):
        try:
            answers[i] = work(i)
        except BaseException as fault:  # noqa: B902 - handed to the caller's thread
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return answers


def main():
    at = sys.argv.index("--")
    build, options, command = sys.argv[1], sys.argv[2:at], sys.argv[at + 1:]
    with stack(build, *options) as running:
        code = subprocess.run(command, env={**os.environ, "SLUICE_STACK": running.describe()}).returncode
        if code != 0:
            print_logs(running.data_dir)
    sys.exit(code)


if __name__ == "__main__":
    main()
