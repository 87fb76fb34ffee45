/** Who reads what, and when: with stand-ins for the threads, which answer when the test says so. */
import { assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import type { Dataset, Rows, Split } from "../../core/kinds/mod.ts";
import { batchesAhead, ReadAhead, type Wanted } from "../../loading/read_ahead.ts";
import type { ReaderReply, ReaderRequest } from "../../loading/worker.ts";

class Thread {
  readonly asked: ReaderRequest[] = [];
  onmessage: ((event: { data: ReaderReply }) => void) | null = null;
  onerror: ((event: { message: string; preventDefault(): void }) => void) | null = null;
  postMessage(request: ReaderRequest): void {
    this.asked.push(request);
  }
  terminate(): void {}
  get fills() {
    return this.asked.filter((request) => request.type === "fill");
  }
  /** Answers what it was asked first and has not answered. */
  answer(nth: number): void {
    this.onmessage!({ data: { id: this.fills[nth].id } });
  }
}

const rows: Rows = { width: 2, copy() {}, elsewhere: { module: "data:,", given: null } };
const split: Split = {
  size: 12,
  labels: new Int32Array(12),
  inputs: {},
  rows: { ids: rows, image: rows },
  groups: [],
  // Sample n lacks ids where n is odd.
  present: Uint8Array.from({ length: 24 }, (_, i) => i % 2 === 0 && (i / 2) % 2 === 1 ? 0 : 1),
};
const dataset: Pick<Dataset, "modalities" | "splits" | "readers"> = {
  modalities: {
    ids: { shape: [2], dtype: "int32", about: "", vocabulary: 9 },
    image: { shape: [2], dtype: "float32", about: "" },
  },
  splits: { train: split, validation: { ...split }, test: { ...split } },
  readers: 2,
};
const want = (from: number, epoch: number | null = null, of = split): Wanted => ({
  split: of,
  items: Int32Array.of(from, from + 1),
  epoch,
});

async function withThreads(run: (ahead: ReadAhead, threads: Thread[]) => Promise<void>): Promise<void> {
  const { Worker } = globalThis;
  const threads: Thread[] = [];
  globalThis.Worker = class extends Thread {
    constructor() {
      super();
      threads.push(this);
    }
  } as unknown as typeof Worker;
  try {
    await run(new ReadAhead(dataset, ["ids", "image"], 2), threads);
  } finally {
    globalThis.Worker = Worker;
  }
}

Deno.test("ReadAhead asks for eight batches a thread, no more and none twice, and gives the next to who has least to do", () =>
  withThreads(async (ahead, threads) => {
    const firsts = Array.from({ length: 20 }, (_, k) => 2 * k);
    const batches = firsts.map((from) => want(from));
    ahead.announce(batches);
    const asked = () => threads.map(({ fills }) => fills.map(({ items }) => items[0]));
    const [even, odd] = [0, 1].map((rest) => firsts.slice(0, 16).filter((_, k) => k % 2 === rest));
    assertEquals(asked(), [even, odd]);
    ahead.announce(batches);
    assertEquals(asked(), [even, odd]);
    const [, second] = threads;
    second.answer(0);
    second.answer(1);
    for (const from of [2, 6]) (await ahead.take(want(from))).release();
    ahead.announce(batches.filter((_, k) => k !== 1 && k !== 3));
    assertEquals(asked(), [even, [...odd, 32, 34]]);
  }));

Deno.test("batches held ready: eight a thread, fewer where they would take more than 256 MiB, two at least", () => {
  const MiB = 2 ** 20;
  assertEquals(batchesAhead(1 * MiB, 1), 8);
  assertEquals(batchesAhead(40 * MiB, 1), 6);
  assertEquals(batchesAhead(40 * MiB, 2), 6);
  assertEquals(batchesAhead(200 * MiB, 3), 6);
  assertEquals(batchesAhead(1 * MiB, 0), 0);
});

Deno.test("ReadAhead tells threads which batches nobody wants any more, and uses their arrays once they are left", () =>
  withThreads(async (ahead, threads) => {
    ahead.announce([want(0), want(2), want(4)]);
    ahead.announce([want(4), want(6)]);
    const [[first, third], [second, fourth]] = threads.map(({ fills }) => fills);
    assertEquals([first, second, third, fourth].map(({ givenUp }) => givenUp[0]), [1, 1, 0, 0]);
    assertEquals(new Set([first, second, third, fourth].map(({ into }) => into)).size, 4);
    threads[0].answer(0);
    await Promise.resolve();
    ahead.announce([want(4), want(6), want(8)]);
    assertStrictEquals(threads.flatMap(({ fills }) => fills).find(({ items }) => items[0] === 8)!.into, first.into);
  }));

Deno.test("a thread fills what is wanted and leaves what was given up before it came to it", async () => {
  const thread = new Worker(new URL("../../loading/worker.ts", import.meta.url), { type: "module" });
  try {
    const module =
      `data:text/javascript,export const openRows = () => ({ copy: (n, into, at) => into.fill(n, at, at + 2) })`;
    const post = (request: ReaderRequest) => thread.postMessage(request);
    post({ type: "open", split: 0, sources: { image: { rows: { module, given: null }, width: 2 } } });
    const batches = [1, 0].map((flag, id) => {
      const image = new Float32Array(new SharedArrayBuffer(16));
      const givenUp = new Int32Array(new SharedArrayBuffer(4));
      givenUp[0] = flag;
      post({ type: "fill", id, split: 0, items: Int32Array.of(3, 5), into: { image }, givenUp });
      return image;
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    const replies: ReaderReply[] = [];
    thread.onmessage = ({ data }: MessageEvent<ReaderReply>) => {
      if (replies.push(data) === 2) resolve();
    };
    await promise;
    assertEquals(replies, [{ id: 0 }, { id: 1 }]);
    assertEquals(batches.map((image) => [...image]), [[0, 0, 0, 0], [3, 3, 5, 5]]);
  } finally {
    thread.terminate();
  }
});

Deno.test("ReadAhead tells a batch of another epoch or split from one of the same samples, in arrays of the declared types", () =>
  withThreads(async (ahead, threads) => {
    const all = [want(0, 0), want(0, 1), want(0, 1, dataset.splits.test), want(0, null)];
    ahead.announce(all);
    const fills = threads.flatMap((thread) => thread.fills);
    assertEquals(fills.length, 4);
    assertEquals(new Set(fills.map(({ into }) => into.ids)).size, 4);
    for (const { into: { ids, image } } of fills) {
      assertInstanceOf(ids, Int32Array);
      assertInstanceOf(image, Float32Array);
    }
    const splits = threads.flatMap(({ asked }) => asked).filter((request) => request.type === "open");
    assertEquals(new Set(splits.map((request) => request.split)).size, 2);
    assertEquals([...splits[0].sources.ids.present!], Array.from({ length: 12 }, (_, n) => n % 2 === 0 ? 1 : 0));
    assertEquals([...splits[0].sources.image.present!], new Array(12).fill(1));
    for (const thread of threads) thread.fills.forEach((_, nth) => thread.answer(nth));
    const taken = await Promise.all(all.map((batch) => ahead.take(batch)));
    assertEquals(new Set(taken.map(({ arrays }) => arrays)).size, 4);
    // What was given back is used again, by what is asked next.
    taken[0].release();
    ahead.announce([want(8)]);
    const next = threads.flatMap((thread) => thread.fills).find(({ items }) => items[0] === 8)!;
    assertStrictEquals(next.into, taken[0].arrays);
  }));

Deno.test("a thread that breaks fails what was asked and what is asked after it", () =>
  withThreads(async (ahead, threads) => {
    ahead.announce([want(0)]);
    threads[0].onerror!({ message: "out of memory\nstack", preventDefault() {} });
    await assertRejects(() => ahead.take(want(0)), Error, "A reading thread broke: out of memory");
    await assertRejects(() => ahead.take(want(4)), Error, "A reading thread broke: out of memory");
  }));
