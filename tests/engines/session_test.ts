/** Both ways to call the runtime, one of which only machines without foreign functions take. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals } from "@std/assert";
import { float32, int32, type NamedHostTensors } from "../../core/program.ts";
import { lower } from "../../engines/onnx/lower.ts";
import { inputName, outputName, writeOnnx } from "../../engines/onnx/onnx_writer.ts";
import { createSession, indirectly, RuntimeTensor, type Session, throughPackage } from "../../engines/onnx/session.ts";
import { trace } from "../../engines/onnx/trace.ts";

Deno.test("calls through the runtime's Node package give the bits that direct calls give", async () => {
  assertEquals(indirectly, null, "direct calls are what this machine must have for the comparison");
  const feeds: NamedHostTensors = {
    x: float32(Float32Array.from({ length: 6 }, (_, i) => Math.sin(i)), [2, 3]),
    w: float32(Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)), [3, 4]),
    i: int32([1, 0], [2]),
  };
  const graph = lower(trace(feeds, ({ x, w, i }) => {
    const h = tf.softmax(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D));
    return {
      h,
      scalar: tf.sum(h),
      rows: tf.gather(h, i as tf.Tensor1D),
      hits: tf.argMax(h, 1),
      truth: tf.greater(h, 0.3),
    };
  }));
  const model = writeOnnx(graph, "both");
  const names = [graph.inputs.map((_, k) => inputName(k)), graph.outputs.map((_, k) => outputName(k))] as const;
  const run = async (session: Session) => {
    const outputs = graph.outputs.map(({ value }) => RuntimeTensor.empty(value.shape, value.dtype as "float32"));
    await session.run(graph.inputs.map(({ name }) => new RuntimeTensor(feeds[name])), outputs);
    await session.release();
    return outputs.map((output) => [output.shape, output.dtype, [...output.data]]);
  };
  assertEquals(
    await run(await throughPackage(model, ...names, { threads: 1 }, { optimise: true })),
    await run(await createSession(model, ...names, { threads: 1 })),
  );
});
