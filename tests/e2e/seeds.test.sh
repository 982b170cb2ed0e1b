#!/bin/bash
# The documented example calls (seeds/), word for word but for base URL and key: curl, OpenAI and Portkey SDKs, configs (seeds.py).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" seeds.py
