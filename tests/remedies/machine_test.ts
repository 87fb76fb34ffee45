/** Remedies for what a machine lacks, forbids or limits: another one is set up around a process, and nothing is refused. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { probed } from "../../cli/doctor.ts";
import type { EnginePlugin } from "../../core/kinds/mod.ts";
import { float32, type Program } from "../../core/program.ts";
import { cpu, onnxCpu, wasm } from "../../engines/mod.ts";
import { writeAtomic } from "../../store/files.ts";
import { storeErrorOf } from "../../store/mod.ts";
import { pngOf } from "../../viewer/render.ts";
import { serveViewer } from "../../viewer/serve.ts";
import { inFolder } from "../helpers/cli.ts";
import { apart, taken, tried } from "../helpers/remedies.ts";
import { twoRuns } from "../helpers/two_runs.ts";

const volumes = float32(Float32Array.from({ length: 8 }, (_, i) => i - 9), [1, 2, 2, 2, 1]);
/** The largest of each volume's values. */
const largest: Program = {
  name: "largest",
  state: {},
  inputs: { x: { shape: [1, 2, 2, 2, 1], dtype: "float32" } },
  apply: (_, { x }) => ({ state: {}, outputs: { y: tf.maxPool3d(x as tf.Tensor5D, 2, 2, "valid") } }),
};

async function largestOn(plugin: EnginePlugin): Promise<void> {
  const engine = await plugin.create();
  try {
    const program = await engine.compile(largest);
    const { y } = await program.run(engine.createState({}), { x: volumes });
    assertEquals([...y.data], [-2]);
  } finally {
    await engine.dispose();
  }
}

/** Does something where a variable of the environment has another value. */
async function where<T>(variable: string, value: string, run: () => Promise<T>): Promise<T> {
  const before = Deno.env.get(variable);
  Deno.env.set(variable, value);
  try {
    return await run();
  } finally {
    if (before === undefined) Deno.env.delete(variable);
    else Deno.env.set(variable, before);
  }
}

Deno.test("what is said of engines, schedulers and terminals is mended by what it says", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const [one] = await twoRuns(runs);
    const bench = [
      ...["bench", "--dataset", "synthetic", "--encoder", "mlp", "--fusion", "sum", "--seeds", "1", "--runs", runs],
      ...["dataset.samples=60", "dataset.width=6", "encoder.hidden=8", "encoder.width=8", "training.epochs=1"]
        .flatMap((own) => ["--set", own]),
      ...["--workers", "1"],
    ];
    const picture = ["export-results", "--view", "/", "--item", "accuracy", "--format", "png", "--runs", runs];
    const { isTerminal } = Deno.stdout;
    await tried([
      {
        hint: "use another engine (onnx:cpu, cpu)",
        wrong: () => largestOn(wasm),
        right: async () => [await largestOn(onnxCpu), await largestOn(cpu)],
      },
      {
        hint: "a driver may be broken; name an engine that works with --engine",
        wrong: () => probed(() => Promise.resolve({ lines: [], said: ["a driver's last words"], ended: "SIGSEGV" })),
        right: () => taken("robustness", one, "--corrupt", "first.noise", "--engine", "cpu"),
      },
      {
        hint: "run it where jobs are submitted from, or leave --launch out to train on this machine",
        wrong: () => where("PATH", folder, () => taken(...bench, "--launch", "slurm")),
        right: () => where("PATH", folder, () => taken(...bench)),
      },
      {
        hint: "name a file with --out",
        wrong: async () => {
          Deno.stdout.isTerminal = () => true;
          await taken(...picture).finally(() => Deno.stdout.isTerminal = isTerminal);
        },
        right: () => taken(...picture, "--out", join(folder, "picture.png")),
      },
    ]);
  }));

Deno.test("what is said of pictures is mended by what it says", () =>
  inFolder(async (folder) => {
    const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
    const broken = { ...config.imports, "@resvg/resvg-js": "data:text/javascript,throw new Error('no such binding')" };
    const own = join(folder, "deno.json");
    await Deno.symlink(new URL("../../standins", import.meta.url), join(folder, "standins"));
    await Deno.writeTextFile(own, JSON.stringify({ ...config, imports: broken, lock: false }));
    const none = join(folder, "fonts.conf");
    await Deno.writeTextFile(none, '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig/>');
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9">x</text></svg>';
    /** Asks for a picture and for the same as PNG: the first must be had. */
    const code = `const { exportPicture } = await import("…/viewer/exports.ts");
      const picture = { svg: ${JSON.stringify(svg)} };
      if (await exportPicture("ranks", picture, "svg") !== picture.svg) throw new Error("no SVG");
      await exportPicture("ranks", picture, "png");`;
    const ours = new URL("../../deno.json", import.meta.url).pathname;
    await tried([
      {
        hint: "use SVG",
        wrong: () => apart(folder, code, { flags: ["-A", "--config", own] }),
        right: () => pngOf(svg),
      },
      {
        hint: "install one (fonts-dejavu-core), or use SVG",
        wrong: () => apart(folder, code, { flags: ["-A", "--config", ours], env: { FONTCONFIG_FILE: none } }),
        right: () => pngOf(svg),
      },
    ]);
  }));

const text = JSON.stringify;
const reading = (path: string) =>
  `const { fileSource } = await import("…/formats/source.ts");
  (await fileSource(${text(path)})).close();`;
const writing = (path: string, mebibytes = 1) =>
  `const { writeAtomic } = await import("…/store/files.ts");
  await writeAtomic(${text(path)}, Array.from({ length: ${mebibytes} }, () => new Uint8Array(1 << 20)));`;

Deno.test("what is said of full disks, of limits and of what Deno is not allowed is mended by what it says", () =>
  inFolder(async (folder) => {
    const [file, other] = [join(folder, "file"), join(folder, "other")];
    await Deno.writeTextFile(other, "x");
    const project = new URL("../../", import.meta.url).pathname;
    /** Nine mebibytes, where a file may have so many blocks of 512 or 1024 bytes. */
    const limited = (blocks: number) =>
      apart(folder, writing(file, 9), {
        by: ["sh", "-c", `trap '' XFSZ; ulimit -f ${blocks}; exec "$@"`, "sh"],
        // What the runtime keeps for itself stays out of the limit's way.
        env: { DENO_DIR: join(folder, "cache") },
      });
    const permitted = (code: string, ...flags: string[]) => apart(folder, code, { flags: ["--no-config", ...flags] });
    const viewing = `const { main } = await import("…/cli/main.ts");
      const said = [];
      console.error = (line) => said.push(line);
      await main(["view", "--runs", ${text(folder)}, "--port", "0"]);
      throw new Refusal({ what: "view", hint: said.join(" ") });`;
    const ours = new URL("../../deno.json", import.meta.url).pathname;
    const viewed = (...flags: string[]) => apart(folder, viewing, { flags: ["--config", ours, ...flags] });
    await tried([
      {
        hint: "free some, or choose another folder",
        wrong: async () => {
          throw storeErrorOf(await Deno.writeTextFile("/dev/full", "x").catch((error) => error), "write", "/dev/full");
        },
        right: () => writeAtomic(file, "x"),
      },
      { hint: "raise the limit (ulimit -f)", wrong: () => limited(4096), right: () => limited(65_536) },
      {
        hint: "run it again with --allow-read, or with -A",
        wrong: () => permitted(reading(other), `--allow-read=${project}`),
        right: () => permitted(reading(other), "--allow-read"),
      },
      {
        hint: "run it again with --allow-write, or with -A",
        wrong: () => permitted(writing(file), "--allow-read"),
        right: () => permitted(writing(file), "--allow-read", "--allow-write"),
      },
      {
        hint: "run it again with --allow-env, or with -A",
        wrong: () => viewed("--allow-read"),
        right: () =>
          tried([{
            hint: "run it again with --allow-net, or with -A",
            wrong: () => viewed("--allow-read", "--allow-env"),
            right: () => serveViewer({ folder, port: 0 }).stop(),
          }]),
      },
      {
        hint: "run it again with -A",
        wrong: () => permitted(reading("/proc/self/environ"), "--allow-read"),
        right: () => permitted(reading("/proc/self/environ"), "-A"),
      },
    ]);
  }));

/** By what a process is bound by modes: root is not, as long as it may do what it likes. */
function boundByModes(): string[] | null {
  if (Deno.uid() !== 0) return [];
  const capabilities = "-dac_override,-dac_read_search";
  const by = ["setpriv", `--bounding-set=${capabilities}`, `--inh-caps=${capabilities}`];
  try {
    const [program, ...args] = [...by, "true"];
    return new Deno.Command(program, { args }).outputSync().success ? by : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

const bound = boundByModes();
if (bound === null) console.log("skipped: modes of files, as nothing binds root to them here (setpriv)");
Deno.test({
  name: "what is said of modes is mended by what it says",
  ignore: bound === null,
  fn: () =>
    inFolder(async (folder) => {
      const [secret, closed] = [join(folder, "secret"), join(folder, "closed")];
      await Deno.writeTextFile(secret, "x");
      await Deno.mkdir(closed);
      const by = bound!;
      const moded = (path: string, mode: number, code: string) => async () => {
        await Deno.chmod(path, mode);
        await apart(folder, code, { by });
      };
      const inside = writing(join(closed, "file"));
      await tried([
        {
          hint: "change its mode or owner",
          wrong: moded(secret, 0o000, reading(secret)),
          right: moded(secret, 0o600, reading(secret)),
        },
        {
          hint: "change its mode or owner, or choose another folder",
          wrong: moded(closed, 0o500, inside),
          right: moded(closed, 0o700, inside),
        },
        {
          hint: "change its mode or owner, or choose another folder",
          wrong: moded(closed, 0o500, inside),
          right: () => apart(folder, writing(join(folder, "file")), { by }),
        },
      ]);
    }),
});
