// A connection to pricingd for Node, with nothing but what Node ships with.
import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, statSync } from "node:fs";
import net from "node:net";
import { dirname } from "node:path";
import readline from "node:readline";

/** Where the daemon listens, found as every client finds it. */
export function socketPath(env = process.env) {
  if (env.PRICINGD_SOCKET) return env.PRICINGD_SOCKET;
  if (env.RUNTIME_DIRECTORY) return `${env.RUNTIME_DIRECTORY}/pricingd.sock`;
  const session = env.XDG_RUNTIME_DIR;
  const own = session ? `${session}/pricingd/pricingd.sock` : `/tmp/pricingd-${process.getuid()}/pricingd.sock`;
  const installed = "/run/pricingd/pricingd.sock";
  return (session && existsSync(own)) || !existsSync(installed) ? own : installed;
}

/**
 * Throws unless root, we or the folder's keeper made the socket: anybody may get to a path in /tmp first. Node cannot ask
 * the kernel who serves, so that this looks at the files.
 */
function checkServer(path) {
  const folder = dirname(path);
  const place = lstatSync(folder);
  const named = /^\/tmp\/pricingd-(\d+)$/.exec(folder);
  let keeper = place.isDirectory() ? place.uid : undefined;
  if (named) {
    keeper = Number(named[1]);
    if (!place.isDirectory() || ![0, keeper].includes(place.uid) || place.mode & 0o022) {
      throw distrust(`${folder} is not a folder of uid ${keeper} alone`);
    }
  }
  const maker = statSync(path).uid;
  if (![0, process.getuid(), keeper].includes(maker)) {
    throw distrust(`uid ${maker} serves at ${path}, who is neither root, nor you, nor the folder's keeper`);
  }
}

function distrust(message) {
  return Object.assign(new Error(message), { isDistrust: true });
}

/** The daemon's refusal: `code` and `data.reason` are for programs, the message is for people. */
export class RPCError extends Error {
  constructor({ code, message, data }) {
    super(message);
    this.code = code;
    this.data = data ?? {};
  }
}

/** One connection. `onEvent(method, params)` gets the notifications, in their order; `onClose()` is told of its end. */
export class Connection {
  #socket;
  #waiting = new Map();
  #nextId = 1;
  #why = new Error("the daemon closed the connection");

  constructor({ path = socketPath(), onEvent = () => {}, onClose = () => {} } = {}) {
    this.#socket = new net.Socket();
    // What goes wrong with the socket comes here too, and is told below.
    readline.createInterface({ input: this.#socket }).on("error", () => {}).on("line", (line) => {
      const message = JSON.parse(line);
      if (message.method) return onEvent(message.method, message.params);
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error) waiting?.reject(new RPCError(message.error));
      else waiting?.resolve(message.result);
    });
    const fail = (error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    this.#socket.on("error", fail);
    this.#socket.on("close", () => {
      fail(this.#why);
      onClose();
    });
    try {
      checkServer(path);
      this.#socket.connect(path);
    } catch (error) {
      this.#why = error;
      this.#socket.destroy(error);
    }
  }

  /** Whether it has ended. */
  get isClosed() {
    return this.#socket.destroyed;
  }

  /** Gives the result of a call, or throws an RPCError. Calls may overlap. */
  call(method, params = {}) {
    if (this.isClosed) return Promise.reject(this.#why);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(JSON.stringify({ jsonrpc: "2.0", id, method, params }) + "\n");
    });
  }

  close() {
    this.#socket.end();
  }

  /** Ends it without waiting for what is under way. */
  drop() {
    this.#socket.destroy();
  }
}

/** Numbers of the stream that are not to be had any more: `gap` has fromSequence, toSequence and reason. */
export class EventGap extends Error {
  constructor(gap) {
    super(`events ${gap.fromSequence} to ${gap.toSequence} are left out: ${gap.reason}`);
    this.gap = gap;
  }
}

/**
 * A client that goes on: it connects at the first call and again after a lost connection. Every call carries a key, a fresh
 * one unless given, so that a write happens once however often it is sent: what was lost, and what is refused as worth
 * another try, is sent again, for `patience` milliseconds in all.
 */
export class Client {
  #options;
  #connection;

  constructor({ path = socketPath(), patience = 30_000, actor } = {}) {
    this.#options = { path, patience, actor };
  }

  /** Gives the result of a call, or throws: an RPCError, or why there was no answer. Calls may overlap. */
  call(method, params = {}, { key = randomUUID(), patience = this.#options.patience } = {}) {
    const { path, actor } = this.#options;
    const meta = { idempotencyKey: key, ...(actor && { actor }), ...params._meta };
    return goOn(patience, () => {
      if (!this.#connection || this.#connection.isClosed) this.#connection = new Connection({ path });
      return { connection: this.#connection, reply: this.#connection.call(method, { ...params, _meta: meta }) };
    });
  }

  /**
   * Every event from now on, or after a number that was seen, in order and each once: for `for await`. The rest are
   * events.subscribe's parameters. `onGap` is told what is not to be had any more; without it that throws an EventGap.
   */
  async events({ after, onGap, ...filters } = {}) {
    const events = new Events(this.#options, after, onGap, filters);
    await events.subscribe();
    return events;
  }

  close() {
    this.#connection?.close();
  }
}

/** `after` is the number of the last event that was given, from which another client goes on. */
class Events {
  #connection;
  #arrived = [];
  #wake = () => {};

  constructor({ path, patience }, after, onGap, filters) {
    Object.assign(this, { path, patience, after, onGap, filters });
  }

  async subscribe() {
    this.#connection?.drop();
    const { sequence } = await goOn(this.patience, () => {
      const arrived = (this.#arrived = []);
      const connection = (this.#connection = new Connection({
        path: this.path,
        onEvent: (_, params) => this.#push(arrived, params),
        onClose: () => this.#push(arrived, null),
      }));
      const from = this.after === undefined ? {} : { from: this.after };
      return { connection, reply: connection.call("events.subscribe", { ...this.filters, ...from }) };
    });
    this.after = sequence;
  }

  #push(arrived, event) {
    arrived.push(event);
    this.#wake();
  }

  async *[Symbol.asyncIterator]() {
    try {
      while (true) {
        while (this.#arrived.length === 0) await new Promise((resolve) => (this.#wake = resolve));
        const event = this.#arrived.shift();
        // A slow reader's events are kept: only this connection was given up on.
        if (event === null || event.reason === "SLOW_READER") {
          await this.subscribe();
        } else if (event.toSequence === undefined) {
          this.after = event.sequence;
          yield event;
        } else {
          this.after = event.toSequence;
          if (!this.onGap) throw new EventGap(event);
          this.onGap(event);
        }
      }
    } finally {
      this.close();
    }
  }

  close() {
    this.#connection?.drop();
  }
}

/** Tries again what is worth it, after the pause that the daemon asks for, or one that doubles from 50 ms to 1 s. */
async function goOn(patience, attempt) {
  const end = Date.now() + patience;
  for (let pause = 50; ; pause = Math.min(pause * 2, 1000)) {
    let problem;
    const { connection, reply } = attempt();
    const timer = setTimeout(() => connection.drop(), Math.max(1, end - Date.now()));
    try {
      return await reply;
    } catch (error) {
      if (error.isDistrust || (error instanceof RPCError && !error.data.retryable)) throw error;
      problem = error;
    } finally {
      clearTimeout(timer);
    }
    // Scattered, so that not everybody who was refused comes back at once.
    const wait = (problem.data?.retryAfterMs ?? pause) * (0.75 + Math.random() / 2);
    if (Date.now() + wait > end) throw problem;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
