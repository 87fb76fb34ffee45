/**
 * Processor time.
 *
 * @module
 */
import process from "node:process";

/** Processor time of this process so far, in milliseconds. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
