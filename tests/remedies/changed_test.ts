/** Remedies for what somebody changed, removed or holds: it is got back, and nothing is refused. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { contractsOf, judge } from "../../contracts/mod.ts";
import { defineMethod, type Method } from "../../core/kinds/mod.ts";
import { importPlugins } from "../../core/plugins.ts";
import { Refusal } from "../../core/refusal.ts";
import { VERSION } from "../../core/version.ts";
import { type CellEvent, CellRunner, type GridCell, part, planGrid, runGrid } from "../../experiments/mod.ts";
import { decodeSafetensors, encodeNpy } from "../../formats/mod.ts";
import { createLibrary } from "../../library.ts";
import {
  type ClaimMark,
  claimRun,
  isClaim,
  joinRuns,
  openRun,
  releaseClaim,
  uniteRuns,
  Watch,
  writeSafetensors,
} from "../../store/mod.ts";
import { inFolder, runsIn } from "../helpers/cli.ts";
import { contractTools } from "../helpers/contracts.ts";
import { taken, tried } from "../helpers/remedies.ts";
import { writeRun } from "../helpers/runs.ts";
import { twoRuns } from "../helpers/two_runs.ts";

const library = createLibrary();
const small = part("mlp", { hidden: [8], width: 8 });

Deno.test("what is said of data and of weights that changed is mended by what it says", () =>
  inFolder(async (folder) => {
    const [runs, data] = [join(folder, "runs"), join(folder, "data")];
    await Deno.mkdir(data);
    const noise = (phase: number) =>
      encodeNpy({
        data: Float32Array.from({ length: 90 }, (_, i) => Math.sin(i * i + phase)),
        shape: [30, 3],
        dtype: "float32",
      });
    const labels = encodeNpy({ data: Int32Array.from({ length: 30 }, (_, i) => i % 2), shape: [30], dtype: "int32" });
    const put = (name: string, bytes: Uint8Array) => Deno.writeFile(join(data, `${name}.npy`), bytes);
    for (const [name, bytes] of Object.entries({ a: noise(0), b: noise(1), labels })) await put(name, bytes);
    const trained = async () => {
      const { outcomes: [{ cell }] } = await runGrid({
        library,
        runs,
        seeds: [0],
        workers: 1,
        engine: "cpu",
        cells: [{
          label: "x",
          dataset: part("files", { path: data }),
          encoder: small,
          fusion: part("sum"),
          methods: [],
          training: { epochs: 1 },
        }],
      });
      return join(runs, (cell as GridCell).id);
    };
    const value = (run: string) => taken("value", run, "--out", folder);
    const old = await trained();
    const changed = async () => (await put("b", noise(2)), await value(old));
    const hint = "its data has changed since: put the old data back, or train anew";

    const [one] = await twoRuns(runs);
    const weights = join(folder, "weights.safetensors");
    await taken("export", one, "--to", weights, "--encoder", "first");
    const whole = await Deno.readFile(weights);
    const bench = [
      ...["bench", "--dataset", "synthetic", "--encoder", "mlp", "--fusion", "sum", "--seeds", "1", "--runs", runs],
      ...["dataset.samples=60", "dataset.width=6", "encoder.hidden=8", "encoder.width=8", "training.epochs=1"]
        .flatMap((own) => ["--set", own]),
      ...["--weights", `first=${weights}`, "--engine", "cpu", "--workers", "1"],
    ];
    const plan = (await taken(...bench, "--launch", "plan")).trim();
    const planned = () => taken("bench", "--plan", plan, "--workers", "1");
    const others = async () => {
      const { tensors } = await decodeSafetensors(whole, weights);
      await writeSafetensors(weights, tensors, { trained: "longer" });
      await planned();
    };
    const another = "put the old file back, or run with the new one, which is another run";
    await tried([
      { hint, wrong: changed, right: async () => (await put("b", noise(1)), await value(old)) },
      {
        hint,
        wrong: changed,
        right: async () => {
          const anew = await trained();
          assert(anew !== old);
          await value(anew);
        },
      },
      {
        hint: another,
        wrong: others,
        right: async () => {
          const before = runsIn(runs);
          await taken(...bench);
          // The one that was planned has a folder from when it failed.
          assertEquals(runsIn(runs).length, before.length + 1);
        },
      },
      { hint: another, wrong: others, right: async () => (await Deno.writeFile(weights, whole), await planned()) },
    ]);
  }));

Deno.test("what is said of parts that another armlab made, and of embedded files, is mended by what it says", () =>
  inFolder(async (folder) => {
    const plugin = async (name: string, part: string) => {
      const path = join(folder, `${name}.ts`);
      const source = `import { defineMethod } from "@armlab/armlab";
        const part = defineMethod({ name: "${name}", about: "x", options: {}, create: () => ({ name: "${name}" }) });
        export const own = ${part};`;
      await Deno.writeTextFile(path, source);
      return (await importPlugins(createLibrary(), pathToFileURL(path).href)).map(({ name }) => name);
    };
    // The package as it is installed, with data of its own that can be lost.
    const root = new URL("../../", import.meta.url).pathname;
    const [installed, data] = [join(folder, "datasets"), join(folder, "datasets", "data")];
    await Deno.mkdir(data, { recursive: true });
    await Deno.symlink(join(root, "core"), join(folder, "core"));
    for (const name of ["embedded.ts", "fingerprint.ts", "rows.ts"]) {
      await Deno.copyFile(join(root, "datasets", name), join(installed, name));
    }
    const restored = (name: string) => Deno.copyFile(join(root, "datasets", "data", name), join(data, name));
    const [manifest, icons] = ["icon_tri.manifest.json", "icon_tri_icons.json.gz"];
    const { readManifest, unpack } = await import(pathToFileURL(join(installed, "embedded.ts")).href);
    const loaded = async () => {
      try {
        await unpack("icon-tri", await readManifest("icon-tri", manifest), "icons");
      } catch (error) {
        // The package has a class of its own.
        throw (error as Error).name === "Refusal" ? new Refusal(error as Refusal) : error;
      }
    };
    await tried([
      {
        hint: `take a version of it that imports armlab ${VERSION}, or that armlab`,
        wrong: () => plugin("older", '{ ...part, madeWith: "99.0.0" }'),
        right: async () => assertEquals(await plugin("newer", "part"), ["newer"]),
      },
      {
        hint: "restore the file from the package",
        wrong: async () => (await restored(icons), await loaded()),
        right: async () => (await restored(manifest), await loaded()),
      },
      {
        hint: "restore the file from the package",
        wrong: async () => (await Deno.remove(join(data, icons)), await loaded()),
        right: async () => (await restored(icons), await loaded()),
      },
      {
        hint: "restore the file from the package, or build it anew by: ",
        wrong: async () => (await Deno.truncate(join(data, icons), 1000), await loaded()),
        right: async () => (await restored(icons), await loaded()),
      },
    ]);
  }));

Deno.test("what is said of runs that another process holds is mended by what it says", () =>
  inFolder(async (folder) => {
    const [runs, from, into] = ["runs", "from", "into"].map((name) => join(folder, name));
    for (const path of [runs, from, into]) await Deno.mkdir(path);
    await using one = await joinRuns(runs);
    await using two = await joinRuns(runs);
    await using trainer = await joinRuns(into);
    const cell = {
      label: "x",
      dataset: part("synthetic", { samples: 60, width: 6 }),
      encoder: small,
      fusion: part("sum"),
      methods: [],
      training: { epochs: 3 },
    };
    const { cells: [{ config, id }] } = await planGrid({ cells: [cell], seeds: [0], runs, library, engine: "cpu" });
    /** Trains the run; what ended it. */
    const trained = async (claim: ClaimMark, onEvent: (event: CellEvent) => void = () => {}) => {
      const runner = new CellRunner(library, runs);
      let last: CellEvent | undefined;
      await runner.run(config, {
        command: "again",
        claim,
        onEvent: (event) => {
          last = event;
          onEvent(event);
        },
      });
      await runner.dispose();
      if (last?.type === "failed") throw new Refusal({ what: "train", hint: last.message });
      assertEquals(last?.type, "finished");
    };
    const claimed = async (member: typeof one, folder: string, run: string) => {
      const found = await claimRun(member, run, new Watch(folder));
      assert(isClaim(found));
      return found;
    };
    const finished = writeRun(from, { seed: 0 });
    let held: ClaimMark;
    await tried([
      {
        hint: "nothing is lost: that one goes on from the last checkpoint",
        wrong: async () => {
          const claim = await claimed(one, runs, id);
          const next = { member: two.info.id, kernel: null };
          await trained(claim, (event) => {
            // What another process does that takes this one for dead.
            if (event.type !== "epoch" || event.epoch !== 1) return;
            Deno.writeTextFileSync(join(runs, ".claims", `${id}.${claim.generation + 1}`), JSON.stringify(next));
          });
        },
        right: async () => {
          await trained({ runs, run: id, generation: 2, member: two.info.id });
          const log = await Deno.readTextFile(openRun(runs, id).file("log"));
          assertStringIncludes(log, "resumed from its checkpoint (epoch 2)");
          assertEquals((await openRun(runs, id).epochs()).map(({ epoch }) => epoch), [0, 1, 2]);
        },
      },
      {
        hint: "wait until it ends",
        wrong: async () => {
          writeRun(into, { seed: 0, state: "interrupted", done: 1 });
          held = await claimed(trainer, into, finished);
          await uniteRuns([from], into);
        },
        right: async () => {
          writeRun(into, { seed: 0 });
          await releaseClaim(held, true);
          assertEquals((await uniteRuns([from], into)).equal, [finished]);
        },
      },
    ]);
  }));

const tools = await contractTools();

/** A method that takes more samples from epoch to epoch, by a count that it has in a closure. */
const counting = (name: string, saves: boolean) =>
  defineMethod<Record<never, never>>({
    name,
    about: "takes more samples from epoch to epoch",
    options: {},
    create(): Method {
      let epochs = 0;
      return {
        name,
        plan(host, base) {
          epochs++;
          const count = host.epoch === 0 ? 30 : 10 * epochs;
          return base.map((segment) => ({ ...segment, items: segment.items.slice(0, count) }));
        },
        ...saves ? { save: () => epochs, load: (saved: unknown) => void (epochs = saved as number) } : {},
      };
    },
  });

Deno.test("what is asked of a method that does not resume is answered by saving what it keeps", async () => {
  const contract = contractsOf("method").find(({ claim }) => claim.includes("resumes from a checkpoint bit for bit"))!;
  const kept = async (saves: boolean) => {
    const { status, detail } = await judge(contract, counting("counting", saves) as never, tools);
    if (status === "broken") throw new Refusal({ what: contract.claim, hint: detail });
  };
  await tried([{
    hint: "does something live outside of buffers, tables and save()?",
    wrong: () => kept(false),
    right: () => kept(true),
  }]);
});
