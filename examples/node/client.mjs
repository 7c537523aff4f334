// A connection to pricingd for Node, with nothing but what Node ships with.
import net from "node:net";
import readline from "node:readline";

/** Where the daemon listens, found as every client finds it. */
export function socketPath(env = process.env) {
  if (env.PRICINGD_SOCKET) return env.PRICINGD_SOCKET;
  if (env.RUNTIME_DIRECTORY) return `${env.RUNTIME_DIRECTORY}/pricingd.sock`;
  if (env.XDG_RUNTIME_DIR) return `${env.XDG_RUNTIME_DIR}/pricingd/pricingd.sock`;
  return `/tmp/pricingd-${process.getuid()}/pricingd.sock`;
}

/** The daemon's refusal: `code` and `data.reason` are for programs, the message is for people. */
export class RPCError extends Error {
  constructor({ code, message, data }) {
    super(message);
    this.code = code;
    this.data = data ?? {};
  }
}

/** One connection. `onEvent(method, params)` gets the notifications, in their order. */
export class Client {
  #socket;
  #waiting = new Map();
  #nextId = 1;

  constructor({ path = socketPath(), onEvent = () => {} } = {}) {
    this.#socket = net.createConnection(path);
    readline.createInterface({ input: this.#socket }).on("line", (line) => {
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
    this.#socket.on("close", () => fail(new Error("the daemon closed the connection")));
  }

  /** Gives the result of a call, or throws an RPCError. Calls may overlap. */
  call(method, params = {}) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(JSON.stringify({ jsonrpc: "2.0", id, method, params }) + "\n");
    });
  }

  close() {
    this.#socket.end();
  }
}
