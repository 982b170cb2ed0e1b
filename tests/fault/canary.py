#!/usr/bin/env python3
"""A stored credential shows nowhere: 100 ms after an attempt it is in no process's memory, and never in a file, log or reply.

The scanner proves its own sight: it must find the canary in the simulator, which received it, and in a worker that holds an attempt
open. The vault's key must be in no file and no process of the gateway's side.
"""
import contextlib
import http.client
import os
import pathlib
import random
import re
import time

import drill
from drill import harness, wait_for

WORKERS = 2
CLEAN_S = 20  # for a machine that is busy; far less than an idle connection is kept (90 s)
COPIES_MAX = 6  # in a worker with one attempt in flight: ours, libcurl's and OpenSSL's


def maps_of(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            span, modes, rest = line.split(maxsplit=2)
            if modes[0] == "-" and modes[1] == "-":
                continue
            if rest.rstrip().endswith(("[vvar]", "[vsyscall]", "[vdso]", "[vvar_vclock]")):
                continue
            begin, end = (int(x, 16) for x in span.split("-"))
            if end - begin > 1 << 31:
                yield from sparse(pid, begin, end)
            else:
                yield begin, end


def sparse(pid, begin, end):
    """The present pages of a huge mapping (the store's and the catalog's maps are 16 GiB of address space), by /proc/PID/pagemap."""
    page = os.sysconf("SC_PAGESIZE")
    with open(f"/proc/{pid}/pagemap", "rb") as table:
        for at in range(begin, end, page << 16):
            table.seek(at // page * 8)
            entries = table.read(8 * min(1 << 16, (end - at) // page))
            if entries.count(0) == len(entries):
                continue
            for i in range(0, len(entries), 8):
                if entries[i + 7] & 0xC0:
                    yield at + i // 8 * page, at + i // 8 * page + page


def scan(pid, needles):
    """How often each needle is in the memory of a process."""
    found = {needle: 0 for needle in needles}
    longest = max(len(needle) for needle in needles)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end in maps_of(pid):
            tail, at = b"", begin
            while at < end:
                try:
                    memory.seek(at)
                    data = memory.read(min(1 << 22, end - at))
                except (OSError, OverflowError, ValueError):
                    break
                if not data:
                    break
                for needle in needles:
                    found[needle] += (tail + data).count(needle) - tail.count(needle)
                tail, at = data[-(longest - 1):], at + len(data)
    return found


def files_with(folder, needles, skip=()):
    hits = []
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file() and path.name not in skip:
            with contextlib.suppress(OSError), open(path, "rb") as file:
                tail = b""
                while data := file.read(1 << 22):
                    hits += [f"{path}: {needle[:12]!r}..." for needle in needles if needle in tail + data]
                    tail = data[-64:]
    return hits


def ours(stack):
    roles = stack.pids()
    return {"control": roles["control"], "master": roles["master"], "courier": roles["courier"],
            **{f"worker {i}": pid for i, pid in enumerate(roles["workers"])}}


def no_trace(stack, needles, when):
    """Nothing runs any more, and soon no process holds one. On a machine that is idle the first look finds none."""
    wait_for(f"{when}: the end of what runs", lambda: (m := stack.metrics())["sluice_requests_open"] + m["sluice_upstream_open"] == 0)
    time.sleep(0.1)
    for name, pid in ours(stack).items():
        wait_for(f"{when}: {name} (pid {pid}) without {[n[:12] for n in needles]}", lambda pid=pid: not any(scan(pid, needles).values()),
                 CLEAN_S, 0.1)


def attempt_in_flight(stack, provider, canary):
    """Copies of the canary in the workers while an attempt is open: at least one, and not many."""
    with stack.stream("look sim:fault=hang-after:2", model=f"@{provider}/gpt-4o-mini") as events:  # as long as the look takes
        next(iter(events))
        copies = [scan(pid, [canary])[canary] for pid in stack.pids()["workers"]]
    assert 1 <= sum(copies) <= COPIES_MAX, f"copies while in flight: {copies}"
    return sum(copies)


def use(stack, provider, given, replies):
    """Attempts of every way to end."""
    model = f"@{provider}/gpt-4o-mini"
    for i in range(given.attempts):
        replies.append(stack.chat(f"call {i}", model=model).body)
        with stack.stream(f"stream {i}", model=model) as events:
            replies += [data.encode() for _, data in events]
    for fault in ("status:500", "status:401", "reset", "reset-after:2", "truncate:2", "garbage", "error-event:2"):
        with contextlib.suppress(http.client.HTTPException, ConnectionError):  # a reply that breaks off
            replies.append(stack.chat(f"sim:fault={fault}", model=model).body)
        with contextlib.suppress(http.client.HTTPException, ConnectionError), \
                stack.stream(f"x sim:fault={fault};chunks:6", model=model) as events:
            replies += [data.encode() for _, data in events]
    for _ in range(3):
        with stack.stream("gone sim:fault=chunks:200;interval:20", model=model) as events:
            next(iter(events))
    replies.append(stack.gateway("POST", "/embeddings", {"model": f"@{provider}/text-embedding-3-small", "input": "x"}).body)
    replies.append(stack.gateway("GET", "/models").body)


def main():
    given = drill.arguments(__doc__, attempts=10, repeats=1)
    rng = random.Random(given.seed)
    canaries = {name: f"sk-{rng.randbytes(24).hex()}".encode() for name in ("first", "second")}
    with harness.stack(given.build, workers=WORKERS) as stack:
        stack.make_integration("canary", workspaces=[stack.workspace])
        stack.admin("PUT", "/integrations/canary", {"key": canaries["first"].decode()})
        needles = list(canaries.values())
        no_trace(stack, needles, "after the admin call")
        replies, copies = [], []
        for _ in range(given.repeats):
            use(stack, "canary", given, replies)
            no_trace(stack, needles, "after the attempts")
            copies.append(attempt_in_flight(stack, "canary", canaries["first"]))
            no_trace(stack, needles, "after a stream")
            assert stack.sim.last()["headers"]["authorization"] == "Bearer " + canaries["first"].decode()
            assert scan(stack.pids()["sim"], needles)[canaries["first"]] > 0, "the scanner is blind"
            stack.admin("PUT", "/integrations/canary", {"key": canaries["second"].decode()})
            canaries["first"], canaries["second"] = canaries["second"], canaries["first"]
        replies += [stack.admin("GET", path).body for path in
                    ("/integrations", "/integrations/canary", "/integrations/canary/models", "/providers?workspace_id=" + stack.workspace,
                     "/audit-logs", "/data-planes", "/usage?group_by=day")]
        replies += [harness.request(stack.status_url + path).body for path in ("/metrics", "/readyz", "/healthz")]
        replies += [harness.request(stack.control_url + path).body for path in ("/metrics", "/readyz")]
        shown = [reply[:200] for reply in replies for needle in needles if needle in reply]
        assert not shown, f"a reply shows it: {shown[:3]}"
        truth = harness.command_of(stack.pids()["sim"])
        skip = {pathlib.Path(truth[truth.index("--truth-log") + 1]).name} if "--truth-log" in truth else set()
        hits = files_with(stack.data_dir, needles, skip)
        assert not hits, f"in files: {hits}"
        vault_key(stack)
        cores = [path for path in pathlib.Path(stack.data_dir).rglob("core*") if re.fullmatch(r"core(\.\d+)?", path.name)]
        assert not cores, cores
    drill.report(given, {"drill": "canary", "seed": given.seed, "replies_searched": len(replies), "copies_in_flight": copies,
                         "processes": 3 + WORKERS})


def vault_key(stack):
    """The master key: raw and as hex, on the gateway's side."""
    files = [path for path in stack.data_dir.rglob("master.key") if path.is_file()]
    assert files, "no master.key below the data directory"
    raw = files[0].read_bytes()
    needles = [raw.strip()]
    with contextlib.suppress(ValueError):
        needles.append(bytes.fromhex(raw.decode("ascii").strip()))
    needles = [needle for needle in needles if len(needle) >= 32]
    assert needles, "master.key has an unknown form"
    for name, pid in ours(stack).items():
        if name != "control":
            assert not any(scan(pid, needles).values()), f"{name} holds the vault's master key"
    others = [hit for hit in files_with(stack.data_dir, needles, {"master.key"})]
    assert not others, f"the vault's master key is in {others}"


if __name__ == "__main__":
    main()
