/**
 * `armlab view`: look at results in a browser.
 *
 * @module
 */
import { resolve } from "node:path";
import { Refusal } from "../core/refusal.ts";
import { samplesElsewhere } from "../experiments/previews_elsewhere.ts";
import { isLoopback, type Served, type ServeOptions, serveViewer } from "../viewer/serve.ts";
import { storeErrorOf } from "../store/files.ts";
import { type Command, type Flag, helpOf, parseFlags, parseInteger } from "./command.ts";
import { loadPlugins, pluginFlag, pluginSpecifiers } from "./plugins.ts";

const flags: Readonly<Record<string, Flag>> = {
  runs: { type: "text", value: "DIR", about: "folder of runs (default: runs)" },
  port: { type: "text", value: "N", about: "port (default: 8420)" },
  host: { type: "text", value: "ADDRESS", about: "address to listen on (default: 127.0.0.1); others need a token" },
  token: { type: "text", value: "TEXT", about: "the token for other hosts (default: a new one each time)" },
  plugin: pluginFlag,
  help: { type: "boolean", about: "show this help" },
};

/** Ports tried for the offer of a free one. */
const offered = 50;

/** The next port that nobody listens on, or `null`. */
export function freePort(host: string, after: number): number | null {
  for (let port = after + 1; port <= Math.min(65_535, after + offered); port++) {
    try {
      Deno.listen({ hostname: host, port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  return null;
}

function serve(options: ServeOptions): Served {
  const { host = "127.0.0.1", port } = options;
  try {
    return serveViewer(options);
  } catch (error) {
    if (isAddressError(error)) {
      throw new Refusal({
        what: `listen on "${host}"`,
        must: "it must be an address of this machine",
        found: "it is none",
        hint: "leave --host out, or take 0.0.0.0",
      }, { cause: error });
    }
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    const free = freePort(host, port);
    const offer = free === null ? "choose another" : `${free} is free: --port ${free}`;
    throw new Refusal({ what: `listen on port ${port} of ${host}`, must: "another program does", hint: offer });
  }
}

/** Whether a host is a name that nobody knows, or an address that this machine has not. */
function isAddressError(error: unknown): boolean {
  if (error instanceof Deno.errors.AddrNotAvailable) return true;
  // A name that does not resolve is an error without a code of its own.
  return error instanceof Error && !(error instanceof Refusal) && !(error instanceof Deno.errors.AddrInUse) &&
    !(error instanceof Deno.errors.PermissionDenied) && !(error instanceof Deno.errors.NotCapable);
}

/** `armlab view`. */
export const viewCommand: Command = {
  name: "view",
  about: "look at results in a browser",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("view", flags, args);
    if (parsed.boolean.help) {
      console.log(helpOf("deno task view [options]", "Look at results in a browser, while runs go on.", flags, [
        "deno task view",
        "deno task view --runs /data/runs --port 9000",
        "deno task view --host 0.0.0.0          for others; prints an address with a token",
      ]));
      return 0;
    }
    const folder = resolve(parsed.text.runs ?? "runs");
    const host = parsed.text.host ?? "127.0.0.1";
    const port = parseInteger("--port", parsed.text.port ?? "8420", 0);
    if (port > 65_535) {
      throw new Refusal({ what: "use --port", must: "it must be at most 65535", found: `found ${port}` });
    }
    const token = isLoopback(host) ? parsed.text.token ?? null : parsed.text.token ?? newToken();
    if (token !== null && !/^[\w-]{16,200}$/.test(token)) {
      const must = "it must be 16 to 200 letters, digits, - and _";
      throw new Refusal({ what: "use --token", must, found: "it is not" });
    }
    await checkRuns(folder);
    const plugins = pluginSpecifiers(parsed.list.plugin);
    // Here too, so that a mistake in them is told at once.
    if (plugins.length > 0) await loadPlugins((await import("../library.ts")).createLibrary(), plugins);
    const samples = samplesElsewhere(plugins);
    const served = serve({ folder, host, port, token, app: { samples } });
    console.log(`Results of ${folder}\n  ${served.url}\nStop with Ctrl-C.`);
    if (!isLoopback(host)) {
      console.log(
        "Others on the network can reach this address; the token in it lets them in. The connection is not encrypted.",
      );
    }
    const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
    let stopping = false;
    const stop = () => {
      // Whoever asks twice does not want to wait.
      if (stopping) Deno.exit(130);
      stopping = true;
      served.stop();
    };
    for (const signal of signals) Deno.addSignalListener(signal, stop);
    try {
      await served.finished;
    } finally {
      samples.stop();
      for (const signal of signals) Deno.removeSignalListener(signal, stop);
    }
    return 0;
  },
};

/** Results may come later, but not to where no folder can be. @throws {StoreError} If a file is in the way. */
async function checkRuns(folder: string): Promise<void> {
  try {
    const { isDirectory } = await Deno.stat(folder);
    if (!isDirectory) throw Object.assign(new Error("a file"), { code: "EEXIST" });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw storeErrorOf(error, "view", folder);
  }
}

/** 160 random bits. */
function newToken(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(20)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
