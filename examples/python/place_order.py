#!/usr/bin/env python3
"""Places an order, exactly once, and says which prices it moved.

    place_order.py CUSTOMER PRODUCT QUANTITY [KEY]

Run it again with the same KEY: the same order comes back and nothing is sold twice. Exit: 0 placed, 1 refused.
"""

import sys
import uuid

from pricingd import Client, RPCError

if len(sys.argv) not in (4, 5):
    sys.exit(__doc__)
customer, product, quantity = map(int, sys.argv[1:4])
key = sys.argv[4] if len(sys.argv) == 5 else str(uuid.uuid4())

try:
    lines = [{"productId": product, "quantity": quantity}]
    order = Client().call("order.place", {"customerId": customer, "lines": lines}, key=key)
except RPCError as error:
    if error.reason == "INSUFFICIENT_STOCK":
        data = error.data
        sys.exit(f"product {data['productId']}: {data['requested']} wanted, only {data['available']} available")
    sys.exit(f"{error.reason}: {error}")

again = " (placed before, same key)" if order["_meta"].get("replayed") else ""
print(f"order {order['orderId']}: {order['total']}{again}")
for move in order["priceChanges"]:
    print(f"  product {move['productId']}: {move['old']} -> {move['new']}")
