import process from "node:process";
import * as tf from "@tensorflow/tfjs";
import { onnxEngine } from "../engines/onnx/engine.ts";
import { float32 } from "../core/program.ts";
const engine = onnxEngine({ threads: 1 });
const cpu = () => {
  const u = process.cpuUsage();
  return (u.user + u.system) / 1000;
};
for (const [n, size] of [[1, 1], [1, 262144], [12, 262144], [12, 10]] as const) {
  const state: any = {};
  const specs: any = {};
  for (let i = 0; i < n; i++) {
    state["s" + i] = float32(new Float32Array(size), [size]);
    specs["s" + i] = { shape: [size], dtype: "float32" };
  }
  const p = await engine.compile({
    name: "t",
    state: specs,
    inputs: { x: { shape: [], dtype: "float32" } },
    apply: (s, { x }) => ({
      state: Object.fromEntries(Object.entries(s).map(([k, v]) => [k, tf.add(v, x)])),
      outputs: { y: tf.add(x, 1) },
    }),
  });
  const st = engine.createState(state);
  const f = { x: float32([1], []) };
  for (let i = 0; i < 200; i++) await p.run(st, f);
  const N = 1000;
  const a = cpu();
  const w = performance.now();
  for (let i = 0; i < N; i++) await p.run(st, f);
  console.log(
    n,
    size,
    "cpu us/step",
    ((cpu() - a) / N * 1000).toFixed(1),
    "wall",
    ((performance.now() - w) / N * 1000).toFixed(1),
  );
}
