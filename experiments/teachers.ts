/**
 * Teachers of a run: runs of their own, found by their ids and shared by all runs that need the same one.
 *
 * @module
 */
import { byModality, mapByModality } from "../core/modality.ts";
import type { Library } from "../core/library.ts";
import * as names from "../core/names.ts";
import type { Dataset, OpenSplit, PassResult } from "../core/kinds/mod.ts";
import { resolveOptions } from "../core/options.ts";
import type { Engine } from "../core/program.ts";
import type { RunConfig, RunSummary } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { selectModalities } from "../datasets/select.ts";
import { openRun } from "../store/run_folder.ts";
import { runId } from "../store/run_id.ts";
import { selects } from "../training/select.ts";
import { teacherPass, type Teachers } from "../training/mod.ts";
import type { CellRequest } from "../core/kinds/mod.ts";
import { buildModel, part } from "./config.ts";
import { codeUsed } from "./provenance.ts";

/**
 * The configurations of the teachers that a run's methods declare, by the methods' names for them.
 *
 * A teacher has the run's data, encoders, training, seed and engine, the modalities and the fusion that the method says, and
 * no method. So a run that was made for its own sake, such as one modality alone, serves too.
 */
export function teachersOf(
  config: RunConfig,
  library: Library,
  dataset: Pick<Dataset, "modalities" | "classes">,
): Record<string, RunConfig> {
  const teachers: Record<string, RunConfig> = {};
  const { code, weights, freeze, rates, ...bare } = config;
  for (const { declares } of buildModel(config, library, dataset).methods) {
    for (const [name, { modalities, fusion }] of Object.entries(declares?.teachers ?? {})) {
      const plugin = library.of("fusion").get(fusion.name);
      const teacher: RunConfig = {
        ...bare,
        modalities: [...modalities].sort(),
        encoders: byModality(modalities, (modality) => config.encoders[modality]),
        ...pretrainedOf({ weights, freeze, rates }, modalities),
        fusion: {
          name: plugin.name,
          options: resolveOptions(`fusion "${plugin.name}"`, plugin.options, fusion.options ?? {}),
        },
        methods: [],
      };
      teachers[name] = { ...teacher, ...codeUsed({ ...teacher, code }, library) };
    }
  }
  return teachers;
}

/** Weights, frozen groups and learning rates of some modalities. */
function pretrainedOf(
  { weights = {}, freeze = [], rates = {} }: Pick<RunConfig, "weights" | "freeze" | "rates">,
  modalities: readonly string[],
): Pick<RunConfig, "weights" | "freeze" | "rates"> {
  const own = Object.entries(weights).filter(([modality]) => modalities.includes(modality));
  const applies = (selector: string) =>
    !/^(encoder|head):/.test(selector) ||
    modalities.some((modality) => ["encoder", "head"].some((kind) => selects([selector], `${kind}:${modality}`)));
  const frozen = freeze.filter(applies);
  const factors = Object.entries(rates).filter(([selector]) => applies(selector));
  return {
    ...(own.length === 0 ? {} : { weights: Object.fromEntries(own) }),
    ...(frozen.length === 0 ? {} : { freeze: frozen }),
    ...(factors.length === 0 ? {} : { rates: Object.fromEntries(factors) }),
  };
}

/** A resolved configuration as somebody would ask for it. */
export function requestOf(config: RunConfig): CellRequest {
  const chosen = ({ name, options }: { name: string; options: RunConfig["fusion"]["options"] }) => part(name, options);
  return {
    label: `${config.modalities.join(" and ")} alone (teacher)`,
    dataset: part(config.dataset.name, config.dataset.options),
    modalities: config.modalities,
    encoder: byModality(config.modalities, (modality) => chosen(config.encoders[modality])),
    ...(config.weights === undefined ? {} : { weights: mapByModality(config.weights, ({ path }) => path) }),
    ...(config.freeze === undefined ? {} : { freeze: config.freeze }),
    ...(config.rates === undefined ? {} : { rates: config.rates }),
    fusion: chosen(config.fusion),
    methods: config.methods.map(chosen),
    training: { ...config.training },
  };
}

/** Which runs taught a run and what they drew, for its summary; nothing if there were none. */
export async function teacherRuns(
  runs: string,
  config: RunConfig,
  library: Library,
  dataset: Pick<Dataset, "modalities" | "classes">,
): Promise<Pick<RunSummary, "teachers">> {
  const found: Record<string, { id: string; samplesDrawn: number }> = {};
  for (const [name, own] of Object.entries(teachersOf(config, library, dataset))) {
    const id = runId(own);
    const summary = await openRun(runs, id).summary();
    if (summary !== null) found[name] = { id, samplesDrawn: summary.samplesDrawn };
  }
  return Object.keys(found).length === 0 ? {} : { teachers: found };
}

/**
 * Applies finished teachers to the open splits of a run's data.
 *
 * @param runs Folder of all runs.
 * @param dataset The run's own modalities.
 */
export function finishedTeachers(
  runs: string,
  config: RunConfig,
  library: Library,
  dataset: Dataset,
  engine: Engine,
): Teachers {
  const teachers = teachersOf(config, library, dataset);
  return async (name: string, split: OpenSplit): Promise<PassResult> => {
    const own = teachers[name];
    const id = runId(own);
    const stored = await openRun(runs, id).model();
    if (stored === null) {
      throw new Refusal({
        what: `ask teacher "${name}"`,
        must: `its run ${id} must be finished`,
        found: "it is not",
        hint: "see why it stopped, and run the grid again",
      });
    }
    const values = { ...names.param.over(stored.params), ...names.buffer.over(stored.buffers) };
    const data = selectModalities(dataset, own.modalities);
    return await teacherPass({
      model: buildModel(own, library, data),
      dataset: data,
      engine,
      batchSize: own.training.batchSize,
      values,
    }, split);
  };
}
