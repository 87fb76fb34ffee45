/** Files of the embedded data as they are stored. */

const data = new URL("../../datasets/data/", import.meta.url);

/** Contents of a stored `.gz` file, without a check of its digest. */
export async function gunzip(name: string): Promise<Uint8Array> {
  const stream = new Blob([await Deno.readFile(new URL(name, data))]).stream();
  return new Uint8Array(await new Response(stream.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}
