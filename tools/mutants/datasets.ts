/**
 * Mistakes in `datasets/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const files = ["tests/datasets/files_test.ts"];
const streaming = ["tests/datasets/streaming_test.ts"];
const film = ["tests/datasets/film_test.ts"];
const ucf = ["tests/datasets/sets/ucf_51_test.ts"];
const food = ["tests/datasets/sets/food_101_test.ts"];
const mosei = ["tests/datasets/sets/cmu_mosei_test.ts"];
const media = ["tests/datasets/media_test.ts"];
const checks = ["tests/datasets/av_digits_test.ts", ...files];

const list: readonly Mutant[] = [
  ...mutantsOf("datasets/files/films.ts", film, [
    ["Math.floor((k + 0.5) * size / count)", "Math.floor(k * size / count)"],
    ["Math.min(place - (fields >> 1), size - fields)", "place - (fields >> 1)"],
    ["data.set(frame, k * width)", "data.set(frame, (frames.length - 1 - k) * width)"],
    ["frame[p * channels + 2 * l + side]", "frame[p * channels + l + fields * side]"],
    ["frames: files.filter((file) => !isField(file))", "frames: [...files]"],
    ['if (odd !== undefined) throw refuse(`"${odd}" has no', 'if (odd === "") throw refuse(`"${odd}" has no'],
    ['if (odd !== undefined) throw refuse(`"${odd}" is in', 'if (odd === "") throw refuse(`"${odd}" is in'],
  ]),
  ...mutantsOf("datasets/sets/ucf_51.ts", ucf, [
    ['clip.replace("HandStand", "Handstand")', "clip"],
    ["group: `${label} ${group}`", "group"],
    ["if (!CLASSES.includes(label)) continue;", ""],
    ["(name) => CLASSES.some((own) => nameOf(own).test(name))", "() => true"],
    ['beside.some((name) => name.startsWith("flow_x"))', "beside.length >= 0"],
  ]),
  ...mutantsOf("datasets/sets/food_101.ts", food, [
    ["named ? rows.slice(1) : rows", "rows.slice(1)"],
    ["id: `${split}/${label}/${id}`", "id: `${label}/${id}`"],
    ["if (row.cells.length !== 3) {", "if (row.cells.length < 2) {"],
  ]),
  ...mutantsOf("datasets/sets/cmu_mosei.ts", mosei, [
    ["rest === 0.5 && low % 2 === 0", "rest === 0.5"],
    ["Math.max(-3, Math.min(3, score))", "score"],
    ['return score > 0 ? "positive" : null;', 'return "positive";'],
    ['length === 0 ? "" : rowName', 'length === -1 ? "" : rowName'],
    ['.split("$_$")[0]', ""],
    ["shape.length !== 3 || shape[0] !== size", "shape.length !== 3"],
  ]),
  ...mutantsOf("datasets/sets/sequences.ts", mosei, [
    ["values.length - there)", "0)"],
    ["if (infiniteIsZero) {", "if (!infiniteIsZero) {"],
    ["whole.data.subarray(n * width, (n + 1) * width)", "whole.data.subarray(0, width)"],
  ]),
  ...mutantsOf("datasets/files/splits.ts", files, [
    ["lacking[split][labels[n]]--;", ""],
    ["counts.map((count) => count * share / all)", "counts.map((count) => count / all)"],
    ["else parent[root(n)] = root(other);", ""],
    [".sort((a, b) => b.length - a.length)", ""],
    [
      "for (const n of group) {\n      result[n] = split;",
      "for (const n of group.slice(0, 1)) {\n      result[n] = split;",
    ],
    ["value > need[best] + 1e-12 ? k : best", "value >= need[best] ? k : best"],
  ]),
  ...mutantsOf("datasets/files/values.ts", files, [
    ["moved[at + p * channels + c] = data[at + c * area + p]", "moved[at + c * area + p] = data[at + c * area + p]"],
    ["if (row.every(Number.isNaN)) {", "if (row.some(Number.isNaN)) {"],
    ["row.fill(0);\n    return 0;", "row.fill(0);\n    return 1;"],
    ["row.copyWithin((window - length) * width, 0, length * width);", ""],
    ["row.fill(0, 0, (window - length) * width);", ""],
    ["!Number.isInteger(value) || value < 0 || value > window", "!Number.isInteger(value) || value < 0"],
    ["!Number.isInteger(id) || id < 0 || id > 0x7fffffff", "!Number.isInteger(id)"],
    ["data.reduce((most, id) => Math.max(most, id), 0) + 1", "data.reduce((most, id) => Math.max(most, id), 0)"],
    ["data.fill(length === 0 ? NaN : 0,", "data.fill(0,"],
    ['channels === "first" ? [rest[1], rest[2], rest[0]] : rest', "rest"],
  ]),
  ...mutantsOf("datasets/files/inputs.ts", files, [
    ["there === 1 && counts(n) ? n : -1", "there === 1 ? n : -1"],
    ["value > 0 ? 1 / Math.sqrt(value / count) : 0", "1 / Math.sqrt(value / count)"],
  ]),
  ...mutantsOf("datasets/files/labels.ts", files, [
    ["numeric ? (a, b) => Number(a) - Number(b) : undefined", "undefined"],
    ["if (empty === -1) return;", "return;"],
    ["names.length > labels.length / 2 && labels.length > 10", "names.length > labels.length"],
    ['for (const split of ["train", "test"] as const) {', 'for (const split of ["train"] as const) {'],
    ['validation: ["validation", "valid", "val", "dev", "development"]', 'validation: ["validation"]'],
    ["const plain = name.trim().toLowerCase();", "const plain = name;"],
    ["if (other !== undefined) {", "if (other !== undefined && n < 0) {"],
  ]),
  ...mutantsOf("datasets/files/build.ts", files, [
    ["const unseen = spec.classes.findIndex((_, c) => !trained.has(c));", "const unseen = -1;"],
    ["samples.split[n] === 0;", "n >= 0;"],
    ["if (other !== undefined && other !== split[n]) {", "if (other !== undefined && other > 9) {"],
    ['scale === "none" || kind === "tokens"', 'kind === "tokens"'],
    ["fingerprintOf(splits, described)", "fingerprintOf({ ...splits, test: splits.train }, described)"],
  ]),
  ...mutantsOf("datasets/files/samples.ts", files, [
    ["if (shape[0] === size) return;", "if (shape[0] >= size) return;"],
    ["const together = joined([groups, hashes]);", "const together = joined([groups]);"],
    ["if (split.includes(1)) return { split, notes: [] };", "return { split, notes: [] };"],
    ["if (dropped.has(n) || all.some(([_, { present }]) => present[n] === 1)) continue;", "continue;"],
  ]),
  ...mutantsOf("datasets/files/refs.ts", files, [
    ['normalize(name).split(/[\\\\/]/)[0] === ".."', 'normalize(name) === ".."'],
    ['real.split(/[\\\\/]/)[0] === ".." || isAbsolute(real)', "isAbsolute(real)"],
    [".sort((a, b) => a.number!.number - b.number!.number)", ".sort((a, b) => b.number!.number - a.number!.number)"],
    ["data[n * columns.length + k] = array.data[n]", "data[k * rows + n] = array.data[n]"],
  ]),
  ...mutantsOf("datasets/files/guess.ts", files, [
    [
      'type === "uint8" && lengths === undefined',
      'type === "uint8" && lengths !== undefined',
    ],
    ['if (shape[3] <= 4) return own("image");', ""],
    ['if (shape[1] <= 4) return own("image", { channels: "first" });', ""],
    ["whole && (lengths !== undefined || idsName.test(name))", "whole"],
    ["const odd = [...rest, ...Object.values(taken)]", "const odd = [...Object.values(taken)]"],
    [
      'own(lengths === undefined ? "vector" : "sequence")',
      'own("vector")',
    ],
  ]),
  ...mutantsOf("datasets/files/media.ts", media, [
    ['if (names[n] === "") continue;', ""],
  ]),
  ...mutantsOf("datasets/files/readers.ts", media, [
    ["Math.log(power + FLOOR)", "power"],
    ["window.fill(0);", ""],
    ["n - m || a - b", "m - n || a - b"],
  ]),
  ...mutantsOf("datasets/files/films.ts", [...media, "tests/datasets/film_test.ts"], [
    ["(k + 0.5) * size / count", "k * size / count"],
  ]),
  ...mutantsOf("datasets/files/texts.ts", media, [
    ["next[0] = 0;", ""],
    ["id >= 2 && counts(Math.floor(k / window)) ? 1 : 0", "id >= 2 ? 1 : 0"],
    [".toLowerCase()", ""],
    ["ids.size + 2);\n      data", "ids.size + 1);\n      data"],
  ]),
  ...mutantsOf("datasets/files/tokenized.ts", ["tests/datasets/tokenize_test.ts"], [
    ["ids.set(tokenizer.encode(text, length));", ""],
    ["ids.set(tokenizer.encode(text, length));", "ids.set(tokenizer.encode(given[0], length));"],
    ['text.trim() === "" ? 0 : 1', "1"],
  ]),
  ...mutantsOf("datasets/transforms/resample.ts", ["tests/datasets/sound_test.ts"], [
    ["const ROLLOFF = 0.99;", "const ROLLOFF = 0.9;"],
    ["Math.ceil(now * signal.length / old)", "Math.floor(now * signal.length / old)"],
  ]),
  ...mutantsOf("formats/sound.ts", ["tests/datasets/sound_test.ts"], [
    ["size < least", "size < 0"],
    ["end <= bytes.length", "end > 0"],
    ["await decoder.reset();", ""],
  ]),
  ...mutantsOf("datasets/files/folders.ts", media, [
    ["if (other !== undefined) {", "if (other === file) {"],
    ["top.every(({ name }) => splitOf(name) !== null)", "false"],
    ["sort((a, b) => a.name < b.name ? -1 : 1)", "sort((a, b) => a.name < b.name ? 1 : -1)"],
  ]),
  ...mutantsOf("datasets/transforms/log_mel.ts", media, [
    ['norm === "slaney" ? 2 / (edges[band + 2] - edges[band]) : 1', "1"],
    ["2 * Math.PI * n / size", "2 * Math.PI * n / (size - 1)"],
    ["const from = t * hop - before;", "const from = t * hop;"],
    ["size - fft % 2", "size"],
    ["place < size ? place : period - place", "place < size ? place : size - 1"],
    ["hertz < 1000 ?", "hertz < 2000 ?"],
  ]),
  ...mutantsOf("datasets/files/samples.ts", streaming, [
    ["if (sum <= most) break;", ""],
    [".sort((a, b) => b.bytes - a.bytes)", ".sort((a, b) => a.bytes - b.bytes)"],
    ["hash.update(Uint8Array.of(present[n])).update(digestAt(stream, n));", ""],
  ]),
  ...mutantsOf("datasets/files/inputs.ts", streaming, [
    ["if (present[n] === 0) {\n      into", "if (present[n] === 2) {\n      into"],
    ["if (scaling !== null) scaled(own, 0, scaling);", ""],
    ["const n = places[sample];", "const n = sample;"],
  ]),
  ...mutantsOf("datasets/rows.ts", streaming, [
    ["Math.min(split.size, from + chunk)", "from + chunk"],
    ["(own - from) * width", "own * width"],
    ["(to - from) * width", "chunk * width"],
    ["...Object.keys(rows)", ""],
  ]),
  ...mutantsOf("datasets/select.ts", streaming, [
    ["wanted.filter((name) => Object.hasOwn(split.rows!, name))", "wanted"],
  ]),
  ...mutantsOf("datasets/check.ts", checks, [
    ["if (size < 1) refuse(", "if (size < 0) refuse("],
    ["label < 0 || label >= classes", "label < 0 || label > classes"],
    ["values.length !== split.size * row", "values.length < row"],
    ["if (index !== -1) refuse(", "if (index > 1e9) refuse("],
    ["if (other !== undefined) {", "if (other === name) {"],
  ]),
  ...mutantsOf("datasets/views.ts", files, [
    ["if (other.split !== split) across.push(pair);", "if (other.split === split) across.push(pair);"],
    ["if (other.label !== labels[n]) contradicting.push(pair);", ""],
    [
      "constant &&= values.every((value) => value === first);",
      "constant &&= values.every((value) => value === values[1]);",
    ],
  ]),
  ...mutantsOf("datasets/fingerprint.ts", files, [
    ["if (present !== undefined) parts.push(await digestOf(present));", ""],
  ]),
];

export default list;
