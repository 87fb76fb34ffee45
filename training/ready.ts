/**
 * Frozen encoders whose features are made before training: each sample's features, as one row of numbers, take the place of
 * its input, and a stand-in that takes them apart again that of the encoder.
 *
 * Nothing but the input and the start of the parameters decides what a frozen encoder gives, as it runs in evaluation mode.
 * So what is made once is what every step would make, as long as nothing changes the input before it or the maps within it.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, byModality } from "../core/modality.ts";
import * as names from "../core/names.ts";
import type { Dataset, Encoder, ModalityInfo, Split, SplitName } from "../core/kinds/mod.ts";
import { type Engine, float32, type HostTensor, type NamedHostTensors, type Program, sizeOf } from "../core/program.ts";
import type { Random } from "../core/random.ts";
import type { Scope } from "../core/scope.ts";
import { type Asked, bindScope, discover } from "../nn/scope.ts";
import { Batches } from "./batches.ts";
import { Breath } from "./breath.ts";
import { InterruptedError } from "./errors.ts";
import { encoderScope, type Model, readsBeyondPooled } from "./model.ts";
import { spec } from "./programs/parts.ts";
import { selects } from "./select.ts";

const SPLITS: readonly SplitName[] = ["train", "validation", "test"];

/** A part of a row: a tensor that an encoder gives of one sample. */
export interface RowField {
  readonly name: "pooled" | "tokens" | "tokenMask" | "map";
  /** Without the batch axis. */
  readonly shape: readonly number[];
}

/** Rows of features of all samples, row-major [N, width], and that of an input of zeros. */
export type FeatureRows = Readonly<Record<SplitName | "blank", Float32Array>>;

/** What features are made on. */
export interface RowsOn {
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly batchSize: number;
  /** Stops between two batches by an `InterruptedError`. */
  readonly signal?: AbortSignal;
}

/** A frozen encoder whose features can be made before training. */
export interface ReadyEncoder {
  readonly modality: string;
  readonly fields: readonly RowField[];
  /** Numbers of a row. */
  readonly width: number;
  /** The encoder's parameters and buffers, which stay as they start, by full name. Made when asked for. */
  values(): { readonly params: NamedHostTensors; readonly buffers: NamedHostTensors };
  /** Features of every sample of a dataset, in batches of the size that training has: sums run in the same order. */
  rows(on: RowsOn): Promise<FeatureRows>;
  /** The row of an input of zeros. */
  blank(engine: Engine): Promise<Float32Array>;
}

/**
 * The modalities of which features can be made before training: their encoders are frozen, no method changes inputs or keeps
 * copies of their parameters, and the fusion neither runs layers of theirs nor gates maps within them.
 */
export function readyModalities({ context, fusion, methods, frozen = [] }: Model): readonly string[] {
  const { stages = 0, layers = 0 } = fusion.needs;
  const within = fusion.gate !== undefined || fusion.channelGates !== undefined ||
    methods.some(({ gate, channelGates }) => gate !== undefined || channelGates !== undefined);
  if (layers > 0 || stages > 1 || (stages === 1 && within)) return [];
  if (methods.some(({ input }) => input !== undefined)) return [];
  const copied = methods.flatMap(({ declares }) => Object.values(declares?.copies ?? {}).flat());
  return context.modalities.filter((modality) => {
    const group = `encoder:${modality}`;
    return selects(frozen, group) && !selects(copied, group);
  });
}

/** What an encoder gives that the model reads, by field. */
function given(model: Model, modality: string, x: tf.Tensor, scope: Scope): Record<string, tf.Tensor> {
  const { stages, head } = at(model.encoders, modality);
  const own = encoderScope(model, modality, scope);
  const map = stages.reduce((map, stage) => stage(map, own, x), x);
  const { pooled, tokens, tokenMask } = head(map, own, x);
  const beyond = readsBeyondPooled(model.fusion);
  return {
    pooled,
    ...(beyond && tokens !== undefined ? { tokens } : {}),
    ...(beyond && tokenMask !== undefined ? { tokenMask } : {}),
    ...((model.fusion.needs.stages ?? 0) > 0 ? { map } : {}),
  };
}

/**
 * A frozen encoder of a model, ready to make its features.
 *
 * @param random Of the run's start: values that no weights give are drawn from it.
 * @returns `null` if the encoder has no parameters, so that it costs nothing.
 */
export function readyEncoder(
  model: Model,
  modality: string,
  info: ModalityInfo,
  engine: Pick<Engine, "abstract">,
  random: Random,
): ReadyEncoder | null {
  const fields: RowField[] = [];
  const { params, buffers } = discover((scope) => {
    const found = given(model, modality, tf.zeros([1, ...info.shape], info.dtype), scope);
    for (const [name, { shape }] of Object.entries(found)) {
      fields.push({ name: name as RowField["name"], shape: shape.slice(1) });
    }
  }, { abstract: (run) => engine.abstract(run), mode: "eval" });
  if (params.size === 0) return null;
  const width = fields.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const values = () => ({ params: started(params, model, random), buffers: started(buffers, model, random) });
  const maker: RowMaker = { model, modality, info, width, values };
  return {
    modality,
    fields,
    width,
    values,
    rows: async (on) => ({
      ...await running(maker, on.engine, on.batchSize, (run) => rowsOf(maker, on, run)),
      blank: await blankOf(maker, on.engine),
    }),
    blank: (engine) => blankOf(maker, engine),
  };
}

/** Start values by full name. */
function started(asked: ReadonlyMap<string, Asked>, { start = {} }: Model, random: Random): NamedHostTensors {
  return Object.fromEntries(
    [...asked].map(([full, { shape, init }]) => [full, start[full] ?? float32(init(shape, random.split(full)), shape)]),
  );
}

/** What rows are made with. */
interface RowMaker extends Pick<ReadyEncoder, "modality" | "width" | "values"> {
  readonly model: Model;
  readonly info: ModalityInfo;
}

/** A batch's rows as a program. */
function rowsProgram({ model, modality, info }: RowMaker, state: NamedHostTensors, batch: number): Program {
  return {
    name: `features/${modality}/${batch}`,
    state,
    inputs: { [names.input.of(modality)]: spec([batch, ...info.shape], info.dtype) },
    apply(given_, fed) {
      const { scope } = bindScope({
        params: names.param.under(given_),
        buffers: names.buffer.under(given_),
        controls: {},
        key: null,
        mode: "eval",
      });
      const fields = Object.values(given(model, modality, fed[names.input.of(modality)], scope));
      const flat = fields.map((field) => tf.reshape(field, [batch, -1]));
      return { state: {}, outputs: { rows: flat.length === 1 ? flat[0] : tf.concat(flat, 1) } };
    },
  };
}

/** Gives what runs the encoder on a batch to somebody, and frees it afterwards. */
async function running<T>(
  maker: RowMaker,
  engine: Engine,
  batch: number,
  use: (run: (input: HostTensor) => Promise<Float32Array>) => Promise<T>,
): Promise<T> {
  const { params, buffers } = maker.values();
  const held = { ...names.param.over(params), ...names.buffer.over(buffers) };
  // An encoder that is frozen sets no state: its weights need not be there twice.
  const device = engine.createState(held, { take: true });
  try {
    const program = await engine.compile(rowsProgram(maker, held, batch));
    try {
      const name = names.input.of(maker.modality);
      return await use(async (input) => (await program.run(device, { [name]: input }))["rows"].data as Float32Array);
    } finally {
      program.dispose();
    }
  } finally {
    device.dispose();
  }
}

/** The encoder over all samples. */
async function rowsOf(
  { modality, width }: RowMaker,
  { dataset, batchSize, signal }: RowsOn,
  run: (input: HostTensor) => Promise<Float32Array>,
): Promise<Record<SplitName, Float32Array>> {
  const breath = new Breath();
  const batches = new Batches(dataset, [modality], batchSize);
  const found = {} as Record<SplitName, Float32Array>;
  for (const name of SPLITS) {
    const split = dataset.splits[name];
    found[name] = new Float32Array(split.size * width);
    for (let from = 0; from < split.size; from += batchSize) {
      await breath.next();
      if (signal?.aborted) throw new InterruptedError(`Stopped while features of "${modality}" were made`);
      const items = Int32Array.from({ length: Math.min(batchSize, split.size - from) }, (_, i) => from + i);
      const fed = await batches.inputs(split, items);
      const rows = await run(fed[names.input.of(modality)]);
      found[name].set(rows.subarray(0, items.length * width), from * width);
    }
  }
  return found;
}

/** The row of an input of zeros. */
function blankOf(maker: RowMaker, engine: Engine): Promise<Float32Array> {
  const { info: { shape, dtype } } = maker;
  const size = sizeOf(shape);
  const data = dtype === "int32" ? new Int32Array(size) : new Float32Array(size);
  return running(maker, engine, 1, (run) => run({ data, shape: [1, ...shape], dtype }));
}

/** An encoder that takes rows apart. */
function standIn(fields: readonly RowField[], { tokens }: Encoder): Encoder {
  const taken = (rows: tf.Tensor, wanted: RowField["name"]): tf.Tensor | undefined => {
    let from = 0;
    for (const { name, shape } of fields) {
      const size = sizeOf(shape);
      if (name === wanted) return tf.reshape(tf.slice(rows, [0, from], [-1, size]), [rows.shape[0], ...shape]);
      from += size;
    }
    return undefined;
  };
  return {
    tokens,
    stages: [(rows) => taken(rows, "map") ?? rows],
    head(_map, _scope, rows) {
      const [found, mask] = [taken(rows, "tokens"), taken(rows, "tokenMask")];
      return {
        pooled: taken(rows, "pooled") as tf.Tensor2D,
        ...(found === undefined ? {} : { tokens: found as tf.Tensor3D }),
        ...(mask === undefined ? {} : { tokenMask: mask as tf.Tensor2D }),
      };
    },
  };
}

/** A model and its data with features in the place of some inputs, and the whole that they stand for. */
export interface ReadyModel {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly whole: WholeModel;
}

/** The model and the modalities that features stand for, and the frozen encoders' tensors by full name. */
export interface WholeModel {
  readonly model: Model;
  readonly modalities: Dataset["modalities"];
  readonly params: NamedHostTensors;
  readonly buffers: NamedHostTensors;
}

/** Puts features in the place of inputs. */
export function withFeatures(
  model: Model,
  dataset: Dataset,
  ready: readonly { readonly encoder: ReadyEncoder; readonly rows: FeatureRows }[],
): ReadyModel {
  const by = <T>(make: (own: (typeof ready)[number]) => T) =>
    Object.fromEntries(ready.map((own) => [own.encoder.modality, make(own)]));
  const split = (name: SplitName): Split => {
    const own = dataset.splits[name];
    const { rows = {} } = own;
    const streamed = Object.keys(rows).filter((modality) =>
      !ready.some(({ encoder }) => encoder.modality === modality)
    );
    return {
      ...own,
      inputs: { ...own.inputs, ...by(({ rows }) => rows[name]) },
      rows: byModality(streamed, (modality) => rows[modality]),
    };
  };
  const values = ready.map(({ encoder }) => encoder.values());
  return {
    model: {
      ...model,
      encoders: {
        ...model.encoders,
        ...by(({ encoder }) => standIn(encoder.fields, model.encoders[encoder.modality])),
      },
      blank: by(({ encoder, rows }) => float32(rows.blank, [1, encoder.width])),
    },
    dataset: {
      ...dataset,
      modalities: {
        ...dataset.modalities,
        ...by(({ encoder: { modality, width } }): ModalityInfo => ({
          shape: [width],
          dtype: "float32",
          about: `features of ${modality}`,
        })),
      },
      splits: { train: split("train"), validation: split("validation"), test: split("test") },
    },
    whole: {
      model,
      modalities: dataset.modalities,
      params: Object.assign({}, ...values.map(({ params }) => params)),
      buffers: Object.assign({}, ...values.map(({ buffers }) => buffers)),
    },
  };
}
