/** What every fusion must hold inside the harness: masks, readouts, batches. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Scope } from "../../core/scope.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { bindScope, initialise } from "../../nn/mod.ts";
import { forward, lossTerms, misfit, type Model, soloOf, subsetKeep, train, trainStep } from "../../training/mod.ts";
import { assertClose, values, wave } from "../helpers/tensors.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

const library = createLibrary();
const CONTROLS = { learningRate: 0.1, epoch: 0, progress: 0 };

interface Ready {
  run(
    inputs: Record<string, tf.Tensor>,
    kept?: readonly string[],
    mode?: "train" | "eval",
    weights?: tf.Tensor1D,
  ): ReturnType<typeof forward>;
  readonly params: Record<string, tf.Tensor>;
}

function ready(model: Model, inputs: Record<string, tf.Tensor>): Ready {
  const rows = () => tf.ones([1, 1]) as tf.Tensor2D;
  const made = initialise((scope) => {
    const { step } = forward(model, { inputs, keep: null, rows }, scope);
    step.solo();
  }, {
    random: new Random(1),
    controls: CONTROLS,
    abstract: (run) => {
      tf.tidy(() => {
        run();
      });
    },
  });
  const device = (host: typeof made.params, fill?: number) =>
    Object.fromEntries(
      Object.entries(host).map(([name, { data, shape }]) => [
        name,
        fill === undefined ? tf.tensor(data, [...shape], "float32") : tf.fill([...shape], fill),
      ]),
    );
  const params = device(made.params);
  // Running means that are not zero, so that leaking one would show.
  const buffers = device(made.buffers, 0.3);
  const controls = Object.fromEntries(Object.entries(CONTROLS).map(([name, value]) => [name, tf.scalar(value)]));
  return {
    params,
    run(given, kept, mode = "eval", weights) {
      const { scope } = bindScope({ params, buffers, controls, key: null, mode, weights });
      const batch = Object.values(given)[0].shape[0];
      const keep = kept === undefined ? null : subsetKeep(model.context.modalities, kept, batch);
      return forward(model, { inputs: given, keep, rows }, scope);
    },
  };
}

/** The numbers of modalities, of 2 to 4, that a fusion does not refuse. */
const served = (fusion: string) =>
  [2, 3, 4].filter((m) => {
    try {
      library.of("fusion").get(fusion).create({}, { modalities: ["a", "b", "c", "d"].slice(0, m), classes: 2 });
      return true;
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  });

for (const fusion of library.of("fusion").names()) {
  for (const m of served(fusion)) {
    Deno.test(`${fusion} with ${m} modalities in the harness: masks, readouts, other rows, padding`, async () => {
      const dataset = await toyDataset(m);
      const model = toyModel(library, dataset, fusion, [], { ...library.of("fusion").get(fusion).tiny });
      const { modalities } = model.context;
      tf.tidy(() => {
        const inputs = Object.fromEntries(
          modalities.map((name, u) => [name, wave([5, dataset.modalities[name].shape[0]], 1, u)]),
        );
        const bound = ready(model, inputs);
        const full = values(bound.run(inputs).step.output.logits);

        // A dropped modality has no influence, whatever it holds; keeping all is the same as no mask.
        const [dropped, ...kept] = modalities;
        const without = bound.run(inputs, kept).step.output.logits;
        const changed = { ...inputs, [dropped]: tf.add(tf.mul(inputs[dropped], -3), 5) };
        assertEquals(values(bound.run(changed, kept).step.output.logits), values(without));
        assertNotEquals(values(without), full);
        assertClose(values(bound.run(inputs, modalities).step.output.logits), full, 1e-5);

        // In evaluation a sample's output does not depend on the batch's other rows.
        const one = Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, tf.slice(x, [2, 0], [1, -1])]));
        assertClose(values(bound.run(one).step.output.logits), full.slice(6, 9), 1e-5);

        // Solo readouts and parts have their shapes; parts of fusions that are sums add up to the fused feature.
        const { step } = bound.run(inputs);
        const solo = step.solo();
        for (const modality of modalities) {
          assertEquals(solo.logits[modality].shape, [5, 3]);
          assertEquals(solo.parts[modality].shape, solo.fused.shape);
        }
        const { kernels, late, solo: own } = model.fusion;
        const sums = kernels !== undefined || late && step.output.fused === step.output.logits;
        if (sums && own !== undefined) {
          assertClose(values(tf.addN(Object.values(solo.parts))), values(solo.fused), 1e-4);
          const { solo: _, ...derived } = model.fusion;
          const zero = { ...model, fusion: { ...derived, soloMode: "ablate-zero" as const } };
          // The readout derived from masks exists too, with the same shapes.
          assertEquals(soloOf(zero, step.features, step.scope, step.subset).logits[dropped].shape, [5, 3]);
        }

        // A padded row moves neither the loss nor any gradient.
        const labels = tf.tensor1d([0, 1, 2, 0, 1], "int32");
        const gradients = (rows: Record<string, tf.Tensor>, y: tf.Tensor1D, w: tf.Tensor1D) => {
          const pass = record(() => {
            const { step: own } = bound.run(rows, undefined, "train", w);
            return Object.values(lossTerms(model, trainStep(own, y, w)).terms).reduce((a, b) => tf.add(a, b));
          });
          const names = Object.keys(bound.params).sort();
          const found = pass.gradients(pass.value, names.map((name) => bound.params[name]));
          pass.dispose();
          return { loss: values(pass.value), found: Object.fromEntries(names.map((name, i) => [name, found[i]])) };
        };
        const plain = gradients(inputs, labels, tf.ones([5]));
        const padded = Object.fromEntries(
          Object.entries(inputs).map(([name, x]) => [name, tf.concat([x, tf.fill([2, x.shape[1]!], 9)], 0)]),
        );
        const masked = gradients(
          padded,
          tf.concat([labels, tf.tensor1d([2, 2], "int32")]) as tf.Tensor1D,
          tf.tensor1d([1, 1, 1, 1, 1, 0, 0]),
        );
        assertClose(masked.loss, plain.loss, 1e-5);
        for (const modality of modalities) {
          const name = `encoder:${modality}/hidden1/kernel`;
          assertClose(values(masked.found[name]), values(plain.found[name]), 1e-4);
          assert(values(plain.found[name]).some((value) => value !== 0), `${modality} gets no gradient`);
        }
      });
    });
  }
}

Deno.test("derived readouts run a fusion of all modalities once, and again where training differs from evaluation", async () => {
  const dataset = await toyDataset(2);
  const plain = toyModel(library, dataset, "tfn", [], { ...library.of("fusion").get("tfn").tiny });
  /** Runs of the fusion for readouts, and the fused feature that their parts are compared with. */
  const runs = (differs: (scope: Scope) => unknown, mode: "train" | "eval") => {
    let count = 0;
    const { forward: given } = plain.fusion;
    const model: Model = {
      ...plain,
      fusion: {
        ...plain.fusion,
        forward(features, keep, scope, means) {
          count++;
          differs(scope.group("fusion").in("part"));
          return given(features, keep, scope, means);
        },
      },
    };
    return tf.tidy(() => {
      const inputs = Object.fromEntries(
        plain.context.modalities.map((name, u) => [name, wave([5, dataset.modalities[name].shape[0]], 1, u)]),
      );
      const { step } = ready(model, inputs).run(inputs, undefined, mode);
      count = 0;
      const { fused } = step.solo();
      return { count, fused: values(fused) };
    });
  };
  // None, each of two, and all: the last is what the step itself ran.
  const once = runs(() => {}, "train");
  assertEquals(once.count, 3);
  for (
    const differs of [
      (scope: Scope) => scope.mode,
      (scope: Scope) => scope.weights(),
      (scope: Scope) => scope.update("mean", tf.add(scope.buffer("mean", [1], () => new Float32Array(1)), 1)),
      (scope: Scope) => scope.as("eval"),
    ]
  ) {
    const again = runs(differs, "train");
    assertEquals(again.count, 4);
    assertClose(again.fused, once.fused, 1e-6);
    assertEquals(runs(differs, "eval").count, 3);
  }
});

Deno.test("misfit() names fusion, encoder and what is lacking", async () => {
  const dataset = await toyDataset(2);
  const model = toyModel(library, dataset, "concat", []);
  const mmtm = library.of("fusion").get("mmtm").create({}, model.context);
  assertEquals(
    misfit(mmtm, "mmtm", model.encoders, { audio: "mlp", image: "mlp" })?.refusal.message,
    'Cannot use fusion "mmtm" with encoder "mlp" of modality "audio" as the fusion looks at the 3 deepest stages: the encoder has 1 with these options',
  );
  assertEquals(misfit(model.fusion, "concat", model.encoders, { audio: "mlp", image: "mlp" }), null);
});

Deno.test("a fusion that needs features of one width says which they are", async () => {
  const dataset = await toyDataset(2);
  const model = toyModel(library, dataset, "concat", []);
  const picky: Model = { ...model, fusion: { ...model.fusion, needs: { equalWidths: true } } };
  const inputs = { audio: tf.zeros([2, 5]), image: tf.zeros([2, 7]) };
  const run = (scope: Scope) => void forward(picky, { inputs, keep: null, rows: () => tf.zeros([2, 1]) }, scope);
  assertThrows(
    () => initialise(run, { random: new Random(1), controls: {}, abstract: (build) => void tf.tidy(() => build()) }),
    Refusal,
    "Cannot fuse as this fusion needs features of one width: found audio 8, image 9",
  );
});

Deno.test("train refuses encoders that give less than the fusion reads, before anything runs", async () => {
  const dataset = await toyDataset(2);
  const model = toyModel(library, dataset, "mmtm", []);
  const { encoders } = toyModel(library, dataset, "concat", []);
  const short = {
    ...model,
    encoders: { ...model.encoders, image: { ...encoders.image, stages: [encoders.image.stages[0]] } },
  };
  const engine = await onnxCpu.create();
  await assertRejects(
    () => train({ model: short, dataset, engine, training: toyTraining, seed: 0 }),
    Refusal,
    'Cannot put modality "image" into this model as the fusion looks at the 3 deepest stages: the encoder has 1',
  );
  await engine.dispose();
});
