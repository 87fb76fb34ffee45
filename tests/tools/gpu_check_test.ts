import { join } from "node:path";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runStep, type Step, stepsOf } from "../../tools/gpu_check.ts";
import { inFolder } from "../helpers/cli.ts";

const asked = { only: ["setup", "contract", "grid", "steps"], python: "py", small: false, runs: "runs" } as const;

Deno.test("gpu:check sets up what can be, and times compiled steps beside PyTorch on the card, eager and compiled", () => {
  const names = (engine: string) => stepsOf(engine, asked).map(({ name }) => name);
  const steps = ["training steps beside PyTorch, eager", "training steps beside PyTorch, compiled"];
  assertEquals(names("onnx:cuda"), ["set up", "contract suite", "quick grid", ...steps]);
  assertEquals(names("onnx:webgpu"), ["contract suite", "quick grid", ...steps]);
  assertEquals(names("tfjs-node-gpu"), ["set up", "contract suite", "quick grid"]);
  const [timed] = stepsOf("onnx:cuda", { ...asked, only: ["steps"] });
  assertStringIncludes(timed.command.join(" "), "--engine onnx:cuda --turns 3 --python py --device cuda --torch eager");
});

Deno.test("gpu:check ends a step whose time is up, and says of one that has none that it was not run", async () => {
  const step = (code: string): Step => ({ engine: "e", name: "n", command: [Deno.execPath(), "eval", code] });
  // By itself it would never end.
  const late = await runStep(step("setInterval(() => {}, 1000)"), 300);
  assert(late.code !== 0);
  assertStringIncludes(late.said!, "its time was up");
  assertEquals((await runStep(step("1"), -1)).code, null);
  const good = await runStep(step('console.log("words"); console.log(JSON.stringify({ a: 1 }))'), 600_000);
  assertEquals([good.code, good.figures, good.said], [0, [{ a: 1 }], null]);
});

Deno.test("gpu:check runs a grid and a training step on the processor, and writes its JSON", () =>
  inFolder(async (folder) => {
    const out = join(folder, "check.json");
    const script = new URL("../../tools/gpu_check.ts", import.meta.url).pathname;
    const args = ["--engines", "onnx:cpu", "--only", "grid,steps", "--small", "--python", "none", "--out", out];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script, ...args],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    const { steps, processor } = JSON.parse(await Deno.readTextFile(out));
    assert(processor.length > 0);
    assertEquals(
      steps.map((step: { figures: { label?: string; step?: string }[] }) =>
        step.figures.map(({ label, step }) => label ?? step)
      ),
      [["concat"], ["mlp"]],
    );
  }));
