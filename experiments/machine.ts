/**
 * What kind of machine trains: equal configurations give equal bytes on one kind, and round differently on another.
 *
 * @module
 */
import { statfsSync } from "node:fs";
import { cpus } from "node:os";
import type { RunConfig, RunTiming } from "../core/record.ts";

/** The processor of this machine: its maker's name for it, and its instruction set. */
export function processorName(): string {
  const model = cpus()[0]?.model.trim().replaceAll(/\s+/g, " ").replaceAll(" + ", " ") ?? "";
  return `${model === "" || model === "unknown" ? "unnamed processor" : model} (${Deno.build.arch})`;
}

/** Bytes that are free on the disk of a folder; `null` where the system does not tell. */
export function freeBytes(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch (error) {
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
}

/** Processor, engine and threads of a run, in one line. */
export function machineOf({ engine }: Pick<RunConfig, "engine">, timing: Pick<RunTiming, "processor">): string {
  const { name, version, threads } = engine;
  const processor = timing.processor ?? "a processor that it does not name";
  return `${processor}, ${name} (${version}), ${threads} thread${threads === 1 ? "" : "s"}`;
}
