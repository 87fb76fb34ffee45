/**
 * How charts look: colours, axes, words beside the pointer, names.
 *
 * @module
 */
import { cutText, printable } from "./table.ts";

/** Colours of a page. */
export type Theme = "light" | "dark";

/** How a chart is drawn. */
export interface ChartLook {
  readonly theme: Theme;
  readonly width: number;
  /** Whether the title is part of the picture: for pictures that leave the page. @default {false} */
  readonly titled?: boolean;
}

/** Okabe and Ito's order of hues, each dark or light enough for its ground (contrast 3 and more). */
export const hues: Readonly<Record<Theme, readonly string[]>> = {
  light: ["#0b62b8", "#b8430b", "#0d7a55", "#7c3fc4", "#8f6400", "#b3196a", "#0c7087", "#4f5965"],
  dark: ["#6db3ff", "#ff9d66", "#4fcf9c", "#c7a0ff", "#e5b84b", "#ff94c6", "#5ad5e6", "#b4bfcc"],
};
export const inks: Readonly<Record<Theme, Readonly<Record<"text" | "muted" | "rule" | "ground", string>>>> = {
  light: { text: "#1d232b", muted: "#59636f", rule: "#e3e7ec", ground: "#ffffff" },
  dark: { text: "#e7ebf0", muted: "#9aa6b4", rule: "#2c343e", ground: "#151a21" },
};
export const dashes = ["solid", "dashed", "dotted"] as const;
export const font = "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif";
/** Characters of a name in a legend. */
export const nameLength = 46;

/** A name of so many characters at most, without what cannot be printed. */
export function short(name: string, length: number = nameLength): string {
  return cutText(printable(name), length);
}

/** An axis in the colours of a page. */
export function axis(ink: typeof inks[Theme], extra: Record<string, unknown>): Record<string, unknown> {
  return {
    axisLine: { lineStyle: { color: ink.muted } },
    axisTick: { lineStyle: { color: ink.muted } },
    axisLabel: { color: ink.muted, fontSize: 11, hideOverlap: true },
    splitLine: { lineStyle: { color: ink.rule } },
    nameTextStyle: { color: ink.muted, fontSize: 11 },
    ...extra,
  };
}

/** Words beside the pointer. */
export function tooltip(ink: typeof inks[Theme], extra: Record<string, unknown>): Record<string, unknown> {
  return {
    // Text drawn on the canvas: markup would need styles that the page's policy forbids.
    renderMode: "richText",
    confine: true,
    backgroundColor: ink.ground,
    borderColor: ink.muted,
    borderWidth: 1,
    padding: [6, 9],
    textStyle: { color: ink.text, fontSize: 12, fontFamily: font },
    ...extra,
  };
}

/** Ends of an axis of percent that would go beyond what a share can be; an interval that does is cut there. */
export function percentEnds(values: readonly number[]): { min?: number; max?: number } {
  if (values.length === 0) return {};
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  // Around one value an axis would reach half as far again, beyond what a share can be.
  if (low === high) {
    return { min: Math.max(0, 5 * Math.floor((low - 5) / 5)), max: Math.min(100, 5 * Math.ceil((high + 5) / 5)) };
  }
  // The axis goes on to the next round number, at most about a fifth of what it shows.
  const room = (high - low) / 5;
  return { ...(low - room <= 0 ? { min: 0 } : {}), ...(high + room >= 100 ? { max: 100 } : {}) };
}

/** Names that occur twice get a number, as series are told apart by name. */
export function unique(names: readonly string[]): string[] {
  const used = new Map<string, number>();
  return names.map((name) => {
    const times = (used.get(name) ?? 0) + 1;
    used.set(name, times);
    return times === 1 ? name : `${name} (${times})`;
  });
}
