import { assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { dirname } from "node:path";
import { Refusal } from "../../core/refusal.ts";
import { type Mutant, mutantsOf } from "../../tools/mutant.ts";
import { changed, described, placeOf } from "../../tools/mutation/change.ts";
import { runMutants } from "../../tools/mutation/run.ts";
import { Kept } from "../../tools/mutation/kept.ts";
import { fileOrder, Notices, testOrder } from "../../tools/mutation/order.ts";
import { digestsOf, namedIn, reachesOf } from "../../tools/mutation/reach.ts";
import { type Outcome, passes, tally } from "../../tools/mutation/tally.ts";
import { runTestFile } from "../../tools/mutation/trial.ts";

const mutant = (from: string, to: string, rest: Partial<Mutant> = {}): Mutant => ({
  file: "add.ts",
  from,
  to,
  tests: ["add_test.ts"],
  ...rest,
});

/** A tree of one function, one test and whatever else is given. */
async function tree(
  run: (root: string) => Promise<void>,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "armlab-mutants-test-" }));
  try {
    await Deno.writeTextFile(
      `${root}/add.ts`,
      "/** x + y; the second line is dead. */\nexport function add(x: number, y: number): number {\n" +
        "  if (x === 7) console.log();\n  return x + y;\n}\n",
    );
    await Deno.writeTextFile(
      `${root}/add_test.ts`,
      'import { add } from "./add.ts";\nDeno.test("adds", () => {\n  if (add(1, 2) !== 3) throw new Error("no sum");\n});\n',
    );
    await Deno.writeTextFile(`${root}/deno.json`, "{}");
    for (const [file, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(`${root}/${file}`), { recursive: true });
      await Deno.writeTextFile(`${root}/${file}`, text);
    }
    const { code } = await new Deno.Command("git", { args: ["init", "-q"], cwd: root }).output();
    assertEquals(code, 0);
    await run(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("runMutants() tells noticed changes from unnoticed ones and from no programs, and leaves the tree alone", async () => {
  await tree(async (root) => {
    const before = await Deno.readTextFile(`${root}/add.ts`);
    const mutants = [
      mutant("x + y;\n}", "x - y;\n}"),
      mutant("x === 7", "x === 8"),
      mutant("console.log()", "console.log(1)", { equivalent: "nobody reads it" }),
      mutant("return x + y", "return x +* y"),
    ];
    const seen: string[] = [];
    const outcomes = await runMutants({ root, mutants, workers: 2, onOutcome: ({ fate }) => seen.push(fate) });
    assertEquals(outcomes.map(({ fate }) => fate), ["killed", "alive", "alive", "unreadable"]);
    assertEquals(seen.length, 4);
    assertEquals(tally(outcomes), { killed: 1, alive: 1, equivalent: 1, refuted: 0, unreadable: 1 });
    assertEquals(await Deno.readTextFile(`${root}/add.ts`), before);
  });
});

Deno.test("runMutants() refuses tests that fail without any change, and fragments that are gone", async () => {
  await tree(async (root) => {
    await assertRejects(() => runMutants({ root, mutants: [mutant("x * y", "x")], workers: 1 }), Refusal, "occurs 0");
    await Deno.writeTextFile(
      `${root}/add_test.ts`,
      'import "./add.ts";\nDeno.test("fails", () => {\n  throw new Error("no");\n});\n',
    );
    const mutants = [mutant("return x + y", "return x - y")];
    await assertRejects(() => runMutants({ root, mutants, workers: 1 }), Refusal, "must pass without any change");
  });
});

/** A file of tests of `add.ts`, each of which writes down that it ran, then checks what it is given. */
const testsOf = (root: string, checks: Readonly<Record<string, string>>): string =>
  'import { add } from "./add.ts";\nlet sums = 0;\n' +
  Object.entries(checks).map(([name, check]) =>
    `Deno.test("${name}", () => {\n  Deno.writeTextFileSync("${root}/ran.txt", "${name} ", { append: true });\n` +
    `  if (!(${check})) throw new Error();\n});\n`
  ).join("");

/** Tests that ran since this was asked last, in order. */
async function ran(root: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${root}/ran.txt`);
  await Deno.remove(`${root}/ran.txt`);
  return text.trim().split(" ");
}

Deno.test("runMutants() says which test noticed, and on a neighbour begins with that one", async () => {
  await tree(async (root) => {
    const tests = testsOf(root, { zero: "add(0, 0) === 0", sums: "add(1, 2) === 3" });
    await Deno.writeTextFile(`${root}/add_test.ts`, tests);
    const by = { file: "add_test.ts", name: "sums" };
    const first = mutant("x + y;\n}", "x - y;\n}");
    assertEquals((await runMutants({ root, mutants: [first], workers: 1 })).map((outcome) => outcome.by), [by]);
    assertEquals(await ran(root), ["zero", "sums", "sums", "sums"]); // in order, alone, alone without the change
    const both = [first, mutant("return x + y", "return y")];
    assertEquals((await runMutants({ root, mutants: both, workers: 1 })).map((outcome) => outcome.by), [by, by]);
    assertEquals(await ran(root), ["zero", "sums", "sums", "sums", "sums"]); // one run more for the neighbour
  });
});

Deno.test("runMutants() counts no failure of a test among others, and keeps the order of tests that need others", async () => {
  await tree(async (root) => {
    const mutants = [mutant("x === 7", "x === 8"), mutant("return x + y", "return x - y")];
    // Fails behind `adds`, which is named like what is changed and so goes first; alone it passes.
    const spoilt = testsOf(root, { lonely: "sums === 0", adds: "(sums = add(1, 2)) !== 4" });
    await Deno.writeTextFile(`${root}/add_test.ts`, spoilt.replace('"adds"', '"add() sums"'));
    assertEquals((await runMutants({ root, mutants, workers: 1 })).map(({ fate }) => fate), ["alive", "alive"]);
    // Fails before `first`; as it stands, it passes.
    const ordered = testsOf(root, { first: "(sums = 3) === 3", second: "add(1, 2) === sums" });
    await Deno.writeTextFile(`${root}/add_test.ts`, ordered.replace('"second"', '"add() sums"'));
    assertEquals((await runMutants({ root, mutants, workers: 1 })).map(({ fate }) => fate), ["alive", "killed"]);
  });
});

Deno.test("runMutants() runs no test file that cannot reach the change, and ends a test that takes too long", async () => {
  await tree(async (root) => {
    await Deno.writeTextFile(`${root}/add_test.ts`, testsOf(root, { sums: "add(1, 2) === 3" }));
    await Deno.writeTextFile(`${root}/far_test.ts`, `throw new Error("is not run");\n`);
    const tests = ["far_test.ts", "add_test.ts"];
    const mutants = [mutant("return x + y", "while (x > 0);\n  return x + y", { tests })];
    const kept = Kept.inMemory();
    const sound = [mutant("return x + y", "return x - y", { tests })]; // teaches how long the test takes
    assertEquals((await runMutants({ root, mutants: sound, workers: 1, kept })).map(({ fate }) => fate), ["killed"]);
    const [outcome] = await runMutants({ root, mutants, workers: 1, kept, spareMs: 300 });
    assertEquals([outcome.fate, outcome.by?.name], ["late", "sums"]);
    const [unreached] = await runMutants({ root, mutants: [{ ...mutants[0], tests: ["far_test.ts"] }], workers: 1 });
    assertEquals(unreached.fate, "alive");
    await Deno.writeTextFile(`${root}/blind_test.ts`, testsOf(root, { blind: "add(0, 0) === 0" }));
    const [behind] = await runMutants({
      root,
      mutants: [{ ...sound[0], tests: ["blind_test.ts", "add_test.ts"] }],
      workers: 1,
    });
    assertEquals(behind.by?.file, "add_test.ts");
  });
});

Deno.test("what was stopped goes on, and what has not changed is not run again", async () => {
  await tree(async (root) => {
    const path = `${root}/kept/outcomes.jsonl`;
    const mutants = [mutant("x + y;\n}", "x - y;\n}"), mutant("x === 7", "x === 8")];
    const open: number[] = [];
    const run = async (
      rest: { readonly signal?: AbortSignal; readonly onOutcome?: (outcome: Outcome) => void } = {},
    ) => {
      const kept = await Kept.open(path);
      const outcomes = await runMutants({
        root,
        mutants,
        workers: 1,
        kept,
        onStart: (count) => open.push(count),
        ...rest,
      });
      return outcomes.map(({ fate, kept }) => `${fate}${kept ? " before" : ""}`);
    };
    const stop = new AbortController();
    assertEquals(await run({ signal: stop.signal, onOutcome: () => stop.abort() }), ["killed"]);
    await Deno.writeTextFile(path, '{"kind":"mutant","mut', { append: true }); // the process ended while writing
    assertEquals(await run(), ["killed before", "alive"]);
    assertEquals(await run(), ["killed before", "alive before"]);
    await Deno.writeTextFile(`${root}/other.ts`, "export const other = 1;\n"); // nothing reaches it
    assertEquals(await run(), ["killed before", "alive before"]);
    await Deno.writeTextFile(`${root}/add_test.ts`, testsOf(root, { sums: "add(1, 2) === 3 && add(8, 0) === 8" }));
    assertEquals(await run(), ["killed", "alive"]);
    assertEquals(open, [2, 1, 0, 0, 2]);
  });
});

Deno.test("Kept gives what a test file did only for the same contents, and runTestFile() starts nothing that was stopped", async () => {
  const kept = Kept.inMemory();
  await kept.add({ kind: "tests", file: "a", key: "1", tests: [], alone: [], whole: true, ordered: false });
  assertEquals([kept.tests("a", "1")?.whole, kept.tests("a", "2"), kept.lastTests("a")?.key], [true, null, "1"]);
  await tree(async (folder) => {
    await Deno.writeTextFile(`${folder}/add_test.ts`, testsOf(folder, { sums: "true" }));
    const run = { folder, test: "add_test.ts", order: [], limitOf: () => 60_000 };
    assertEquals((await runTestFile({ ...run, signal: AbortSignal.abort() })).end, "stopped");
    assertEquals((await runTestFile(run)).end, "passed");
    assertEquals(await ran(folder), ["sums"]);
  });
});

Deno.test("reachesOf() follows imports at run time, workers, data and processes, and digestsOf() what is in them", async () => {
  await tree(async (root) => {
    const files = ["add.ts", "add_test.ts", "lazy.ts", "thread.ts", "types.ts", "data/a.json", "data/b.json", "cli.ts"];
    const tests = ["add_test.ts", "tests/all_test.ts", "tests/process_test.ts"];
    const reaches = await reachesOf(root, [...files, ...tests], tests);
    const of = (test: string) => [...reaches.get(test)!.steps].sort().filter(([file]) => file !== test);
    assertEquals(of("add_test.ts"), [["add.ts", 1]]);
    assertEquals(of("tests/all_test.ts"), [
      ["data/a.json", 2],
      ["data/b.json", 2],
      ["lazy.ts", 1],
      ["thread.ts", 2],
    ]);
    assertEquals(of("tests/process_test.ts").map(([file]) => file).filter((file) => file.endsWith(".ts")), [
      "add.ts",
      "add_test.ts",
      "cli.ts",
      "lazy.ts",
      "thread.ts",
      "types.ts",
    ]);
    const digestOf = async (test: string) => (await digestsOf(root, reaches)).get(test)!;
    const before = await digestOf("add_test.ts");
    await Deno.writeTextFile(`${root}/types.ts`, "export interface T {}\n");
    assertEquals(await digestOf("add_test.ts"), before);
    await Deno.writeTextFile(`${root}/add.ts`, "export const add = 1;\n");
    assertNotEquals(await digestOf("add_test.ts"), before);
  }, {
    "lazy.ts":
      'import type { T } from "./types.ts";\nexport const t: T = 1;\nexport const file = (x: string) => `./data/${x}.json`;\n' +
      'new Worker(new URL("./thread.ts", import.meta.url), { type: "module" });\n',
    "thread.ts": "self.close();\n",
    "types.ts": "export type T = number;\n",
    "cli.ts": 'import "./add.ts";\n',
    "data/a.json": "{}",
    "data/b.json": "{}",
    "tests/all_test.ts": 'const lazy = await import("../lazy.ts");\n',
    "tests/process_test.ts": 'new Deno.Command("deno", { args: ["task", "x"] });\n',
  });
});

Deno.test("namedIn() finds files by the module's folder and by the root, and folders that are written as such", () => {
  const files = new Set(["a/one.ts", "a/b/two.json", "a/b/three.json", "c.md", "store/x.ts"]);
  const of = (text: string) => namedIn("a/one.ts", text, files).sort();
  assertEquals(of('"./b/two.json"'), ["a/b/two.json"]);
  assertEquals(of('"c.md" + "nothing.md"'), ["c.md"]);
  assertEquals(of('new URL("./b/", x)'), ["a/b/three.json", "a/b/two.json"]);
  assertEquals(of("`./b/t${x}.json`"), ["a/b/three.json", "a/b/two.json"]);
  assertEquals(of('"store"'), []);
  assertEquals(of('new URL("..", x)'), [...files].sort());
});

Deno.test("testOrder() takes what noticed this mutant, then neighbours' tests, names and quick ones", () => {
  const notices = new Notices();
  const tests = [
    { name: "slow", ms: 9000 },
    { name: "quick", ms: 10 },
    { name: "outer() holds", ms: 10 },
    { name: "inner() holds", ms: 10 },
    { name: "near", ms: 10 },
    { name: "far", ms: 10 },
  ];
  notices.add("a.ts", 12, { file: "a_test.ts", name: "near" });
  notices.add("a.ts", 300, { file: "a_test.ts", name: "far" });
  notices.add("b.ts", 10, { file: "a_test.ts", name: "quick" });
  const order = { file: "a.ts", place: { line: 10, names: ["inner", "outer"] }, notices, before: null };
  const names = ["near", "inner() holds", "outer() holds", "far", "quick", "slow"];
  assertEquals(testOrder("a_test.ts", tests, order), names);
  const before = { file: "a_test.ts", name: "slow" };
  assertEquals(testOrder("a_test.ts", tests, { ...order, before }), ["slow", ...names.slice(0, 5)]);
});

Deno.test("fileOrder() takes files that noticed, then those that import directly, and none that does not reach", () => {
  const notices = new Notices();
  const reach = (steps: number | null) => ({ steps: new Map(steps === null ? [] : [["a.ts", steps]]) });
  const reaches = new Map([["no", reach(null)], ["three", reach(3)], ["one", reach(1)], ["two", reach(2)]]);
  const order = { file: "a.ts", place: { line: 1, names: [] }, notices, before: null };
  assertEquals(fileOrder([...reaches.keys()], reaches, order), ["one", "two", "three"]);
  notices.add("a.ts", 50, { file: "three", name: "t" });
  assertEquals(fileOrder([...reaches.keys()], reaches, order), ["three", "one", "two"]);
  const before = { file: "two", name: "t" };
  assertEquals(fileOrder([...reaches.keys()], reaches, { ...order, before }), ["two", "three", "one"]);
});

Deno.test("placeOf() names the line and the functions around it, innermost first", () => {
  const text = "const a = 1;\nexport function outer() {\n  const b = () => {\n    if (a) c();\n    d();\n  };\n}\n" +
    "class K {\n  method(x: number) {\n    e();\n  }\n}\n";
  assertEquals(placeOf(text, mutant("d()", "")), { line: 5, names: ["b", "outer"] });
  assertEquals(placeOf(text, mutant("e()", "")), { line: 10, names: ["method", "K"] });
  assertEquals(placeOf(text, mutant("a = 1", "")), { line: 1, names: ["a"] });
});

Deno.test("changed() takes a fragment that occurs once, literally", () => {
  assertEquals(changed("a + b", mutant("+ b", "- $&")), "a - $&");
  assertEquals(changed("f(\n  a,\n  b,\n)", mutant("a, b,", "b,")), "f(\n  b,\n)");
  assertEquals(changed("x[i] * (y)", mutant("x[i] * (y)", "z")), "z");
  assertEquals(changed("split(/\\s/)", mutant("/\\s/", "1")), "split(1)");
  assertThrows(() => changed("a + a", mutant("a", "b")), Refusal, "it occurs 2 times");
});

Deno.test("described() names the line and what it becomes", () => {
  assertEquals(described("one\ntwo\n", mutant("two", "2")), 'add.ts:2: "two" becomes "2"');
});

Deno.test("passes() wants 90 % noticed, no mark refuted and only programs", () => {
  const counts = { killed: 9, alive: 1, equivalent: 5, refuted: 0, unreadable: 0 };
  assertEquals(passes(counts), true);
  assertEquals(passes({ ...counts, alive: 2 }), false);
  assertEquals(passes({ ...counts, refuted: 1 }), false);
  assertEquals(passes({ ...counts, unreadable: 1 }), false);
});

Deno.test("tally() counts an equivalent that a test noticed as refuted, and what ran out of time as killed", () => {
  const [first, second] = mutantsOf("a.ts", ["t.ts"], [["a", "b"], ["c", "d", "dead"]]);
  assertEquals(
    tally([{ mutant: first, fate: "late" }, { mutant: second, fate: "killed" }]),
    { killed: 1, alive: 0, equivalent: 0, refuted: 1, unreadable: 0 },
  );
});
