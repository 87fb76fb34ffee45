/** Runs a fusion on given features without the harness. */
import * as tf from "@tensorflow/tfjs";
import type { Features, Fusion, FusionOutput, Keep, Solo } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import type { Mode, Scope } from "../../core/scope.ts";
import { bindScope, initialise } from "../../nn/mod.ts";

/** A fusion with parameters of its own start, or given ones. */
export interface Bound {
  readonly scope: Scope;
  readonly params: Record<string, tf.Tensor>;
  forward(features: Record<string, tf.Tensor>, keep?: Keep): FusionOutput;
  solo(features: Record<string, tf.Tensor>): Solo;
}

/** Pooled features of plain tensors. */
export function pooled(features: Record<string, tf.Tensor>): Record<string, Features> {
  return Object.fromEntries(Object.entries(features).map(([name, f]) => [name, { pooled: f as tf.Tensor2D }]));
}

/** Binds a fusion; without parameters they are initialised for these features. */
export function bind(
  fusion: Fusion,
  features: Record<string, tf.Tensor>,
  params?: Record<string, tf.Tensor>,
  mode: Mode = "train",
): Bound {
  const means = Object.fromEntries(
    Object.entries(features).map(([name, f]) => [name, tf.zeros([1, f.shape[1]!]) as tf.Tensor2D]),
  );
  const made = initialise((scope) => {
    fusion.forward(pooled(features), null, scope, means);
    fusion.solo?.(pooled(features), scope);
  }, {
    random: new Random(1),
    controls: {},
    abstract: (run) => {
      tf.tidy(() => {
        run();
      });
    },
  });
  const tensors = params ??
    Object.fromEntries(
      Object.entries(made.params).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], "float32")]),
    );
  const buffers = Object.fromEntries(
    Object.entries(made.buffers).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], "float32")]),
  );
  const { scope } = bindScope({ params: tensors, buffers, controls: {}, key: null, mode });
  return {
    scope,
    params: tensors,
    forward: (given, keep = null) => fusion.forward(pooled(given), keep, scope, means),
    solo: (given) => fusion.solo!(pooled(given), scope),
  };
}

/** How many numbers a fusion trains for such features. */
export function counted(fusion: Fusion, features: Record<string, tf.Tensor>): number {
  return Object.values(bind(fusion, features).params).reduce((sum, { size }) => sum + size, 0);
}
