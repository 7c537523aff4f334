#!/usr/bin/env bash
# From a clone to moving prices: installs what is missing, builds, starts the daemon on a PostgreSQL of its own, fills a
# shop with data, lets orders move prices for 20 seconds and says why. On a terminal the operator's shell then opens;
# when it ends, everything stops. All data lie in a temporary folder that goes with it. PRICINGD_BIN, when set, is a
# folder of programs that are built already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. examples/prepare.sh

say() { printf '\n== %s\n' "$*"; }

daemon='' web='' folder=''
finish() {
    local status=$?
    # 128 and above is a signal.
    if [[ $status -gt 0 && $status -lt 128 && -s $folder/log ]]; then
        printf "\nFailed; the end of the daemon's log:\n" >&2
        tail -n 20 "$folder/log" >&2
    fi
    if [[ -n $web ]]; then
        kill -TERM "$web" 2>/dev/null || true
        wait "$web" 2>/dev/null || true
    fi
    if [[ -n $daemon ]]; then
        kill -TERM "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    [[ -z $folder ]] || rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [[ -z ${PRICINGD_BIN:-} ]]; then
    say "Debian packages and Swift"
    need_to_build
    swift --version 2>/dev/null | head -n 1

    say "Building (the first time takes some minutes)"
    for product in pricingd pricing-simulate pricing-repl; do swift build -c release --product "$product"; done
    PRICINGD_BIN=$(swift build -c release --show-bin-path)
fi
PATH=$PRICINGD_BIN:$PATH

say "Starting the daemon on a private PostgreSQL cluster"
folder=$(mktemp -d)
export PRICINGD_SOCKET=$folder/pricingd.sock
# A session of its own: Ctrl-C is for this script and the shell at the end, which stop the daemon themselves.
exec {ready}< <(exec setsid pricingd --data-dir "$folder/data" 2>"$folder/log")
daemon=$!
IFS= read -r line <&"$ready"
echo "$line"

say "Generating a year of a shop"
pricing-simulate generate --users 500 --suppliers 20 --products 200 --orders 5000 --seed 1

say "Orders for 20 seconds, and the prices that they move"
pricing-simulate orders --duration 20 --rate 20 --seed 1

say "The prices farthest from their base price"
pricing-repl --format table -c "report.run name=away_from_base limit=8"
# The first of them that is not sold out; the sixth column is the stock.
product=$(pricing-repl --format tsv -c "report.run name=away_from_base" |
    awk -F '\t' 'NR > 1 && $6 > 0 && !first { first = $1 } END { print first }')

say "Why one of them, product $product, costs what it does"
printf '%b\n' "$(pricing-repl --format json -c "price.why productId=$product" | sed 's/.*"text":"\([^"]*\)".*/\1/')"

if [[ -t 0 && -t 1 ]]; then
    say "The pages: a store, and a dashboard for the staff"
    read -rp "Open them? Where they are not built yet, that takes some minutes more. [y/N] " answer || answer=''
    if [[ $answer == [yY]* ]]; then
        command -v pricing-web >/dev/null || swift build -c release --product pricing-web
        exec {pages}< <(exec setsid pricing-web --port 0 2>>"$folder/log")
        web=$!
        IFS= read -r line <&"$pages"
        address=${line#*'"address":"'}
        address=${address%%'"'*}
        echo "The store:     $address/store   customer@example.com signs in with pricingd-demo"
        echo "The dashboard: $address/        admin@example.com with the same"
    fi

    say "The operator's shell: Tab completes, help explains, Ctrl-D ends it and stops everything"
    trap : INT
    pricing-repl || true
fi
say "Stopped; nothing is left behind"
