/**
 * Builds the embedded dataset `icon-tri` from its source, the icons of Tabler, bit for bit the same every time.
 *
 * Run: `deno task build:icon-tri [FOLDER]`, about half a minute.
 *
 * @module
 */
import { Random } from "../core/random.ts";
import {
  CLASSES,
  groupOf,
  type Icon,
  type IconTriManifest,
  LEVELS,
  pathIds,
  SIDE,
} from "../datasets/icon_tri_format.ts";
import { embed, packageJson, writeManifest } from "./embed.ts";
import { splitGroups } from "./groups.ts";
import { renderer } from "./svg.ts";

/** Source. Imported by this name at run time only, so that nothing but this build ever downloads it. */
const ICONS = "npm:@tabler/icons@3.52.0";

interface Listed {
  readonly name: string;
  readonly category: string;
  readonly tags?: readonly (string | number)[];
}
type Nodes = readonly (readonly [string, Readonly<Record<string, string>>])[];

/** Icons of the classes that are drawn in outline, by name. */
export async function icons(): Promise<Icon[]> {
  const listed = Object.values(await packageJson<Readonly<Record<string, Listed>>>(`${ICONS}/icons.json`));
  const nodes = await packageJson<Readonly<Record<string, Nodes>>>(`${ICONS}/tabler-nodes-outline.json`);
  const own = listed.filter(({ name, category }) =>
    (CLASSES as readonly string[]).includes(category) && Object.hasOwn(nodes, name)
  ).sort((a, b) => a.name < b.name ? -1 : 1);
  const label = ({ category }: Listed) => (CLASSES as readonly string[]).indexOf(category);
  const items = own.map((icon) => ({ group: groupOf(icon.name), label: label(icon) }));
  const splits = splitGroups(items, new Random(0).split("icon-tri", "groups"));
  return own.map((icon): Icon => ({
    name: icon.name,
    label: label(icon),
    split: splits.get(groupOf(icon.name))!,
    path: nodes[icon.name].map(([kind, { d }]) => {
      if (kind !== "path") throw new Error(`Cannot use icon "${icon.name}" as it must consist of paths: found ${kind}`);
      return d;
    }).join(" "),
    text: [...new Set([icon.name, ...icon.tags ?? []].map((word) => String(word).toLowerCase()))].join(" ")
      .replaceAll("-", " "),
  }));
}

/** Codes [28, 28] of an icon's strokes: 0 is paper. */
export function raster(render: (svg: string) => Uint8Array, path: string): Uint8Array {
  const rgba = render(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}" viewBox="0 0 24 24" fill="none" ` +
      `stroke="black" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="${path}"/></svg>`,
  );
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => Math.round((255 - rgba[4 * i]) * LEVELS / 255));
}

async function build(folder: string): Promise<void> {
  const all = await icons();
  for (const { path } of all) pathIds(path);
  const render = await renderer(SIDE);
  const pixels = new Uint8Array(all.length * SIDE * SIDE);
  all.forEach(({ path }, n) => pixels.set(raster(render, path), n * SIDE * SIDE));
  const files = {
    rasters: await embed(folder, "icon_tri_rasters.u8.gz", pixels),
    icons: await embed(folder, "icon_tri_icons.json.gz", new TextEncoder().encode(JSON.stringify(all))),
  };
  const manifest: IconTriManifest = {
    format: 1,
    files: { rasters: files.rasters.file, icons: files.icons.file },
    counts: { icons: all.length, groups: new Set(all.map(({ name }) => groupOf(name))).size },
    sources: [
      { package: "npm @tabler/icons 3.52.0 (Paweł Kuna)", licence: "MIT", use: "icons, their names, tags, categories" },
      { package: "npm @resvg/resvg-wasm 2.6.2", licence: "MPL-2.0", use: "drew the rasters; not distributed" },
    ],
    build: "deno task build:icon-tri",
  };
  await writeManifest(folder, "icon_tri.manifest.json", manifest);
  const sizes = Object.entries(files).map(([name, { bytes }]) => `${name} ${(bytes / 2 ** 20).toFixed(2)} MiB`);
  console.error(`${JSON.stringify(manifest.counts)}; ${sizes.join(", ")} in ${folder}`);
}

if (import.meta.main) await build(Deno.args[0] ?? new URL("../datasets/data", import.meta.url).pathname);
