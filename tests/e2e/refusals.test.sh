#!/bin/bash
# What is not allowed is refused with the right status, a message that names the rule, and without a byte to the provider (refusals.py).
set -euo pipefail
exec python3 "$(dirname "$0")/refusals.py" "$1"
