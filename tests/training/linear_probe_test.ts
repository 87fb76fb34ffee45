import { assert, assertEquals } from "@std/assert";
import { Random } from "../../core/random.ts";
import { linearProbe, type ProbeData } from "../../training/mod.ts";
import { assertClose } from "../helpers/tensors.ts";

const random = () => new Random(0);

/** Gaussian features whose first coordinates show the class. */
function blobs(size: number, width: number, classes: number, strength: number, name: string): ProbeData {
  const own = random().split(name);
  const labels = Int32Array.from({ length: size }, (_, n) => n % classes);
  const features = Float32Array.from(
    { length: size * width },
    (_, i) => own.normal() + (i % width === labels[Math.floor(i / width)] ? strength : 0),
  );
  return { features, labels };
}

Deno.test("linearProbe(): its first step is minus the rate times the mean of x (1/C - y) over standardised rows", () => {
  // Columns of mean 2 and 0, standard deviations 1 and 2: standardised rows are (-1, 1), (1, -1).
  const data = { features: Float32Array.of(1, 2, 3, -2), labels: Int32Array.of(0, 1) };
  const { kernel, bias, epoch } = linearProbe(
    data,
    data,
    { classes: 2, epochs: 1, batchSize: 2, learningRate: 0.1, momentum: 0.9, weightDecay: 0.5 },
    random(),
  );
  // From zero: softmax is (1/2, 1/2), the gradient of row 0 is x (-1/2, 1/2), of row 1 x (1/2, -1/2).
  assertClose([...kernel], [-0.05, 0.05, 0.05, -0.05], 1e-12);
  assertClose([...bias], [0, 0], 1e-12);
  assertEquals(epoch, 0);
});

Deno.test("linearProbe() reads what is linear, nothing from noise, and does not ask for units", () => {
  const [train, validation, test] = ["train", "validation", "test"].map((name) => blobs(300, 6, 3, 4, name));
  const options = { classes: 3, epochs: 10 };
  const right = (found: Int32Array, labels: Int32Array) =>
    found.reduce((sum, label, n) => sum + (label === labels[n] ? 1 : 0), 0) / labels.length;
  const probe = linearProbe(train, validation, options, random());
  assert(right(probe.predict(test.features), test.labels) > 0.95);
  const scaled = ({ features, labels }: ProbeData): ProbeData => ({ features: features.map((x) => 8 * x - 4), labels });
  const other = linearProbe(scaled(train), scaled(validation), options, random());
  assertEquals(other.predict(scaled(test).features), probe.predict(test.features));
  const noise = (name: string) => blobs(300, 6, 3, 0, name);
  const blind = linearProbe(noise("a"), noise("b"), options, random());
  assert(right(blind.predict(noise("c").features), noise("c").labels) < 0.45);
});

Deno.test("linearProbe() keeps the epoch that validation likes best, the earliest of equals; constant columns do no harm", () => {
  const [train, validation] = ["train", "validation"].map((name) => blobs(60, 5, 3, 30, name));
  const constant = ({ features, labels }: ProbeData): ProbeData => ({
    features: Float32Array.from(
      { length: 6 * labels.length },
      (_, i) => i % 6 === 5 ? 7 : features[5 * Math.floor(i / 6) + i % 6],
    ),
    labels,
  });
  const probe = linearProbe(constant(train), constant(validation), { classes: 3, epochs: 8 }, random());
  assertEquals(probe.validationAccuracy, 1);
  assertEquals(probe.epoch, 0); // perfect at once, and so ever after
  assert(probe.kernel.every(Number.isFinite));
});
