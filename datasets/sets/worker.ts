/**
 * Decodes samples of a set in a thread of its own.
 *
 * @module
 */
import type { ByModality } from "../../core/modality.ts";
import { Refusal, type RefusalParts } from "../../core/refusal.ts";
import { type SampleArrays, sampleReader, type SetForm } from "./forms.ts";

/** What a thread is asked. */
export type DecodeRequest =
  | { readonly type: "open"; readonly root: string; readonly forms: ByModality<SetForm> }
  | { readonly type: "decode"; readonly id: number; readonly files: ByModality<string> };

/** What it answers. */
export type DecodeReply =
  | { readonly id: number; readonly arrays: SampleArrays }
  | { readonly id: number; readonly refusal: RefusalParts }
  /** A defect. */
  | { readonly id: number; readonly stack: string };

interface DecodeScope {
  onmessage: ((event: MessageEvent<DecodeRequest>) => void) | null;
  postMessage(message: DecodeReply, transfer?: Transferable[]): void;
}
const scope = self as unknown as DecodeScope;
let reader: ReturnType<typeof sampleReader>;

scope.onmessage = async ({ data }) => {
  if (data.type === "open") {
    reader = sampleReader(data.root, data.forms);
    return;
  }
  const { id, files } = data;
  try {
    const arrays = await reader.read(files);
    scope.postMessage({ id, arrays }, Object.values(arrays).map(({ buffer }) => buffer));
  } catch (error) {
    if (error instanceof Refusal) {
      const { what, must, found, hint } = error;
      scope.postMessage({ id, refusal: { what, must, found, hint } });
    } else scope.postMessage({ id, stack: String((error as Error).stack ?? error) });
  }
};
