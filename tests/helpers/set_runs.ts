/** One epoch on a prepared set. */
import { join } from "node:path";
import { assertEquals } from "@std/assert";
import type { CellRequest } from "../../core/kinds/mod.ts";
import { part, runGrid } from "../../experiments/mod.ts";
import { createLibrary } from "../../library.ts";

/** Trains concatenation for an epoch on a folder of arrays. */
export async function trainsOn(
  path: string,
  folder: string,
  encoder: CellRequest["encoder"] = part("mlp"),
): Promise<void> {
  const cell = {
    label: "concat",
    dataset: part("files", { path }),
    encoder,
    fusion: part("concat"),
    methods: [],
    training: { epochs: 1 },
  };
  const { outcomes } = await runGrid({
    library: createLibrary(),
    runs: join(folder, "runs"),
    engine: "cpu",
    seeds: [0],
    workers: 1,
    cells: [cell],
  });
  assertEquals(outcomes.map((own) => own.status === "failed" ? own.message : own.status), ["finished"]);
}
