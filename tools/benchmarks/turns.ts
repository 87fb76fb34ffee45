/**
 * The other end of `Side`: a process that runs its step when it is told to.
 *
 * @module
 */
import { TextLineStream } from "./lines.ts";
import { processorMs } from "./processor.ts";

/** Milliseconds by a clock: `wall`, or `cpu` for the process's processor time. */
export function clockOf(clock: string): () => number {
  return clock === "wall" ? () => performance.now() : processorMs;
}

/** Tells the side that started this process. */
export function say(message: unknown): void {
  console.log(JSON.stringify(message));
}

/** Runs so many steps at each line `run N` of standard input and says what they took, until `end`. */
export async function answerTurns(step: () => Promise<void>, now: () => number): Promise<void> {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const [command, count] = line.split(" ");
    if (command === "end") return;
    const ms: number[] = [];
    for (let i = 0; i < Number(count); i++) {
      const started = now();
      await step();
      ms.push(now() - started);
    }
    say({ ms });
  }
}
