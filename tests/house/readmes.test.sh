#!/bin/bash
# House rule "readmes", see house.py. The check proves itself on planted offences first.
set -euo pipefail
exec python3 "$(dirname "$0")/house.py" readmes "$(dirname "$0")/../.."
