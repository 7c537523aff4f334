"""pricingd for Python, with nothing but what Python ships with.

    from pricingd import Client
    with Client() as shop:
        order = shop.call("order.place", {"customerId": 1, "lines": [{"productId": 1, "quantity": 2}]}, key="web-4711")
        for event in shop.events(topics=["price"]):
            print(event["after"]["price"])
"""

from .client import Client, EventGap, Events
from .connection import Connection, Distrusted, RPCError, connect, socket_path

__all__ = ["Client", "Connection", "Distrusted", "EventGap", "Events", "RPCError", "connect", "socket_path"]
