/**
 * Mistakes in `formats/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const foreign = ["tests/formats/foreign_test.ts"];
const npy = ["tests/formats/npy_test.ts", ...foreign];
const safetensors = ["tests/formats/safetensors_test.ts", ...foreign];
const tables = ["tests/formats/tables_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("formats/elements.ts", safetensors, [
    ["const sign = bits & 0x8000 ? -1 : 1;", "const sign = 1;"],
    ["return sign * fraction * 2 ** -24;", "return 0;"],
    ["return fraction === 0 ? sign * Infinity : NaN;", "return sign * Infinity;"],
    ["2 ** (exponent - 15)", "2 ** (exponent - 16)"],
    ["value < -0x80000000 || value > 0x7fffffff", "value < -0x80000000"],
    ["byte > 1", "byte > 2"],
    ["(bits) => bits << 16", "(bits) => bits << 15"],
    ["if (big && width > 1)", "if (width > 8)"],
    ['if (data instanceof Uint8Array) return { data, shape, dtype: "bool" };', ""],
    ["!Number.isFinite(value) && Number.isFinite(data[i])", "Number.isNaN(value) && Number.isFinite(data[i])"],
  ]),
  ...mutantsOf("formats/npy.ts", npy, [
    ["if (bytes[6] < 1 || bytes[6] > 3)", "if (bytes[6] > 3)"],
    ["const long = bytes[6] >= 2;", "const long = bytes[6] > 2;"],
    ["if (start > size) {", "if (start > size + 1e9) {"],
    ["if (size - start !== length) {", "if (size - start < length) {"],
    ["columns: columns && shape.length > 1", "columns: false"],
    ['.replace(/L$/, "")', ""],
    ['const big = order === ">";', "const big = false;"],
    ['text.replace(/\\0+$/, "")', "text"],
    ["while (end > n * characters && bytes[end - 1] === 0) end--;", ""],
    ["if (point > 0x10ffff)", "if (point > 0xffffffff)"],
    ["view.getUint32((n * characters + c) * 4, !big)", "view.getUint32((n * characters + c) * 4, true)"],
    ['new TextDecoder("utf-8", { fatal: true })', 'new TextDecoder("utf-8")'],
    ["|| !Number.isSafeInteger(sizeOf(shape) * 8)", ""],
    [
      'npyHeader(dtype === "float32" ? "<f4" : dtype === "int32" ? "<i4" : "|b1", shape)',
      'npyHeader(dtype === "float32" ? "<f4" : "<i4", shape)',
    ],
    ["bytes.slice(head.start)", "bytes.slice(head.start + 0)", "the same bytes"],
  ]),
  ...mutantsOf("formats/zip.ts", foreign, [
    ["if (crc !== entry.crc) {", "if (false) {"],
    ['if (name.endsWith("/")) continue;', ""],
    ["if (flags & 1)", "if (flags & 2)"],
    ["if (method !== 0 && method !== 8) {", "if (method > 20) {"],
    ["if (names.has(name))", 'if (names.has(name + "/"))'],
    ["if (sizes.at + 30 + sizes.stored > source.size)", "if (sizes.at + 30 > source.size)"],
    ["if (method === 0 && sizes.stored !== sizes.size)", "if (method === 1)"],
    ["value.length > room && count === entry.size", "value.length > room && count < 0"],
    [
      "while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--;",
      "if (tail.getUint32(end, true) !== 0x06054b50) end = -1;",
    ],
    ["if (at + length > source.size) throw", "if (at > source.size) throw"],
  ]),
  ...mutantsOf("formats/npz.ts", foreign, [
    ["folders.size === 1 ? [...folders][0].length : 0", "0"],
    [".filter(({ name }) => !litter.test(name))", ""],
    ["checkHeld(path, heads.values(), most);", ""],
  ]),
  ...mutantsOf("formats/safetensors.ts", safetensors, [
    ["if (headerBytes > maxHeaderBytes) {", "if (headerBytes > 2 * 10 ** 12) {"],
    ["if (from !== end || to - from !== wanted) {", "if (to - from !== wanted) {"],
    ["if (source.size !== end) throw", "if (source.size < end) throw"],
    ["checkHeld(path, heads.values(), most);", ""],
    ["if (!Object.hasOwn(types, dtype)) {", "if (types[dtype] === undefined) {"],
    [
      '...names.filter((name) => tensors[name].dtype !== "bool"),',
      '...names.filter((name) => tensors[name].dtype === "int32"),',
    ],
  ]),
  ...mutantsOf("formats/open.ts", foreign, [
    ['if (!real.startsWith(join(root, "/"))) {', 'if (real === "") {'],
    ['if (isNpy(head)) return "npy";', ""],
    ["if (file.heads.size !== 1 || !file.heads.has(key)) {", "if (file.heads.size > 100) {"],
    ['&& !name.startsWith("._")', ""],
    ["bytes[1] >= 2 && bytes[1] <= 5", "bytes[1] >= 3 && bytes[1] <= 5"],
  ]),
  ...mutantsOf("formats/source.ts", foreign, [
    ["if (!isFile) {", "if (isDirectory) {"],
    ['if (path.includes("\\0")) {', 'if (path === "") {'],
  ]),
  ...mutantsOf("formats/csv.ts", tables, [
    [
      "const ragged = rows.find(({ cells }) => cells.length !== width);",
      "const ragged = rows.find(({ cells }) => cells.length < width);",
    ],
    ["const header = !rows[0].cells.every(isNumber);", "const header = true;"],
    ["else if (text[k + 1] === '\"') cell += text[++k];", ""],
    [
      'if (letter === "\\r" && text[k + 1] === "\\n") continue;',
      "",
      "the row then ends at the first of both, and the second ends an empty one, which is none",
    ],
    ["if (quoted) throw refuse(", "if (quoted && cells.length > 9) throw refuse("],
    ["next[1] > best[1] ? next : best", "best"],
    ['cell === "" ? NaN : Number(cell)', "Number(cell)"],
    ["/^[+-]?\\d{16,}$/", "/^[+-]?\\d{99,}$/"],
    ["if (twice !== undefined) {", 'if (twice === "") {'],
    ["new TextDecoder(mark, { fatal: true })", "new TextDecoder(mark)"],
  ]),
  ...mutantsOf("formats/wav.ts", ["tests/formats/wav_test.ts"], [
    ["(view.getUint8(at) - 128) / 128", "view.getUint8(at) / 128"],
    ["view.getInt8(at + 2) << 16", "view.getUint8(at + 2) << 16"],
    ["/ 2 ** 31", "/ 2 ** 30"],
    ["format === 0xfffe && length >= 26", "format === 0xffff"],
    ["if (size === 0) throw", "if (size < 0) throw"],
    ["if (from + length > bytes.length) {\n        throw", "if (from > bytes.length) {\n        throw"],
    ["signal[n] = sum / channels;", "signal[n] = sum;"],
    ["at = from + length + length % 2;", "at = from + length;"],
  ]),
  ...mutantsOf("formats/columns.ts", tables, [
    ["if (value === null || value === undefined) return NaN;", "if (value === null || value === undefined) return 0;"],
    ["!isList(value) || value.length !== length", "!isList(value)"],
    [".fill(NaN)", ""],
    ["first !== undefined && exact && numbers", "first !== undefined && numbers"],
    ['if (typeof value === "boolean") return Number(value);', 'if (typeof value === "boolean") return null;'],
  ]),
];

export default list;
