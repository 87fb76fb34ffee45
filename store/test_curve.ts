/**
 * `test-curve.jsonl` of a run: the accuracy on test after each epoch, where a bench asked for it.
 *
 * Nothing that trains or chooses reads it: it says what choosing on test would have given.
 *
 * @module
 */
import { z } from "zod";
import { canonicalJson } from "../core/canonical.ts";
import type { TestPoint } from "../core/record.ts";
import { appendLine, readTextSync, removeIfPresent, StoreError, truncateFile } from "./files.ts";
import { maxMetricsBytes } from "./run_files.ts";
import type { RunFolder } from "./run_folder.ts";

const schema: z.ZodType<TestPoint> = z.looseObject({
  epoch: z.number().int().min(0),
  accuracy: z.number().min(0).max(1),
});

/** Adds the point of an epoch. @throws {StoreError} If it cannot be written. */
export async function appendTestPoint(folder: RunFolder, point: TestPoint): Promise<void> {
  await appendLine(folder.file("test-curve"), canonicalJson(point));
}

/**
 * Accuracies by epoch; none where there is no curve. A last line without its end is left out: it was cut off by a kill.
 *
 * @throws {StoreError} If a line is damaged or of another epoch.
 */
export function testCurve(folder: RunFolder): number[] {
  const path = folder.file("test-curve");
  const text = readTextSync(path, maxMetricsBytes) ?? "";
  return text.split("\n").slice(0, -1).map((line, epoch) => {
    const point = parsed(line);
    if (point?.epoch === epoch) return point.accuracy;
    throw new StoreError("corrupt", path, {
      what: `read line ${epoch + 1} of "${path}"`,
      must: `it must be the test accuracy of epoch ${epoch}`,
      found: "it is not",
      hint: "remove it and run the same bench again, which trains the run anew",
    });
  });
}

function parsed(line: string): TestPoint | null {
  try {
    return schema.safeParse(JSON.parse(line)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Leaves out what is behind so many epochs. @throws {StoreError} If it cannot be written. */
export async function truncateTestCurve(folder: RunFolder, epochs: number): Promise<void> {
  const path = folder.file("test-curve");
  if (epochs === 0) return await removeIfPresent(path);
  const text = readTextSync(path, maxMetricsBytes) ?? "";
  const end = text.split("\n").slice(0, epochs).map((line) => line.length + 1).reduce((sum, own) => sum + own, 0);
  if (end < text.length) await truncateFile(path, end);
}
