/**
 * What loading data costs: (a) features larger than memory, (b) JPEG and WAV beside PyTorch's DataLoader.
 *
 * Run: deno task bench:data [--gb 1] [--steps 200] [--cold] [--samples 512] [--rounds 3] [--python PATH]
 *      [--only features|media]
 *
 * (a) writes so many GB of features into a temporary folder, trains an MLP on them and says which share of the time steps
 *     waited for their batches, and how much memory the process took above one that trains the same model on few samples.
 *     With --cold the arrays are put out of the page cache before the steps, as if they were far larger than memory.
 * (b) writes pictures of 224 x 224 and recordings of 3 s at 16 kHz, and reads them all in batches of 32, by two threads
 *     here and by two workers of PyTorch's DataLoader with torchvision and torchaudio, in turns. Without a Python that has
 *     them, PyTorch's side is skipped, and said so.
 *
 * @module
 */
import { join } from "node:path";
import {
  type Command,
  type Flag,
  helpOf,
  parseChoice,
  parseFlags,
  parseInteger,
  runCommand,
} from "../../cli/command.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { median } from "../../core/median.ts";
import { files } from "../../datasets/mod.ts";
import { ReadAhead } from "../../loading/read_ahead.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { buildModel, part, resolveConfig } from "../../experiments/config.ts";
import { loadDataset } from "../../experiments/data.ts";
import { CACHE_VARIABLE } from "../../formats/cache_folder.ts";
import { createLibrary } from "../../library.ts";
import { createOptimizer } from "../../nn/optimizers.ts";
import { startRun } from "../../training/run.ts";

const BATCH = { features: 64, media: 32 };
/** Values of a sample of features, by modality: 40 KB in all. */
const WIDTHS = { audio: 2048, image: 8192 };

/** A .npy file's head. */
function npyHead(shape: readonly number[], type: string): Uint8Array {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const padded = text.padEnd(118 - 1) + "\n";
  return new Uint8Array([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    1,
    0,
    padded.length,
    0,
    ...new TextEncoder().encode(padded),
  ]);
}

async function written(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Features of two classes: noise around two means, rows of one block of noise at random places. */
async function makeFeatures(folder: string, samples: number): Promise<void> {
  const random = new Random(0);
  const labels = Uint8Array.from({ length: samples }, () => random.integer(2));
  const head = npyHead([samples], "|u1");
  await Deno.writeFile(join(folder, "labels.npy"), new Uint8Array([...head, ...labels]));
  const noise = Float32Array.from({ length: 1 << 20 }, () => random.normal());
  for (const [name, width] of Object.entries(WIDTHS)) {
    const file = await Deno.open(join(folder, `${name}.npy`), { write: true, create: true });
    await written(file, npyHead([samples, width], "<f4"));
    const many = 256;
    const block = new Float32Array(many * width);
    for (let from = 0; from < samples; from += many) {
      const count = Math.min(many, samples - from);
      for (let n = 0; n < count; n++) {
        const at = random.integer(noise.length - width);
        block.set(noise.subarray(at, at + width), n * width);
        for (let k = 0; k < 64; k++) block[n * width + k] += labels[from + n];
        // No two rows are copies.
        block[n * width + width - 1] = from + n;
      }
      await written(file, new Uint8Array(block.buffer, 0, 4 * count * width));
    }
    // What is not on the disk yet cannot leave the page cache.
    await file.syncData();
    file.close();
  }
}

/** Highest resident memory of this process so far, in MB. */
async function peakMemory(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status");
  return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1000;
}

/** What a child process found. */
interface Trained {
  readonly share: number;
  readonly msPerStep: number;
  readonly peak: number;
  readonly loadSeconds: number;
}

/**
 * Puts a folder's arrays out of the page cache, so that every row that is read comes from the disk.
 *
 * @throws {Error} If there is no dd of GNU coreutils.
 */
async function forget(folder: string): Promise<void> {
  for (const name of Object.keys(WIDTHS)) {
    const args = [`if=${join(folder, `${name}.npy`)}`, "iflag=nocache", "count=0"];
    const { success, stderr } = await new Deno.Command("dd", { args }).output();
    if (!success) throw new Error(`dd cannot empty the page cache: ${new TextDecoder().decode(stderr)}`);
  }
}

/** A folder of features read by index, and how many seconds that takes with its fingerprint. */
async function loaded(path: string, memory: number) {
  const began = performance.now();
  const dataset = await loadDataset(createLibrary(), part("files", { path, memory, readers: 2 }));
  return { dataset, seconds: (performance.now() - began) / 1000 };
}

/** Trains an MLP for some steps on a folder of features. */
async function train(path: string, memory: number, steps: number, cold: boolean): Promise<Trained> {
  const library = createLibrary();
  const { dataset, seconds: loadSeconds } = await loaded(path, memory);
  const engine = await onnxCpu.create();
  const config = resolveConfig(
    {
      label: "bench",
      dataset: part("files", { path }),
      encoder: part("mlp"),
      fusion: part("concat"),
      methods: [],
      training: { batchSize: BATCH.features },
    },
    library,
    dataset,
    { seed: 0, engine: { name: engine.name, version: engine.version, threads: 1 }, version: "bench", plugins: [] },
  );
  const run = startRun({
    model: buildModel(config, library, dataset),
    dataset,
    engine,
    optimizer: createOptimizer("sgd", { momentum: 0.9, weightDecay: 0 }),
    batchSize: BATCH.features,
    clipNorm: 10,
    learningRate: () => 1e-4,
    random: new Random(0),
    epochs: 1,
    budget: Infinity,
  });
  const order = new Random(1).permutation(dataset.splits.train.size);
  const items = Int32Array.from({ length: steps * BATCH.features }, (_, i) => order[i % order.length]);
  const warm = 10 * BATCH.features;
  await run.trainer.run([{ programs: ["main"], items: items.subarray(0, warm) }], "warm");
  if (cold) await forget(path);
  const [started, waited] = [performance.now(), run.trainer.waitMs];
  await run.trainer.run([{ programs: ["main"], items: items.subarray(warm) }], "bench");
  const ms = performance.now() - started;
  const share = (run.trainer.waitMs - waited) / ms;
  const peak = await peakMemory();
  run.dispose();
  await engine.dispose();
  return { share, msPerStep: ms / (steps - 10), peak, loadSeconds };
}

/** Runs this file again in a process of its own, whose memory is its own. */
async function child<T>(args: readonly string[], cache = "off"): Promise<T> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", import.meta.url, ...args],
    env: { [CACHE_VARIABLE]: cache },
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`The child process ${args[1]} failed`);
  return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
}

async function features(gigabytes: number, steps: number, cold: boolean): Promise<void> {
  const row = 4 * (WIDTHS.audio + WIDTHS.image);
  const samples = Math.ceil(gigabytes * 1e9 / row);
  const folder = await Deno.makeTempDir({ prefix: "armlab-data-bench-" });
  try {
    const [small, large] = [join(folder, "small"), join(folder, "large")];
    for (const [path, count] of [[small, 2000], [large, samples]] as const) {
      await Deno.mkdir(path);
      await makeFeatures(path, count);
    }
    const trained = (path: string, memory: number, more: readonly string[]) =>
      child<Trained>(
        ["--child", "train", "--path", path, "--memory", `${memory}`, "--steps", `${steps}`, ...more],
        join(folder, "cache"),
      );
    const model = await trained(small, 2048, []);
    const own = await trained(large, 0, cold ? ["--cold"] : []);
    const again = await child<number>(["--child", "load", "--path", large], join(folder, "cache"));
    const from = cold ? "from the disk" : "from the page cache as far as it holds them";
    console.log(
      `(a) ${(samples * row / 1e9).toFixed(1)} GB of features, ${samples} samples, read by two threads ahead,`,
    );
    console.log(`    ${from}`);
    console.log(
      `    loading, with all checks and the fingerprint: ${own.loadSeconds.toFixed(0)} s, again ${again.toFixed(1)} s`,
    );
    console.log(`    a step: ${own.msPerStep.toFixed(1)} ms, in memory ${model.msPerStep.toFixed(1)} ms`);
    console.log(`    steps wait for data ${(100 * own.share).toFixed(1)} % of the time (target: 5 % at most)`);
    console.log(`    memory above the model: ${(own.peak - model.peak).toFixed(0)} MB (target: 1000 MB at most)`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Pictures of smooth colours with some grain, and recordings of tones in noise. */
async function makeMedia(folder: string, samples: number): Promise<void> {
  const { default: sharp } = await import("sharp");
  const random = new Random(2);
  for (let n = 0; n < samples; n++) {
    const own = join(folder, "ab"[n % 2]);
    await Deno.mkdir(own, { recursive: true });
    const coarse = Uint8Array.from({ length: 28 * 28 * 3 }, () => random.integer(256));
    const smooth = await sharp(coarse, { raw: { width: 28, height: 28, channels: 3 } })
      .resize(224, 224, { kernel: "cubic" }).raw().toBuffer();
    const grain = Uint8Array.from(smooth, (value) => Math.max(0, Math.min(255, value + random.integer(17) - 8)));
    await sharp(grain, { raw: { width: 224, height: 224, channels: 3 } }).jpeg({ quality: 90 })
      .toFile(join(own, `${n}.jpg`));
    const size = 48_000;
    const bytes = new Uint8Array(44 + 2 * size);
    const view = new DataView(bytes.buffer);
    bytes.set(new TextEncoder().encode("RIFF    WAVEfmt "));
    bytes.set(new TextEncoder().encode("data"), 36);
    const long = [[4, 36 + 2 * size], [16, 16], [24, 16_000], [28, 32_000], [40, 2 * size]];
    for (const [at, value] of long) view.setUint32(at, value, true);
    for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]]) view.setUint16(at, value, true);
    for (let k = 0; k < size; k++) {
      view.setInt16(44 + 2 * k, 6000 * Math.sin(k * (0.1 + n / samples)) + random.integer(3000), true);
    }
    await Deno.writeFile(join(own, `${n}.wav`), bytes);
  }
}

/** Samples a second of two threads that read everything once, after a first time. */
async function ours(path: string): Promise<number> {
  const dataset = await files.load({ path, memory: 0, readers: 2 });
  const { train } = dataset.splits;
  const ahead = new ReadAhead(dataset, ["audio", "image"], BATCH.media);
  const batches: Int32Array[] = [];
  for (let from = 0; from + BATCH.media <= train.size; from += BATCH.media) {
    batches.push(Int32Array.from({ length: BATCH.media }, (_, i) => from + i));
  }
  let rate = 0;
  for (let epoch = 0; epoch < 3; epoch++) {
    const started = performance.now();
    const wanted = batches.map((items) => ({ split: train, items, epoch: null }));
    for (let k = 0; k < wanted.length; k++) {
      ahead.announce(wanted.slice(k, k + 8));
      const { release } = await ahead.take(wanted[k]);
      release();
    }
    rate = 1000 * batches.length * BATCH.media / (performance.now() - started);
  }
  ahead.dispose();
  return rate;
}

/** The same by PyTorch; `null` where Python does not have it. */
async function theirs(python: string, path: string): Promise<number | null> {
  const script = new URL("./torch_data.py", import.meta.url).pathname;
  try {
    const { stdout, success, stderr } = await new Deno.Command(python, { args: [script, path] }).output();
    if (success) return Number(new TextDecoder().decode(stdout).trim());
    console.error(new TextDecoder().decode(stderr).trim().split("\n").at(-1));
    return null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function media(samples: number, rounds: number, python: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "armlab-data-bench-" });
  try {
    await makeMedia(folder, samples);
    const [own, others]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      own.push(await child<number>(["--child", "media", "--path", folder]));
      const other = await theirs(python, folder);
      if (other !== null) others.push(other);
    }
    console.log(`(b) ${samples} JPEG of 224 x 224 and WAV of 3 s, two threads, median of ${rounds}`);
    console.log(`    here: ${median(own).toFixed(0)} samples a second`);
    if (others.length < rounds) {
      console.log("    PyTorch: skipped, as this Python lacks torch, torchvision or torchaudio (--python PATH)");
      return;
    }
    console.log(`    PyTorch's DataLoader: ${median(others).toFixed(0)} samples a second`);
    const ratio = median(own.map((value, k) => value / others[k]));
    console.log(`    ratio: ${ratio.toFixed(2)} (target: 0.9 at least)`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const flags = {
  gb: { type: "text", value: "N", about: "gigabytes of features (default: 1)" },
  steps: { type: "text", value: "N", about: "training steps (default: 200)" },
  samples: { type: "text", value: "N", about: "samples of pictures and sounds (default: 512)" },
  rounds: { type: "text", value: "N", about: "rounds, of which medians are taken (default: 3)" },
  python: { type: "text", value: "PATH", about: "a Python with torch, torchvision and torchaudio (default: python3)" },
  only: { type: "text", value: "PART", about: "features or media alone" },
  cold: { type: "boolean", about: "put the arrays out of the page cache before the steps" },
  child: {
    type: "text",
    value: "PART",
    about: "a part that this command runs in a process of its own: train, load, media",
  },
  path: { type: "text", value: "PATH", about: "of --child: its data" },
  memory: { type: "text", value: "MIB", about: "of --child train: how much may be held" },
  help: { type: "boolean", about: "show this help" },
} as const satisfies Record<string, Flag>;

const command: Command = {
  name: "bench:data",
  about: "Times reading features larger than memory, and pictures and sounds beside PyTorch's DataLoader.",
  async run(args) {
    const { text, boolean } = parseFlags(this.name, flags, args);
    if (boolean.help) {
      console.log(helpOf("deno task bench:data [options]", this.about, flags, [
        "deno task bench:data",
        "deno task bench:data --only features --gb 20 --cold",
      ]));
      return 0;
    }
    const only = text.only === undefined ? null : parseChoice("--only", text.only, ["features", "media"]);
    const steps = parseInteger("--steps", text.steps ?? "200", 11); // ten of them warm up
    const samples = parseInteger("--samples", text.samples ?? "512", 1);
    const rounds = parseInteger("--rounds", text.rounds ?? "3", 1);
    const gigabytes = Number(text.gb ?? "1");
    if (!(gigabytes > 0 && gigabytes < Infinity)) {
      throw new Refusal({ what: "use --gb", must: "it must be a number above 0", found: `found "${text.gb}"` });
    }
    if (text.child !== undefined) {
      const { path, memory = "0" } = text;
      if (path === undefined) throw new Refusal({ what: "use --child", must: "--path must stand beside it" });
      const parts = {
        train: () => train(path, parseInteger("--memory", memory, 0), steps, boolean.cold),
        load: async () => (await loaded(path, 0)).seconds,
        media: () => ours(path),
      };
      const part = parseChoice("--child", text.child, ["train", "load", "media"]);
      console.log(JSON.stringify(await parts[part]()));
      return 0;
    }
    if (only !== "media") await features(gigabytes, steps, boolean.cold);
    if (only !== "features") await media(samples, rounds, text.python ?? "python3");
    return 0;
  },
};

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
