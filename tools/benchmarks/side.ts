/**
 * A process that times one step, ours or PyTorch's.
 *
 * @module
 */
import { TextLineStream } from "./lines.ts";

/** What a side says when it is ready. */
export interface Ready {
  readonly parameters: number;
  /** Ours only. */
  readonly compileMs?: number;
  readonly nodes?: number;
  readonly flops?: number;
  /** PyTorch's only. */
  readonly version?: string;
}

/** A running side. */
export class Side {
  readonly ready: Ready;
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(
    child: Deno.ChildProcess,
    lines: ReadableStreamDefaultReader<string>,
    input: WritableStreamDefaultWriter<Uint8Array>,
    ready: Ready,
  ) {
    this.#child = child;
    this.#lines = lines;
    this.#input = input;
    this.ready = ready;
  }

  /** Starts a process and waits until it has done its first step. @throws {Error} If it ends before. */
  static async start(command: string, args: readonly string[]): Promise<Side> {
    const child = new Deno.Command(command, { args: [...args], stdin: "piped", stdout: "piped", stderr: "inherit" })
      .spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
    const input = child.stdin.getWriter();
    const { value, done } = await lines.read();
    if (done) throw new Error(`Cannot time "${[command, ...args].join(" ")}" as it must answer: it ended`);
    return new Side(child, lines, input, JSON.parse(value) as Ready);
  }

  async #ask(line: string): Promise<Record<string, unknown>> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    const { value, done } = await this.#lines.read();
    if (done) throw new Error("Cannot time a step as its process must answer: it ended");
    return JSON.parse(value) as Record<string, unknown>;
  }

  /** Runs steps; milliseconds of each. */
  async run(count: number): Promise<number[]> {
    return (await this.#ask(`run ${count}`))["ms"] as number[];
  }

  /** Ends the process; its largest resident memory in MiB, and of ours the time to compile from a kept graph. */
  async end(): Promise<{ readonly peakMiB: number; readonly keptMs?: number }> {
    const last = await this.#ask("end") as { peakMiB: number; keptMs?: number };
    await this.#input.close();
    await this.#child.status;
    return last;
  }
}

/** Why a Python cannot run a side that needs some modules, or `null`. */
export async function modulesMissing(python: string, modules: readonly string[]): Promise<string | null> {
  try {
    const { code, stderr } = await new Deno.Command(python, { args: ["-c", `import ${modules.join(", ")}`] }).output();
    return code === 0 ? null : new TextDecoder().decode(stderr).trim().split("\n").at(-1)!;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `there is no "${python}"`;
    throw error;
  }
}
