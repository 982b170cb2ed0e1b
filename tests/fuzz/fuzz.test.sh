#!/usr/bin/env bash
# Builds the libFuzzer targets with clang and runs each for a few seconds on its seeds. $1: a build folder;
# the fuzz build lies beside it. FUZZ_SECONDS is the time per target (tests/long.sh gives more).
# Findings are left in <fuzz build>/findings and make this fail.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${FUZZ_SECONDS:-3}
if ! command -v clang >/dev/null; then
    echo "fuzz: clang is not installed (deploy/packages.sh, PACKAGES_TEST), nothing was fuzzed" >&2
    exit 1
fi
build=$(cd "${1:-$root/build/dev}" && pwd)/../fuzz
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang \
        "-DCMAKE_C_FLAGS_DEBUG=-O1 -g" -DSLUICE_SANITIZE=fuzzer-no-link,address,undefined \
        -DSLUICE_FUZZ=ON && cmake --build "$build" --target fuzzers; } >"$log" 2>&1; then
    tail -n 40 "$log"
    exit 1
fi
failed=0
for target in "$build"/fuzz/*_fuzz; do
    name=$(basename "$target" _fuzz)
    work=$build/corpus/$name
    mkdir -p "$work" "$build/findings"
    dict=()
    [ -f "$root/tests/fuzz/$name.dict" ] && dict=("-dict=$root/tests/fuzz/$name.dict")
    seeds=()
    [ -d "$root/tests/fuzz/seeds/$name" ] && seeds=("$root/tests/fuzz/seeds/$name")
    if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        "-artifact_prefix=$build/findings/$name-" "${dict[@]}" "$work" "${seeds[@]}" >"$log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
        echo "ok   $name: $runs runs, $cover edges"
        [ "${runs:-0}" -gt 100 ] || { echo "FAIL $name: hardly ran"; failed=1; }
    else
        echo "FAIL $name"
        grep -E -A 12 'ERROR|SUMMARY|CHECK|check failed|runtime error' "$log" | head -n 40
        failed=1
    fi
done
exit $failed
