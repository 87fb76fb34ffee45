/** A registry on the loopback interface that serves one npm package. */
import { createHash } from "node:crypto";

/** Files of a package by their paths; `package.json` is among them. */
export type PackageFiles = Readonly<Record<string, string>>;

/** One file of a tar archive (ustar): a header of 512 bytes, and the content in blocks of as many. */
function tarEntry(path: string, text: string): Uint8Array {
  const content = new TextEncoder().encode(text);
  const entry = new Uint8Array(512 * (1 + Math.ceil(content.length / 512)));
  const field = (offset: number, value: string) => entry.set(new TextEncoder().encode(value), offset);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  field(0, path);
  field(100, octal(0o644, 7));
  field(124, octal(content.length, 11));
  field(136, octal(0, 11));
  field(148, " ".repeat(8));
  field(156, "0");
  field(257, "ustar\0" + "00");
  field(148, `${octal(entry.subarray(0, 512).reduce((sum, byte) => sum + byte, 0), 6)} `);
  entry.set(content, 512);
  return entry;
}

/** A package's tarball. */
async function tarball(files: PackageFiles): Promise<Uint8Array> {
  const entries = Object.entries(files).map(([path, text]) => tarEntry(`package/${path}`, text));
  const blob = new Blob([...entries, new Uint8Array(1024)] as BlobPart[]);
  return new Uint8Array(await new Response(blob.stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer());
}

/** Serves a package while something runs. @param run Gets the registry's address. */
export async function withRegistry(files: PackageFiles, run: (registry: string) => Promise<void>): Promise<void> {
  const about = JSON.parse(files["package.json"]) as { name: string; version: string };
  const bytes = await tarball(files);
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
    const { origin, pathname } = new URL(url);
    if (pathname.endsWith(".tgz")) return new Response(bytes as BodyInit);
    if (decodeURIComponent(pathname) !== `/${about.name}`) return new Response("not found", { status: 404 });
    const dist = { tarball: `${origin}/${about.name}/-/package.tgz`, integrity };
    return Response.json({
      name: about.name,
      "dist-tags": { latest: about.version },
      versions: { [about.version]: { ...about, dist } },
    });
  });
  try {
    await run(`http://127.0.0.1:${server.addr.port}/`);
  } finally {
    await server.shutdown();
    // Deno keeps packages by registry: nothing of this one is to stay.
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
    const { npmCache } = JSON.parse(new TextDecoder().decode(stdout)) as { npmCache: string };
    for (const { name } of Deno.readDirSync(npmCache)) {
      if (name.includes(String(server.addr.port)) && !name.includes("npmjs")) {
        await Deno.remove(`${npmCache}/${name}`, { recursive: true });
      }
    }
  }
}
