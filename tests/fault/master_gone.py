#!/usr/bin/env python3
"""The master dies, or is told to end, while long streams run. Dead: a new one starts beside the workers that drain, takes new calls at once, and
the old streams end whole. Told: who connects from now on is refused at once, and the streams that run end whole. The ledger equals the truth log.
"""
import contextlib
import http.client
import signal
import socket
import threading
import time

import drill
from drill import harness
from harness import wait_for

WORKERS = 2
CHUNKS = (60, 240, 960)  # of 50 ms: the longer ones where starting takes longer than the shorter last


class Stream:
    """A long stream in a thread of its own; `whole` once it ended with [DONE]."""

    def __init__(self, stack, chunks):
        self.begun, self.whole, self.last = threading.Event(), False, None
        self.thread = threading.Thread(target=self.read, args=(stack, chunks))
        self.thread.start()
        assert self.begun.wait(harness.WAIT_S), "the stream did not begin"

    def read(self, stack, chunks):
        with contextlib.suppress(OSError, http.client.HTTPException):
            with stack.stream(f"long sim:fault=chunks:{chunks};interval:50") as events:
                for event in events:
                    self.last = event
                    self.begun.set()
        self.whole = self.last is not None and "[DONE]" in str(self.last)


def refused(stack):
    """True if nobody accepts on the gateway's port: neither a connection nor a place in a queue."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", stack.gateway_port)) != 0


def master_dies(stack, host):
    for chunks in CHUNKS:
        streams = [Stream(stack, chunks) for _ in range(6)]
        host.master.kill()
        ready_s = host.start_master(WORKERS)
        if all(s.thread.is_alive() for s in streams):
            break
    else:
        raise AssertionError("the streams ended before the new master was ready: nothing was shown")
    for _ in range(20):
        assert stack.chat("through the new one").status == 200
    for stream in streams:
        stream.thread.join()
    assert all(s.whole for s in streams), f"{sum(not s.whole for s in streams)} streams were cut"
    return ready_s


def master_ends(stack, host):
    stream = Stream(stack, CHUNKS[1])
    host.master.pid = host.pids()["master"]
    host.master.child.send_signal(signal.SIGTERM)
    wait_for("the port is given up", lambda: refused(stack), pause=0.01)
    assert stream.thread.is_alive(), "the stream ended before the port was given up: nothing was shown"
    stream.thread.join()
    assert stream.whole, "the stream was cut by the drain"
    wait_for("the gateway has ended", lambda: host.master.child.poll() is not None)
    assert host.master.child.returncode == 0, host.master.child.returncode


def main():
    given = drill.arguments(__doc__, rounds=1)
    ready = []
    with harness.stack(given.build, workers=WORKERS) as stack:
        host = drill.Host(stack)
        try:
            for _ in range(given.rounds):
                ready.append(master_dies(stack, host))
                master_ends(stack, host)
                host.start_master(WORKERS)
            time.sleep(0.2)
            figures = drill.prove(stack, host)
        finally:
            host.close()
    drill.report(given, {"drill": "master_gone", "seed": given.seed, "ready_s": [round(s, 3) for s in ready], "ledger": figures})


if __name__ == "__main__":
    main()
