#!/bin/bash
# A second data plane in another network namespace: what it shares with the first, what cuts it off, and who gets nothing. $1: build
# folder. The namespaces are ours, so neither root nor anything of the machine's network is needed.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "$1" && pwd)
who=()
((EUID == 0)) || who=(--user --map-root-user)
if ! command -v ip >/dev/null || ! unshare "${who[@]}" --net ip link add probe0 type veth peer name probe1 2>/dev/null; then
    echo "skipped: this machine gives us no network namespaces"
    exit 0
fi
exec unshare "${who[@]}" --net python3 "$HERE/second_node.py" "$BUILD"
