/** Arrays that were read whole once are not read whole again, unless they changed. */
import { join } from "node:path";
import { assert, assertEquals, assertLess, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { float32, int32 } from "../../core/mod.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { files } from "../../datasets/mod.ts";
import { identityOf, unchanged } from "../../datasets/files/kept.ts";
import { CACHE_VARIABLE } from "../../formats/cache_folder.ts";
import { encodeNpy } from "../../formats/mod.ts";
import { inFolder } from "../helpers/cli.ts";

const N = 600;
const WIDTH = 512;
/** Bytes of each of the two arrays that are read by index. */
const ALL = 4 * N * WIDTH;

function values(): Float32Array {
  const random = new Random(5);
  const data = Float32Array.from({ length: N * WIDTH }, () => random.normal());
  // A sample without the modality.
  data.fill(NaN, 7 * WIDTH, 8 * WIDTH);
  return data;
}

async function save(path: string, data: Float32Array): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
  const labels = Int32Array.from({ length: N }, (_, n) => n % 2);
  await Deno.writeFile(join(path, "labels.npy"), encodeNpy(int32(labels, [N])));
  await Deno.writeFile(join(path, "a.npy"), encodeNpy(float32(data, [N, WIDTH])));
  const other = data.map((value) => Number.isFinite(value) ? value + 1 : 1);
  await Deno.writeFile(join(path, "b.npy"), encodeNpy(float32(other, [N, WIDTH])));
}

/** What loading a folder by index gives, and how many bytes it reads. */
async function loaded(path: string, skipBroken = false) {
  let bytes = 0;
  const { prototype } = Deno.FsFile;
  const { readSync } = prototype;
  prototype.readSync = function (into) {
    const count = readSync.call(this, into);
    bytes += count ?? 0;
    return count;
  };
  try {
    const { fingerprint, modalities, splits: { train } } = await files.load({ path, memory: 0, skipBroken });
    const row = new Float32Array(WIDTH);
    await train.rows!["a"].copy(3, row, 0);
    return { found: { fingerprint, modalities, present: train.present, labels: train.labels, row }, bytes };
  } finally {
    prototype.readSync = readSync;
  }
}

/** Runs something with a folder to keep things in, in which files were written some minutes ago. */
async function keeping(run: (folder: string, cache: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const { now } = Date;
    const before = Deno.env.get(CACHE_VARIABLE);
    Deno.env.set(CACHE_VARIABLE, join(folder, "cache"));
    Date.now = () => now() + 300_000;
    try {
      await run(join(folder, "data"), join(folder, "cache", "arrays"));
    } finally {
      Date.now = now;
      if (before === undefined) Deno.env.delete(CACHE_VARIABLE);
      else Deno.env.set(CACHE_VARIABLE, before);
    }
  });
}

Deno.test("files: a second loading of arrays by index reads some rows and gives the same; what changed is read anew", async () => {
  await keeping(async (path, cache) => {
    await save(path, values());
    const first = await loaded(path);
    assert(first.bytes > 6 * ALL, `${first.bytes}`);
    const second = await loaded(path);
    assertEquals(second.found, first.found);
    // Heads, labels and 64 rows of each array.
    assertLess(second.bytes, ALL / 2);
    // A copy elsewhere is another file with the same values: looked at once, and nothing else is made of it again.
    await save(`${path}-copy`, values());
    const copy = await loaded(`${path}-copy`);
    assertEquals(copy.found, first.found);
    assertLess(copy.bytes, 3 * ALL);
    const changed = values();
    changed[300 * WIDTH] += 1;
    await save(path, changed);
    const third = await loaded(path);
    assertNotEquals(third.found.fingerprint, first.found.fingerprint);
    // An entry that is damaged does not count.
    for await (const { name } of Deno.readDir(cache)) await Deno.truncate(join(cache, name), 40);
    const fourth = await loaded(path);
    assertEquals(fourth.found, third.found);
    assert(fourth.bytes > 6 * ALL, `${fourth.bytes}`);
  });
});

Deno.test("files: samples that were found broken are so the next time, whether they are skipped or refused", async () => {
  await keeping(async (path) => {
    const data = values();
    data[9 * WIDTH + 4] = Infinity;
    await save(path, data);
    await assertRejects(() => loaded(path), Refusal, "sample 9 has Infinity at position 4");
    const first = await loaded(path, true);
    assertEquals((await loaded(path, true)).found, first.found);
    const error = await assertRejects(() => loaded(path), Refusal);
    assertStringIncludes(error.message, "sample 9 has Infinity at position 4");
  });
});

Deno.test("identityOf, unchanged: a file counts as read once it has rested two seconds and is as before", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a.npy");
    await Deno.writeFile(path, new Uint8Array(10));
    const before = await identityOf(path);
    const last = Math.max(...before.changed.map((time) => time!));
    assertEquals(await unchanged(before, last + 2001), true);
    assertEquals(await unchanged(before, last + 2000), false);
    // Times may be set back: that they were is a change too.
    await Deno.utime(path, new Date(0), new Date(0));
    assertEquals(await unchanged(await identityOf(path), last), false);
    await Deno.writeFile(path, new Uint8Array(11));
    assertEquals(await unchanged(before, last + 1e6), false);
  });
});
