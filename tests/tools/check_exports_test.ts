import { assertEquals } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { ambiguous } from "../../tools/check_exports.ts";

Deno.test("ambiguous() finds a name that two entries export with two meanings, through lists and stars", () => {
  const files: Record<string, string> = {
    "a/mod.ts": 'export * from "./x.ts";\n/*\nexport const inner = 1;\n*/\nexport { inner as same } from "./y.ts";',
    "a/x.ts":
      "export const twice = 1;\n/* export const hidden = 1; */\nexport interface Only {}\nexport interface Kind {}",
    "a/y.ts": "export function inner() {}",
    "b/mod.ts":
      'export { type Only } from "../a/x.ts";\nexport { other as twice } from "./z.ts";\nexport * from "../a/y.ts";\n' +
      'export { type Sort as Kind } from "./z.ts";',
    "b/z.ts": "export class other {}\nexport interface Sort {}",
  };
  const found = ambiguous(["./a/mod.ts", "./b/mod.ts"], (file) => files[file]);
  assertEquals([...found], [["twice", ["a/x.ts", "b/z.ts"]], ["Kind", ["a/x.ts", "b/z.ts"]]]);
});

Deno.test("no name of armlab's entries has two meanings", () => {
  const root = new URL("../../", import.meta.url);
  const read = (file: string) => Deno.readTextFileSync(new URL(file, root));
  assertEquals([...ambiguous(Object.values(manifest.exports), read)], []);
});
