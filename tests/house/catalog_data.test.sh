#!/bin/sh
# The committed catalog is whole and true to its rules, and convert.py keeps those rules (catalog_data_check.py).
set -eu
cd "$(dirname "$0")/../.."
python3 control-plane/catalog-data/convert.py --check
exec python3 tests/house/catalog_data_check.py
