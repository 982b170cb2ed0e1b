#!/bin/bash
# A provider that refuses, resets, hangs, breaks off or talks nonsense: status or error event for the client, one event for the ledger.
set -euo pipefail
exec python3 "$(dirname "$0")/provider_faults.py" "$1"
