#!/bin/bash
# The simulator's Anthropic API as the official SDKs of both API versions see it, and its refusals (sim_anthropic.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_sim.sh" "$1" sim_anthropic.mjs --accept-key sk-ant-one --model house-claude
