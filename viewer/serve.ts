/**
 * The one place that listens.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { type AppOptions, createApp } from "./app.ts";
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
  /** Milliseconds that answers have to end when it stops. @default {1000} */
  readonly graceMs?: number;
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
 * @throws {Refusal} If others can reach the host and there is no token.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 */
export function serveViewer(options: ServeOptions): Served {
  const { folder, host = "127.0.0.1", token = null } = options;
  if (!isLoopback(host) && token === null) {
    throw new Refusal({ what: `listen on "${host}"`, must: "a token must be given", found: "others can reach it" });
  }
  const store = openRunStore(folder, options.store);
  const app = createApp(store, { ...options.app, token });
  const end = new AbortController();
  const answering = new Set<Promise<void>>();
  const server = Deno.serve(
    { hostname: host, port: options.port, onListen: () => {}, signal: end.signal },
    (request, { completed }) => {
      // A client that goes away in the middle is answered, too.
      const done = completed.catch(() => {}).finally(() => answering.delete(done));
      answering.add(done);
      return app.fetch(request);
    },
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
      // Pages that follow are let go, other answers may end; a client that does not read is not waited for.
      app.close();
      const grace = Promise.withResolvers<void>();
      const timer = setTimeout(grace.resolve, options.graceMs ?? 1000);
      await Promise.race([Promise.all(answering), grace.promise]);
      clearTimeout(timer);
      end.abort();
      await server.finished;
      store.close();
    },
  };
}
