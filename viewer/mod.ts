/**
 * The results viewer: pages and an interface for programs over a folder of runs.
 *
 * @module
 */
export { type AppOptions, createApp, type ViewerApp } from "./app.ts";
export {
  type Epochs,
  type KeptFeatures,
  type KeptPredictions,
  type OpenFile,
  openRunStore,
  type RunFile,
  type RunStore,
  type Snapshot,
  type StoreOptions,
} from "./store.ts";
export { samplesFrom, type SampleSource } from "../experiments/previews.ts";
export type { HubOptions } from "./events.ts";
export type { SecurityOptions } from "./security.ts";
export { type Served, type ServeOptions, serveViewer } from "./serve.ts";
