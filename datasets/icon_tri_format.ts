/**
 * What the builder and the loader of `icon-tri` share: constants and the stored form.
 *
 * @module
 */
import type { SplitName } from "../core/kinds/mod.ts";
import type { StoredFile, StoredManifest } from "./embedded.ts";

/** Height and width of a raster. */
export const SIDE = 28;
/** Largest code of a grey value: four bits. */
export const LEVELS = 15;

/** Classes: categories of the icon set with 85 icons or more that say what an icon shows. */
export const CLASSES = [
  "Arrows",
  "Buildings",
  "Communication",
  "Design",
  "Devices",
  "Document",
  "E-commerce",
  "Food",
  "Health",
  "Map",
  "Math",
  "Media",
  "Shapes",
  "System",
  "Text",
  "Vehicles",
] as const;

/** One icon. */
export interface Icon {
  readonly name: string;
  /** Index of its class. */
  readonly label: number;
  readonly split: SplitName;
  /** Its strokes as SVG paths, one behind the other. */
  readonly path: string;
  /** Name and tags. */
  readonly text: string;
}

/** First part of an icon's name: icons of one share a split. */
export function groupOf(name: string): string {
  return name.split("-")[0];
}

/** Commands of paths; numbers follow them as they stand. */
export const COMMANDS = "MmLlHhVvCcSsQqTtAaZz";
/** Largest size of a coordinate; what is larger is taken for it. */
const LARGEST = 24;
/** Number of ids: padding, commands, and numbers rounded to the pixel. */
export const PATH_IDS = 1 + COMMANDS.length + 2 * LARGEST + 1;

/**
 * Ids of a path: 1.. for its commands, then numbers rounded to whole pixels. The flags of arcs are numbers.
 *
 * @throws {Error} If it is no path.
 */
export function pathIds(path: string): number[] {
  const ids: number[] = [];
  // Of an arc's seven arguments the fourth and fifth are flags, which may stand without a space: "a2 2 0 012 2".
  let argument = -1;
  for (let at = 0; at < path.length;) {
    const command = COMMANDS.indexOf(path[at]);
    if (command !== -1) {
      ids.push(1 + command);
      argument = path[at] === "a" || path[at] === "A" ? 0 : -1;
      at++;
      continue;
    }
    const pattern = argument % 7 === 3 || argument % 7 === 4 ? /[01]/y : /-?(\d+\.?\d*|\.\d+)(e-?\d+)?/y;
    pattern.lastIndex = at;
    const number = pattern.exec(path)?.[0];
    if (number === undefined) {
      if (!/[\s,]/.test(path[at])) {
        throw new Error(`Cannot read path as it must be SVG's: found ${path.slice(at, at + 20)}`);
      }
      at++;
      continue;
    }
    const value = Math.max(-LARGEST, Math.min(LARGEST, Math.round(Number(number))));
    ids.push(1 + COMMANDS.length + LARGEST + value);
    if (argument !== -1) argument++;
    at += number.length;
  }
  return ids;
}

/** `icon_tri.manifest.json`. */
export interface IconTriManifest extends StoredManifest {
  /** `rasters` [N, 28, 28], `icons` as JSON. */
  readonly files: Readonly<Record<"rasters" | "icons", StoredFile>>;
  readonly counts: { readonly icons: number; readonly groups: number };
}
