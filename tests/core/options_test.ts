import { assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { describeType, type OptionSpecs, parseOption, resolveOptions } from "../../core/options.ts";

const specs: OptionSpecs = {
  width: { type: "integer", default: 128, min: 0, about: "width" },
  rate: { type: "number", default: 0.5, min: 0, max: 1, about: "rate" },
  on: { type: "boolean", default: true, about: "switch" },
  mode: { type: "choice", choices: ["dsr", "off"], default: "dsr", about: "mode" },
  sizes: { type: "numbers", default: [1, 2], about: "sizes" },
};

Deno.test("resolveOptions() fills defaults and keeps what was given, zero and false included", () => {
  assertEquals(resolveOptions("method x", specs, { width: 0, on: false }), {
    width: 0,
    rate: 0.5,
    on: false,
    mode: "dsr",
    sizes: [1, 2],
  });
});

Deno.test("resolveOptions() refuses unknown names and values that are not allowed", () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ widht: 3 }, 'Cannot set option "widht" of method x: its options are width, rate, on, mode, sizes'],
    [{ width: 1.5 }, "must be an integer >= 0: found 1.5"],
    [{ width: -1 }, "must be an integer >= 0: found -1"],
    [{ rate: 1.01 }, "must be a number >= 0 and <= 1: found 1.01"],
    [{ rate: Number.NaN }, "must be a number"],
    [{ on: "yes" }, 'must be true or false: found "yes"'],
    [{ mode: "DSR" }, 'must be one of dsr, off: found "DSR"'],
    [{ sizes: ["a"] }, "must be a list of numbers"],
  ];
  for (const [given, message] of cases) {
    assertThrows(() => resolveOptions("method x", specs, given), Refusal, message);
  }
});

Deno.test("parseOption() reads text by the option's type and leaves the rest for the check", () => {
  assertEquals(parseOption(specs.width, "64"), 64);
  assertEquals(parseOption(specs.rate, "1e-1"), 0.1);
  assertEquals(parseOption(specs.rate, ""), "");
  assertEquals(parseOption(specs.on, "false"), false);
  assertEquals(parseOption(specs.on, "0"), "0");
  assertEquals(parseOption(specs.mode, "off"), "off");
  assertEquals(parseOption(specs.sizes, "16, 32"), [16, 32]);
  assertEquals(parseOption(specs.sizes, "16,"), "16,");
});

Deno.test("describeType() says range and choices", () => {
  assertEquals(describeType(specs.rate), "a number >= 0 and <= 1");
  assertEquals(describeType(specs.mode), "one of dsr, off");
});
