import { assert, assertStringIncludes } from "@std/assert";
import { supportText } from "../../tools/gen_support.ts";

Deno.test("SUPPORT.md is what the rule table says", () => {
  const file = Deno.readTextFileSync(new URL("../../SUPPORT.md", import.meta.url));
  assert(file === supportText(), "Cannot use SUPPORT.md as it is not up to date: run `deno task support`");
  assertStringIncludes(file, "| `Conv3D`");
});
