#!/usr/bin/env bash
# One budget on four hosts in network namespaces, one of them far away, one cut off for a while (hosts_drill.py). $1: build folder.
set -euo pipefail
who=()
((EUID == 0)) || who=(--user --map-root-user)
if ! command -v ip >/dev/null || ! unshare "${who[@]}" --net ip link add probe0 type veth peer name probe1 2>/dev/null; then
    echo "skipped: this machine gives us no network namespaces"
    exit 0
fi
exec unshare "${who[@]}" --net python3 "$(dirname "$0")/hosts_drill.py" --build "$1" --rounds "${ROUNDS:-9}"
