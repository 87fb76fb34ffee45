import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { type Mutant, mutantsOf } from "../../tools/mutant.ts";
import { changed, described, passes, runMutants, tally } from "../../tools/mutants.ts";

const mutant = (from: string, to: string, rest: Partial<Mutant> = {}): Mutant => ({
  file: "add.ts",
  from,
  to,
  tests: ["add_test.ts"],
  ...rest,
});

/** A tree of one function and one test. */
async function tree(run: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "armlab-mutants-test-" });
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
    await Deno.writeTextFile(`${root}/add_test.ts`, 'Deno.test("fails", () => {\n  throw new Error("no");\n});\n');
    const mutants = [mutant("x === 7", "x === 8")];
    await assertRejects(() => runMutants({ root, mutants, workers: 1 }), Refusal, "must pass without any change");
  });
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
