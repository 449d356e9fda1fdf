#!/bin/sh
# What a container runs: renders the configuration and becomes nginx, in the foreground.
# All that is written is under GATEWAY_RUN; the access log goes to stdout, errors to stderr.
set -eu
run=${GATEWAY_RUN:-/tmp/gateway}
mkdir -p "$run"
"$(dirname "$0")/render.sh" nginx >"$run/nginx.conf"
exec nginx -e stderr -p "$run" -c "$run/nginx.conf" -g "daemon off;"
