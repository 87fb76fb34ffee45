/** What a scheduler sends before it ends a task. */
import { assertEquals } from "@std/assert";
import { listenForStop } from "../../cli/stopping.ts";

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
