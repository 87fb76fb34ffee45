import { assertEquals } from "@std/assert";
import { offencesIn } from "../../tools/check_imports.ts";

const what = (file: string, text: string) =>
  offencesIn(file, text).map((offence) => `${offence.line}: ${offence.what}`);

Deno.test("offencesIn() passes imports that point down", () => {
  assertEquals(
    what("fusion/concat.ts", 'import { x } from "../core/kinds/mod.ts";\nimport { y } from "./shared.ts";'),
    [],
  );
  assertEquals(what("baselines/arm/mod.ts", 'export { a } from "./method.ts";'), []);
  assertEquals(what("engines/onnx/runtime/session.ts", 'import * as ort from "onnxruntime-node";'), []);
});

Deno.test("offencesIn() finds imports that point up or sideways, also type imports, re-exports and dynamic ones", () => {
  assertEquals(what("core/library.ts", '\nimport type { T } from "../training/train.ts";'), [
    '2: core may not import training: "../training/train.ts"',
  ]);
  assertEquals(what("fusion/film.ts", 'export * from "./concat.ts";'), [
    '1: plugins of fusion may not import each other: "./concat.ts"',
  ]);
  assertEquals(what("training/train.ts", 'const m = await import("../engines/mod.ts");'), [
    '1: training may not import engines: "../engines/mod.ts"',
  ]);
  assertEquals(what("engines/mod.ts", 'import { InferenceSession } from "onnxruntime-node";'), [
    "1: only engines/onnx/runtime/session.ts and engines/onnx/runtime/device_session.ts may import ONNX Runtime",
  ]);
});
