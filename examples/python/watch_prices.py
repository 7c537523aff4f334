#!/usr/bin/env python3
"""Prints each price as it moves, and goes on where it was when the daemon was away.

    watch_prices.py [COUNT]     ends after COUNT moves, or on Ctrl-C
"""

import itertools
import sys

from pricingd import Client, EventGap

stream = Client().events(topics=["price"])
print(f"watching from event {stream.after}", flush=True)
try:
    for event in itertools.islice(stream, int(sys.argv[1]) if len(sys.argv) > 1 else None):
        after = event["after"]
        print(f"{after['title']}: {event['before']['price']} -> {after['price']}"
              f"  (stock {after['stock']}, {after['reason']})", flush=True)
except EventGap as gap:
    sys.exit(f"the stream broke off: {gap.gap['reason']}")
except KeyboardInterrupt:
    sys.exit(130)
