#!/usr/bin/env python3
"""Prints each price as it moves.

    watch_prices.py [COUNT]     ends after COUNT moves, or on Ctrl-C
"""

import itertools
import sys

from pricingd_client import Client

client = Client()
stream = client.call("events.subscribe", {"topics": ["price"]})
print(f"watching from event {stream['sequence']}", flush=True)
moves = range(int(sys.argv[1])) if len(sys.argv) > 1 else itertools.count()
try:
    for _ in moves:
        event = client.next_event()
        if event.get("topic") != "price":
            sys.exit(f"the stream broke off: {event.get('reason')}")
        after = event["after"]
        print(f"{after['title']}: {event['before']['price']} -> {after['price']}"
              f"  (stock {after['stock']}, {after['reason']})", flush=True)
except KeyboardInterrupt:
    sys.exit(130)
