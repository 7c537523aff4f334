#!/usr/bin/env bash
# Many shops on one PostgreSQL server, a database and a daemon each: makes them in a temporary folder, says what they
# cost at rest and at a tick of all, and removes them.
#
#   examples/shell/many_shops.sh [SHOPS] [PRODUCTS]
#
# PRICINGD_BIN: a folder of programs that are built already
set -euo pipefail

shops=${1:-10}
products=${2:-1000}
cd "$(dirname "$0")/../.."
. examples/prepare.sh
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need postgresql
server=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
if [[ -z ${PRICINGD_BIN:-} ]]; then
    need_to_build
    swift build -c release
    PRICINGD_BIN=$(swift build -c release --show-bin-path)
fi
programs=$(realpath "$PRICINGD_BIN")

folder=$(mktemp -d)
chmod 755 "$folder"
data=$folder/server/data
mkdir "$folder/server"
as_owner=()
if [[ $(id -u) == 0 ]]; then  # PostgreSQL refuses root
    chown postgres "$folder/server"
    as_owner=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
daemons=()
outputs=()
end() {
    if ((${#daemons[@]})); then
        kill "${daemons[@]}" 2>/dev/null || true
        wait "${daemons[@]}" 2>/dev/null || true
    fi
    "${as_owner[@]}" "$server/pg_ctl" -D "$data" -m fast stop >"$folder/stop.log" 2>&1 || true
    rm -rf "$folder"
}
trap end EXIT

now() { date +%s%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'; }
# MiB of some processes; a page that several share counts once among them.
memory() {
    for pid in "$@"; do cat "/proc/$pid/smaps_rollup" 2>/dev/null || true; done |
        awk '/^Pss:/ { kib += $2 } END { printf "%.0f", kib / 1024 }'
}
server_processes() {
    local postmaster
    postmaster=$(head -1 "$data/postmaster.pid")
    echo "$postmaster"
    pgrep -P "$postmaster"
}
query() { "${as_owner[@]}" "$server/psql" -h "$folder/server" -U postgres -X -q -A -t "$@"; }
url() { echo "postgresql://postgres@/shop$1?host=$folder/server"; }
say() { printf '%-58s %s\n' "$1" "$2"; }

cd "$folder"
"${as_owner[@]}" "$server/initdb" -D "$data" -U postgres -E UTF8 --locale=C.UTF-8 -A trust >"$folder/initdb.log"
"${as_owner[@]}" "$server/pg_ctl" -D "$data" -l "$folder/server/log" -w start -o \
    "-c listen_addresses= -c unix_socket_directories=$folder/server -c max_connections=$((shops * 12 + 50)) -c shared_buffers=1GB" \
    >"$folder/start.log"

begun=$(now)
for ((shop = 1; shop <= shops; shop++)); do
    query -c "create database shop$shop" postgres
    "$programs/pricingd" migrate --sandbox --database-url "$(url "$shop")" >>"$folder/migrate.log" 2>&1
done
say "making $shops shops, seconds each" "$(awk -v s="$(since "$begun")" -v n="$shops" 'BEGIN { printf "%.2f", s / n }')"

begun=$(now)
for ((shop = 1; shop <= shops; shop++)); do
    exec {output}< <(exec "$programs/pricingd" serve --database-url "$(url "$shop")" --socket "$folder/$shop.sock" \
        --sandbox 2>"$folder/$shop.log")
    daemons+=($!)
    outputs+=("$output")
done
for ((shop = 1; shop <= shops; shop++)); do
    read -r -t 300 -u "${outputs[shop - 1]}" _ || { cat "$folder/$shop.log" >&2; exit 1; }  # its ready line
done
say "starting $shops daemons at once, seconds until all are ready" "$(since "$begun")"

begun=$(now)
for ((shop = 1; shop <= shops; shop++)); do
    "$programs/pricing-simulate" generate --socket "$folder/$shop.sock" --products "$products" --orders 0 --users 20 \
        --seed "$shop" >>"$folder/generate.log" 2>&1
done
say "generating $products products, seconds a shop" \
    "$(awk -v s="$(since "$begun")" -v n="$shops" 'BEGIN { printf "%.2f", s / n }')"
say "memory of the daemons, MiB" "$(memory "${daemons[@]}")"
mapfile -t processes < <(server_processes)
say "memory of the server, MiB" "$(memory "${processes[@]}")"
say "connections" "$(query -c "select count(*) from pg_stat_activity where backend_type = 'client backend'" postgres)"
say "disk of a shop, MiB" "$(query -c 'select round(pg_database_size(current_database()) / 1048576.0)' shop1)"

begun=$(now)
tomorrow=$(date -u -d '+1 day' +%Y-%m-%dT%H:%M:%SZ)
ticks=()
for ((shop = 1; shop <= shops; shop++)); do
    "$programs/pricing-repl" --socket "$folder/$shop.sock" -c "clock.set at=$tomorrow" >>"$folder/tick.log" &
    ticks+=($!)
done
wait "${ticks[@]}"
say "a tick of all shops at once, seconds until the last" "$(since "$begun")"
