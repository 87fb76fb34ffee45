/** Films: folders of frames, and files through ffmpeg. */
import { join } from "node:path";
import sharp from "sharp";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { filmCommand, framePlaces } from "../../datasets/files/readers.ts";
import { describe, files, inspect } from "../../datasets/mod.ts";
import { inFolder } from "../helpers/cli.ts";

Deno.test("framePlaces() are the middles of equal shares; short films repeat frames", () => {
  assertEquals(framePlaces(8, 2), [2, 6]);
  assertEquals(framePlaces(10, 3), [1, 5, 8]);
  assertEquals(framePlaces(2, 4), [0, 0, 1, 1]);
});

/** With a command of that name before all others. */
async function withCommand(folder: string, script: string | null, run: () => Promise<void>): Promise<void> {
  const bin = join(folder, "bin");
  await Deno.mkdir(bin, { recursive: true });
  const path = Deno.env.get("PATH")!;
  if (script !== null) {
    await Deno.writeTextFile(join(bin, "ffmpeg"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  Deno.env.set("PATH", script === null ? bin : `${bin}:${path}`);
  try {
    await run();
  } finally {
    Deno.env.set("PATH", path);
  }
}

Deno.test("films of frames: in the order of their numbers, colours side by side; several of a sample by their folders", async () => {
  await inFolder(async (folder) => {
    for (const [c, name] of ["a", "b"].entries()) {
      for (let n = 0; n < 12; n++) {
        for (const kind of ["rgb", "flow"]) {
          const own = join(folder, name, `${n}`, kind);
          await Deno.mkdir(own, { recursive: true });
          // Frame 10 comes after frame 2.
          for (const k of kind === "rgb" ? [1, 2, 10] : [1]) {
            const background = { r: 10 * k, g: 100 * c + n, b: 7 };
            await sharp({ create: { width: 4, height: 4, channels: 3, background } }).png().toFile(
              join(own, `${k}.png`),
            );
          }
        }
      }
    }
    const { spec, kept } = await describe(folder);
    assertEquals(Object.entries(spec.modalities).map(([name, { kind }]) => `${name} ${kind}`).sort(), [
      "flow film",
      "rgb film",
    ]);
    const rgb = { ...spec.modalities["rgb"], scale: "none", size: 4, frames: 3 };
    await Deno.writeTextFile(kept, JSON.stringify({ ...spec, modalities: { rgb } }));
    const { modalities, splits: { train } } = await files.load({ path: folder });
    assertEquals(modalities["rgb"].shape, [4, 4, 9]);
    const [green] = [train.inputs["rgb"][1]];
    assertEquals([...train.inputs["rgb"].subarray(0, 9)], [10, green, 7, 20, green, 7, 100, green, 7]);
    await Deno.remove(join(folder, "a", "3", "rgb", "1.png"));
    await Deno.writeTextFile(join(folder, "a", "3", "rgb", "2.png"), "broken");
    await assertRejects(
      () => Promise.resolve(files.load({ path: folder })),
      Refusal,
      '2.png" as it must be a whole picture',
    );
  });
});

Deno.test("films by ffmpeg: the command is shown; without it, or where it fails, the refusal holds it", async () => {
  await inFolder(async (folder) => {
    const own = join(folder, "set");
    for (const name of ["a", "b"]) {
      await Deno.mkdir(join(own, name), { recursive: true });
      for (let n = 0; n < 12; n++) await Deno.writeTextFile(join(own, name, `${n}.mp4`), `${name} ${n}`);
    }
    const { spec, kept } = await describe(own);
    assertEquals(spec.modalities["film"].kind, "film");
    const film = { ...spec.modalities["film"], scale: "none", size: 2, frames: 2 };
    await Deno.writeTextFile(kept, JSON.stringify({ ...spec, modalities: { film } }));
    const command = filmCommand("a/0.mp4", { kind: "film", size: 2, frames: 2, fps: 4 });
    assertEquals(
      command,
      "ffmpeg -v error -i a/0.mp4 -vf fps=4,scale=2:2:force_original_aspect_ratio=increase,crop=2:2 " +
        "-f rawvideo -pix_fmt rgb24 pipe:1",
    );
    await withCommand(folder, null, async () => {
      const { message } = await assertRejects(() => inspect(own), Refusal);
      assertStringIncludes(message, '"a/0.mp4" as ffmpeg must be installed to decode it: it is not on the PATH');
      assertStringIncludes(message, "it is then run as: ffmpeg -v error -i ");
    });
    // Three frames of twelve bytes: the bytes of the name, then of the arguments.
    await withCommand(folder, 'printf "%36.36s" "$(cat "$4")"', async () => {
      const { dataset, notes } = await inspect(own);
      assertStringIncludes(notes.join(), command);
      assertEquals(dataset.modalities["film"].shape, [2, 2, 6]);
      // The last bytes of the last frame are the text of the file.
      const row = dataset.splits.train.inputs["film"].subarray(0, 24);
      assertEquals([...row.subarray(0, 3)], [32, 32, 32]);
    });
    await withCommand(folder, 'echo "moov atom not found" >&2; exit 1', async () => {
      const { message } = await assertRejects(() => inspect(own), Refusal);
      assertStringIncludes(message, "as ffmpeg must decode it: moov atom not found; it was run as: ffmpeg");
      assertStringIncludes(message, "leave broken ones out: --skip-broken");
    });
  });
});
