/**
 * t-SNE of features, in a worker: it takes seconds, and pages must not wait for those of others.
 *
 * @module
 */

/** What the worker is asked. */
export interface EmbedRequest {
  /** Rows of features. */
  readonly rows: readonly (readonly number[])[];
}

/** What it answers: a place in the plane for each row, or why there is none. */
export type EmbedReply = { readonly points: readonly (readonly [number, number])[] } | { readonly failed: string };

/**
 * Places rows in a plane by t-SNE (van der Maaten and Hinton, JMLR 2008): perplexity 30 or a third of the rows, seed 0.
 *
 * @throws {Error} If the worker breaks.
 */
export async function embedded(rows: EmbedRequest["rows"]): Promise<readonly (readonly [number, number])[]> {
  const worker = new Worker(new URL("./embed_worker.ts", import.meta.url), { type: "module" });
  try {
    const reply = await new Promise<EmbedReply>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<EmbedReply>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage({ rows } satisfies EmbedRequest);
    });
    if ("failed" in reply) throw new Error(reply.failed);
    return reply.points;
  } finally {
    worker.terminate();
  }
}
