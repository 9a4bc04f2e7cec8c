#!/usr/bin/env bash
# Run an edgebench command on a foreign agent: no network, the agent's folder read-only, one folder for the results.
# Usage: containers/verify.sh AGENT_FOLDER OUT_FOLDER COMMAND...
set -euo pipefail

agent=$(realpath -- "$1")
out=$(realpath -- "$2")
shift 2

# The harness in the container gives its agent namespaces of its own; Docker's usual seccomp filter would forbid that,
# and its masks of /proc forbid a /proc of one's own. Everything else of Docker's protection stays.
exec docker run --rm --network none --read-only --cap-drop ALL --security-opt no-new-privileges \
    --security-opt seccomp=unconfined --security-opt systempaths=unconfined \
    --pids-limit 256 --memory 12g --cpus 2 --tmpfs /tmp:size=1g,exec \
    --tmpfs /home/referee:size=1g,uid=10001 --tmpfs /opt/edgebench/runs:size=1g,uid=10001 \
    --mount "type=bind,source=$agent,target=/agent,readonly" \
    --mount "type=bind,source=$out,target=/out" \
    edgebench-verify "$@"
