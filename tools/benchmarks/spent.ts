/**
 * What processes have spent and hold, as Linux tells it.
 *
 * @module
 */

/** Processor time is counted in hundredths of a second. */
const TICK = 0.01;

/** Numbers of a process's `stat`, from the third on: its name, the second, may hold anything. `null` elsewhere, or if it is gone. */
function statOf(pid: number | "self"): number[] | null {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Processor seconds of all threads of a process so far; `null` where the system does not tell. */
export function spentBy(pid: number | "self"): number | null {
  const stat = statOf(pid);
  return stat === null ? null : TICK * (stat[11] + stat[12]);
}

/** Processor seconds of all processes that this one started and that have ended; `null` where the system does not tell. */
export function spentByEnded(): number | null {
  const stat = statOf("self");
  return stat === null ? null : TICK * (stat[13] + stat[14]);
}

/** Files, sockets and watchers that this process has open; `null` where the system does not tell. */
export function openFiles(): number | null {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
