/**
 * The worker of `embed.ts`.
 *
 * @module
 */
import { TSNE } from "@saehrimnir/druidjs";
import type { EmbedReply, EmbedRequest } from "./embed.ts";

/** The part of a worker's global scope that is used; the library that types it would change the globals of all files. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<EmbedRequest>) => void) | null;
  postMessage(message: EmbedReply): void;
}
const scope = self as unknown as WorkerScope;

/** Steps of the descent. */
const steps = 500;

scope.onmessage = ({ data: { rows } }) => {
  try {
    const perplexity = Math.max(2, Math.min(30, Math.floor(rows.length / 3)));
    const reduction = new TSNE(rows.map((row) => [...row]), { perplexity, d: 2, seed: 0 });
    const places = reduction.transform(steps) as unknown as readonly (readonly number[])[];
    scope.postMessage({ points: places.map(([x, y]) => [x, y] as const) });
  } catch (error) {
    scope.postMessage({ failed: error instanceof Error ? error.message : String(error) });
  }
};
