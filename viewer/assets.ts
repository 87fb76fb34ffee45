/**
 * Scripts and styles of the pages, and the chart library from its package. Nothing comes over the network.
 *
 * @module
 */
import { createHash } from "node:crypto";
import appScript from "./assets/app.js" with { type: "text" };
import chartsScript from "./assets/charts.js" with { type: "text" };
import chosenScript from "./assets/chosen.js" with { type: "text" };
import copyScript from "./assets/copy.js" with { type: "text" };
import icon from "./assets/icon.svg" with { type: "text" };
import keepScript from "./assets/keep.js" with { type: "text" };
import liveScript from "./assets/live.js" with { type: "text" };
import navigateScript from "./assets/navigate.js" with { type: "text" };
import style from "./assets/style.css" with { type: "text" };
import themeScript from "./assets/theme.js" with { type: "text" };
import themeSwitchScript from "./assets/theme_switch.js" with { type: "text" };
import { VERSION } from "../version.ts";

/** A file that pages load. */
export interface Asset {
  readonly type: string;
  readonly text: string;
}

const script = "text/javascript; charset=utf-8";

const own: Readonly<Record<string, Asset>> = {
  "app.js": { type: script, text: appScript },
  "charts.js": { type: script, text: chartsScript },
  "chosen.js": { type: script, text: chosenScript },
  "copy.js": { type: script, text: copyScript },
  "keep.js": { type: script, text: keepScript },
  "live.js": { type: script, text: liveScript },
  "navigate.js": { type: script, text: navigateScript },
  "theme.js": { type: script, text: themeScript },
  "theme_switch.js": { type: script, text: themeSwitchScript },
  "style.css": { type: "text/css; charset=utf-8", text: style },
  "icon.svg": { type: "image/svg+xml; charset=utf-8", text: icon },
};

/** Scripts that the first script asks for: named in pages, so that they come at once and not one after the other. */
export const modules: readonly string[] = [
  "charts.js",
  "chosen.js",
  "copy.js",
  "keep.js",
  "live.js",
  "navigate.js",
  "theme_switch.js",
];

/** Changes whenever a file does. */
export const build: string = createHash("sha256").update(VERSION).update(JSON.stringify(own)).digest("hex").slice(
  0,
  12,
);

let library: Promise<string> | null = null;

/** A file by name, or `null`. */
export async function assets(name: string): Promise<Asset | null> {
  if (Object.hasOwn(own, name)) return own[name];
  if (name !== "echarts.js") return null;
  // A megabyte that is read when the first chart wants it.
  library ??= import("echarts/dist/echarts.min.js", { with: { type: "text" } }).then((module) => module.default);
  return { type: script, text: await library };
}
