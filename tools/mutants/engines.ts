/**
 * Mistakes in `engines/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const parity = ["tests/engines/parity_test.ts"];
const passes = ["tests/engines/passes_test.ts"];
const contract = ["tests/engines/contract_test.ts"];
const jit = ["tests/engines/jit_test.ts"];
const sums = ["tests/engines/long_sums_test.ts"];
const indices = ["tests/engines/indices_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("engines/log_sum_exp_kernel.ts", ["tests/engines/nan_test.ts"], [
    ["if (!insideLogSumExp())", "if (true)"],
    ["if (!insideLogSumExp())", "if (false)"],
    ["t: k.zeros(b.shape), e: b", "t: b, e: b"],
  ]),
  ...mutantsOf("engines/nan_kernels.ts", ["tests/engines/nan_test.ts"], [
    ["if (first !== second) return first ? -1 : 1;", ""],
    ["at(b) > at(a) ? 1 : -1", "at(b) > at(a) ? -1 : 1"],
    ["if (odd.length === 0) return own;", "return own;"],
    [
      'const condition = k.run("Greater", { a: places, b: k.scalar(0) });',
      'const condition = k.run("Less", { a: places, b: k.scalar(0) });',
    ],
    ["return withNan(k, largest(k, { x: places }, attrs), values);", "return values;"],
    ["t: first, e: own", "t: own, e: first"],
    ['Max: reduction("Max", -Infinity)', 'Max: reduction("Max", 0)'],
    ['Mean: reduction("Mean", NaN)', 'Mean: reduction("Mean", 0)'],
    ['Maximum: elementwise("Maximum"),', ""],
    ['ClipByValue: elementwise("ClipByValue"),', ""],
    ["Sign: sign,", ""],
  ]),
  ...mutantsOf("engines/onnx/in_place.ts", ["tests/engines/in_place_test.ts"], [
    ["inputs[at] = waiting(", "inputs[at] ??= waiting("],
    ['if (own.join() === "2") return', "if (own.length === 1) return"],
    ["if (elementwise && node.inputs.some((input) => isProductOf(input, values))) return null;", ""],
    ["if (after.some((reader) => neededBy(reader, writes).has(node))) continue;", ""],
    ["sizeOf(shape) < least", "false"],
  ]),
  ...mutantsOf("engines/onnx/engine.ts", ["tests/engines/in_place_test.ts"], [
    ["if (this.#outputs.some(({ inPlace }) => inPlace)) state.broken = error;", ""],
    ["else if (!inPlace) state.swap(name);", "else state.swap(name);"],
  ]),
  ...mutantsOf("engines/check.ts", ["tests/engines/check_test.ts"], [
    ["!(data instanceof wanted)", "false"],
    ["if (data.length !== sizeOf(shape)) refuse", "if (data.length < sizeOf(shape)) refuse"],
    ["if (data[i] > 1) refuse", "if (data[i] > 255) refuse"],
    ["if (!Object.hasOwn(arrays, dtype)) refuse", "if (false) refuse"],
    ['checkHost(what, `input "${name}"`, found);', ""],
    ['checkHost(what, "it", value);', ""],
    ['checkHost("make a state", `"${name}"`, value);', "void [name, value];"],
    ["Number.isInteger(extent) && extent >= 0", "Number.isInteger(extent)"],
    [
      "if (unknown !== undefined) {\n    throw new Refusal({ what, found: `input",
      "if (unknown === null) {\n    throw new Refusal({ what, found: `input",
    ],
    ["found === undefined || !same(found, spec)", "found === undefined"],
    ["Object.hasOwn(specs, name) ? specs[name] : undefined", "specs[name]"],
    ["!Object.hasOwn(held, name)", "held[name] === undefined"],
  ]),
  ...mutantsOf("engines/onnx/jit.ts", jit, [
    ['checkHost(`call ${name}`, `input "${key}"`, value);', "void key, value;"],
    ["Object.keys(inputs).sort().map(", "Object.keys(inputs).map("],
    ["${inputs[name].dtype}[${inputs[name].shape}]", "[${inputs[name].shape}]"],
    ["breaks++;", ""],
    ["retraces: Math.max(0, compiled.size - 1)", "retraces: compiled.size"],
    ["hits++;", ""],
  ]),
  ...mutantsOf("engines/onnx/engine.ts", contract, [
    ["data: take ? data : data.slice(), shape, dtype }),", "data, shape, dtype }),"],
    ["else if (!inPlace) state.swap(name);", "else void name;"],
    ["if (buffer !== null) outputs[name] = buffer.copy();", "if (buffer !== null) outputs[name] = buffer;"],
    ["checkState(program, state.specs);\n    checkFeeds", "checkFeeds"],
    [
      "return await state.turns.next(() => {\n      if (this.#disposed)",
      "return await (async (work: () => Promise<NamedHostTensors>) => await work())(() => {\n      if (this.#disposed)",
    ],
    [
      "const copies = Object.entries(values).map(([name, { data }]) => [name, data.slice()] as const);",
      "const copies = Object.entries(values).map(([name, { data }]) => [name, data] as const);",
    ],
  ]),
  ...mutantsOf("engines/eager.ts", contract, [
    ["for (const [name, tensor] of Object.entries(next)) state.replace(name, tensor);", ""],
    [
      "return tf.tensor(host.data.slice(), [...host.shape], host.dtype);",
      "return tf.tensor(host.data, [...host.shape], host.dtype);",
    ],
    ["for (const tensor of Object.values(tensors)) tensor.dispose();", "void tensors;"],
    ['const copy = dtype === "bool" ? Uint8Array.from(data) : data.slice();', "const copy = data.slice();"],
  ]),
  ...mutantsOf("engines/staged_sum.ts", sums, [
    ["const LONG = 2 ** 14;", "const LONG = 2 ** 30;"],
    ["const PART = 16;", "const PART = 4096;"],
    ["k.transpose(x, [...kept, ...axes])", "k.transpose(x, x.shape.map((_, axis) => axis))"],
  ]),
  ...mutantsOf("engines/index_checks.ts", indices, [
    ["numbers[i] >= 0 && numbers[i] < extent", "numbers[i] < extent"],
    ["numbers[i] >= 0 && numbers[i] < extent", "numbers[i] >= 0 && numbers[i] <= extent"],
    ["const extent = extents[i % extents.length];", "const extent = extents[0];"],
    ["ScatterNd: checked(", "ScatterNdX: checked("],
    ["SparseToDense: checked(", "SparseToDenseX: checked("],
    ["TensorScatterUpdate: checked(", "TensorScatterUpdateX: checked("],
  ]),
  ...mutantsOf("engines/onnx/passes/long_sums.ts", sums, [
    ["const LONG = 2 ** 14;", "const LONG = 2 ** 30;"],
    ["const LONG = 2 ** 14;", "const LONG = 2 ** 10;"],
    ["const CHAINS = 4;", "const CHAINS = 1;"],
    ["const ROW = 128;", "const ROW = 8192;"],
    ["const ROWS = 32;", "const ROWS = 4096;"],
    ["size = Math.ceil(extent / part) * part;", "size = Math.floor(extent / part) * part;"],
    ['op === "ReduceMean" ? b.op("Div", [sum, b.scalar(count)]) : sum', "sum"],
    ['reduce = "ReduceSum";', ""],
    ['op === "ReduceSumSquare" ? op : "ReduceSum"', '"ReduceSum"'],
    [
      "if (last?.summed === summed) groups",
      "if (last?.summed === true && summed) groups",
      "kept neighbours apart are summed alike",
    ],
  ]),
  ...mutantsOf("engines/onnx/passes/long_sums.ts", passes, [
    ['axes === null || x.dtype !== "float32"', "axes === null"],
  ]),
  ...mutantsOf("engines/onnx/passes/fold_constants.ts", passes, [
    ["const MOST_ELEMENTS = 1024;", "const MOST_ELEMENTS = 65536;"],
    ["Div: (x, y) => x / y,", "Div: (x, y) => y / x,"],
    ["Sqrt: Math.sqrt,", "Sqrt: (x) => x,"],
  ]),
  ...mutantsOf("engines/onnx/passes/scatter_into.ts", passes, [
    ["isZeros(value.node.inputs[0]) && uses.of(value) === 1", "isZeros(value.node.inputs[0])"],
    ["if (sum === null || !sameShape(other.shape, sum.shape)) return null;", "if (sum === null) return null;"],
  ]),
  ...mutantsOf("engines/onnx/passes/rejoined.ts", passes, [
    ["return sizeOf(shape.slice(0, axis)) === 1;", "return true;"],
    ["place + k < pieces.length && piece(pieces[place + k]) === output", "place + k < pieces.length"],
  ]),
  ...mutantsOf("engines/onnx/passes/multiply_add.ts", passes, [
    ['node.op === "Add" ? factor : b.op("Neg", [factor])', "factor"],
    ["uses.of(value) !== 1) return null;", "false) return null;"],
    ["!sameShape(x.shape, y.shape)", "false"],
  ]),
  ...mutantsOf("engines/onnx/passes/relu.ts", passes, [
    ["op === undefined || !planar || uses.of(x) !== 1", "op === undefined || !planar"],
    ["activated.has(x) && isZero(limit)", "activated.has(x)"],
  ]),
  ...mutantsOf("engines/onnx/passes/turned_factors.ts", passes, [
    ["k <= BLOCK || columns > NARROW", "true"],
    ["k * m * n < LEAST_PRODUCTS", "false"],
    ["first <= second", "true"],
    ["third.map((matrix) => turned(b, matrix))", "third"],
    ["[2, 0, 1]", "[2, 1, 0]"],
  ]),
  ...mutantsOf("engines/onnx/passes/scale_and_shift.ts", passes, [
    [
      "const [x, y] = node.inputs as readonly Value[];\n    for",
      "const [y, x] = node.inputs as readonly Value[];\n    for",
      "the sum is looked at both ways round",
    ],
    ['"BatchNormalization", inputs, { epsilon: 0 }', '"BatchNormalization", inputs, { epsilon: 0.01 }'],
    [
      "const inputs = [map, perChannel(scale), perChannel(shift), vector(0), vector(1)];",
      "const inputs = [map, perChannel(scale), perChannel(scale), vector(0), vector(1)];",
    ],
  ]),
  ...mutantsOf("engines/onnx/passes/group_updates.ts", passes, [
    [
      "update === null ? [] : [{ update, port, value }]",
      "update === null || port > 3 ? [] : [{ update, port, value }]",
    ],
    [
      "})${JSON.stringify(node.attributes)}`,",
      "})`,",
      "Cast alone of these operations has attributes, and what is not float32 is no operand",
    ],
    ["outputs[group[member].port] = value", "outputs[group[0].port] = value"],
  ]),
  ...mutantsOf("engines/onnx/trace/attributes.ts", ["tests/engines/trace_shapes_test.ts"], [
    ["tf.slice_util.assertParamsValid(info, begin, size);", ""],
  ]),
  ...mutantsOf("engines/onnx/trace/attributes.ts", parity, [
    [
      "[...new Set(list.map((a) => a < 0 ? a + rank : a))].sort((a, b) => a - b)",
      "[...new Set(list)].sort((a, b) => a - b)",
    ],
    ['keepDims: raw["keepDims"] === true,', "keepDims: false,"],
    ['exclusive: raw["exclusive"] === true,', "exclusive: false,"],
    ['reverse: raw["reverse"] === true,', "reverse: false,"],
    ['transposeB: raw["transposeB"] === true,', "transposeB: false,"],
    ['alpha: (raw["leakyreluAlpha"] ?? 0) as number', "alpha: 0"],
    ['halfPixelCenters: raw["halfPixelCenters"] === true,', "halfPixelCenters: false,"],
    ['Step: (raw) => ({ alpha: (raw["alpha"] ?? 0) as number }),', "Step: () => ({ alpha: 0 }),"],
    ['batchDims: (raw["batchDims"] ?? 0) as number,', "batchDims: 0,"],
    ['value: (raw["constantValue"] ?? 0) as number,', "value: 0,"],
    ['reflect: raw["mode"] === "reflect"', "reflect: true"],
    ['epsilon: (raw["varianceEpsilon"] ?? 0.001) as number', "epsilon: 0.001"],
    ['includeBatch: raw["includeBatchInIndex"] === true,', "includeBatch: false,"],
    ['right: raw["side"] === "right"', "right: false"],
    ["const at = dim < 0 ? shape.length + dim + 1 : dim;", "const at = dim < 0 ? shape.length + dim : dim;"],
  ]),
  ...mutantsOf("engines/onnx/lower/elementwise.ts", parity, [
    ['b.where(b.op("IsNaN", [x]), x, step)', "step"],
    [
      'b.op("Min", [b.op("Max", [x, b.scalar(low, x.dtype)]), b.scalar(high, x.dtype)])',
      'b.op("Max", [x, b.scalar(low, x.dtype)])',
    ],
    ['b.where(b.op("Or", [small, infinite]), b.where(small, x, log), b.op("Mul", [log, ratio]))', "log"],
    [
      'const quotient = b.op("Round", [b.op("Div", [b.op("Sub", [x, rest]), y])]);',
      'const quotient = b.op("Round", [b.op("Div", [x, y])]);',
    ],
    ['return b.op("Sub", [quotient, b.cast(opposite, "float32")]);', "return quotient;"],
    ['b.where(differ, b.op("Mod", [b.op("Add", [rest, y]), y], { fmod: 1 }), rest)', "rest"],
  ]),
  ...mutantsOf("engines/onnx/lower/reduction.ts", ["tests/engines/nan_test.ts"], [
    ["b.where(any, first, place)", "place"],
    ['b.op("Mul", [x, b.scalar(0.5)]), b.scalar(3.4028234663852886e38)', "x, b.scalar(3.4028234663852886e38)"],
  ]),
  ...mutantsOf("engines/onnx/lower/reduction.ts", parity, [
    ['return b.where(by("ReduceMax")(b, b.op("IsNaN", [x]), attributes), b.scalar(NaN), value);', "return value;"],
    ['Max: reduction(same, extremum("ReduceMax"), -Infinity),', 'Max: reduction(same, extremum("ReduceMax"), 0),'],
    ['return b.where(b.op("IsNaN", [x]), b.scalar(Infinity), half);', "return half;"],
    ['b.op(right ? "LessOrEqual" : "Less", [list, each])', 'b.op("Less", [list, each])'],
    [
      "for (let reach = 1; reach < x.shape[axis]; reach *= 2) {",
      "for (let reach = 1; 2 * reach < x.shape[axis]; reach *= 2) {",
    ],
  ]),
  ...mutantsOf("engines/onnx/lower/reduction.ts", sums, [
    ["const LONG_CUMULATION = 4096;", "const LONG_CUMULATION = 2 ** 30;"],
    ["{ axis, exclusive: true, reverse }", "{ axis, exclusive: true, reverse: false }"],
    ["plain(padded, axis + 1, exclusive)", "plain(padded, axis + 1, false)"],
  ]),
  ...mutantsOf("engines/onnx/lower/gather.ts", indices, [
    ["number < 0 || number >= extents[i % extents.length]", "number < 0"],
    ["return inside === null ? values : b.where(inside, values, b.constant([0], [], values.dtype));", "return values;"],
    ["return inside === null ? indices : b.where(inside, indices, b.scalar(0, indices.dtype));", "return indices;"],
    [
      "const numbers = rowNumbers(b, indices, base.shape.slice(0, depth), inside, size);",
      "const numbers = rowNumbers(b, indices, base.shape.slice(0, depth), inside, 0);",
    ],
    [
      'b.op("GreaterOrEqual", [numbers, b.scalar(0, indices.dtype)]),\n    b.op("Less", [numbers, ends])',
      'b.op("Less", [numbers, ends]),\n    b.op("Less", [numbers, ends])',
    ],
    ["return sizeOf(shape) === 0 ? [] : [Number(node.inputs[1]!.data![0])];", "return null;"],
  ]),
  ...mutantsOf("engines/onnx/graph/verify.ts", ["tests/engines/verify_test.ts"], [
    ["value.data.byteLength > MAX_CONSTANT_BYTES", "value.data.byteLength > 1024 * MAX_CONSTANT_BYTES"],
    ["} else if (!known.has(value)) fail(`${user} uses a value before it is made`);", "}"],
    [
      "!sameShape(output.shape, specs[index].shape) || output.dtype !== specs[index].dtype",
      "output.dtype !== specs[index].dtype",
    ],
  ]),
  ...mutantsOf("formats/file_cache.ts", jit, [
    ["joined.set(about, HASH_BYTES);", ""],
    [
      "await Deno.rename(temporary, this.#path(key));",
      "await Deno.copyFile(temporary, this.#path(key));",
      "a copy beside the entry is removed at once: only a kill in between would show",
    ],
    ["entry.length <= HASH_BYTES || found.some((byte, i) => byte !== wanted[i])", "entry.length <= HASH_BYTES"],
  ]),
  ...mutantsOf("formats/cache_folder.ts", jit, [
    ["entries.sort((a, b) => b.used - a.used);", ""],
    ["Date.now() - used > ABANDONED_MS", "true"],
    ["if (total > maxBytes) await", "if (total < 0) await"],
  ]),
  ...mutantsOf("core/turns.ts", contract, [
    ["const result = this.#last.then(run);", "const result = Promise.resolve().then(run);"],
    ["this.#last = result.then(() => {}, () => {});", "this.#last = result.then(() => {});"],
  ]),
];

export default list;
