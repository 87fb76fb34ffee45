/**
 * tfjs's Node packages: eager operations in TensorFlow's C library, on the CPU or on an NVIDIA card.
 *
 * The packages' own installer fetches a TensorFlow of 2022 (the card's needs CUDA 11.2). `deno task setup:tfjs-node`
 * instead builds their binding against the library inside a current TensorFlow wheel, in the user's cache folder, from
 * where it is loaded here.
 *
 * @module
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import nodeUtil from "node:util";
import * as tf from "@tensorflow/tfjs";
import { defineEngine, type EnginePlugin } from "../core/kinds/mod.ts";
import type { Engine, EngineOptions, Missing } from "../core/program.ts";
import { cacheFolder } from "../formats/cache_folder.ts";
import { eagerEngine } from "./eager.ts";
import { messageOf, missingNvidiaDriver } from "./missing.ts";
import { registerTensorflowKernels } from "./tensorflow_kernels.ts";
import { Refusal } from "../core/refusal.ts";

/** Names of the two engines, which are those of the packages. */
export type TfjsNodeName = "tfjs-node" | "tfjs-node-gpu";

/** What a setup leaves beside the binding. */
export interface TfjsNodeManifest {
  /** Version of the npm package. */
  readonly tfjs: string;
  readonly tensorflow: string;
}

/** The file that says that a setup is complete. */
export const tfjsNodeManifest = "setup.json";

/** Where the setup of an engine lies. */
export function tfjsNodeFolder(name: TfjsNodeName): string {
  return cacheFolder(name);
}

/** Reads what a setup left; `null` if there is none. */
function readManifest(folder: string): TfjsNodeManifest | null {
  try {
    return JSON.parse(Deno.readTextFileSync(join(folder, tfjsNodeManifest)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

/** The package calls functions that Node 23 and Deno do not have any more. */
function restoreUtilities(): void {
  const util = nodeUtil as unknown as Record<string, unknown>;
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

/** Loads CUDA's libraries of a setup by their paths, so that TensorFlow finds them by their names. */
function preloadCuda(folder: string): void {
  const root = join(folder, "nvidia");
  let paths: string[];
  try {
    paths = [...Deno.readDirSync(root)].flatMap(({ name }) => {
      const library = join(root, name, "lib");
      try {
        return [...Deno.readDirSync(library)].filter((entry) => entry.name.includes(".so"))
          .map((entry) => join(library, entry.name));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
        throw error;
      }
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return; // built for the system's CUDA
    throw error;
  }
  // One may need another: those that fail are tried again once others are there. What is still missing at the end is
  // told by TensorFlow when it looks for its devices.
  for (let before = Infinity; paths.length < before;) {
    before = paths.length;
    paths = paths.filter((path) => {
      try {
        Deno.dlopen(path, {}); // stays loaded: TensorFlow opens it by its name later
        return false;
      } catch {
        return true;
      }
    });
  }
}

/** What the package's backend tells of its device. */
interface NodeBackend {
  readonly isUsingGpuDevice?: boolean;
}

let loaded: { readonly name: TfjsNodeName; readonly problem: string | null } | null = null;

/**
 * Loads the package of a setup into this process's tfjs. The first of the two packages stays for good, as both register
 * one backend.
 *
 * @returns Why it cannot be used, or `null`.
 */
async function load(name: TfjsNodeName, folder: string, threads: number): Promise<string | null> {
  if (loaded !== null) {
    return loaded.name === name ? loaded.problem : `this process has loaded ${loaded.name}; both share one backend`;
  }
  const previous = tf.getBackend() || "cpu";
  let problem: string | null = null;
  try {
    restoreUtilities();
    // TensorFlow reads these when its library starts.
    for (const variable of ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"]) {
      if (Deno.env.get(variable) === undefined) Deno.env.set(variable, String(threads));
    }
    if (Deno.env.get("TF_CPP_MIN_LOG_LEVEL") === undefined) Deno.env.set("TF_CPP_MIN_LOG_LEVEL", "2");
    if (name === "tfjs-node-gpu") preloadCuda(folder);
    const entry = join(folder, "node_modules", "@tensorflow", name, "package.json");
    const require = createRequire(Deno.realPathSync(entry));
    // The package must extend the tfjs of this process, not one of its own.
    const path = require.resolve("@tensorflow/tfjs");
    const modules = require.cache as Record<string, unknown>;
    modules[path] = { id: path, path: folder, filename: path, loaded: true, exports: tf, children: [], paths: [] };
    require(`@tensorflow/${name}`);
    registerTensorflowKernels();
    await tf.setBackend("tensorflow");
    await tf.ready();
    const backend = tf.backend() as unknown as NodeBackend;
    if (name === "tfjs-node-gpu" && backend.isUsingGpuDevice !== true) {
      problem = "TensorFlow finds no NVIDIA card that it can use: check the driver (nvidia-smi) and CUDA's libraries";
    }
  } catch (error) {
    problem = messageOf(error);
  }
  await tf.setBackend(previous);
  loaded = { name, problem };
  return problem;
}

function plugin(name: TfjsNodeName, about: string, device: () => string): EnginePlugin {
  const setup = `deno task setup:tfjs-node${name === "tfjs-node-gpu" ? " --gpu" : ""}`;
  const missing = async (threads: number): Promise<Missing | null> => {
    try {
      const folder = tfjsNodeFolder(name);
      if (readManifest(folder) === null) {
        const what = `the package's binding is not built in ${folder}`;
        const driver = name === "tfjs-node-gpu" ? missingNvidiaDriver(setup) : null;
        return driver === null ? { what, get: setup } : { what: `${what}, and ${driver.what}`, get: driver.get };
      }
      const problem = await load(name, folder, threads);
      return problem === null ? null : { what: `its package could not be loaded (${problem})`, get: setup };
    } catch (error) {
      return { what: messageOf(error), get: setup };
    }
  };
  return defineEngine({
    name,
    about,
    ...(name === "tfjs-node-gpu" ? { cards: { variables: ["CUDA_VISIBLE_DEVICES"] } } : {}),
    unavailable: () => missing(1),
    async create({ threads = 1 }: EngineOptions = {}): Promise<Engine> {
      const problem = await missing(threads);
      if (problem !== null) throw new Refusal({ what: `use engine "${name}"`, found: problem.what });
      const { tfjs, tensorflow } = readManifest(tfjsNodeFolder(name))!;
      return await eagerEngine({
        name,
        backend: "tensorflow",
        version: `${name} ${tfjs}, TensorFlow ${tensorflow}`,
        device: device(),
      });
    },
  });
}

/** TensorFlow's C library on the CPU. */
export const tfjsNode: EnginePlugin = plugin(
  "tfjs-node",
  "tfjs on TensorFlow's C library on the CPU, operation by operation; its binding is built once",
  // Threads belong to the library, not to an engine: the first that is created decides.
  () => {
    const threads = Deno.env.get("TF_NUM_INTRAOP_THREADS");
    return `CPU, ${threads} thread${threads === "1" ? "" : "s"}`;
  },
);

/** TensorFlow's C library on an NVIDIA card. */
export const tfjsNodeGpu: EnginePlugin = plugin(
  "tfjs-node-gpu",
  "tfjs on TensorFlow's C library on an NVIDIA card, operation by operation; its binding is built once",
  () => "NVIDIA GPU 0 by TensorFlow",
);
