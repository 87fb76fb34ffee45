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
/** Milliseconds between looks at the folder. */
const lookMs = 1000;
/** Looks without a change after which a sign of life is sent: proxies close connections that are silent. */
const quietLooks = 15;

const encoder = new TextEncoder();

/** The pages that listen to a store. */
export class EventHub {
  readonly #store: RunStore;
  readonly #pages = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #version = -1;
  #quiet = 0;

  /** @param store What is watched. */
  constructor(store: RunStore) {
    this.#store = store;
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
        // The first event says where the page stands; "retry" is how soon a browser comes back after a break.
        this.#send(controller, "retry: 3000\n\n");
        this.#look().then(() => this.#send(controller, this.#event()));
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

  #event(): string {
    return `event: change\ndata: ${JSON.stringify({ version: this.#version })}\n\n`;
  }

  async #look(): Promise<void> {
    if (this.#timer !== null) return;
    const before = this.#version;
    // Set before waiting, so that two looks never run side by side.
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#pages.size > 0) this.#look();
    }, lookMs);
    this.#version = (await this.#store.snapshot()).version;
    this.#quiet = this.#version === before ? this.#quiet + 1 : 0;
    const text = this.#version !== before ? this.#event() : this.#quiet % quietLooks === 0 ? ": still here\n\n" : null;
    if (text !== null) { for (const page of [...this.#pages]) this.#send(page, text); }
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
