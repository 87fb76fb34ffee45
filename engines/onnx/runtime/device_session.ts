/**
 * ONNX Runtime on graphics devices, by its npm package.
 *
 * @module
 */
import "./no_telemetry.ts"; // must stay first
import * as ort from "onnxruntime-node";
import type { DType, HostTensor } from "../../../core/program.ts";
import { messageOf } from "../../missing.ts";
import { inputValue, makeNode } from "../graph/ir.ts";
import { writeOnnx } from "../graph/onnx_writer.ts";

/** What runs a model's operators. */
export type DeviceProvider = "webgpu" | "cuda";
/** A tensor, on the host or on the device. */
export type DeviceTensor = ort.Tensor;
/** A loaded model. */
export type DeviceSession = ort.InferenceSession;

/** How a model is run. */
export interface DeviceOptions {
  readonly provider: DeviceProvider;
  /** Threads for the operators that the device does not have. */
  readonly threads: number;
  /** Outputs that stay on the device; the runtime knows this of `webgpu` only. */
  readonly deviceOutputs?: readonly string[];
  /** Names of nodes that must run on the CPU. */
  readonly hostNodes?: readonly string[];
}

/** Loads a model. */
export async function createDeviceSession(model: Uint8Array, options: DeviceOptions): Promise<DeviceSession> {
  await keeper(options.provider);
  return await open(model, options);
}

function open(
  model: Uint8Array,
  { threads, provider, deviceOutputs = [], hostNodes = [] }: DeviceOptions,
): Promise<DeviceSession> {
  return ort.InferenceSession.create(model, {
    // What a device has no operator for runs on the CPU: sizes and seeds mostly.
    executionProviders: [
      provider === "webgpu" && hostNodes.length > 0 ? { name: provider, forceCpuNodeNames: hostNodes } : provider,
      "cpu",
    ],
    ...(deviceOutputs.length === 0
      ? {}
      : { preferredOutputLocation: Object.fromEntries(deviceOutputs.map((name) => [name, "gpu-buffer" as const])) }),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
}

/** A tensor over the given array; nothing is copied. */
export function deviceTensor({ data, shape, dtype }: HostTensor): DeviceTensor {
  return new ort.Tensor(dtype as "float32", data as Float32Array, [...shape]);
}

/** A copy of the values of a tensor on the host. */
export function hostValues(tensor: DeviceTensor): HostTensor {
  const data = tensor.data as Float32Array | Int32Array | Uint8Array;
  return { data: data.slice(), shape: [...tensor.dims], dtype: tensor.type as DType };
}

/** Whether a tensor's values are on a graphics device and cannot be looked at. */
export function onDevice(tensor: DeviceTensor): boolean {
  return tensor.location === "gpu-buffer";
}

/** Version of the runtime's package. */
export function deviceRuntimeVersion(): string {
  return ort.env.versions.node ?? ort.env.versions.common;
}

/** The smallest model: one number, given back. */
function smallestModel(): Uint8Array {
  const value = inputValue({ shape: [1], dtype: "float32" });
  const node = makeNode("Identity", [value], {}, [value]);
  return writeOnnx({
    stage: "lowered",
    inputs: [{ name: "x", value }],
    outputs: [{ name: "y", value: node.outputs[0] }],
    nodes: [node],
  }, "smallest");
}

const keepers = new Map<DeviceProvider, Promise<DeviceSession>>();

/**
 * A session of each provider that is never released: tensors on the device may outlive the sessions that made them, and
 * the runtime ends a device with its last session.
 */
function keeper(provider: DeviceProvider): Promise<DeviceSession> {
  let session = keepers.get(provider);
  if (session === undefined) keepers.set(provider, session = open(smallestModel(), { provider, threads: 1 }));
  return session;
}

/** Says why a provider cannot be used here, or `null` if it can. Tries once per process. */
export function tryProvider(provider: DeviceProvider): Promise<string | null> {
  return keeper(provider).then(() => null, (error) => messageOf(error));
}
