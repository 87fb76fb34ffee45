/** Runs the command line: as a user does, in a process of its own, or in this one. */
import { main } from "../../cli/main.ts";
import { Turns } from "../../core/turns.ts";
import { CACHE_VARIABLE } from "../../formats/cache_folder.ts";

const program = new URL("../../cli/main.ts", import.meta.url).pathname;
const config = new URL("../../deno.json", import.meta.url).pathname;

/** What a command printed and how it ended. */
export interface Ended {
  readonly code: number;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** Starts a command. */
export function start(...args: string[]): Deno.ChildProcess {
  return startWith({}, ...args);
}

/** Starts a command with variables of its own. */
export function startWith(env: Readonly<Record<string, string>>, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", config, program, ...args],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", ...env },
  }).spawn();
}

/** Waits for its end. */
export async function ended(child: Deno.ChildProcess): Promise<Ended> {
  const { code, signal, stdout, stderr } = await child.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, signal, out: decode(stdout), err: decode(stderr) };
}

/** A command that is listened to while it runs. */
export interface Heard {
  /** What it has said so far where errors go. */
  readonly err: string;
  readonly ended: Promise<Ended>;
}

/** Listens to a command. */
export function heard(child: Deno.ChildProcess): Heard {
  let err = "";
  const out = new Response(child.stdout).text();
  const listening = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) err += text;
  })();
  return {
    get err() {
      return err;
    },
    ended: Promise.all([child.status, out, listening]).then(([{ code, signal }, out]) => ({ code, signal, out, err })),
  };
}

/** Runs a command to its end. */
export function armlab(...args: string[]): Promise<Ended> {
  return ended(start(...args));
}

const turns = new Turns();

/** What ran in this process printed, line by line, and its exit code. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs something that prints and gives an exit code; calls take turns, as there is one console. */
export function saidBy(run: () => Promise<number>): Promise<Said> {
  return turns.next(async () => {
    const { log, error } = console;
    const cache = Deno.env.get(CACHE_VARIABLE);
    const [out, err]: [string[], string[]] = [[], []];
    console.log = (...text: unknown[]) => void out.push(text.join(" "));
    console.error = (...text: unknown[]) => void err.push(text.join(" "));
    try {
      return { code: await run(), out: out.join("\n"), err: err.join("\n") };
    } finally {
      Object.assign(console, { log, error });
      if (cache === undefined) Deno.env.delete(CACHE_VARIABLE); // the command line asks for the user's
    }
  });
}

/**
 * Runs a command in this process, to its end: where nothing of a process is tested, whose start takes half a second. What
 * is written to the terminal itself, as progress is, is not caught.
 */
export function said(...args: string[]): Promise<Said> {
  return saidBy(() => main(args));
}

/** Runs something in a temporary folder that is removed afterwards. */
export async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Names of the runs in a folder, sorted. */
export function runsIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => /^[0-9a-f]{16}$/.test(name)).sort();
}
