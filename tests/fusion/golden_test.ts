/** Fusions against NumPy, on parameters that both sides compute. */
import * as tf from "@tensorflow/tfjs";
import { assertThrows } from "@std/assert";
import type { FusionPlugin } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { bigated, centralnet, decision, film, gated, mmtm } from "../../fusion/mod.ts";
import { Random } from "../../core/random.ts";
import { bindScope, initialise } from "../../nn/mod.ts";
import { bind } from "../helpers/fusion.ts";
import { assertClose, golden, values, wave } from "../helpers/tensors.ts";

interface Golden {
  decision: Record<"logit" | "probability" | "weighted" | "withoutFirst", number[]>;
  film: Record<"residual" | "plain", number[]>;
  gated: number[];
  bidirectional: number[];
  bilinear: number[];
  mmtm: number[][];
  centralnet: { fused: number[]; logits: number[] };
}
const reference = golden<Golden>("fusion");
const names = ["audio", "image", "text"];
const widths = [4, 5, 6];
const context = { modalities: names, classes: 2 };
const features = (count = 3) =>
  Object.fromEntries(names.slice(0, count).map((name, u) => [name, wave([3, widths[u]], 1, 0.1 * u)]));
const head = (width: number) => ({ "head/kernel": wave([width, 2], 0.5, 2), "head/bias": wave([2], 0.2, 3) });
const logitsOf = (
  plugin: FusionPlugin,
  options: Record<string, unknown>,
  params: Record<string, tf.Tensor>,
  keep: Record<string, tf.Tensor2D> | null = null,
) => values(bind(plugin.create(options, context), features(), params).forward(features(), keep).logits);

const heads = () =>
  Object.fromEntries(names.flatMap((name, u) => [
    [`head:${name}/kernel`, wave([widths[u], 2], 0.4, 0.2 * u)],
    [`head:${name}/bias`, wave([2], 0.2, 3 + u)],
  ]));

Deno.test("decision averages logits, probabilities or with weights; a dropped head leaves the average", () => {
  tf.tidy(() => {
    assertClose(logitsOf(decision, {}, heads()), reference.decision.logit);
    assertClose(logitsOf(decision, { average: "probability" }, heads()), reference.decision.probability);
    const weighted = { average: "weighted", weights: [2, 1, 1] };
    assertClose(logitsOf(decision, weighted, heads()), reference.decision.weighted);
    const keep = Object.fromEntries(names.map((name, u) => [name, tf.fill([3, 1], u === 0 ? 0 : 1) as tf.Tensor2D]));
    assertClose(logitsOf(decision, {}, heads(), keep), reference.decision.withoutFirst);
  });
  assertThrows(
    () => decision.create({ average: "weighted", weights: [1] }, context),
    Refusal,
    "weighted needs one positive weight for each of audio, image, text: found [1]",
  );
});

Deno.test("film scales and shifts its target by the sum of the others, with and without the 1", () => {
  tf.tidy(() => {
    const params = {
      ...Object.fromEntries([0, 2].flatMap((u) => [
        [`fusion/${names[u]}/kernel`, wave([widths[u], 10], 0.3, 0.5 * u)],
        [`fusion/${names[u]}/bias`, wave([10], 0.2, u)],
      ])),
      ...head(5),
    };
    assertClose(logitsOf(film, {}, params), reference.film.residual);
    assertClose(logitsOf(film, { residualGamma: false, target: "image" }, params), reference.film.plain);
  });
  assertThrows(
    () => film.create({ target: "video" }, context),
    Refusal,
    'with target "video" as the target must be a modality: modalities are audio',
  );
});

Deno.test("gated, its bidirectional and its bilinear form", () => {
  tf.tidy(() => {
    const params = (count: number, width: number) =>
      Object.fromEntries(
        names.slice(0, count).flatMap((name, u) => [
          [`fusion/${name}/kernel`, wave([widths[u], width], 0.4, 0.2 * u)],
          [`fusion/${name}/bias`, wave([width], 0.1, u)],
        ]),
      );
    assertClose(logitsOf(gated, { width: 7 }, { ...params(3, 7), ...head(7) }), reference.gated);
    assertClose(logitsOf(bigated, { width: 7 }, { ...params(3, 7), ...head(7) }), reference.bidirectional);
    const two = { modalities: names.slice(0, 2), classes: 2 };
    const bilinear = bigated.create({ variant: "bilinear-gated", rank: 3 }, two);
    const bound = bind(bilinear, features(2), { ...params(2, 3), ...head(9) });
    assertClose(values(bound.forward(features(2)).logits), reference.bilinear);
  });
  assertThrows(
    () => gated.create({ variant: "bilinear-gated" }, context),
    Refusal,
    "defined for two modalities: found 3",
  );
});

Deno.test("mmtm gates maps with two, one and no spatial axes", () => {
  tf.tidy(() => {
    const channels = [2, 3, 4];
    const maps = { audio: wave([3, 4, 3, 2], 1, 0.1), image: wave([3, 5, 3], 1, 0.2), text: wave([3, 4], 1, 0.3) };
    const params = {
      "fusion/mmtm1/squeeze/kernel": wave([9, 4], 0.5, 1),
      "fusion/mmtm1/squeeze/bias": wave([4], 0.1, 2),
      ...Object.fromEntries(names.flatMap((name, u) => [
        [`fusion/mmtm1/excite/${name}/kernel`, wave([4, channels[u]], 0.5, 3 + u)],
        [`fusion/mmtm1/excite/${name}/bias`, wave([channels[u]], 0.1, 4 + u)],
      ])),
    };
    const buffers = Object.fromEntries(
      names.map((name, u) => [`fusion/mmtm1/${name}/squeeze-mean`, tf.zeros([1, channels[u]])]),
    );
    const bound = bindScope({ params, buffers, controls: {}, key: null, mode: "train" });
    const fusion = mmtm.create({ stages: 1 }, context);
    const gates = fusion.channelGates!(0, maps, null, bound.scope);
    names.forEach((name, u) => {
      const map = maps[name as keyof typeof maps];
      const shape = [3, ...new Array(map.rank - 2).fill(1), channels[u]];
      assertClose(values(tf.mul(map, tf.reshape(gates[name], shape))), reference.mmtm[u]);
    });
    // The running mean takes a tenth of the batch's mean squeeze vector.
    const text = values(tf.mul(tf.mean(maps.text, 0), 0.1));
    assertClose(values(bound.updates()["fusion/mmtm1/text/squeeze-mean"]), text);
  });
});

Deno.test("centralnet mixes the central state with every modality's at each stage", () => {
  tf.tidy(() => {
    const two = names.slice(0, 2);
    const fusion = centralnet.create({ stages: 2, width: 4 }, { modalities: two, classes: 2 });
    const params: Record<string, tf.Tensor> = { ...head(4) };
    for (const l of [0, 1]) {
      two.forEach((name, u) => {
        params[`fusion/level${l + 1}/${name}/kernel`] = wave([3, 4], 0.5, l + u);
        params[`fusion/level${l + 1}/${name}/bias`] = wave([4], 0.1, l + u);
        params[`fusion/level${l + 1}/mix/${name}`] = tf.scalar(0.3 + 0.1 * u);
        params[`head:${name}/kernel`] = tf.zeros([3, 2]);
        params[`head:${name}/bias`] = tf.zeros([2]);
      });
      params[`fusion/level${l + 1}/mix/central`] = tf.scalar(0.7);
      params[`fusion/level${l + 1}/kernel`] = wave([4, 4], 0.6, 5 + l);
    }
    const given = Object.fromEntries(two.map((name, u) => [name, {
      pooled: tf.zeros([3, 1]) as tf.Tensor2D,
      stages: [0, 1].map((l) => wave([3, 2, 3], 1, 0.1 * l + u)),
    }]));
    const { scope } = bindScope({ params, buffers: {}, controls: {}, key: null, mode: "train" });
    const output = fusion.forward(given, null, scope, {});
    assertClose(values(output.fused), reference.centralnet.fused);
    assertClose(values(output.logits), reference.centralnet.logits);
    // A dropped modality's term is gone, as if its mixing weight were 0.
    const keep = { audio: tf.zeros([3, 1]) as tf.Tensor2D, image: tf.ones([3, 1]) as tf.Tensor2D };
    const without = fusion.forward(given, keep, scope, {});
    const unmixed = Object.fromEntries(
      Object.entries(params).map(([name, value]) => [name, name.endsWith("mix/audio") ? tf.scalar(0) : value]),
    );
    const { scope: other } = bindScope({ params: unmixed, buffers: {}, controls: {}, key: null, mode: "train" });
    assertClose(values(without.fused), values(fusion.forward(given, null, other, {}).fused));
    // At the start a level takes the mean over the modalities and the central state.
    const start = initialise((own) => void fusion.forward(given, null, own, {}), {
      random: new Random(1),
      controls: {},
      abstract: (run) => void tf.tidy(() => run()),
    });
    assertClose(start.params["fusion/level2/mix/image"].data, [1 / 3]);
  });
});
