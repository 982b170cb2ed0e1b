#!/usr/bin/env python3
"""Measures Sluice beside nginx as a plain reverse proxy to the same upstream (the simulator); one JSON object per measurement on stdout.

Each proxy runs alone on core 0, load generator, simulator and control plane on core 1. Rounds are interleaved (nginx, Sluice, Sluice,
nginx, ...) and the medians of the rounds compared, because the machine's other load drifts. CPU is what the kernel counted for the
proxy's processes (nanoseconds), divided by the answers. Every object says how much CPU others used meanwhile (`foreign_cores`): above
0.35 the times are not worth much, the CPU figures still are. Exit code 1 if a limit of the issue is missed and --judge is given.
"""
import argparse
import contextlib
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import harness  # noqa: E402

PROXY_CORE, LOAD_CORE = 0, 1
STREAMS = 5000
LIMITS = {"cpu_ratio": 2.2, "limits_ratio": 1.1, "first_byte_overhead_us": 300, "stream_bytes": 40 * 1024, "idle_bytes": 32 * 1024 * 1024}

NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log; worker_rlimit_nofile {files};
events {{ worker_connections 16384; multi_accept on; }}
http {{
    access_log off; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u;
    scgi_temp_path {dir}/s; keepalive_timeout 75s; keepalive_requests 1000000000; client_body_buffer_size 256k;
    upstream sim {{ server 127.0.0.1:{sim}; keepalive 1024; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ proxy_pass http://sim; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
                      proxy_read_timeout 900s; }}
    }}
}}
"""


def pin(pid, core):
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(int(task), {core})


def busy_cores(before, after, seconds):
    """Cores in use between two readings of /proc/stat's first line."""
    return (after - before) / os.sysconf("SC_CLK_TCK") / seconds


def busy_ticks():
    with open("/proc/stat", encoding="ascii") as stat:
        fields = [int(x) for x in stat.readline().split()[1:9]]
    return sum(fields) - fields[3] - fields[4]


class Proxy:
    """Where a load goes, and whose CPU counts: `pids` all of the proxy's processes, the first is the one that carries traffic."""

    def __init__(self, name, port, pids, headers, model, prefix="/v1"):
        self.name, self.port, self.pids, self.headers, self.model, self.prefix = name, port, pids, headers, model, prefix


class Bench:
    def __init__(self, arguments, stack, folder):
        self.arguments, self.stack, self.folder = arguments, stack, pathlib.Path(folder)
        self.rounds = 1 if arguments.quick else arguments.rounds
        self.milliseconds = 600 if arguments.quick else arguments.milliseconds
        self.load_binary = str(pathlib.Path(arguments.build) / "bin/sluice-load")
        self.nginx = None
        self.missed = []
        self.sluice_proxy = self.nginx_proxy = self.direct = None

    # --- set-up

    def start(self):
        roles = self.stack.pids()
        for role in ("master", "courier"):
            pin(roles[role], PROXY_CORE)
        for pid in roles["workers"]:
            pin(pid, PROXY_CORE)
        for role in ("control", "sim"):
            if roles[role]:
                pin(roles[role], LOAD_CORE)
        self.sim_pid = roles["sim"]
        port = harness.free_ports(1)[0]
        (self.folder / "nginx.conf").write_text(
            NGINX.format(dir=self.folder, port=port, sim=self.stack.sim.port, files=resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
        self.nginx = subprocess.Popen(["nginx", "-e", f"{self.folder}/error.log", "-p", str(self.folder), "-c", f"{self.folder}/nginx.conf"],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        harness.wait_for("nginx answers", lambda: self.answers(port))
        worker = harness.wait_for("nginx's worker", lambda: harness.children_of(self.nginx.pid))[0]
        pin(worker, PROXY_CORE)
        sim_key = ["authorization: Bearer sk-bench"]
        self.nginx_proxy = Proxy("nginx", port, [worker], sim_key, "gpt-4o-mini")
        self.direct = Proxy("direct", self.stack.sim.port, [self.sim_pid], sim_key, "gpt-4o-mini")
        self.sluice_proxy = Proxy("sluice", self.stack.gateway_port, [roles["workers"][0], roles["courier"], roles["master"]],
                                  [f"x-portkey-api-key: {self.stack.key}"], f"@{self.stack.provider}/gpt-4o-mini")

    @staticmethod
    def answers(port):
        with contextlib.suppress(OSError):
            return harness.request(f"http://127.0.0.1:{port}/__sim/stats", timeout=2).status == 200
        return False

    def stop(self):
        if self.nginx:
            self.nginx.terminate()
            self.nginx.wait(10)

    # --- one run

    def body(self, proxy, text, size, stream=False):
        message = {"model": proxy.model, "stream": stream, "messages": [{"role": "user", "content": text}]}
        missing = size - len(json.dumps(message)) - 40
        if missing > 0:
            message["messages"].insert(0, {"role": "system", "content": ("An answer in a few words. " * (size // 26 + 1))[:missing]})
        path = self.folder / f"{proxy.name}-{size}-{stream}.json"
        path.write_text(json.dumps(message))
        return path

    def command(self, proxy, body, connections, *options):
        command = ["taskset", "-c", str(LOAD_CORE), self.load_binary, "--port", str(proxy.port), "--path", proxy.prefix + "/chat/completions",
                   "--body", str(body), "--connections", str(connections), *options]
        for header in proxy.headers:
            command += ["--header", header]
        for pid in proxy.pids:
            command += ["--pid", str(pid)]
        return command

    def run(self, proxy, text, size, connections, stream=False, milliseconds=None):
        command = self.command(proxy, self.body(proxy, text, size, stream), connections, "--warmup", "250", "--milliseconds",
                               str(milliseconds or self.milliseconds))
        others = [pid for pid in [self.sim_pid] if pid not in proxy.pids]
        ours = sum(cpu_ns(pid) for pid in others + proxy.pids) + children_ns()
        ticks, begun = busy_ticks(), time.monotonic()
        out = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=300).stdout)
        seconds = time.monotonic() - begun
        ours = sum(cpu_ns(pid) for pid in others + proxy.pids) + children_ns() - ours
        out["foreign_cores"] = max(0.0, busy_cores(ticks, busy_ticks(), seconds) - ours / 1e9 / seconds)
        if out["failures"] or out["status_4xx"] or out["status_5xx"] or not out["answers"]:
            raise AssertionError(f"{proxy.name}: {out}")
        return out

    def rounds_of(self, proxies, *run, rounds=None, **options):
        """{name: [results]} of interleaved rounds."""
        results = {proxy.name: [] for proxy in proxies}
        for turn in range(rounds or self.rounds):
            for proxy in proxies if turn % 2 == 0 else reversed(proxies):
                results[proxy.name].append(self.run(proxy, *run, **options))
        return results

    @staticmethod
    def summary(runs):
        def median(value):
            return statistics.median(value(run) for run in runs)
        return {"per_second": round(median(lambda r: r["per_second"])),
                "p50_us": round(median(lambda r: r["whole"]["p50_us"]), 1), "p99_us": round(median(lambda r: r["whole"]["p99_us"]), 1),
                "cpu_us": round(median(lambda r: r["processes"][0]["cpu_ns"] / r["answers"] / 1000), 2),
                "cpu_all_us": round(median(lambda r: sum(p["cpu_ns"] for p in r["processes"]) / r["answers"] / 1000), 2)}

    def report(self, measurement, ok=None, **fields):
        line = {"measurement": measurement, **fields}
        if ok is not None:
            line["ok"] = ok
            if not ok:
                self.missed.append(measurement)
        text = json.dumps(line)
        print(text, flush=True)
        if self.arguments.out:
            with open(self.arguments.out, "a", encoding="utf-8") as out:
                out.write(text + "\n")

    def compare(self, measurement, connections, size, limit=None, **more):
        results = self.rounds_of([self.nginx_proxy, self.sluice_proxy], "sim:static", size, connections)
        nginx, sluice = self.summary(results["nginx"]), self.summary(results["sluice"])
        ratio = sluice["cpu_us"] / nginx["cpu_us"]
        foreign = statistics.median(run["foreign_cores"] for runs in results.values() for run in runs)
        self.report(measurement, None if limit is None else ratio <= limit, connections=connections, body_bytes=size, nginx=nginx,
                    sluice=sluice, cpu_ratio=round(ratio, 2), cpu_all_ratio=round(sluice["cpu_all_us"] / nginx["cpu_us"], 2),
                    **({"limit": limit} if limit else {}), foreign_cores=round(foreign, 2), **more)
        return ratio

    # --- the measurements

    def idle(self):
        worker = self.sluice_proxy.pids[0]
        size = harness.resident_bytes(worker)
        self.report("idle", size < LIMITS["idle_bytes"], worker_rss_bytes=size, private_bytes=private_bytes(worker),
                    limit_bytes=LIMITS["idle_bytes"], courier_rss_bytes=harness.resident_bytes(self.sluice_proxy.pids[1]))

    def unary(self):
        cases = [(32, 1024)] if self.arguments.quick else [(c, s) for s in (1024, 61440) for c in (1, 32, 256)]
        for connections, size in cases:
            self.compare("unary", connections, size, LIMITS["cpu_ratio"] if (connections, size) == (32, 1024) else None)

    def limits(self):
        """All requests on one key with a budget of money, one of tokens and a rate, beside the same without limits."""
        limited = self.stack.make_key(usage_limits={"type": "cost", "credit_limit": 1000000, "mode": "strict"},
                                      rate_limits=[{"type": "requests", "unit": "rpm", "value": 100000000},
                                                   {"type": "tokens", "unit": "rpm", "value": 100000000000}])["key"]
        plain = self.sluice_proxy
        hot = Proxy("limited", plain.port, plain.pids, [f"x-portkey-api-key: {limited}"], plain.model)
        results = self.rounds_of([plain, hot], "sim:static", 1024, 32)
        without, beside = self.summary(results[plain.name]), self.summary(results[hot.name])
        ratio = beside["cpu_us"] / without["cpu_us"]
        foreign = statistics.median(run["foreign_cores"] for runs in results.values() for run in runs)
        self.report("limits", ratio <= LIMITS["limits_ratio"], connections=32, body_bytes=1024, without=without, limited=beside,
                    cpu_ratio=round(ratio, 3), cpu_all_ratio=round(beside["cpu_all_us"] / without["cpu_all_us"], 3),
                    limit=LIMITS["limits_ratio"], foreign_cores=round(foreign, 2))

    def sse(self):
        for name, text in (("sse_static", "sim:static"), ("sse_chunks", "sim:fault=chunks:16;interval:2")):
            results = self.rounds_of([self.direct, self.nginx_proxy, self.sluice_proxy], text, 1024, 1, stream=True)
            first = {who: statistics.median(run["first_byte"]["p50_us"] for run in runs) for who, runs in results.items()}
            overhead = {who: round(first[who] - first["direct"], 1) for who in ("nginx", "sluice")}
            self.report(name, overhead["sluice"] < LIMITS["first_byte_overhead_us"], first_byte_p50_us={k: round(v, 1) for k, v in first.items()},
                        first_byte_overhead_us=overhead, limit_us=LIMITS["first_byte_overhead_us"],
                        cpu_us={who: self.summary(runs)["cpu_us"] for who, runs in results.items()})

    def streams(self):
        """Open streams at one chunk a second: their memory, their CPU, and what a unary request costs beside them."""
        worker, count = self.sluice_proxy.pids[0], 500 if self.arguments.quick else STREAMS
        before = harness.resident_bytes(worker)
        command = self.command(self.sluice_proxy, self.body(self.sluice_proxy, "sim:fault=chunks:600;interval:1000", 1024, True), count,
                               "--hold", "--ramp", "1500", "--sources", "8", "--seconds", "600")
        holder = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            held = json.loads(holder.stdout.readline())["held"]
            assert held == count, f"{held} of {count} streams opened"
            time.sleep(2)
            cpu, begun = cpu_ns(worker), time.monotonic()
            time.sleep(2 if self.arguments.quick else 4)
            streams_cpu = (cpu_ns(worker) - cpu) / (time.monotonic() - begun)
            each = (harness.resident_bytes(worker) - before) / count
            self.report("streams", each < LIMITS["stream_bytes"], streams=count, rss_bytes_per_stream=round(each),
                        limit_bytes=LIMITS["stream_bytes"], cpu_share=round(streams_cpu / 1e9, 3), cpu_us_per_chunk=round(streams_cpu / count / 1000, 1))
            results = self.rounds_of([self.nginx_proxy, self.sluice_proxy], "sim:static", 1024, 32)
            nginx, sluice = self.summary(results["nginx"]), self.summary(results["sluice"])
            net = statistics.median((run["processes"][0]["cpu_ns"] - streams_cpu * run["elapsed_ms"] / 1000) / run["answers"] / 1000
                                    for run in results["sluice"])
            self.report("unary_beside_streams", net / nginx["cpu_us"] <= LIMITS["cpu_ratio"], streams=count, connections=32, body_bytes=1024,
                        nginx=nginx, sluice=sluice, sluice_cpu_us_without_streams=round(net, 2), cpu_ratio=round(net / nginx["cpu_us"], 2),
                        limit=LIMITS["cpu_ratio"])
        finally:
            holder.kill()
            holder.wait()

    def post_many(self, path, body, count):
        """The same admin call `count` times over 16 connections."""
        file = self.folder / "admin.json"
        file.write_text(json.dumps(body))
        command = ["taskset", "-c", str(LOAD_CORE), self.load_binary, "--port", str(urllib.parse.urlsplit(self.stack.control_url).port), "--path",
                   "/v1" + path, "--body", str(file), "--connections", "16", "--seconds", "600", "--answers", str(count),
                   "--header", f"x-portkey-api-key: {self.stack.admin_key}"]
        out = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        assert out["status_2xx"] >= count * 0.99, out
        return out

    def large(self):
        """The same measurements with 100,000 API keys and 10,000 workspaces."""
        keys, workspaces = (2000, 200) if self.arguments.quick else (100000, 10000)
        begun = time.monotonic()
        made = self.post_many("/admin/workspaces", {"name": "bench"}, workspaces)
        key = {"name": "bench", "workspace_id": self.stack.workspace, "scopes": ["completions.write", "models.list"]}
        made_keys = self.post_many("/api-keys/workspace/service", key, keys)
        loaded = time.monotonic()
        self.stack.wait_applied(None) if keys < 10000 else self.wait_applied(300)
        self.report("load_catalog", keys=keys, workspaces=workspaces, workspaces_per_second=made["per_second"], keys_per_second=made_keys["per_second"],
                    seconds=round(loaded - begun, 1), applied_after_s=round(time.monotonic() - loaded, 2))
        worker = self.sluice_proxy.pids[0]
        self.report("idle_large", private_bytes(worker) < LIMITS["idle_bytes"], worker_rss_bytes=harness.resident_bytes(worker),
                    private_bytes=private_bytes(worker), limit_bytes=LIMITS["idle_bytes"])
        self.compare("unary_large", 32, 1024, LIMITS["cpu_ratio"], keys=keys, workspaces=workspaces)

    def wait_applied(self, seconds):
        revision = self.stack.revision()
        harness.wait_for(f"revision {revision} at the node", lambda: all(n["revision"] >= revision for n in self.stack.nodes()), seconds, 0.1)


def cpu_ns(pid):
    total = 0
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as stat:
                total += int(stat.read().split()[0])
    return total


def children_ns():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return int((used.ru_utime + used.ru_stime) * 1e9)


def private_bytes(pid):
    """What the process has for itself: the catalog file's pages are shared by all workers of the host."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return sum(int(line.split()[1]) * 1024 for line in rollup if line.startswith(("Private_", "Anonymous:")) and "Anonymous" not in line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ["idle", "unary", "limits", "sse", "large", "streams"]
    parser.add_argument("--build", default=str(harness.ROOT / "build/release"))
    parser.add_argument("--build-dir", dest="build")
    parser.add_argument("--no-build", action="store_true", help="for run.sh")
    parser.add_argument("--quick", action="store_true", help="a sanity subset")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--milliseconds", type=int, default=1200, help="of each run")
    parser.add_argument("--only", default=",".join(names))
    parser.add_argument("--out", help="file that gets the lines too")
    parser.add_argument("--judge", action="store_true", help="exit 1 if a limit is missed")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    folder = tempfile.mkdtemp(prefix="sluice-bench-")
    try:
        with harness.stack(arguments.build, workers=1) as stack:
            bench = Bench(arguments, stack, folder)
            try:
                bench.start()
                assert stack.chat("sim:static").status == 200
                for name in arguments.only.split(","):
                    getattr(bench, name)()
            finally:
                bench.stop()
        sys.exit(1 if arguments.judge and bench.missed else 0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
