/**
 * Mistakes in `sampling/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const sampling = ["tests/sampling"];

const list: readonly Mutant[] = [
  ...mutantsOf("sampling/copies.ts", sampling, [
    ["Math.floor(value + 0.5)", "Math.floor(value)"],
    ["Math.floor(value + 0.5)", "Math.round(value - 0.01)"],
    ["if (match === 0) return copies;", ""],
    ["round(match * count / mean)", "round(match * count)"],
    ["length += 1 + copies[item];", "length += copies[item];"],
    ["copy <= copies[item]", "copy < copies[item]"],
    ["return random.shuffle(list);", "return list;"],
    ["if (segment.keep !== undefined) {", "if (segment.keep === null) {"],
    ["random.split(index)", "random"],
    [
      "withCopies(segment.items, copies, random.split(index))",
      "withCopies(base[0].items, copies, random.split(index))",
    ],
    ["{ ...segment, items: withCopies", "{ programs: segment.programs, items: withCopies"],
    ["(counts[String(copies[n])] ?? 0) + 1", "1"],
  ]),
  ...mutantsOf("sampling/dsr.ts", sampling, [
    ["if (!(k < 0)) throw", "if (k > 0) throw"],
    ["Math.ceil(-k * m)", "Math.floor(-k * m)"],
    ["Math.ceil(-k * m)", "Math.ceil(-k * 2)"],
    ["Math.max(0, round(copies(phi)))", "round(copies(phi))"],
    ["Math.min(most, Math.max(0, round(copies(phi))))", "Math.max(0, round(copies(phi)))"],
    ["k * phi - k * m", "k * phi - k"],
    ["k * phi - k * m", "-k * phi"],
    ["return new Int32Array(copies.length).fill(round(mean));", "return copies;"],
    ["-k * Math.max(phi, 0)", "-k * phi", "the bound at 0 copies comes after it"],
    ["copies(joint!, k, modalities.length)", "copies(joint!, k, 2)"],
    ["matched(copies(joint!, k, modalities.length), match)", "copies(joint!, k, modalities.length)"],
    ["default: -2,", "default: -1,"],
    ["max: -0.01,", ""],
    ["}, dsrCopies);", "}, inverseCopies);"],
    ["}, randomCopies);", "}, dsrCopies);"],
    ["}, inverseCopies);", "}, dsrCopies);"],
  ]),
  ...mutantsOf("sampling/class_balanced.ts", sampling, [
    ["if (own === undefined) byClass.set(labels[item], [item]);", "if (own === undefined) byClass.set(0, [item]);"],
    ["queues[first[n % classes.length]]", "queues[first[0]]"],
    [
      "if (queue.left.length === 0) queue.left = random.shuffle(queue.pool);",
      "if (queue.left.length === 0) queue.left = queue.pool;",
    ],
    ["queue.left = queue.left.subarray(1);", ""],
    ['random.split("first").permutation(classes.length)', "classes.map((_, c) => c)"],
    ["return random.shuffle(drawn);", "return drawn;"],
    ["if (segment.keep !== undefined) {", "if (segment.keep === null) {"],
    ["labels, random.split(index)", "labels, random"],
  ]),
  ...mutantsOf("sampling/masked_copies.ts", sampling, [
    ["new Uint8Array(all.length * m).fill(1)", "new Uint8Array(all.length * m)"],
    ["keep.set(copy.keep, to * m)", "keep.set(copy.keep, from)"],
    ["copies[from - items.length]", "copies[to - items.length]"],
    ["if (keep.subarray(at, at + m).every((flag) => flag === 1)) continue;", ""],
    ["counts[modality] += keep[at + u]", "counts[modality] += keep[u]"],
    ["if (contribution >= none) return 0;", "if (contribution > none) return 0;"],
    ["if (contribution > one) return 1;", "if (contribution >= one) return 1;"],
    ["return contribution > two ? 2 : 3;", "return contribution >= two ? 2 : 3;"],
    ["thresholds[0] > thresholds[1] && thresholds[1] > thresholds[2]", "thresholds[0] > thresholds[1]"],
    ["contributions[row.get(item)! * m + u]", "contributions[item * m + u]"],
    ["contributions[row.get(item)! * m + u]", "contributions[row.get(item)! * 2 + u]"],
    [
      "copiesFor(contributions[row.get(item)! * m + u], thresholds)",
      "copiesFor(contributions[row.get(item)! * m + u])",
    ],
    ["v === u ? 1 : 0", "v === u ? 0 : 1"],
    ["Int32Array.from(new Set(segment.items)).sort()", "segment.items"],
    [
      "random.split(index).permutation(segment.items.length + copies.length)",
      "Int32Array.from({ length: segment.items.length + copies.length }, (_, n) => n)",
    ],
    ["const scaled = 2 / 3 * difference;", "const scaled = difference;"],
    ["scaled ** 1.5 * alpha", "scaled * alpha"],
    ["Math.tanh(scaled * alpha)", "Math.tanh(scaled) * alpha"],
    ["return Math.min(1, share);", "return share;"],
    ["Math.abs(gap - other)", "gap - other"],
    ["/ Math.max(1, pairs.length)", "/ Math.max(1, gaps.length)"],
    ["rest -= gap - least;", "rest -= gap;"],
    ["draw * gaps.reduce((sum, gap) => sum + gap - least, 0)", "draw * gaps.reduce((sum, gap) => sum + gap, 0)"],
    ["other >= gap ? 1 : 0", "other <= gap ? 1 : 0"],
    ["return 1 - sum / rows;", "return sum / rows;"],
    ["i < contributions.length; i += m) sum", "i < contributions.length; i += 2) sum"],
    ["if (repeated === 0) return base;", ""],
    ["repeatedShare(gapDifference(gaps), alpha, curve) * n", "repeatedShare(gapDifference(gaps), 1, curve) * n"],
    ["repeatedShare(gapDifference(gaps), alpha, curve) * n", 'repeatedShare(gapDifference(gaps), alpha, "linear") * n'],
    ['m > 2 && many === "nested" ? nestedCopies(gaps)', "m > 9 ? nestedCopies(gaps)"],
    ["if (index > 0) return { ...segment, keep: new Uint8Array(segment.items.length * m).fill(1) };", ""],
  ]),
  ...mutantsOf("sampling/uniform.ts", sampling, [["idle: true,", ""]]),
];

export default list;
