#!/usr/bin/env node
// Places an order, exactly once, and says which prices it moved.
//
//     place_order.mjs CUSTOMER PRODUCT QUANTITY [KEY]
//
// Run it again with the same KEY: the same order comes back and nothing is sold twice. Exit: 0 placed, 1 refused.
import { randomUUID } from "node:crypto";
import { Client, RPCError } from "./client.mjs";

const [customerId, productId, quantity] = process.argv.slice(2, 5).map(Number);
if (!quantity) {
  console.error("place_order.mjs CUSTOMER PRODUCT QUANTITY [KEY]");
  process.exit(1);
}
const key = process.argv[5] ?? randomUUID();

const client = new Client();
try {
  const lines = [{ productId, quantity }];
  const order = await client.call("order.place", { customerId, lines }, { key });
  const again = order._meta.replayed ? " (placed before, same key)" : "";
  console.log(`order ${order.orderId}: ${order.total}${again}`);
  for (const move of order.priceChanges) {
    console.log(`  product ${move.productId}: ${move.old} -> ${move.new}`);
  }
} catch (error) {
  process.exitCode = 1;
  if (error instanceof RPCError && error.data.reason === "INSUFFICIENT_STOCK") {
    const { productId, requested, available } = error.data;
    console.error(`product ${productId}: ${requested} wanted, only ${available} available`);
  } else {
    console.error(`${error.data?.reason ?? "error"}: ${error.message}`);
  }
} finally {
  client.close();
}
