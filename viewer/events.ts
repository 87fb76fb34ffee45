/**
 * Tells open pages that something changed, by server-sent events.
 *
 * One timer serves all pages, and runs only while there are any.
 *
 * @module
 */
import type { RunStore } from "./store.ts";

/** Pages told at most at once. */
const maxPages = 64;
/**
 * Milliseconds without a change after which the same is said again: proxies close connections that are silent, and a page
 * tells a broken connection by its silence.
 */
const quietMs = 15_000;
/** Milliseconds after which a browser comes back after a break. */
const retryMs = 3000;

const encoder = new TextEncoder();

function eventText<K extends keyof StreamEvents>(event: K, data: StreamEvents[K]): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** What the data of each kind of event holds; the OpenAPI document says so too. */
export interface StreamEvents {
  /** The runs folder changed, or nothing happened for a while: the version that it is at. */
  readonly change: { readonly version: number };
}

/** How pages are told. */
export interface HubOptions {
  /** Milliseconds between looks at the folder. @default {1000} */
  readonly lookMs?: number;
}

/** The pages that listen to a store. */
export class EventHub {
  readonly #store: RunStore;
  readonly #lookMs: number;
  readonly #pages = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #version: number | null = null;
  #toldAt = 0;

  /** @param store What is watched. */
  constructor(store: RunStore, options: HubOptions = {}) {
    this.#store = store;
    this.#lookMs = options.lookMs ?? 1000;
  }

  /** Number of pages that listen. */
  get size(): number {
    return this.#pages.size;
  }

  /** Opens the stream of one page; `null` if there are too many. It ends when the page goes away. */
  open(): ReadableStream<Uint8Array> | null {
    if (this.#pages.size >= maxPages) return null;
    let own: ReadableStreamDefaultController<Uint8Array>;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller;
        this.#pages.add(controller);
        // The first event says where the page stands.
        this.#store.snapshot().then(({ version }) =>
          this.#send(controller, `retry: ${retryMs}\n${eventText("change", { version })}`)
        );
        this.#look();
      },
      cancel: () => {
        this.#remove(own);
      },
    }, { highWaterMark: 16 });
  }

  /** Ends all streams. */
  close(): void {
    for (const page of this.#pages) {
      try {
        page.close();
      } catch {
        // Already closed by the other side.
      }
    }
    this.#pages.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    if (this.#timer !== null) return;
    // Set before waiting, so that two looks never run side by side.
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#pages.size > 0) this.#look();
    }, this.#lookMs);
    const before = this.#version;
    const { version } = await this.#store.snapshot();
    this.#version = version;
    // A page that has just come is told by itself.
    if (before !== null && version === before && performance.now() - this.#toldAt < quietMs) return;
    this.#toldAt = performance.now();
    if (before === null) return;
    const text = eventText("change", { version });
    for (const page of [...this.#pages]) this.#send(page, text);
  }

  #send(page: ReadableStreamDefaultController<Uint8Array>, text: string): void {
    if (!this.#pages.has(page)) return;
    // A page that does not read is let go: it comes back by itself.
    if (page.desiredSize === null || page.desiredSize <= -64) {
      this.#remove(page);
      return;
    }
    page.enqueue(encoder.encode(text));
  }

  #remove(page: ReadableStreamDefaultController<Uint8Array>): void {
    if (!this.#pages.delete(page)) return;
    try {
      page.close();
    } catch {
      // Already closed by the other side.
    }
    if (this.#pages.size === 0 && this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  }
}
