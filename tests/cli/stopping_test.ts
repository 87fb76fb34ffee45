/** What a scheduler sends before it ends a task, and what somebody presses who does not want to wait. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { listenForStop } from "../../cli/stopping.ts";
import { ended, inFolder, runsIn, start } from "../helpers/cli.ts";
import { until } from "../helpers/until.ts";

Deno.test({
  name: "listenForStop(): SIGUSR2 and SIGTERM stop with the code that a scheduler starts again at",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    // Who listens to signals alone is not kept running.
    const running = setInterval(() => {}, 60_000);
    for (const signal of ["SIGUSR2", "SIGTERM"] as const) {
      const said: string[] = [];
      const stopping = listenForStop((text) => said.push(text));
      assertEquals([stopping.exit(), stopping.by()], [0, null]);
      const stopped = new Promise((resolve) => stopping.signal.addEventListener("abort", resolve, { once: true }));
      Deno.kill(Deno.pid, signal);
      await stopped;
      assertEquals([stopping.exit(), stopping.by(), said.length], [75, signal, 1]);
      stopping.dispose();
    }
    clearInterval(running);
  },
});

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
      await until("an epoch", running, child);
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
