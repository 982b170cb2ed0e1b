#!/bin/bash
# The official openai package for Python at Gemini, Bedrock, Cohere and Vertex AI, whose service account is made here (dialect_clouds.py).
set -euo pipefail
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$keys/key.pem"
python3 - "$keys" <<'EOF'
import json
import sys
folder = sys.argv[1]
with open(f"{folder}/account.json", "w") as file:
    json.dump({"type": "service_account", "project_id": "proj", "private_key_id": "k1", "client_email": "one@proj.iam.gserviceaccount.com",
               "private_key": open(f"{folder}/key.pem").read(), "token_uri": "https://oauth2.googleapis.com/token"}, file)
EOF
SLUICE_ACCOUNT=$keys/account.json "$(dirname "$0")/with_stack.sh" "$1" dialect_clouds.py --sim-arg --model --sim-arg dep-mini --sim-arg --model --sim-arg dep-4o --sim-arg --model --sim-arg dep-v1 \
    --sim-arg --service-account --sim-arg "$keys/account.json"
