#!/usr/bin/env node
// Prints each price as it moves.
//
//     watch_prices.mjs [COUNT]     ends after COUNT moves, or on Ctrl-C
import { Client } from "./client.mjs";

let left = Number(process.argv[2] ?? Infinity);

const client = new Client({
  onEvent(method, { before, after, reason }) {
    if (method !== "events.event") {
      console.error(`the stream broke off: ${reason}`);
      process.exit(1);
    }
    console.log(`${after.title}: ${before.price} -> ${after.price}  (stock ${after.stock}, ${after.reason})`);
    if (--left <= 0) client.close();
  },
});
const { sequence } = await client.call("events.subscribe", { topics: ["price"] });
console.log(`watching from event ${sequence}`);
