/** Command lines: every option of every command, wrong in every way; one clear sentence each, and nothing is done. */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import { PluginError } from "../../core/plugin_error.ts";
import { Refusal } from "../../core/refusal.ts";
import { Library } from "../../core/library.ts";
import { type Flag, parseChoice, parseFlags, parseInteger, runCommand } from "../../cli/command.ts";
import { commands } from "../../cli/main.ts";
import { loadPlugins, pluginSpecifiers } from "../../cli/plugins.ts";
import { brief, printable, printableLine } from "../../cli/printable.ts";
import { encoders } from "../../cli/requests.ts";
import { canonicalJson } from "../../core/canonical.ts";
import { part } from "../../experiments/config.ts";
import { planGrid } from "../../experiments/plan.ts";
import { runGrid } from "../../experiments/run_grid.ts";
import { createLibrary } from "../../library.ts";
import { StoreError } from "../../store/mod.ts";
import { inFolder, said, saidBy } from "../helpers/cli.ts";

/** Runs a command line in this process; its errors by line. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string[] }> {
  const { code, out, err } = await said(...args);
  return { code, out, err: err === "" ? [] : err.split("\n") };
}

/** A command line that must be refused: one line on standard error, exit code 2. */
async function refused(...args: string[]): Promise<string> {
  const shown = args.map((arg) => arg.slice(0, 60)).join(" ");
  const { code, err, out } = await run(...args);
  assertEquals([code, out, err.length], [2, "", 1], `${shown}: ${err.join("\n").slice(0, 500)}`);
  const [line] = err;
  assert(/^(armlab [\w-]+: )?Cannot /.test(line), `${shown}: ${line}`);
  assert(line.length < 2500 && !line.includes("\n") && !line.includes("os error"), `${shown}: ${line.slice(0, 300)}`);
  return line;
}

/** Options of a command as its help tells them: name and whether it takes a value. */
async function optionsOf(command: string): Promise<[name: string, value: boolean][]> {
  const { out, code } = await run(command, "--help");
  assertEquals(code, 0);
  return [...out.matchAll(/^ {2}--([\w-]+)( \S+)? {2}/gm)].map(([_, name, value]) => [name, value !== undefined]);
}

Deno.test("every option of every command: no value, an empty one, one too many, inherited and unknown names", async () => {
  let count = 0;
  for (const { name } of commands) {
    const options = await optionsOf(name);
    assert(options.length > 0, name);
    for (const [option, value] of options) {
      if (option === "help") continue;
      const wrong = value
        ? [[`--${option}`], [`--${option}`, ""], [`--${option}=`], [`--${option}`, "--help"]]
        : [[`--${option}=yes`], [`--${option}=`], [`--no-${option}`]];
      for (const args of wrong) {
        assertStringIncludes(await refused(name, ...args), `Cannot use option --`);
        count++;
      }
    }
    for (
      const odd of ["--constructor", "--__proto__", "--toString=1", "-x", "--", "---", "--=", `--${"x".repeat(10_000)}`]
    ) {
      if (odd === "--") continue;
      assertStringIncludes(await refused(name, odd), "Cannot use option -");
      count++;
    }
    const known = options[0][0];
    const twisted = `--${known.slice(1)}`;
    const line = await refused(name, twisted, "x");
    if (known.length > 4) assertStringIncludes(line, `did you mean "--`);
  }
  assert(count > 250, String(count));
});

Deno.test("an option that takes one value stands once, and words that have no place are refused", async () => {
  for (
    const [command, option] of [["bench", "dataset"], ["view", "port"], ["value", "out"], ["export-results", "item"]]
  ) {
    assertStringIncludes(
      await refused(command, `--${option}`, "a", `--${option}=b`),
      "it must stand once: it stands twice",
    );
  }
  for (const command of ["list", "doctor", "view", "export-results"]) {
    assertStringIncludes(await refused(command, "extra"), 'Cannot use argument "extra" of');
    assertStringIncludes(await refused(command, "-1"), 'Cannot use argument "-1" of');
    assertStringIncludes(await refused(command, "--", "--json"), 'Cannot use argument "--json" of');
  }
  assertStringIncludes(await refused("bench", "quick", "fusion"), "it takes the name of one grid");
  assertStringIncludes(await refused("export", "runs/0123456789abcdef", "more"), "it takes one run folder");
  assertStringIncludes(await refused("value", "a.npz", "b.npz"), "it takes one run or file of arrays");
});

Deno.test("every wrong value of a bench is one clear sentence, and nothing is written", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const integers = [
      "-1",
      "1.5",
      "1e3",
      "1e999",
      "Infinity",
      "NaN",
      "x",
      "0x10",
      "9007199254740993",
      "9".repeat(400),
      " ",
    ];
    const cases: [string, readonly string[], string][] = [
      ["--seeds", [...integers, "0", "10001"], "--seeds as it must be an integer >= 1"],
      ["--workers", [...integers, "0", "1025"], "--workers as it must be an integer >= 1"],
      ["--epochs", ["-1", "1.5", "1e999", "Infinity", "x", "0", "9".repeat(400)], 'option "epochs" of training'],
      ["--budget", ["time", "constructor"], 'option "budget" of training'],
      ["--on-error", ["shrug", "constructor"], "it must be one of continue, stop"],
      ["--checkpoint-every", ["-1", "x", "1e999", "0", "5 days"], "--checkpoint-every"],
      ["--only", ["concat", "concat#", "concat#-1", "concat#4294967296", "nope#0"], "--only"],
      ["--engine", ["cuda", "constructor", "cpuu"], "Cannot find engine"],
      ["--grid", ["qiuck", "constructor"], "Cannot find grid"],
      ["--config", [join(folder, "none.json"), folder, "/dev/null"], "Cannot read"],
    ];
    for (const [flag, values, text] of cases) {
      const parts = flag === "--grid" || flag === "--config" ? [] : ["--fusion", "concat"];
      for (const value of values) {
        assertStringIncludes(await refused("bench", ...parts, `${flag}=${value}`, "--runs", runs), text);
      }
    }
    for (const flag of ["--fusion", "--method", "--compare", "--dataset", "--encoder"]) {
      for (const value of ["constructor", "__proto__", "x".repeat(10_000), "../x", "\u001b[31m"]) {
        assertStringIncludes(await refused("bench", `${flag}=${value}`, "--runs", runs), "Cannot find");
      }
    }
    assertStringIncludes(await refused("bench", "--fusion", "cocnat", "--runs", runs), 'did you mean "concat"?');
    assertStringIncludes(await refused("bench", "qiuck", "--runs", runs), 'did you mean "quick"?');
    assertStringIncludes(await refused("bench", "--fusion", "a,,b"), "something must stand between commas");
    assertStringIncludes(await refused("bench", "--reference", "nope", "--fusion", "sum", "--runs", runs), "nope");
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("every command names what it does not know, with what is near", async () => {
  assertStringIncludes(await refused("benhc"), 'did you mean "bench"?');
  assertStringIncludes(await refused("constructor"), 'Cannot find command "constructor"');
  assertStringIncludes(await refused("describe", "amr"), 'did you mean "arm"?');
  assertStringIncludes(await refused("check", "cocnat"), 'did you mean "concat"?');
  assertStringIncludes(await refused("view", "--host", "nope"), 'Cannot listen on "nope"');
  assertStringIncludes(await refused("view", "--port", "65536"), "--port");
  assertStringIncludes(await refused("value", "nope"), "nope");
  assertStringIncludes(await refused("export", "nope", "--to", "x.onnx"), "Cannot");
  assertStringIncludes(await refused("export-results", "--format", "xls"), "--format");
});

// ------------------------------------------------------------------------------------------------------------------ parts

const flags: Record<string, Flag> = {
  name: { type: "text", value: "NAME", about: "" },
  list: { type: "list", value: "A,...", about: "" },
  each: { type: "each", value: "A", about: "" },
  on: { type: "boolean", about: "" },
  help: { type: "boolean", about: "" },
};

Deno.test("parseFlags() takes values as they stand, also those that begin with a minus", () => {
  const parsed = parseFlags("x", flags, [
    "--name",
    "-1",
    "--list=a, b,a",
    "--each",
    "a,b",
    "--each=-x",
    "--on",
    "-2",
    "-",
  ], {
    most: 2,
  });
  assertEquals(parsed.text, { name: "-1" });
  assertEquals(parsed.list, { list: ["a", "b"], each: ["a,b", "-x"] });
  assertEquals(parsed.boolean, { on: true, help: false });
  assertEquals(parsed.positional, ["-2", "-"]);
  assertEquals(parseFlags("x", flags, ["--name=--on"]).text, { name: "--on" });
  assertEquals(parseFlags("x", flags, ["--name=a=b"]).text, { name: "a=b" });
  assertEquals(parseFlags("x", flags, []).text, { name: undefined });
  assertEquals(parseFlags("x", flags, ["-h", "anything"]).boolean["help"], true);
  assertEquals(parseFlags("x", flags, ["--", "--on"], { most: 1 }).positional, ["--on"]);
});

Deno.test("parseInteger() and parseChoice() take what they say", () => {
  assertEquals([parseInteger("n", "0", 0), parseInteger("n", "4294967295", 0), parseInteger("n", "-3", -5)], [
    0,
    4294967295,
    -3,
  ]);
  for (const text of ["", "1.0", "+1", "1e2", "4294967296", " 1", "1 "]) {
    assertThrows(() => parseInteger("n", text, 0), Refusal, "Cannot use n as it must be an integer >= 0");
  }
  assertThrows(() => parseInteger("n", "7", 0, 6), Refusal, ">= 0 and <= 6");
  assertEquals(parseChoice("c", "b", ["a", "b"]), "b");
  assertThrows(() => parseChoice("c", "constructor", ["a", "b"]), Refusal, "must be one of a, b");
});

Deno.test("encoders() reads one for all, one each, and one for the others", () => {
  const named = (name: string) => ({ name, options: {} });
  assertEquals(encoders([]), undefined);
  assertEquals(encoders(["cnn"]), named("cnn"));
  assertEquals(encoders(["image=resnet18", "text=bert"]), { image: named("resnet18"), text: named("bert") });
  assertEquals(encoders(["cnn", "text=bert"]), { "*": named("cnn"), text: named("bert") });
  for (const wrong of [["=cnn"], ["image="], ["cnn", "mlp"], ["image=cnn", "image=mlp"]]) {
    assertThrows(() => encoders(wrong), Refusal, "Cannot use --encoder");
  }
});

Deno.test("runCommand() prints a refusal as one line, and a defect with the stack of where it happened", async () => {
  const told = async (thrown: unknown) => {
    const { code, err } = await saidBy(() =>
      runCommand({ name: "x", about: "", run: () => Promise.reject(thrown) }, [])
    );
    return { code, text: err };
  };
  assertEquals(await told(new Refusal({ what: "do it", found: "a\u001b[2J\nb" })), {
    code: 2,
    text: "x: Cannot do it: a\\u001b[2J b",
  });
  const store = new StoreError("missing", "/x", { what: "read", must: "it must exist" });
  assertEquals((await told(store)).code, 2);
  const missing = await Deno.readTextFile("/no/such/file").catch((error) => error);
  const system = await told(missing);
  assertEquals(system.code, 2);
  assertStringIncludes(system.text, '"/no/such/file" as it must exist: nothing is there');
  if (Deno.build.os !== "windows") {
    const folder = await Deno.makeTempDir();
    const loop = join(folder, "loop");
    await Deno.symlink(loop, loop);
    const circling = await Deno.readTextFile(loop).catch((error) => error);
    // The part's name is no path.
    const within = await told(new PluginError('dataset "mine"', "load", circling));
    assertStringIncludes(within.text, `${JSON.stringify(loop)} as its symbolic links must lead somewhere`);
    await Deno.remove(folder, { recursive: true });
  }
  // Errors of the language are no user's mistake, even where they say "Cannot".
  for (
    const native of [
      () => (undefined as unknown as { x: number }).x,
      () => Object.defineProperty(1 as unknown as object, "x", {}),
    ]
  ) {
    let thrown: unknown;
    try {
      native();
    } catch (error) {
      thrown = error;
    }
    const defect = await told(thrown);
    assertEquals(defect.code, 1);
    assertStringIncludes(defect.text, "words_test.ts");
  }
  assertEquals(await told("text"), { code: 1, text: "x: a value that is no error was thrown: text" });
});

Deno.test("printable() shows what would control a terminal", () => {
  assertEquals(printable("a\u001b[31mb\u0007\tc\nd\u202e"), "a\\u001b[31mb\\u0007\tc\nd\\u202e");
  assertEquals(printableLine("a\r\n  b\u0000"), "a b\\u0000");
  assertEquals(printable("αβ 中文 é"), "αβ 中文 é");
  assertEquals(brief(`a ${"x".repeat(299)} b`), `a ${"x".repeat(299)} b`);
  assertEquals(brief(`a ${"x".repeat(240)}${"y".repeat(60)}`), `a ${"x".repeat(200)}…${"y".repeat(60)}`);
});

Deno.test("plugins are named by commas, but for data: modules and files whose names hold some", () =>
  inFolder(async (folder) => {
    const file = join(folder, "a,b.ts");
    await Deno.writeTextFile(file, "export {};");
    assertEquals(pluginSpecifiers([file]), [new URL(`file://${file}`).href]);
    assertEquals(pluginSpecifiers(["npm:a, npm:b", "npm:a"]), ["npm:a", "npm:b"]);
    const data = "data:text/javascript,export const a = [1, 2];";
    assertEquals(pluginSpecifiers([data]), [data]);
    assertThrows(() => pluginSpecifiers(["a,,b"]), Refusal, "something must stand between commas");
  }));

Deno.test("a plugin that ends the program, waits for ever, lacks parts or has odd ones is one sentence", () =>
  inFolder(async (folder) => {
    const about = 'about: "x", ';
    const cases: Record<string, [source: string, text: string]> = {
      exits: ["Deno.exit(0);", "it must not end the program: it calls Deno.exit(0)"],
      waits: [
        "setInterval(() => globalThis.seconds = (globalThis.seconds ?? 0) + 1, 1000); await new Promise(() => {});",
        "must be loaded within 0.3 s",
      ],
      throws: ["throw new Error('broken');", "broken"],
      syntax: ["export const = 1;", "Cannot import plugin"],
      empty: ["export const a = 1;", "it must export a part"],
      functions: [
        `export const a = { kind: "fusion", name: "a", ${about} options: {} };`,
        'a fusion must have a function "create": it has none',
      ],
      name: [
        `export const a = { kind: "fusion", name: "Bad Name", ${about} options: {}, create: () => ({}) };`,
        "its name must be kebab-case",
      ],
      version: [
        `export const a = { kind: "fusion", name: "a", madeWith: "99.0.0", ${about} options: {}, create: () => ({}) };`,
        "its armlab must fit this one",
      ],
    };
    for (const [name, [source, text]] of Object.entries(cases)) {
      const file = join(folder, `${name}.ts`);
      await Deno.writeTextFile(file, source);
      const exit = Deno.exit;
      // Only what waits for ever, by which the limit is seen to hold, is not given the time that a busy machine takes to load
      // a module.
      const limit = name === "waits" ? 300 : 600_000;
      const error = await assertRejects(() => loadPlugins(new Library(), pluginSpecifiers([file]), limit), Refusal);
      assertStringIncludes((error as Error).message, text);
      // By its own clock: however late the limit's timer runs, it is before one of a second that was set after it.
      if (name === "waits") assertEquals((globalThis as { seconds?: number }).seconds ?? 0, 0);
      assertEquals(Deno.exit, exit);
      if (name !== "waits") {
        const line = await refused("list", "--plugin", file);
        assertStringIncludes(line, text);
      }
    }
    const type = join(folder, "type.ts");
    await Deno.writeTextFile(
      type,
      `export const a = { kind: "fusion", name: "a", ${about} options: { w: { type: "int", default: 1, about: "" } }, create: () => ({}) };`,
    );
    const line = await refused("bench", "--plugin", type, "--fusion", "a", "--runs", join(folder, "runs"));
    assertStringIncludes(line, "its type must be one of number, integer");
  }));

Deno.test("bench --config takes the stored seed and every stored option; --dry-run says what becomes of its run", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const request = {
      label: "row",
      dataset: part("synthetic", { samples: 60, width: 6 }),
      encoder: part("mlp", { hidden: [8], width: 8 }),
      fusion: part("sum"),
      methods: [part("uni-ce")],
      training: { epochs: 1, learningRate: 0.05 },
    };
    const library = createLibrary();
    const plan = await planGrid({ cells: [request], seeds: [7], runs, library });
    const [{ config, id }] = plan.cells;
    const file = join(folder, "config.json");
    await Deno.writeTextFile(file, canonicalJson(config));
    const dry = async () => {
      const { code, out, err } = await run("bench", "--config", file, "--runs", runs, "--dry-run", "--json");
      assertEquals([code, err], [0, []]);
      return out.split("\n").map((line) => JSON.parse(line));
    };
    const wanted = { label: "sum uni-ce", seed: 7, id, checkpoint: null, reason: null };
    assertEquals(await dry(), [{ ...wanted, state: "new" }]);
    await runGrid({ cells: [request], seeds: [7], runs, library, workers: 1 });
    assertEquals(await dry(), [{ ...wanted, state: "kept" }]);
    await Deno.writeTextFile(join(runs, id, "config.json"), "{");
    assertEquals((await dry()).map(({ state }) => state), ["broken"]);
    // Nothing is written by looking.
    const small = ["--dataset", "synthetic", "--set", "dataset.samples=60", "--encoder", "mlp", "--epochs", "1"];
    const shown = await run("bench", ...small, "--runs", join(folder, "other"), "--dry-run");
    assertEquals(shown.code, 0);
    assertMatch(shown.out, /^3 runs to make, about \d+ s \(from steps of 1 configuration, made for it\)\.$/m);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["config.json", "runs"]);
  }));
