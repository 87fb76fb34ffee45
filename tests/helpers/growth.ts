/** What grows where something leaks: of a page in a browser, and of this process. */
import type { Page } from "playwright-core";

/** What a page holds once garbage is collected. */
export interface PageSize {
  readonly heapBytes: number;
  readonly nodes: number;
  readonly listeners: number;
}

/** Collects a page's garbage and measures what is left. */
export async function pageSize(page: Page): Promise<PageSize> {
  const session = await page.context().newCDPSession(page);
  try {
    await session.send("Performance.enable");
    // Twice: what is freed first may have held what is freed next.
    await session.send("HeapProfiler.collectGarbage");
    await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const of = (name: string) => {
      const found = metrics.find((metric) => metric.name === name);
      if (found === undefined) throw new Error(`Cannot measure the page as the browser must tell ${name}: it does not`);
      return found.value;
    };
    const size = { heapBytes: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners") };
    await session.send("Performance.disable");
    return size;
  } finally {
    await session.detach();
  }
}

/** Files, sockets and watchers that this process has open; `null` where the system does not tell. */
export function openFiles(): number | null {
  return Deno.build.os === "linux" ? [...Deno.readDirSync("/proc/self/fd")].length : null;
}

/** Timers of this process that wait, from now on. */
export interface TimerCount {
  active(): number;
  restore(): void;
}

/** Counts the timers that are set from now on and have neither run out nor been cleared. */
export function countTimers(): TimerCount {
  const kept = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
  };
  const waiting = new Set<unknown>();
  const clear = (id?: number) => {
    if (id !== undefined) waiting.delete(id);
    kept.clearTimeout(id);
  };
  Object.assign(globalThis, {
    setTimeout: (run: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) => {
      const id = kept.setTimeout(() => {
        waiting.delete(id);
        run(...given);
      }, ms);
      waiting.add(id);
      return id;
    },
    setInterval: (run: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) => {
      const id = kept.setInterval(run, ms, ...given);
      waiting.add(id);
      return id;
    },
    clearTimeout: clear,
    clearInterval: clear,
  });
  return {
    active: () => waiting.size,
    restore: () => {
      Object.assign(globalThis, kept);
    },
  };
}
