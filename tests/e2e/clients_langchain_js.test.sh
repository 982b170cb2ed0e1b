#!/bin/bash
# LangChain for JavaScript from npm, unpatched, through the gateway (clients_langchain.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" clients_langchain.mjs
