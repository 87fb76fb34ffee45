/** What makes a graph illegal, each by a graph that is legal but for that. */
import { assertThrows } from "@std/assert";
import { constantValue, type Graph, inputValue, makeNode } from "../../engines/onnx/graph/ir.ts";
import { MAX_CONSTANT_BYTES, verify } from "../../engines/onnx/graph/verify.ts";

const spec = { shape: [3], dtype: "float32" } as const;

/** x + x, plus whatever a node adds that is made by the two values. */
function graphOf(change: Partial<Graph> = {}): Graph {
  const x = inputValue(spec);
  const node = makeNode("Add", [x, x], {}, [spec]);
  return {
    stage: "lowered",
    inputs: [{ name: "x", value: x }],
    nodes: [node],
    outputs: [{ name: "y", value: node.outputs[0] }],
    ...change,
  };
}

const illegal = (graph: Graph, text: string) => assertThrows(() => verify(graph, "a test"), Error, text);

Deno.test("verify() refuses values that are used before they are made or never made", () => {
  verify(graphOf(), "a test");
  const x = inputValue(spec);
  const first = makeNode("Add", [x, x], {}, [spec]);
  const second = makeNode("Mul", [first.outputs[0], x], {}, [spec]);
  const graph = { inputs: [{ name: "x", value: x }], outputs: [{ name: "y", value: second.outputs[0] }] };
  verify(graphOf({ ...graph, nodes: [first, second] }), "a test");
  illegal(graphOf({ ...graph, nodes: [second, first] }), "Mul uses a value before it is made");
  illegal(graphOf({ ...graph, nodes: [first] }), 'output "y" is never made');
});

Deno.test("verify() refuses a constant of more than 64 KiB, and takes one of 64 KiB", () => {
  const sized = (count: number) => {
    const x = inputValue({ shape: [count], dtype: "float32" });
    const large = constantValue([count], "float32", new Float32Array(count));
    const node = makeNode("Add", [x, large], {}, [{ shape: [count], dtype: "float32" }]);
    return graphOf({
      inputs: [{ name: "x", value: x }],
      nodes: [node],
      outputs: [{ name: "y", value: node.outputs[0] }],
    });
  };
  verify(sized(MAX_CONSTANT_BYTES / 4), "a test");
  illegal(sized(MAX_CONSTANT_BYTES / 4 + 1), "of 65540 bytes; at most 65536 are allowed");
});

Deno.test("verify() refuses outputs of another shape or type than the operator gives", () => {
  for (const wrong of [{ shape: [4], dtype: "float32" }, { shape: [3], dtype: "int32" }] as const) {
    const x = inputValue(spec);
    const node = makeNode("Add", [x, x], {}, [wrong]);
    const outputs = [{ name: "y", value: node.outputs[0] }];
    illegal(
      graphOf({ inputs: [{ name: "x", value: x }], nodes: [node], outputs }),
      "Add gives float32[3], its output says",
    );
  }
});
