import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { inPlugin, PluginError, Refusal } from "../../core/mod.ts";

Deno.test("Refusal: its clauses make one sentence, each may be missing", () => {
  const parts = { what: 'set option "k"', must: "it must be a number", found: 'found "x"', hint: "write k=-2" };
  assertEquals(new Refusal(parts).message, 'Cannot set option "k" as it must be a number: found "x"; write k=-2');
  assertEquals(new Refusal({ what: "find it", found: "names are a, b" }).message, "Cannot find it: names are a, b");
  assertEquals(new Refusal(parts).reason, 'it must be a number: found "x"');
  assertEquals(new Refusal(parts).with({ hint: "leave it out" }).hint, "leave it out");
});

Deno.test("inPlugin() names part, function and line of a defect, and lets refusals pass", async () => {
  const slip = (given: { width?: { size: number } }) => given.width!.size;
  const error = assertThrows(() => inPlugin('fusion "mine"', "forward", () => slip({})), PluginError);
  assertStringIncludes(error.message, 'fusion "mine" failed in forward (');
  assertStringIncludes(error.message, "refusal_test.ts:");
  assertStringIncludes(error.message, "Cannot read properties of undefined (reading 'size')");
  assertEquals(error.cause instanceof TypeError, true);
  const refusal = new Refusal({ what: "do it" });
  assertEquals(
    assertThrows(() =>
      inPlugin("x", "y", () => {
        throw refusal;
      })
    ),
    refusal,
  );
  const outer = () => inPlugin("outer", "a", () => inPlugin("inner", "b", () => slip({})));
  assertEquals((assertThrows(outer) as PluginError).plugin, "inner");
  await assertRejects(() => inPlugin("x", "load", () => Promise.reject(new Error("gone"))), PluginError, "gone");
});
