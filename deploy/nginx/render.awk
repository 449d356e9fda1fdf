# Fills in nginx.conf.template from the environment: `make run` and the container use this one.
# docs/gateway.md lists the settings. One that cannot be taken is named on stderr, and status 1.
#
#   awk -v conf=FOLDER -v nginx=1.31.3 -f render.awk nginx.conf.template >nginx.conf

BEGIN {
    HOST = "([A-Za-z0-9]|[A-Za-z0-9_][A-Za-z0-9_.-]*[A-Za-z0-9]|\\[[0-9a-fA-F:]+\\])"
    PORT = "[0-9]+"
    PATH = "/[^\"$\\\\\n]*"

    filled["GATEWAY_CONF"] = conf
    setting("GATEWAY_LISTEN", "80", "(" HOST ":)?" PORT, "8080 or 127.0.0.1:8080")
    setting("GATEWAY_RUN", "/tmp/gateway", PATH, "a folder that nginx may write to")
    setting("GATEWAY_HTML", conf "/html", PATH, "the folder of the pages")
    setting("GATEWAY_TIMEOUT", "10s", "[1-9][0-9]*(ms|s)", "10s")
    setting("GATEWAY_CLIENT_TIMEOUT", "7s", "[1-9][0-9]*(ms|s)", "7s")
    setting("GATEWAY_CONNECTIONS", "256", "[1-9][0-9]*", "256")
    setting("GATEWAY_LOGIN_RATE", "10", "[1-9][0-9]*", "10")
    setting("GATEWAY_LOGIN_BURST", "50", "[1-9][0-9]*", "50")
    filled["DEMO"] = tolower(ENVIRON["DEMO"]) ~ /^(1|true|yes|on)$/ ? "1" : ""

    access_log()
    hosts()
    origins()
    trusted_proxies()
    tls()
    name_servers()
    servers("CATALOG_ADDRESS", "127.0.0.1:8000")
    servers("CARTS_ADDRESS", "127.0.0.1:8001")
    servers("ORDERS_ADDRESS", "127.0.0.1:8002")
    servers("ACCOUNTS_ADDRESS", "127.0.0.1:8003")
    servers("GRAFANA_ADDRESS", "127.0.0.1:3000")
    filled["WITHOUT_GRAFANA"] = ENVIRON["GRAFANA_ADDRESS"] == "" ? "return 404;" : ""
    filled["RESOLVER"] = follows ? "resolver" nameservers " valid=2s;" : ""
}

{
    while (match($0, /\$\{[A-Z_]+\}/)) {
        name = substr($0, RSTART + 2, RLENGTH - 3)
        if (!(name in filled)) refuse("nginx.conf.template wants " name ", which nothing fills in")
        printf "%s%s", substr($0, 1, RSTART - 1), filled[name]
        $0 = substr($0, RSTART + RLENGTH)
    }
    print
}

# -- Settings, one by one --------------------------------------------------------------------

function access_log() {
    setting("GATEWAY_ACCESS_LOG", "/dev/stdout", "off|" PATH, "a file, or off")
    if (filled["GATEWAY_ACCESS_LOG"] != "off")
        filled["GATEWAY_ACCESS_LOG"] = "\"" filled["GATEWAY_ACCESS_LOG"] "\" line"
}

# As Django reads it: a name with a dot before it stands for itself and the names under it. The
# machine itself may always ask, as health checks do; Django has the last word on the pages.
function hosts(    count, i, all) {
    count = list("ALLOWED_HOSTS", "*", "\\*|\\.?" HOST, "shop.example,.shop.example")
    for (i = 1; i <= count; i++) {
        all = all || item[i] == "*"
        known[item[i]] = 1
    }
    known["localhost"] = known["127.0.0.1"] = known["[::1]"] = 1
    filled["KNOWN_HOSTS"] = all ? "default 1;" : "default 0;"
    for (name in known)
        if (!all && !(("." name) in known))
            filled["KNOWN_HOSTS"] = filled["KNOWN_HOSTS"] " " name " 1;"
}

# As the services do it: a list of origins, or anyone's in demo mode.
function origins(    count, i) {
    count = list("CORS_ALLOWED_ORIGINS", "", "https?://" HOST "(:" PORT ")?", "https://shop.example")
    filled["CORS_ORIGINS"] = !count && filled["DEMO"] ? "~. *;" : ""
    for (i = 1; i <= count; i++)
        filled["CORS_ORIGINS"] = filled["CORS_ORIGINS"] " \"" item[i] "\" $http_origin;"
}

# Whose word on the client's address and on TLS is taken; the modules are needed only then.
function trusted_proxies(    count, i, from, networks) {
    count = list("GATEWAY_TRUSTED_PROXIES", "", "[0-9a-fA-F.:]+(/[0-9]+)?", "10.0.0.0/8")
    for (i = 1; i <= count; i++) {
        from = from "    set_real_ip_from " item[i] ";\n"
        networks = networks " " item[i] " 1;"
    }
    filled["TRUSTED_PROXIES"] = "geo $shop_is_proxied { default 0; }"
    if (count)
        filled["TRUSTED_PROXIES"] = "geo $realip_remote_addr $shop_is_proxied { default 0;" networks \
            " }\n" from "    real_ip_header X-Forwarded-For;\n    real_ip_recursive on;"
}

function tls(    listen) {
    setting("GATEWAY_TLS_CERTIFICATE", "", "(" PATH ")?", "a file in PEM")
    setting("GATEWAY_TLS_KEY", "", "(" PATH ")?", "a file in PEM")
    if (!filled["GATEWAY_TLS_CERTIFICATE"] != !filled["GATEWAY_TLS_KEY"])
        refuse("GATEWAY_TLS_CERTIFICATE and GATEWAY_TLS_KEY come together or not at all.")
    filled["TLS"] = ""
    if (!filled["GATEWAY_TLS_KEY"]) return
    filled["GATEWAY_LISTEN"] = filled["GATEWAY_LISTEN"] " ssl" (is_since(1, 25, 1) ? "" : " http2")
    filled["TLS"] = (is_since(1, 25, 1) ? "http2 on;\n        " : "") \
        "ssl_certificate \"" filled["GATEWAY_TLS_CERTIFICATE"] "\";\n" \
        "        ssl_certificate_key \"" filled["GATEWAY_TLS_KEY"] "\";\n" \
        "        ssl_protocols TLSv1.2 TLSv1.3;"
}

# -- Where the services are ------------------------------------------------------------------

function servers(name, usual,    count, i, is_followed) {
    count = list(name, usual, HOST ":" PORT, usual ",10.0.0.2:8000 or catalog:8000")
    if (!count) refuse(name " is empty.")
    filled[name] = ""
    for (i = 1; i <= count; i++) {
        is_followed = can_be_followed(item[i])
        follows = follows || is_followed
        filled[name] = filled[name] " server " item[i] " max_fails=3 fail_timeout=5s" \
            (is_followed ? " resolve;" : ";")
    }
}

# A name is asked for again while nginx runs, where nginx can and a name server knows the name.
function can_be_followed(address,    host) {
    host = address
    sub(/:[0-9]+$/, "", host)
    if (host ~ /^[0-9.]+$/ || host ~ /^\[/ || host == "localhost") return 0
    return is_since(1, 27, 3) && nameservers != "" && !is_in_hosts_file(host)
}

# nginx asks name servers only; what the system's own file says, it takes at its start.
function is_in_hosts_file(host,    words, i, count, found) {
    while ((getline line < "/etc/hosts") > 0) {
        sub(/#.*/, "", line)
        count = split(line, words, /[ \t]+/)
        for (i = 2; i <= count; i++) found = found || words[i] == host
    }
    close("/etc/hosts")
    return found
}

# Those of the setting, else the system's first.
function name_servers(    count, i, words) {
    count = list("GATEWAY_RESOLVER", "", "off|" HOST "(:" PORT ")?", "127.0.0.11, or off")
    for (i = 1; i <= count; i++)
        if (item[i] != "off") nameservers = nameservers " " item[i]
    if (count) return
    # Programs ask the first and fall back on the others; nginx would ask them in turn, and under
    # podman only the first knows the containers.
    while (nameservers == "" && (getline line < "/etc/resolv.conf") > 0)
        if (split(line, words, /[ \t]+/) > 1 && words[1] == "nameserver" && words[2] !~ /%/)
            nameservers = " " (words[2] ~ /:/ ? "[" words[2] "]" : words[2])
    close("/etc/resolv.conf")
}

# -- Words -----------------------------------------------------------------------------------

function setting(name, usual, pattern, example) {
    filled[name] = ENVIRON[name] == "" ? usual : ENVIRON[name]
    check(name, filled[name], pattern, example)
}

# Comma separated; the parts, each once, go into item[1], item[2] ...
function list(name, usual, pattern, example,    parts, seen, count, i, found) {
    count = split(ENVIRON[name] == "" ? usual : ENVIRON[name], parts, ",")
    for (i = 1; i <= count; i++) {
        gsub(/^[ \t]+|[ \t]+$/, "", parts[i])
        if (parts[i] == "" || seen[parts[i]]++) continue
        check(name, parts[i], pattern, example)
        item[++found] = parts[i]
    }
    return found + 0
}

function check(name, value, pattern, example) {
    if (value !~ ("^(" pattern ")$"))
        refuse(name " is '" value "'; it should be like this: " example ".")
}

function is_since(major, minor, patch,    numbers) {
    split(nginx, numbers, ".")
    return (numbers[1] * 1000 + numbers[2]) * 1000 + numbers[3] >= (major * 1000 + minor) * 1000 + patch
}

function refuse(sentence) {
    print sentence >"/dev/stderr"
    exit 1
}
