/**
 * Summaries of a valuation by class and by modality, and its tables as rows of text.
 *
 * @module
 */
import { byModality } from "../core/modality.ts";
import type { ClassValuation, ModalityValuation, SampleValuation, ShapleyResult, Valuation } from "./valuate.ts";

/** What summaries are made from. */
interface Given {
  readonly modalities: readonly string[];
  readonly size: number;
  readonly perSample: SampleValuation;
  readonly labels: Int32Array;
  readonly classNames: readonly string[];
}

function meanOver(members: readonly number[], value: (n: number) => number): number {
  return members.reduce((sum, n) => sum + value(n), 0) / members.length;
}

/** One row per class; classes without a sample have no means. */
export function classRows({ modalities, perSample, labels, classNames }: Given, right: Float32Array): ClassValuation[] {
  const m = modalities.length;
  const members: number[][] = classNames.map(() => []);
  labels.forEach((label, n) => members[label].push(n));
  return classNames.map((name, label) => {
    const own = members[label];
    const mean = (value: (n: number) => number) => own.length === 0 ? null : meanOver(own, value);
    const each = (values: Float32Array) => byModality(modalities, (_, u) => mean((n) => values[n * m + u]));
    return {
      class: name,
      count: own.length,
      accuracy: mean((n) => right[n]),
      p: mean((n) => perSample.p[n]),
      joint: mean((n) => perSample.joint[n]),
      phi: each(perSample.phi),
      nmi: each(perSample.nmi),
      solo: each(perSample.solo),
    };
  });
}

/** Means over samples, a number per modality. */
export interface InformationMeans {
  readonly nmi: readonly number[];
  /** Also over the modalities that are given; 0 for one modality alone. */
  readonly ncmi: readonly number[];
}

/** Means of NMI [N, m] and NCMI [N, m, m] per modality. */
export function informationMeans(
  { nmi, ncmi }: { readonly nmi: Float32Array; readonly ncmi: Float32Array },
  m: number,
): InformationMeans {
  const samples = Array.from({ length: nmi.length / m }, (_, n) => n);
  const modalities = Array.from({ length: m }, (_, u) => u);
  return {
    nmi: modalities.map((u) => meanOver(samples, (n) => nmi[n * m + u])),
    ncmi: modalities.map((u) => {
      const given = modalities.filter((i) => i !== u);
      const sum = (n: number) => given.reduce((sum, i) => sum + ncmi[(n * m + i) * m + u], 0);
      return given.length === 0 ? 0 : meanOver(samples, sum) / given.length;
    }),
  };
}

/** One row per modality. */
export function modalityRows(
  { modalities, size, perSample }: Given,
  extra: {
    readonly right: readonly Float32Array[];
    /** `null` where there are no mismatched samples. */
    readonly floor: InformationMeans | null;
    readonly accuracy: ShapleyResult | null;
    readonly probability: ShapleyResult | null;
  },
): ModalityValuation[] {
  const m = modalities.length;
  const all = Array.from({ length: size }, (_, n) => n);
  const { nmi, ncmi } = informationMeans(perSample, m);
  return modalities.map((modality, u) => {
    const mean = (values: Float32Array) => meanOver(all, (n) => values[n * m + u]);
    return {
      modality,
      accuracy: meanOver(all, (n) => extra.right[u][n]),
      p: mean(perSample.solo),
      nmi: nmi[u],
      nmiFloor: extra.floor?.nmi[u] ?? null,
      ncmi: ncmi[u],
      ncmiFloor: extra.floor?.ncmi[u] ?? null,
      phiMi: mean(perSample.phiMi),
      phi: mean(perSample.phi),
      negative: meanOver(all, (n) => perSample.phi[n * m + u] < 0 ? 1 : 0),
      fusionWeight: mean(perSample.fusionWeights),
      shapleyAccuracy: extra.accuracy?.mean[u] ?? null,
      shapleyProbability: extra.probability?.mean[u] ?? null,
    };
  });
}

/** A table: names of columns and rows of cells. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** The tables of a valuation: `modalities`, `classes`, `samples`. */
export function valuationTables(
  valuation: Valuation,
  labels: Int32Array,
): Readonly<Record<"modalities" | "classes" | "samples", Table>> {
  const { modalities, perSample: s, perClass, perModality, size, classNames, shapleyProbability } = valuation;
  const m = modalities.length;
  const each = (name: string) => modalities.map((modality) => `${name}:${modality}`);
  const row = (values: Float32Array, n: number) => [...values.subarray(n * m, (n + 1) * m)];
  return {
    modalities: {
      columns: Object.keys(perModality[0]),
      rows: perModality.map((entry) => Object.values(entry)),
    },
    classes: {
      columns: ["class", "count", "accuracy", "p", "joint", ...each("phi"), ...each("nmi"), ...each("p")],
      rows: perClass.map((entry) => [
        entry.class,
        entry.count,
        entry.accuracy,
        entry.p,
        entry.joint,
        ...modalities.flatMap((modality) => entry.phi[modality]),
        ...modalities.flatMap((modality) => entry.nmi[modality]),
        ...modalities.flatMap((modality) => entry.solo[modality]),
      ]),
    },
    samples: {
      columns: [
        "sample",
        "class",
        "p",
        "joint",
        "bound",
        ...each("phi"),
        ...each("phiMi"),
        ...each("nmi"),
        ...each("p"),
        ...each("fw"),
        ...(shapleyProbability === null ? [] : each("shapley")),
        ...modalities.flatMap((i) => modalities.filter((j) => j !== i).map((j) => `ncmi:${j}|${i}`)),
      ],
      rows: Array.from({ length: size }, (_, n) => [
        n,
        classNames[labels[n]],
        s.p[n],
        s.joint[n],
        s.bound[n],
        ...row(s.phi, n),
        ...row(s.phiMi, n),
        ...row(s.nmi, n),
        ...row(s.solo, n),
        ...row(s.fusionWeights, n),
        ...(shapleyProbability === null ? [] : row(shapleyProbability.values, n)),
        ...modalities.flatMap((_, i) =>
          modalities.map((_, j) => j).filter((j) => j !== i).map((j) => s.ncmi[(n * m + i) * m + j])
        ),
      ]),
    },
  };
}
