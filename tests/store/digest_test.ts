/** Every file of tensors carries a digest of itself: whatever bit flips, it is not read as another. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { float32, int32 } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { openRun } from "../../store/run_folder.ts";
import { StoreError } from "../../store/files.ts";
import { readSafetensors, writeSafetensors } from "../../store/tensors.ts";
import { inFolder } from "../helpers/cli.ts";

const id = "0123456789abcdef";
const tensors = {
  "param:a": float32(Float32Array.from({ length: 40 }, (_, i) => i / 7), [8, 5]),
  "kept:0": int32([1, 2, 3], [3]),
};
const state = { checkpoint: { epochs: 2, digest: '"digest":"' + "0".repeat(64) }, timing: { seconds: 1 } };

Deno.test("a file's digest is the SHA-256 of it with zeros in the digest's place", () =>
  inFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    await writeSafetensors(path, tensors, { format: "2" });
    const { metadata } = (await readSafetensors(path))!;
    const text = Buffer.from(await Deno.readFile(path)).toString("latin1");
    const zeroed = text.replace(metadata.digest, "0".repeat(64));
    assertEquals(createHash("sha256").update(zeroed, "latin1").digest("hex"), metadata.digest);
  }));

Deno.test("every flipped bit of a checkpoint is refused with the remedy, and every cut", () =>
  inFolder(async (folder) => {
    const run = openRun(folder, id);
    await Deno.mkdir(run.path);
    await run.saveCheckpoint(tensors, state);
    const path = run.file("checkpoint");
    const whole = await Deno.readFile(path);
    assertEquals((await run.loadCheckpoint())!.state, state);
    const random = new Random(0);
    const refused = async (bytes: Uint8Array, what: string) => {
      await Deno.writeFile(path, bytes);
      const error = await assertRejects(() => run.loadCheckpoint(), StoreError, undefined, what);
      assertEquals(error.code, "corrupt", what);
      assert(error.hint?.includes("remove it to start anew"), `${what}: ${error.message}`);
    };
    for (let i = 0; i < 400; i++) {
      const bytes = whole.slice();
      // All of the header's bytes in turn, then any.
      const at = i < 200 ? 8 + i : random.integer(bytes.length);
      const bit = random.integer(8);
      bytes[at] ^= 1 << bit;
      await refused(bytes, `bit ${bit} of byte ${at}`);
    }
    for (const length of [0, 7, 100, whole.length - 1]) await refused(whole.slice(0, length), `${length} bytes`);
    await Deno.writeFile(path, whole);
    assertEquals((await run.loadCheckpoint())!.tensors["param:a"].data, tensors["param:a"].data);
  }));

Deno.test("a model of an older version, without a digest, is read; one that lost it is not", () =>
  inFolder(async (folder) => {
    const run = openRun(folder, id);
    await Deno.mkdir(run.path);
    const write = async (format: string) => {
      await writeSafetensors(run.file("model"), { a: tensors["param:a"] }, { format, run: id, buffers: "[]" });
      // As older versions wrote it: another name for the digest is no digest.
      const bytes = await Deno.readFile(run.file("model"));
      const text = Buffer.from(bytes).toString("latin1").replace('"digest"', '"d1gest"');
      await Deno.writeFile(run.file("model"), Buffer.from(text, "latin1"));
    };
    await write("1");
    assertEquals((await run.model())!.params.a.data, tensors["param:a"].data);
    await write("2");
    const error = await assertRejects(() => run.model(), StoreError, "it must say its digest");
    assert(error.hint?.includes("which trains the run anew"));
  }));
