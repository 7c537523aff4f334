#!/usr/bin/env node
// Prints each price as it moves, and goes on where it was when the daemon was away.
//
//     watch_prices.mjs [COUNT]     ends after COUNT moves, or on Ctrl-C
import { Client } from "./client.mjs";

let left = Number(process.argv[2] ?? Infinity);

const stream = await new Client().events({ topics: ["price"] });
console.log(`watching from event ${stream.after}`);
for await (const { before, after } of stream) {
  console.log(`${after.title}: ${before.price} -> ${after.price}  (stock ${after.stock}, ${after.reason})`);
  if (--left <= 0) break;
}
