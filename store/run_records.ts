/**
 * Records of a run's epochs, a line each: `metrics.jsonl` and `valuation.jsonl`.
 *
 * Neither grows without bound. All of the first epochs are kept; from there on every second, from twice as many on every
 * fourth, and so on: which ones, their number alone says, so that an interrupted run leaves the same bytes. A million epochs
 * are 11,170 lines.
 *
 * @module
 */
import { dirname } from "node:path";
import type { EpochRecord, ValuationRecord } from "../core/record.ts";
import { readBytes, readTextSync, removeIfPresent, StoreError, truncateFile } from "./files.ts";
import { maxMetricsBytes, remedies } from "./run_files.ts";
import { parseStored } from "./schemas.ts";

/** So many of the first epochs are all kept. */
const FULL = 2048;

/** Of epochs about this one, every so manieth is kept: a power of two. */
function strideAt(epoch: number): number {
  let stride = 1;
  while (epoch / stride >= FULL) stride *= 2;
  return stride;
}

/** Whether the record of an epoch is kept. @param epoch From 0. */
export function isKept(epoch: number): boolean {
  return epoch % strideAt(epoch) === 0;
}

/** How many of the first epochs are kept. */
export function keptOf(epochs: number): number {
  let kept = Math.min(epochs, FULL);
  for (let [from, stride] = [FULL, 2]; from < epochs; [from, stride] = [2 * from, 2 * stride]) {
    kept += Math.ceil((Math.min(epochs, 2 * from) - from) / stride);
  }
  return kept;
}

/** The epoch of a line, where epochs are kept as `isKept` says. @param index From 0. */
export function epochOfLine(index: number): number {
  if (index < FULL) return index;
  // FULL / 2 lines between FULL x 2^k and twice that.
  const doubled = Math.floor((index - FULL) / (FULL / 2));
  return FULL * 2 ** doubled + (index - FULL - doubled * FULL / 2) * 2 ** (doubled + 1);
}

/** Reads line `index` of a `valuation.jsonl`. @throws {StoreError} If it is damaged. */
export function parseValuation(line: string, index: number, path: string): ValuationRecord {
  return parseStored("valuation", line, path, `line ${index + 1} of "${path}"`, remedies.valuation);
}

/** Reads line `index` of a `metrics.jsonl`. @throws {StoreError} If it is damaged or of another epoch. */
export function parseEpoch(line: string, index: number, path: string): EpochRecord {
  const where = `line ${index + 1} of "${path}"`;
  const record = parseStored("epoch", line, path, where);
  // Older versions kept all epochs.
  if (record.epoch !== index && record.epoch !== epochOfLine(index)) {
    throw new StoreError("corrupt", path, {
      what: `read ${where}`,
      must: `it must be of epoch ${epochOfLine(index)}`,
      found: `found ${record.epoch}`,
    });
  }
  return record;
}

/**
 * All records of a `metrics.jsonl`. A last line without its end is left out: it was cut off by a kill.
 *
 * @throws {StoreError} If a line is damaged or the file cannot be read.
 */
export function readEpochs(path: string): EpochRecord[] {
  const text = readTextSync(path, maxMetricsBytes) ?? "";
  return text.split("\n").slice(0, -1).map((line, i) => parseEpoch(line, i, path));
}

/**
 * Leaves out what is behind the first epochs of a `metrics.jsonl`.
 *
 * @throws {StoreError} If there are fewer, or the file cannot be written.
 */
export async function truncateEpochs(path: string, count: number): Promise<void> {
  if (count === 0) return await removeIfPresent(path);
  const bytes = await readBytes(path, maxMetricsBytes) ?? new Uint8Array();
  let end = 0;
  for (let found = 0; found < keptOf(count); found++) {
    const next = bytes.indexOf(0x0a, end);
    if (next === -1) {
      throw new StoreError("corrupt", path, {
        what: `go on with run "${dirname(path)}"`,
        must: `its metrics.jsonl must hold the ${count} epochs of its checkpoint`,
        found: `found ${found === 0 ? 0 : epochOfLine(found - 1) + 1}`,
        hint: "remove checkpoint.safetensors beside it to start anew",
      });
    }
    try {
      parseEpoch(new TextDecoder().decode(bytes.subarray(end, next)), found, path);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw error.with({ hint: "remove checkpoint.safetensors beside it to start anew" });
    }
    end = next + 1;
  }
  if (end < bytes.length) await truncateFile(path, end);
}

/**
 * Leaves out what is behind the first epochs of a `valuation.jsonl`, which may lack earlier ones: a version that kept none
 * began the run.
 *
 * @throws {StoreError} If a line is damaged, or the file cannot be written.
 */
export async function truncateValuation(path: string, count: number): Promise<void> {
  const text = readTextSync(path, maxMetricsBytes);
  if (text === null) return;
  const lines = text.split("\n").slice(0, -1);
  const kept = lines.filter((line, i) => parseValuation(line, i, path).epoch < count);
  if (kept.length === 0) return await removeIfPresent(path);
  const bytes = new TextEncoder().encode(kept.map((line) => `${line}\n`).join("")).length;
  if (bytes < new TextEncoder().encode(text).length) await truncateFile(path, bytes);
}
