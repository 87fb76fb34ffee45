import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { methodRows } from "../../cli/requests.ts";
import { Refusal } from "../../core/refusal.ts";
import { armlab, inFolder, runsIn } from "../helpers/cli.ts";

Deno.test("methods of one model are separated by commas or plus signs, rows by the flag", () => {
  assertEquals(methodRows([], []), [[]]);
  assertEquals(methodRows([], ["arm,ogm-ge"]), [["arm", "ogm-ge"]]);
  assertEquals(methodRows([], ["arm+ogm-ge", "arm, ogm-ge"]), [["arm", "ogm-ge"]]);
  assertEquals(methodRows([], ["none", "arm", "ogm-ge"]), [[], ["arm"], ["ogm-ge"]]);
  assertEquals(methodRows(["none", "arm", "arm+ogm-ge"], ["uni-ce,ogm"]), [[], ["arm"], ["arm", "ogm-ge"], [
    "uni-ce",
    "ogm",
  ]]);
  assertThrows(() => methodRows([], ["none,arm"]), Refusal, "to compare them write --compare none,arm");
  assertThrows(() => methodRows([], ["arm++ogm"]), Refusal, 'Cannot read methods "arm++ogm"');
});

Deno.test("bench --method arm,ogm-ge trains one model with both, and its config repeats it", () =>
  inFolder(async (folder) => {
    const small = ["--encoder", "mlp", "--seeds", "1", "--epochs", "1", "--set", "dataset.size=mini"];
    const both = await armlab("bench", "--method", "arm,ogm-ge", ...small, "--runs", `${folder}/a`);
    assertEquals(both.code, 0, both.err);
    assertStringIncludes(both.err, "One model with arm and ogm-ge; to compare them write --compare arm,ogm-ge.");
    assertStringIncludes(both.out, "concat arm+ogm-ge");
    const [id] = runsIn(`${folder}/a`);
    // Another spelling is the same run.
    const plus = await armlab("bench", "--method", "arm+ogm-ge", ...small, "--runs", `${folder}/a`, "--json");
    assertEquals(JSON.parse(plus.out).method, "arm+ogm-ge");
    assertEquals(JSON.parse(plus.out).runs, [id]);
    assertEquals(plus.err.includes("One model"), false);
  }));
