/** Names and layouts of PyTorch, both ways. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { float32 } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import { fromTorch, torchName, torchShape, toTorch } from "../../nn/mod.ts";

const numbers = (size: number) => Float32Array.from({ length: size }, (_, i) => i);

Deno.test("torchName() and torchShape() rename and reorder what our layers hold", () => {
  assertEquals(torchName("encoder:image/layer1/0/bn1/scale"), "encoder.image.layer1.0.bn1.weight");
  assertEquals(torchName("head/shift"), "head.bias");
  assertEquals([torchName("mean"), torchName("a/variance")], ["running_mean", "a.running_var"]);
  assertEquals([torchName("e/table"), torchName("e/kernel"), torchName("e/class-token")], [
    "e.weight",
    "e.weight",
    "e.class-token",
  ]);
  assertEquals(torchShape("a/kernel", [3, 5, 2, 7]), [7, 2, 3, 5]);
  assertEquals(torchShape("a/kernel", [2, 7]), [7, 2]);
  assertEquals(torchShape("a/table", [2, 7]), [2, 7]);
});

Deno.test("toTorch() transposes kernels and copies the rest; fromTorch() brings both back", () => {
  const ours = {
    "l/kernel": float32(numbers(6), [2, 3]),
    "c/kernel": float32(numbers(24), [2, 1, 3, 4]),
    "l/bias": float32(numbers(3), [3]),
  };
  const theirs = toTorch(ours);
  assertEquals([...theirs["l.weight"].data], [0, 3, 1, 4, 2, 5]);
  assertEquals(theirs["c.weight"].shape, [4, 3, 2, 1]);
  // W[o, i, y, x] = kernel[y, x, i, o]: o = 1, i = 2, y = 1 is element 1 * 12 + 2 * 4 + 1 = 21 of ours.
  assertEquals(theirs["c.weight"].data[1 * 6 + 2 * 2 + 1], 21);
  assertEquals(fromTorch(ours, theirs), ours);
  assert(theirs["l.bias"].data !== ours["l/bias"].data);
  theirs["l.bias"].data[0] = 9;
  assertEquals(ours["l/bias"].data[0], 0);
});

Deno.test("fromTorch() refuses what is missing and what has another shape", () => {
  const wanted = { "l/kernel": { shape: [2, 3] }, "l/bias": { shape: [3] } };
  const good = { "l.weight": float32(numbers(6), [3, 2]), "l.bias": float32(numbers(3), [3]) };
  assertEquals(Object.keys(fromTorch(wanted, { ...good, other: good["l.bias"] })), ["l/kernel", "l/bias"]);
  assertThrows(() => fromTorch(wanted, { "l.weight": good["l.weight"] }), Refusal, '"l.bias" must be among them');
  const turned = { ...good, "l.weight": float32(numbers(6), [2, 3]) };
  assertThrows(() => fromTorch(wanted, turned), Refusal, "it must be [3, 2]: found [2, 3]");
  const longer = { ...good, "l.bias": float32(numbers(3), [3, 1]) };
  assertThrows(() => fromTorch(wanted, longer), Refusal, "it must be [3]: found [3, 1]");
});
