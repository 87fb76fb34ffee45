/**
 * The one place that listens.
 *
 * @module
 */
import { type AppOptions, createApp } from "./app.tsx";
import { openRunStore, type StoreOptions } from "./store.ts";

/** Where to listen, and to what. */
export interface ServeOptions {
  /** Folder of runs; need not exist yet. */
  readonly folder: string;
  /** @default {"127.0.0.1"} */
  readonly host?: string;
  readonly port: number;
  /** Secret that visitors must bring; needed wherever others can reach the host. */
  readonly token?: string | null;
  /** How often it looks and what it bears. @default {{}} */
  readonly app?: Omit<AppOptions, "token">;
  /** @default {{}} */
  readonly store?: StoreOptions;
}

/** A viewer that listens. */
export interface Served {
  /** Where it is reached, the token included. */
  readonly url: string;
  readonly port: number;
  /** Pages that follow now. */
  readonly following: number;
  /** Fulfilled when it has stopped. */
  readonly finished: Promise<void>;
  /** Stops: open pages are let go. */
  stop(): Promise<void>;
}

/** Whether a host is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|localhost|::1)$/i.test(host);
}

/**
 * Listens.
 *
 * @throws {RangeError} If others can reach the host and there is no token.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 */
export function serveViewer(options: ServeOptions): Served {
  const { folder, host = "127.0.0.1", token = null } = options;
  if (!isLoopback(host) && token === null) {
    throw new RangeError(`Cannot listen on "${host}" as others can reach it: a token must be given`);
  }
  const store = openRunStore(folder, options.store);
  const app = createApp(store, { ...options.app, token });
  const server = Deno.serve(
    { hostname: host, port: options.port, onListen: () => {} },
    (request) => app.fetch(request),
  );
  const { port } = server.addr as Deno.NetAddr;
  const shown = host === "0.0.0.0" || host === "::" ? Deno.hostname() : host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${shown}:${port}/${token === null ? "" : `?token=${token}`}`,
    port,
    get following() {
      return app.following;
    },
    finished: server.finished,
    async stop() {
      // Streams first: a server waits for its connections.
      app.close();
      await server.shutdown();
      store.close();
    },
  };
}
