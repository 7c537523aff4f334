#!/usr/bin/env bash
# Prints each price as it moves.
#
#     watch_prices.sh [COUNT]     ends after COUNT moves, or on Ctrl-C
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=client.sh
. "$(dirname "$0")/client.sh"

connect
call events.subscribe '{"topics": ["price"]}'
jq -r '"watching from event \(.result.sequence)"' <<<"$reply"

for ((left = ${1:-2147483647}; left > 0; left--)); do
    read_line
    jq -er 'select(.method == "events.event") | .params
        | "\(.after.title): \(.before.price) -> \(.after.price)  (stock \(.after.stock), \(.after.reason))"' \
        <<<"$line" || { echo "the stream broke off: $line" >&2; exit 1; }
done
