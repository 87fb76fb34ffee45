/**
 * Runs that are finished already.
 *
 * @module
 */
import type { RunConfig, RunSummary, RunTiming } from "../core/record.ts";
import type { RunFolder } from "../store/run_folder.ts";

/** What a finished run left. */
export interface Finished {
  readonly summary: RunSummary;
  readonly timing: RunTiming;
}

/**
 * What a run left, if it is finished and whole: with its model. A kill after its summary may have left files that are removed
 * now.
 *
 * @throws {StoreError} If its folder is damaged.
 */
export async function finishedRun(folder: RunFolder, config: RunConfig): Promise<Finished | null> {
  const summary = await folder.summary();
  if (summary === null) return null;
  await folder.create(config);
  const timing = await folder.timing();
  if (!await folder.hasModel()) return null;
  await folder.tidy();
  return { summary, timing };
}
