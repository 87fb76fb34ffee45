/** The stand-ins of `standins/` give what the packages that they stand for document. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { parse } from "@std/csv/parse";
import { stringify, StringifyError } from "@std/csv/stringify";

/** Says whether an assertion fails, without using the assertions under test. */
function fails(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    return true;
  }
}

function verdict(what: string, actual: boolean, expected: boolean): void {
  if (actual !== expected) throw new Error(`${what}: expected ${expected}, found ${actual}`);
}

Deno.test("assertEquals() compares deeply, takes -0 for 0 and NaN for NaN, and tells undefined from absent", () => {
  const pairs: [unknown, unknown, boolean][] = [
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, true],
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, false],
    [0, -0, true],
    [[0, { x: -0 }], [-0, { x: 0 }], true],
    [new Float32Array([0, 1]), new Float32Array([-0, 1]), true],
    [new Float32Array([0, 1]), new Float64Array([0, 1]), false],
    [new Map([["a", -0]]), new Map([["a", 0]]), true],
    [NaN, NaN, true],
    [{ a: undefined }, {}, false],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }, true],
    [new Set([1, 2]), new Set([2, 1]), true],
    [[1, 2], [1, 2, 3], false],
    ["1", 1, false],
  ];
  for (const [actual, expected, equal] of pairs) {
    verdict(`assertEquals ${Deno.inspect(actual)}`, fails(() => assertEquals(actual, expected)), !equal);
    verdict(`assertNotEquals ${Deno.inspect(actual)}`, fails(() => assertNotEquals(actual, expected)), equal);
  }
  const cycle: Record<string, unknown> = { zero: -0 };
  cycle.self = cycle;
  const other: Record<string, unknown> = { zero: 0 };
  other.self = other;
  verdict("cycle", fails(() => assertEquals(cycle, other)), false);
});

Deno.test("assertAlmostEquals() allows 1e-7 of the expected value by default, or the tolerance given", () => {
  verdict("default", fails(() => assertAlmostEquals(1.000000001e-8, 1.000000002e-8)), false);
  verdict("default far", fails(() => assertAlmostEquals(0.01, 0.02)), true);
  verdict("given", fails(() => assertAlmostEquals(0.01, 0.02, 0.1)), false);
  verdict("NaN", fails(() => assertAlmostEquals(NaN, 1, 0.1)), true);
  verdict("same infinity", fails(() => assertAlmostEquals(Infinity, Infinity)), false);
});

Deno.test("the simple assertions fail exactly when their claim is false", () => {
  const cases: [string, () => unknown, boolean][] = [
    ["assert", () => assert(1), false],
    ["assert", () => assert(""), true],
    ["assertFalse", () => assertFalse(0), false],
    ["assertFalse", () => assertFalse(1), true],
    ["assertExists", () => assertExists(0), false],
    ["assertExists", () => assertExists(undefined), true],
    ["assertStrictEquals", () => assertStrictEquals(0, -0), true],
    ["assertStrictEquals", () => assertStrictEquals(NaN, NaN), false],
    ["assertGreater", () => assertGreater(2, 1), false],
    ["assertGreater", () => assertGreater(1, 1), true],
    ["assertGreaterOrEqual", () => assertGreaterOrEqual(1, 1), false],
    ["assertGreaterOrEqual", () => assertGreaterOrEqual(NaN, 1), true],
    ["assertLess", () => assertLess(1, 1), true],
    ["assertLessOrEqual", () => assertLessOrEqual(1, 1), false],
    ["assertLessOrEqual", () => assertLessOrEqual(NaN, 1), true],
    ["assertMatch", () => assertMatch("abc", /b/), false],
    ["assertMatch", () => assertMatch("abc", /d/), true],
    ["assertStringIncludes", () => assertStringIncludes("abc", "bc"), false],
    ["assertStringIncludes", () => assertStringIncludes("abc", "cb"), true],
    ["assertInstanceOf", () => assertInstanceOf(new TypeError(), Error), false],
    ["assertInstanceOf", () => assertInstanceOf({}, Error), true],
    ["fail", () => fail("x"), true],
  ];
  for (const [name, run, expected] of cases) verdict(`${name}: ${run}`, fails(run), expected);
});

Deno.test("assertThrows() returns the error and checks its class and text", () => {
  const boom = (): never => {
    throw new TypeError("bad shape [2]");
  };
  const error = assertThrows(boom, TypeError, "shape");
  verdict("returned", error instanceof TypeError, true);
  verdict("class", fails(() => assertThrows(boom, RangeError)), true);
  verdict("text", fails(() => assertThrows(boom, TypeError, "other")), true);
  verdict("no throw", fails(() => assertThrows(() => 1)), true);
});

Deno.test("assertRejects() wants a rejected promise, not a synchronous throw", async () => {
  const error = await assertRejects(() => Promise.reject(new RangeError("too low")), RangeError, "low");
  verdict("returned", error instanceof RangeError, true);
  const outcomes = await Promise.allSettled([
    assertRejects(() => Promise.resolve(1)),
    assertRejects(() => {
      throw new Error("now");
    }),
    assertRejects(() => Promise.reject(new Error("x")), RangeError),
  ]);
  assertEquals(outcomes.map((outcome) => outcome.status), ["rejected", "rejected", "rejected"]);
});

Deno.test("parseArgs() reads text, true/false, repeated, negated and positional arguments", () => {
  const found = parseArgs(
    ["bench", "--dataset", "av-digits", "--set=a=1", "--set", "b=2", "--json", "--no-color", "--epochs=3", "x", "7"],
    {
      string: ["dataset", "set", "epochs"],
      boolean: ["json", "color", "list"],
      collect: ["set"],
      negatable: ["color"],
      default: { color: true },
    },
  );
  const dataset: string | undefined = found.dataset;
  const set: string[] = found.set;
  const json: boolean = found.json;
  assertEquals([dataset, set, json], ["av-digits", ["a=1", "b=2"], true]);
  assertEquals(found, {
    _: ["bench", "x", 7],
    dataset: "av-digits",
    set: ["a=1", "b=2"],
    json: true,
    color: false,
    epochs: "3",
    list: false,
  });
});

Deno.test("parseArgs() keeps an empty list, an empty text and text that looks like a number as the real package does", () => {
  assertEquals(parseArgs(["--name", "--seed", "3", "--free", "4"], { string: ["name", "list"], collect: ["list"] }), {
    _: [],
    name: "",
    seed: 3,
    free: 4,
    list: [],
  });
  assertEquals(parseArgs(["--rate", "-1"], { string: "rate" }), { _: [], rate: "", 1: true });
  assertEquals(parseArgs(["--on", "false", "--off=false"], { boolean: ["on", "off"] }), {
    _: [],
    on: false,
    off: false,
  });
});

Deno.test("parseArgs() applies aliases and defaults, and keeps what follows --", () => {
  assertEquals(
    parseArgs(["-h", "-n", "5", "--", "--raw"], {
      boolean: ["help"],
      alias: { help: "h", number: "n" },
      default: { port: 8000 },
      "--": true,
    }),
    { _: [], help: true, h: true, number: 5, n: 5, port: 8000, "--": ["--raw"] },
  );
  assertEquals(parseArgs(["a", "--", "--raw", "1"])._, ["a", "--raw", "1"]);
});

Deno.test("parseArgs() asks about unknown arguments and drops them on false", () => {
  const seen: unknown[] = [];
  const found = parseArgs(["--known", "x", "--other=1", "word"], {
    string: ["known"],
    unknown: (arg: string, key?: string, value?: unknown) => {
      seen.push([arg, key, value]);
      return false;
    },
  });
  assertEquals(found, { _: [], known: "x" });
  assertEquals(seen, [["--other=1", "other", "1"], ["word", undefined, undefined]]);
});

Deno.test("stringify() quotes separators, quotes and line ends and ends lines with CRLF", () => {
  assertEquals(
    stringify([{ a: 1, b: { c: 'x"y' } }, { a: "p,q", b: { c: "l1\nl2" } }, { a: null, b: {} }], {
      columns: ["a", { prop: ["b", "c"], header: "C" }],
    }),
    'a,C\r\n1,"x""y"\r\n"p,q","l1\nl2"\r\n,\r\n',
  );
  assertEquals(stringify([["a", "b"], [1, 2.5]], { headers: false, separator: "\t" }), "a\tb\r\n1\t2.5\r\n");
  assertThrows(() => stringify([{ a: 1 }]), StringifyError);
});

Deno.test("parse() inverts stringify() and names columns", () => {
  const rows = [["a", 'x"y'], ["", "l1\nl2"], [" s", "ü,"]];
  assertEquals(parse(stringify(rows, { headers: false })), rows);
  assertEquals(parse("a,b\nd,e\n\n", { skipFirstRow: true }), [{ a: "d", b: "e" }]);
  assertEquals(parse("\ufeff1,2\r\n# no\r\n3,4", { columns: ["x", "y"], comment: "#" }), [
    { x: "1", y: "2" },
    { x: "3", y: "4" },
  ]);
  assertThrows(() => parse('a,"b'), SyntaxError);
  assertThrows(() => parse("a,b\nc", { fieldsPerRecord: 0 }), SyntaxError);
  assertThrows(() => parse("a,b\nc", { skipFirstRow: true }), SyntaxError);
});
