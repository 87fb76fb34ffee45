/**
 * What methods with unimodal teachers share: which teachers, and tables of what they give.
 *
 * Inputs are the same at every visit, so a teacher is asked once and not at every step: its features and logits stand in
 * columns that are filled before the first epoch, and again after a restart.
 *
 * @module
 */
import { byModality } from "../core/modality.ts";
import type { ColumnSpec, Declarations, Host, ModelContext } from "../core/kinds/mod.ts";

/** Column of a teacher's features of a modality, [N, d_u]. */
export function featureColumn(modality: string): string {
  return `teacher/features:${modality}`;
}

/** Column of a teacher's logits of a modality, [N, C]. */
export function logitColumn(modality: string): string {
  return `teacher/logits:${modality}`;
}

/** Declares one teacher per modality, of that modality alone on concatenation, and the columns that are asked for. */
export function teacherDeclarations(
  { modalities, classes }: ModelContext,
  asked: { readonly features: boolean; readonly logits: boolean },
): Pick<Declarations, "teachers" | "columns"> {
  const columns: Record<string, ColumnSpec> = {};
  for (const modality of modalities) {
    if (asked.features) columns[featureColumn(modality)] = { width: { featuresOf: modality }, init: 0, derived: true };
    if (asked.logits) columns[logitColumn(modality)] = { width: classes, init: 0, derived: true };
  }
  return {
    teachers: byModality(modalities, (modality) => ({ modalities: [modality], fusion: { name: "concat" } })),
    columns,
  };
}

/** Fills the columns that are declared with what the teachers give. */
export async function fillFromTeachers(
  host: Host,
  asked: { readonly features: boolean; readonly logits: boolean },
): Promise<void> {
  for (const modality of host.modalities) {
    const { pooled, logits } = await host.teacher(modality, "train");
    if (asked.features) host.table(featureColumn(modality)).set(pooled[modality]);
    if (asked.logits) host.table(logitColumn(modality)).set(logits);
  }
}
