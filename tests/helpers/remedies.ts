/** Remedies are tried: what a refusal advises is done, and then nothing is refused. */
import { assert, assertStringIncludes } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { said } from "./cli.ts";

/** Something that is refused, what it is told to do, and that done. */
export interface Trial {
  /** The advice, or the part of it that this trial follows. */
  readonly hint: string;
  wrong(): unknown;
  right(): unknown;
}

/** Tries remedies one after the other. */
export async function tried(trials: readonly Trial[]): Promise<void> {
  for (const { hint, wrong, right } of trials) {
    let refused: unknown;
    try {
      await wrong();
    } catch (error) {
      refused = error;
    }
    assert(refused instanceof Refusal, `what should be told "${hint}" gave ${refused}`);
    assertStringIncludes(`${refused.hint}`, hint, refused.message);
    try {
      await right();
    } catch (error) {
      throw new Error(`"${hint}" was done, and is refused`, { cause: error });
    }
  }
}

/** A command line that must be taken; what is said to one that is not is a refusal here too. */
export async function taken(...args: string[]): Promise<string> {
  const { code, out, err } = await said(...args);
  if (code !== 0) throw new Refusal({ what: args.join(" "), hint: `${err}\n${out}` });
  return out;
}

/** How a piece of code runs apart. */
export interface Apart {
  /** Flags of Deno. @default all is allowed, and there is no configuration */
  readonly flags?: readonly string[];
  /** What Deno is started by: `sh -c '…; exec "$@"' sh`. */
  readonly by?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a piece of code in a process of its own, where something is missing or forbidden.
 *
 * @param folder Where its file is written.
 * @param code A module; `…/` in what it imports is this project.
 * @throws {Refusal} What is refused there.
 */
export async function apart(folder: string, code: string, { flags, by = [], env = {} }: Apart = {}): Promise<void> {
  const root = new URL("../../", import.meta.url).href;
  const path = `${folder}/apart.ts`;
  await Deno.writeTextFile(
    path,
    `import { Refusal } from "${root}core/refusal.ts";
    const { log } = console;
    try {
      ${code.replaceAll("…/", root)}
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log(JSON.stringify({ ...error, message: error.message }));
    }`,
  );
  const own = flags ?? ["-A", "--no-config"];
  const [program, ...args] = [...by, Deno.execPath(), "run", "--no-check", "--no-prompt", ...own, path];
  const { success, stdout, stderr } = await new Deno.Command(program, { args, env, stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) throw new Error(text(stderr));
  if (text(stdout) !== "") throw new Refusal(JSON.parse(text(stdout)));
}
