#!/bin/bash
# The simulator's Bedrock, STS and S3 as the official AWS SDK sees them, signatures checked, and their refusals (sim_bedrock.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_sim.sh" "$1" sim_bedrock.mjs --accept-key bedrock-key-one --aws-key AKIAONE:secret/one+1 \
    --aws-role arn:aws:iam::123456789012:role/team/one=external-1 --aws-role arn:aws:iam::123456789012:role/open --job-ms 200
