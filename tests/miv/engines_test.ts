import { float32, type NamedHostTensors } from "../../core/mod.ts";
import { Random } from "../../core/random.ts";
import { selectEngine } from "../../engines/mod.ts";
import { runEagerly } from "../../miv/mod.ts";
import { type Estimating, informationProgram } from "../helpers/estimators.ts";
import { assertClose } from "../helpers/tensors.ts";

const random = new Random(6);
const vectors = () => float32(Float32Array.from({ length: 5 * 40 }, () => random.normal()), [5, 40]);
const [a, b, c] = [vectors(), vectors(), vectors()];
const feeds: NamedHostTensors = {
  "part:a": a,
  "part:b": b,
  "part:c": c,
  fused: float32((a.data as Float32Array).map((value, i) => value + 0.5 * b.data[i] + 0.2 * c.data[i]), [5, 40]),
  weights: float32([1, 1, 1, 1, 0], [5]),
};

Deno.test("every estimator gives the same compiled as operation by operation, for one to three modalities", async () => {
  const { engine } = await selectEngine("onnx:cpu", { threads: 1 });
  const state = engine.createState({});
  try {
    const cases: Estimating[] = (["hard", "soft", "straight-through", "gaussian", "official"] as const).flatMap(
      (estimator) => (["sample", "batch"] as const).map((granularity) => ({ estimator, granularity })),
    );
    cases.push({ estimator: "hard", bins: 6, cmiBins: 3, norm: "mean", conditionalNorm: "sum", edges: "range" });
    // Tables of many cells are made and summed by other means than those of few.
    for (const estimator of ["hard", "soft"] as const) {
      cases.push({ estimator, bins: 8 }, { estimator, bins: 100, cmiBins: 20, granularity: "batch" });
    }
    for (const options of cases) {
      for (const modalities of [["a"], ["a", "b"], ["a", "b", "c"]]) {
        const program = informationProgram(modalities, 5, 40, options);
        const given = Object.fromEntries(Object.keys(program.inputs).map((name) => [name, feeds[name]]));
        const compiled = await engine.compile(program);
        const [fast, slow] = [await compiled.run(state, given), await runEagerly(program, given)];
        assertClose(fast["nmi"].data, slow["nmi"].data, 2e-5);
        assertClose(fast["ncmi"].data, slow["ncmi"].data, 5e-5);
        compiled.dispose();
      }
    }
  } finally {
    await engine.dispose();
  }
});
