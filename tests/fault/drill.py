"""What the drills share: traffic with a memory, processes that are killed and started again, and the comparison of ledger and truth log.

The rule that is proved (ARCHITECTURE section 4, "What may be lost"): every attempt that was sent has exactly one ledger entry. An entry whose
source is `provider` equals the simulator's record exactly; every other entry (its worker died, or the usage never came) stands for at
most one record, and if it is a bound it is not below it. No record without an entry, no entry twice.
"""
import argparse
import base64
import collections
import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402
from harness import wait_for  # noqa: E402


# --- processes

class Process:
    """A process as it was started, to be killed and started again in the same way. The new one belongs to us, so it is reaped."""

    def __init__(self, pid, log):
        self.pid, self.log, self.child = pid, log, None
        self.command = harness.command_of(pid)
        self.directory = os.readlink(f"/proc/{pid}/cwd")
        self.program = os.readlink(f"/proc/{pid}/exe")
        with open(f"/proc/{pid}/environ", "rb") as environ:
            self.environment = dict(item.split(b"=", 1) for item in environ.read().split(b"\0") if b"=" in item)

    def kill(self, number=signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
        wait_for(f"the end of {self.command[:2]}", lambda: not alive(self.pid, self.child), pause=0.002)

    def start(self):
        """Starts it anew and returns the pid."""
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen([self.program, *self.command[1:]], cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log, start_new_session=True)
        self.pid = self.child.pid
        return self.pid


def alive(pid, child=None):
    """True while any of its threads is left: until then it may still hold a lock or a port, even if the first thread is gone."""
    if child is not None and child.poll() is not None:
        return False
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


class Host:
    """The processes of a stack by role, across their deaths."""

    def __init__(self, stack):
        self.stack = stack
        pids = stack.pids()
        self.log = stack.data_dir / "log/drill.log"
        self.control = Process(pids["control"], self.log)
        self.master = Process(pids["master"], self.log)

    def refresh(self):
        """Tells the stack about new pids, so that its stop ends them."""
        self.stack.facts["pids"] = [pid for pid in self.stack.facts["pids"] if alive(pid)]
        for process in (self.control, self.master):
            if process.pid not in self.stack.facts["pids"] and alive(process.pid, process.child):
                self.stack.facts["pids"].append(process.pid)

    def pids(self):
        self.refresh()
        return self.stack.pids()

    def close(self):
        """Ends what we started; quickstart --stop knows only what it started."""
        for process in (self.master, self.control):
            if process.child is not None and process.child.poll() is None:
                process.child.terminate()
        for process in (self.master, self.control):
            if process.child is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.child.wait(20)
                if process.child.poll() is None:
                    process.child.kill()
                    process.child.wait(10)

    def control_ready(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return harness.request(self.stack.control_url + "/readyz", timeout=2).status == 200
        return False

    def start_control(self):
        """Seconds from exec to ready."""
        begun = time.monotonic()
        self.control.start()
        wait_for("the control plane is ready", self.control_ready, pause=0.005)
        self.refresh()
        return time.monotonic() - begun

    def workers_serve(self, count):
        roles = self.pids()
        return len(roles["workers"]) == count and roles["courier"] and self.stack.ready()

    def start_master(self, workers):
        """Starts it as a service manager does: again and again until it stays (children of the one before may still hold a port).
        Seconds from the first exec to ready."""
        begun = time.monotonic()
        self.master.start()

        def serves():
            if not alive(self.master.pid, self.master.child):
                time.sleep(0.05)
                self.master.start()
            return self.workers_serve(workers)

        wait_for("the data plane is ready", serves, pause=0.005)
        return time.monotonic() - begun


# --- traffic

class Result:
    __slots__ = ("number", "stream", "begun", "ended", "status", "fault", "usage")

    def __init__(self, number, stream):
        self.number, self.stream, self.begun = number, stream, time.monotonic()
        self.ended = self.status = self.fault = self.usage = None

    @property
    def failed(self):
        return self.fault is not None or self.status != 200


class Traffic:
    """Clients that call without pause, half of them streaming, each request with a number of its own; checks every answer's content."""

    def __init__(self, stack, clients=8, seed=1, pause=0.0, slow=True, key=None, gateways=(), rude=False, **more):
        """gateways: (host, port) in turn by client, else the stack's own. rude: some clients leave, some requests fail upstream."""
        self.gateways, self.rude = gateways or [("127.0.0.1", stack.gateway_port)], rude
        self.stack, self.results, self.lock = stack, [], threading.Lock()
        self.key, self.more = key or stack.key, more  # more: members of every body
        self.stopping, self.pause, self.slow = threading.Event(), pause, slow
        self.next = 0
        self.threads = [threading.Thread(target=self.client, args=(random.Random(f"{seed}/{i}"), self.gateways[i % len(self.gateways)]))
                        for i in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            if thread.is_alive():
                thread.join()

    def number(self):
        with self.lock:
            self.next += 1
            return self.next

    def done(self):
        with self.lock:
            return list(self.results)

    def client(self, rng, gateway):
        connection = None
        while not self.stopping.is_set():
            stream = rng.random() < 0.5
            result = Result(self.number(), stream)
            faults = "chunks:8;interval:5" if stream else "latency:10"
            if self.rude and rng.random() < 0.1:
                faults = rng.choice(("status:500", "reset", "truncate:1", "chunks:500;interval:5"))
            text = f"drill {result.number} end" + (f" sim:fault={faults}" if self.slow and rng.random() < 0.5 else "")
            body = {"model": f"@{self.stack.provider}/gpt-4o-mini", "messages": [{"role": "user", "content": text}], **self.more}
            if stream:
                body.update(stream=True, stream_options={"include_usage": True})
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(*gateway, timeout=harness.WAIT_S)
                connection.request("POST", "/v1/chat/completions", json.dumps(body),
                                   {"content-type": "application/json", "x-portkey-api-key": self.key})
                reply = connection.getresponse()
                result.status = reply.status
                if stream and self.rude and (rng.random() < 0.1 or "chunks:500" in faults):
                    reply.read1(64)
                    raise ConnectionAbortedError("the client left")
                self.judge(result, stream, reply.status, reply.read())
            except (OSError, http.client.HTTPException) as fault:
                result.fault = f"{type(fault).__name__}: {fault}"
            if result.failed and connection is not None:
                connection.close()
                connection = None
            result.ended = time.monotonic()
            with self.lock:
                self.results.append(result)
            if result.failed:
                time.sleep(0.01)
            if self.pause:
                time.sleep(self.pause)
        if connection is not None:
            connection.close()

    @staticmethod
    def judge(result, stream, status, raw):
        if status != 200:
            result.fault = raw[:300].decode(errors="replace")
            return
        want = f"drill {result.number} end"
        try:
            if not stream:
                answer = json.loads(raw)
                text, result.usage = answer["choices"][0]["message"]["content"], answer["usage"]
            else:
                text, last = "", None
                for event in raw.decode().split("\n\n"):
                    if event.startswith("data: "):
                        last = event[6:]
                        part = json.loads(last) if last != "[DONE]" else {}
                        text += "".join(choice["delta"].get("content") or "" for choice in part.get("choices", []))
                        result.usage = part.get("usage") or result.usage
                if last != "[DONE]":
                    result.fault = "the stream ended early"
                    return
        except (ValueError, KeyError, IndexError) as fault:
            result.fault = f"malformed answer: {fault!r}: {raw[-200:]!r}"
            return
        if want not in text:
            result.fault = f"another answer: {text[:200]!r}"


def failures_outside(results, windows):
    """Failed requests that ran at no time within one of the (from, to) windows."""
    return [r for r in results if r.failed and not any(r.begun <= end and r.ended >= begin for begin, end in windows)]


# --- ledger and truth

SETTLE_S = 180  # a courier looks for journals that nobody holds once a minute


def orphans(stack):
    """Couriers of masters that died: they still bring what their workers settled."""
    def holds_ours(pid):
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{pid}/fd/{fd}").startswith(f"{stack.data_dir}/"):
                        return True
        return False
    couriers = [int(name) for name in os.listdir("/proc") if name.isdigit() and harness.command_of(name)[1:2] == ["courier"]]
    return [pid for pid in couriers if pid != stack.pids()["courier"] and holds_ours(pid)]


def settle(stack, timeout=SETTLE_S):
    """Waits until nothing runs at the host and what it has journaled is acknowledged, by what the host itself says: the control plane's
    table of nodes has what a node said when it last asked for changes, which may be half a minute ago."""
    def settled():
        state = harness.request(stack.status_url + "/readyz").json
        return (state["link"] == "up" and state["usage_pending"] == 0 and stack.metrics()["sluice_requests_open"] == 0
                and not orphans(stack))
    wait_for("all usage is reported", settled, timeout, 0.1)


def attempts(stack):
    """Ids of the attempts the provider has records of."""
    return {record["attempt_id"] for record in truth_records(stack) if record.get("attempt_id")}


def journaled(stack):
    """True once every attempt that the provider has a record of is in a journal."""
    logs = b"".join(path.read_bytes() for path in stack.data_dir.rglob("journal/*/*.log"))
    return all(base64.urlsafe_b64decode(attempt) in logs for attempt in attempts(stack))


def truth_records(stack):
    """All records of the simulator: from its log if it keeps one, else what it still has in memory."""
    command = harness.command_of(stack.pids()["sim"])
    if "--truth-log" in command:
        with open(command[command.index("--truth-log") + 1], encoding="utf-8") as log:
            return [json.loads(line) for line in log if line.endswith("\n")]
    records = stack.sim.records()
    assert len(records) < 4096, "the simulator has forgotten records: it needs --truth-log"
    return records


def sluicectl(stack, host, *arguments):
    """Output of a command on the store of this control plane, whether it runs or not."""
    data_dir = next(word.split("=", 1)[1] for word in host.control.command if word.startswith("--data-dir="))
    run = subprocess.run([str(stack.build / "bin/sluicectl"), *arguments, "--data-dir", data_dir, "--json"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, timeout=600)
    assert run.returncode == 0, f"sluicectl {arguments}: {run.returncode} {run.stdout[-400:]!r} {run.stderr[-800:]!r}"
    return [json.loads(line) for line in run.stdout.splitlines()]


FIELDS = (("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens"), ("cached_tokens", "cached_tokens"),
          ("reasoning_tokens", "reasoning_tokens"))


def join(events, truth):
    """Compares entries with records; figures, and a list of what is wrong."""
    wrong = []
    entries, records = collections.defaultdict(list), collections.defaultdict(list)
    for event in events:
        entries[event["attempt_id"]].append(event)
    for record in truth:
        if record.get("attempt_id"):
            records[record["attempt_id"]].append(record)
    for attempt, found in entries.items():
        if len(found) > 1:
            wrong.append(f"entered {len(found)} times: {found[0]}")
    for attempt, found in records.items():
        if len(found) > 1:
            wrong.append(f"received {len(found)} times: {attempt}")
        if attempt not in entries:
            wrong.append(f"no entry for {attempt}: {({name: found[0][name] for name in ('status', 'completed', 'aborted', 'started_ms', 'ended_ms')})}")
    never_arrived = 0
    for attempt, (entry, *_) in entries.items():
        record = records.get(attempt, [None])[0]
        if entry["source"] == "provider":
            if record is None:
                wrong.append(f"usage out of nowhere: {entry}")
                continue
            for ours, theirs in FIELDS:
                if entry[ours] != (record.get(theirs) or 0):
                    wrong.append(f"{ours}: {entry[ours]} entered, {record.get(theirs)} used: {attempt}")
        elif record is None:
            never_arrived += 1
        elif entry["source"] == "bound":
            for ours, theirs in FIELDS[:2]:
                if entry[ours] < (record.get(theirs) or 0):
                    wrong.append(f"bound {ours}: {entry[ours]} entered, {record.get(theirs)} used: {attempt}")
    sources = collections.Counter(event["source"] for event in events)
    outcomes = collections.Counter(event["outcome"] for event in events)
    return {"entries": len(events), "records": sum(len(r) for r in records.values()), "sources": dict(sources), "outcomes": dict(outcomes),
            "never_arrived": never_arrived}, wrong


def prove(stack, host):
    """Figures of a ledger that agrees with the truth log; AssertionError otherwise."""
    settle(stack)
    # An attempt may have ended and not be journaled yet, and a journal whose courier died is taken up later: both are seen nowhere else.
    with contextlib.suppress(AssertionError):  # join() names what is missing
        wait_for("an entry for every attempt", lambda: attempts(stack) <= {event["attempt_id"] for event in sluicectl(stack, host, "ledger", "dump")},
                 SETTLE_S, 0.5)
    settle(stack)
    figures, wrong = join(sluicectl(stack, host, "ledger", "dump"), truth_records(stack))
    assert not wrong, f"{len(wrong)} disagreements:\n  " + "\n  ".join(wrong[:20])
    sluicectl(stack, host, "ledger", "verify")  # sums and the audit chain; fails if something disagrees
    return figures


# --- programs

def arguments(description, **defaults):
    """The options of a drill: --build, --seed, --out and one per default."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--build", default=str(harness.ROOT / "build/release"))
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(1 << 32)))
    parser.add_argument("--out", help="file for the figures, JSON")
    for name, value in defaults.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(value), default=value)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    return given


def report(given, figures):
    line = json.dumps(figures)
    print(line, flush=True)
    if given.out:
        pathlib.Path(given.out).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(given.out).write_text(line + "\n", encoding="utf-8")


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None
