#!/bin/sh
# The configuration for an nginx of this machine, on stdout: render.sh NGINX >nginx.conf
set -eu
conf=$(cd "$(dirname "$0")" && pwd)
version=$("$1" -v 2>&1 | sed -n 's|.*nginx/\([0-9.]*\).*|\1|p')
exec awk -v conf="$conf" -v nginx="$version" -f "$conf/render.awk" "$conf/nginx.conf.template"
