import { assert, assertEquals } from "@std/assert";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { toyDataset, toyModel } from "../helpers/toy.ts";
import { trained } from "../helpers/train.ts";

Deno.test("a schedule runs over the whole training under either budget, and not faster for more samples", async () => {
  const library = createLibrary();
  const engine = await onnxCpu.create();
  const dataset = await toyDataset(2);
  const rates = async (budget: "samples" | "epochs", methods: Parameters<typeof toyModel>[3]) => {
    const training = { budget, epochs: 4, schedule: "cosine" as const };
    const { records } = await trained(engine, toyModel(library, dataset, "concat", methods), dataset, { training });
    return records.map(({ learningRate }) => learningRate);
  };
  const samples = await rates("samples", []);
  const epochs = await rates("epochs", []);
  // Without copies both count the same.
  assertEquals(epochs.map((rate) => rate.toFixed(12)), samples.map((rate) => rate.toFixed(12)));
  assert(epochs[0] > epochs[1] && epochs[3] < 0.1 * epochs[0]);
  // Longer epochs end their own share of the schedule at the same rate, up to the last step of each.
  const copied = await rates("epochs", ["arm-dsr"]);
  assertEquals(copied.length, 4);
  copied.forEach((rate, epoch) =>
    assert(Math.abs(rate - epochs[epoch]) < 0.2 * epochs[0], `${rate}, ${epochs[epoch]}`)
  );
});
