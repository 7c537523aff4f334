// A connection to pricingd for Node, with nothing but what Node ships with.
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
      throw new Error(`${folder} is not a folder of uid ${keeper} alone`);
    }
  }
  const maker = statSync(path).uid;
  if (![0, process.getuid(), keeper].includes(maker)) {
    throw new Error(`uid ${maker} serves at ${path}, who is neither root, nor you, nor the folder's keeper`);
  }
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
    this.#socket.on("close", () => fail(new Error("the daemon closed the connection")));
    try {
      checkServer(path);
      this.#socket.connect(path);
    } catch (error) {
      this.#socket.destroy(error);
    }
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
