import { assert, assertEquals } from "@std/assert";
import { createLibrary } from "../../library.ts";
import { askedOf } from "../../cli/asked.ts";
import { benchFlags } from "../../cli/bench.ts";
import { parseFlags } from "../../cli/command.ts";
import { experimentOf } from "../../cli/experiment.ts";

const library = createLibrary();

async function nameOf(...args: string[]): Promise<string> {
  const parsed = parseFlags("bench", benchFlags, args, { most: 1, about: "a grid" });
  const { requests, grid } = await askedOf(parsed, parsed.positional[0], library, null);
  return experimentOf({ args, parsed, grid, requests, reference: requests[0].label, budget: "" }).name;
}

Deno.test("an experiment is named by its grid or its parts, each once, with what was set", async () => {
  assertEquals(await nameOf("quick", "--epochs", "1"), "quick-epochs=1");
  assertEquals(await nameOf("--compare", "none,uni-ce,arm"), "av-digits-concat-uni-ce-arm");
  assertEquals(
    await nameOf("--compare", "none,arm", "--set", "dataset.snr=-10,0"),
    "av-digits-concat-arm-dataset.snr=-10-0",
  );
});

Deno.test("a long name is cut between words, with a digest that tells it from others that begin alike", async () => {
  const rows = "none,uni-ce,arm,agm,amco,amid,arl,cggm,cml,dgl,g-blending";
  const names = [await nameOf("--compare", rows), await nameOf("--compare", `${rows},lfm`)];
  for (const name of names) {
    assert(/^av-digits-concat-uni-ce-arm-agm-amco-amid-arl-cggm-[0-9a-f]{6}$/.test(name), name);
  }
  assert(names[0] !== names[1]);
});
