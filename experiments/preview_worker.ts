/**
 * The worker of `previews_elsewhere.ts`.
 *
 * @module
 */
import type { Preview } from "../core/kinds/mod.ts";
import { mapByModality } from "../core/modality.ts";
import { importPlugins } from "../core/plugins.ts";
import { Refusal } from "../core/refusal.ts";
import { createLibrary } from "../library.ts";
import { PluginError } from "../core/plugin_error.ts";
import { samplesFrom } from "./previews.ts";
import type { PreviewReply, PreviewRequest } from "./previews_elsewhere.ts";

/** The part of a worker's global scope that is used; the library that types it would change the globals of all files. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<PreviewRequest>) => void) | null;
  postMessage(message: PreviewReply): void;
}
const scope = self as unknown as WorkerScope;

let plugins: readonly string[] = [];
const source = samplesFrom(async () => {
  const library = createLibrary();
  for (const specifier of plugins) await importPlugins(library, specifier);
  return library;
});

/** A preview with values of its own: sent as they are, those of a part of a split would take the whole split along. */
function apart(preview: Preview): Preview {
  return "values" in preview ? { ...preview, values: preview.values.slice() } as Preview : preview;
}

scope.onmessage = async ({ data }) => {
  if (data.type === "start") {
    plugins = data.plugins;
    return;
  }
  const { id, config, split, sample } = data;
  try {
    const previews = await source.preview(config, split, sample);
    scope.postMessage({ id, previews: mapByModality(previews, (own) => own.map(apart)) });
  } catch (error) {
    if (error instanceof Refusal) {
      const { what, must, found, hint } = error;
      scope.postMessage({ id, refused: { what, must, found, hint } });
    } else if (error instanceof PluginError) {
      scope.postMessage({ id, broken: { plugin: error.plugin, hook: error.hook, text: error.message } });
    } else {
      scope.postMessage({ id, failed: error instanceof Error ? error.stack ?? error.message : String(error) });
    }
  }
};
