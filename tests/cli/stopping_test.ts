import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ended, inFolder, runsIn, start } from "../helpers/cli.ts";

Deno.test({
  name: "Ctrl-C twice ends at once, by the signal, without a word of the runtime",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      const small = [
        "--dataset",
        "synthetic",
        "--set",
        "dataset.samples=600",
        "--encoder",
        "mlp",
        "--compare",
        "none,arm",
      ];
      const child = start("bench", ...small, "--seeds", "1", "--epochs", "100000", "--runs", `${folder}/runs`);
      const running = () => {
        try {
          return runsIn(`${folder}/runs`).some((id) =>
            Deno.readTextFileSync(`${folder}/runs/${id}/metrics.jsonl`) !== ""
          );
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
          return false;
        }
      };
      for (let i = 0; i < 1200 && !running(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
      assert(running(), "no epoch after a minute");
      child.kill("SIGINT");
      child.kill("SIGINT");
      const { code, signal, err } = await ended(child);
      // Either both signals came one by one, or the system made one of them; then the first stops it well.
      assertEquals(code, 130);
      assert(signal === "SIGINT" || err.includes("Stopped. Run the same command again"), err);
      assertStringIncludes(err, "once more to stop at once");
      assert(!/onnxruntime:|Uncaught|panicked|terminate called/.test(err), err);
    }),
});
