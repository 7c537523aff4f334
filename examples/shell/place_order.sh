#!/usr/bin/env bash
# Places an order, exactly once, and says which prices it moved.
#
#     place_order.sh CUSTOMER PRODUCT QUANTITY [KEY]
#
# Run it again with the same KEY: the same order comes back and nothing is sold twice. Exit: 0 placed, 1 refused.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=client.sh
. "$(dirname "$0")/client.sh"

(($# >= 3)) || { echo "usage: place_order.sh CUSTOMER PRODUCT QUANTITY [KEY]" >&2; exit 1; }
key=${4:-$(</proc/sys/kernel/random/uuid)}

connect
call order.place "$(jq -cn --argjson customer "$1" --argjson product "$2" --argjson quantity "$3" --arg key "$key" '{
    customerId: $customer,
    lines: [{productId: $product, quantity: $quantity}],
    _meta: {idempotencyKey: $key}
}')"

jq -er '.result // empty
    | "order \(.orderId): \(.total)\(if ._meta.replayed then " (placed before, same key)" else "" end)",
      (.priceChanges[] | "  product \(.productId): \(.old) -> \(.new)")' <<<"$reply" && exit

jq -r '.error.data as $data
    | if $data.reason == "INSUFFICIENT_STOCK"
      then "product \($data.productId): \($data.requested) wanted, only \($data.available) available"
      else "\($data.reason): \(.error.message)" end' <<<"$reply" >&2
exit 1
