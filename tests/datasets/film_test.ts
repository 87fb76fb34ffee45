/** Films: folders of frames, and files through ffmpeg. */
import { dirname, join } from "node:path";
import sharp from "sharp";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { float32, int32 } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import { fieldPlaces, filmCommand, framePlaces } from "../../datasets/files/films.ts";
import { describe, files, inspect } from "../../datasets/mod.ts";
import { encodeNpy } from "../../formats/mod.ts";
import { prepareFiles } from "../../experiments/prepare.ts";
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

Deno.test("films of frames: in the order of their numbers, along time or colours side by side; several of a sample by their folders", async () => {
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
    assertEquals(rgb.stack, "time");
    const loaded = async (own: Record<string, unknown>) => {
      await Deno.writeTextFile(kept, JSON.stringify({ ...spec, modalities: { rgb: own } }));
      const { modalities, splits: { train } } = await files.load({ path: folder });
      return { shape: modalities["rgb"].shape, values: train.inputs["rgb"] };
    };
    const along = await loaded(rgb);
    assertEquals(along.shape, [3, 4, 4, 3]);
    const green = along.values[1];
    assertEquals([0, 48, 96].map((at) => [...along.values.subarray(at, at + 3)]), [
      [10, green, 7],
      [20, green, 7],
      [100, green, 7],
    ]);
    // A description that says nothing of it, as those written before there was a choice.
    const { stack: _, ...before } = rgb;
    for (const own of [{ ...rgb, stack: "channels" }, before]) {
      const beside = await loaded(own);
      assertEquals(beside.shape, [4, 4, 9]);
      assertEquals([...beside.values.subarray(0, 9)], [10, green, 7, 20, green, 7, 100, green, 7]);
    }
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
    const command = filmCommand("a/0.mp4", { kind: "film", size: 2, frames: 2, fps: 4, stack: "time" });
    assertEquals(
      command,
      "ffmpeg -v error -xerror -i file:a/0.mp4 -vf fps=4,scale=2:2:force_original_aspect_ratio=increase,crop=2:2 " +
        "-f rawvideo -pix_fmt rgb24 pipe:1",
    );
    await withCommand(folder, null, async () => {
      const { message } = await assertRejects(() => inspect(own), Refusal);
      assertStringIncludes(message, '"a/0.mp4" as ffmpeg must be installed to decode it: it is not on the PATH');
      assertStringIncludes(message, "install it; it is then run as: ffmpeg -v error -xerror -i file:");
    });
    // Three frames of twelve bytes: the bytes of the name, then of the arguments.
    await withCommand(folder, 'printf "%36.36s" "$(cat "${5#file:}")"', async () => {
      const { dataset, notes } = await inspect(own);
      assertStringIncludes(notes.join(), command);
      assertEquals(dataset.modalities["film"].shape, [2, 2, 2, 3]);
      // The last bytes of the last frame are the text of the file.
      const row = dataset.splits.train.inputs["film"].subarray(0, 24);
      assertEquals([...row.subarray(0, 3)], [32, 32, 32]);
    });
    await withCommand(folder, 'echo "[mov,mp4 @ 0x55f1602b9900] moov atom not found" >&2; exit 1', async () => {
      const { message } = await assertRejects(() => inspect(own), Refusal);
      assertStringIncludes(message, "as ffmpeg must decode it: [mov,mp4] moov atom not found; it was run as: ffmpeg");
      assertStringIncludes(message, "leave broken ones out: --skip-broken");
    });
  });
});

Deno.test("fieldPlaces() are fields that follow each other around the middles of equal shares, within the film", () => {
  assertEquals(fieldPlaces(12, 2, 1), [[3], [9]]);
  assertEquals(fieldPlaces(12, 2, 4), [[1, 2, 3, 4], [7, 8, 9, 10]]);
  assertEquals(fieldPlaces(5, 1, 4), [[0, 1, 2, 3]]);
  assertEquals(fieldPlaces(6, 3, 4)[2], [2, 3, 4, 5]);
  assertEquals(fieldPlaces(2, 1, 3), [[0, 1, 1]]);
});

/** A picture of one grey. */
async function grey(path: string, value: number): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const background = { r: value, g: value, b: value };
  await sharp({ create: { width: 4, height: 4, channels: 3, background } }).png().toFile(path);
}

Deno.test("flow: pairs of one folder or of two, across and down of each field; a direction that is missing is named", async () => {
  await inFolder(async (folder) => {
    const rows = ["label,split,flow,rgb,tvl1"];
    for (const [c, label] of ["a", "b"].entries()) {
      for (const [n, split] of ["train", "validation", "test"].entries()) {
        const clip = `${label}${n}`;
        for (const k of [1, 2]) {
          await grey(join(folder, "raw", clip, `flow_x_${k}.png`), 10 * k + c);
          await grey(join(folder, "raw", clip, `flow_y_${k}.png`), 100 + 10 * k + n);
          await grey(join(folder, "both", clip, `flow_x_${k}.png`), 0);
          await grey(join(folder, "both", clip, `flow_y_${k}.png`), 0);
          await grey(join(folder, "both", clip, `img_${k}.png`), 200 + k);
          await grey(join(folder, "u", clip, `frame${k}.png`), k);
          await grey(join(folder, "v", clip, `frame${k}.png`), 50 + n + 20 * c);
        }
        rows.push(`${label},${split},raw/${clip},both/${clip}/,"{u,v}/${clip}"`);
      }
    }
    const list = join(folder, "list.csv");
    await Deno.writeTextFile(list, rows.join("\n"));
    const { spec, kept } = await describe(list);
    assertEquals(Object.entries(spec.modalities).map(([name, { kind, stack }]) => [name, kind, stack]), [
      ["flow", "flow", "time"],
      ["rgb", "film", "time"],
      ["tvl1", "flow", "time"],
    ]);
    const { flow, rgb, tvl1 } = spec.modalities;
    const plain = { scale: "none", size: 2, frames: 2 } as const;
    const modalities = {
      flow: { ...flow, ...plain },
      rgb: { ...rgb, ...plain },
      tvl1: { ...tvl1, ...plain, frames: 1, fields: 2 },
    };
    await Deno.writeTextFile(kept, JSON.stringify({ ...spec, modalities }));
    const dataset = await files.load({ path: list });
    const shapes = Object.fromEntries(Object.entries(dataset.modalities).map(([name, { shape }]) => [name, shape]));
    assertEquals(shapes, { flow: [2, 2, 2, 2], rgb: [2, 2, 2, 3], tvl1: [1, 2, 2, 4] });
    const { inputs, labels } = dataset.splits.train;
    const n = inputs.flow[1] - 110;
    assertEquals([...inputs.flow.subarray(0, 2)], [10 + labels[0], 110 + n]);
    assertEquals([...inputs.flow.subarray(8, 10)], [20 + labels[0], 120 + n]);
    // Frames beside flow in one folder are the film.
    assertEquals([inputs.rgb[0], inputs.rgb[12]], [201, 202]);
    const down = 50 + n + 20 * labels[0];
    assertEquals([...inputs.tvl1.subarray(0, 4)], [1, down, 2, down]);

    // Decoded once, the inputs are the same; so are those that are decoded by batch.
    const byBatch = await files.load({ path: list, memory: 0, readers: 0 });
    assertEquals(byBatch.fingerprint, dataset.fingerprint);
    const prepared = join(folder, "prepared");
    await prepareFiles(list, prepared);
    const again = await files.load({ path: prepared });
    assertEquals(again.splits.train.inputs, inputs);
    const written = JSON.parse(await Deno.readTextFile(join(prepared, "dataset.json"))).modalities.tvl1;
    assertEquals([written.kind, written.holds], ["clip", "flow"]);
    // Bytes around 127.5: what a mirror turns around, of media and of arrays.
    for (const own of [dataset, again]) {
      assertEquals(own.modalities.tvl1.noMovement, [127.5, 127.5, 127.5, 127.5]);
      assertEquals(own.modalities.rgb.noMovement, undefined);
    }

    await Deno.remove(join(folder, "raw", "a2", "flow_y_2.png"));
    await assertRejects(
      () => Promise.resolve(files.load({ path: list })),
      Refusal,
      'Cannot read "raw/a2" as both directions of each field must be there: "flow_x_2.png" has no "flow_y_2.png"',
    );
    await Deno.writeTextFile(list, rows.join("\n").replace("raw/a2", ""));
    await Deno.remove(join(folder, "u", "b1", "frame1.png"));
    await assertRejects(
      () => Promise.resolve(files.load({ path: list })),
      Refusal,
      'Cannot read "{u,v}/b1" as both directions of each field must be there: "frame1.png" is in one of the folders alone',
    );
    // A folder of one direction alone is no flow; without both its sample lacks it.
    await Deno.remove(join(folder, "u", "b1"), { recursive: true });
    await assertRejects(
      () => Promise.resolve(files.load({ path: list })),
      Refusal,
      `Cannot read "${join(folder, "u/b1")}" as it must exist: nothing is there; ` +
        "leave its cell empty if the sample lacks it",
    );
    const emptied = rows.join("\n").replace("raw/a2", "").replace('"{u,v}/b1"', "");
    await Deno.writeTextFile(list, emptied);
    const { splits } = await files.load({ path: list });
    const without = Object.values(splits).map(({ present }) => [...present!]);
    assertEquals(without.flat().filter((there) => there === 0).length, 2);
    await Deno.remove(join(folder, "v", "b1"), { recursive: true });
    await Deno.writeTextFile(list, rows.join("\n").replace("raw/a2", ""));
    const neither = await files.load({ path: list });
    assertEquals(Object.values(neither.splits).map(({ present }) => [...present!]), without);
  });
});

Deno.test("clips: arrays of films with channels last or first, guessed by their shape", async () => {
  await inFolder(async (folder) => {
    const size = 20;
    const shape = [size, 2, 3, 5, 1];
    const values = Float32Array.from({ length: 20 * 30 }, (_, i) => i);
    await Deno.writeFile(join(folder, "last.npy"), encodeNpy(float32(values, shape)));
    await Deno.writeFile(join(folder, "first.npy"), encodeNpy(float32(values, [size, 2, 1, 3, 5])));
    const labels = int32(Array.from({ length: size }, (_, n) => n % 2), [size]);
    await Deno.writeFile(join(folder, "labels.npy"), encodeNpy(labels));
    const { spec } = await describe(folder);
    assertEquals(Object.entries(spec.modalities).map(([name, { kind, channels }]) => [name, kind, channels]), [
      ["first", "clip", "first"],
      ["last", "clip", "last"],
    ]);
    const { modalities, splits: { train: { inputs } } } = await files.load({ path: folder });
    assertEquals([modalities["first"].shape, modalities["last"].shape], [[2, 3, 5, 1], [2, 3, 5, 1]]);
    assertEquals(inputs.first, inputs.last);
  });
});
