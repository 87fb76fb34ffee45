/**
 * Mistakes in `cli/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const command = ["tests/cli/value_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("cli/value_files.ts", command, [
    [
      "const size = same ? rows[0] : majority([labels.shape[0], ...rows]) ?? labels.shape[0];",
      "const size = labels.shape[0];",
    ],
    ["if (labels.shape[0] !== size) refuse(", "if (labels.shape[0] > 1e9) refuse("],
    ["head.shape[0] !== size && head.shape[1] === size", "head.shape[1] === size && false"],
    [
      "const classes = majority(readouts.map(({ shape }) => shape[1])) ?? logits.shape[1];",
      "const classes = logits.shape[1];",
    ],
    [
      "const width = majority(features.map(({ shape }) => shape[1])) ?? fused.shape[1];",
      "const width = fused.shape[1];",
    ],
    ["if (head.shape.length !== 2) refuse(head,", "if (head.shape.length > 9) refuse(head,"],
    ['for (const modality of modalities) checkModalityName(modality, `"${path}"`);', ""],
    ["if (foreign !== undefined) {", 'if (foreign === "") {'],
    [
      "if (names === undefined && present.length !== classes) {",
      "if (names === undefined && present.length > classes) {",
    ],
    ["const order = names ?? present;", "const order = present;"],
    ["if (unknown !== undefined) {", 'if (unknown === "") {'],
  ]),
  ...mutantsOf("cli/value.ts", command, [
    ["[...named, ...await loadKept(library, config, named)]", "named"],
    ["if (await kind(path) === null) {", 'if (path === "") {'],
    ["for (const flag of Object.keys(choices)) choice(parsed, flag as keyof Choices);", ""],
    ["if (!ofRun && parsed.text.split !== undefined) {", "if (ofRun && parsed.text.split !== undefined) {"],
    ["for (const warning of [...notes, ...valuation.warnings])", "for (const warning of valuation.warnings)"],
  ]),
];

export default list;
