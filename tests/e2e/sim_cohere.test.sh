#!/bin/bash
# The simulator's Cohere API as the official SDK sees it, and its refusals (sim_cohere.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_sim.sh" "$1" sim_cohere.mjs --accept-key cohere-key-one
