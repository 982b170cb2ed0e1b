#!/bin/bash
# The simulator's Gemini API and Vertex AI as the official SDK sees them in both modes, tokens included (sim_google.mjs).
set -euo pipefail
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$keys/key.pem"
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$keys/other.pem"
python3 - "$keys" <<'EOF'
import json
import sys
folder = sys.argv[1]
with open(f"{folder}/account.json", "w") as file:
    json.dump({"type": "service_account", "project_id": "proj", "private_key_id": "k1", "client_email": "one@proj.iam.gserviceaccount.com",
               "private_key": open(f"{folder}/key.pem").read(), "token_uri": "https://oauth2.googleapis.com/token"}, file)
EOF
SLUICE_KEYS=$keys "$(dirname "$0")/with_sim.sh" "$1" sim_google.mjs --accept-key google-key-one --accept-key given-token --job-ms 200 \
    --service-account "$keys/account.json"
