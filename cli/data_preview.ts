/**
 * `armlab data preview`: a contact sheet as PNG, and one page that needs nothing else.
 *
 * @module
 */
import { join } from "node:path";
import sharp from "sharp";
import type { ContactSample, ContactSheet, Pixels, Shown } from "../datasets/mod.ts";
import { writeAtomic } from "../store/files.ts";
import { pngOf } from "../viewer/render.ts";
import { xmlText } from "../viewer/table.ts";

/** Height of what is shown, in pixels. */
const HEIGHT = 96;
/** Least and greatest width of it. */
const [NARROW, WIDE] = [64, 360];

/** How wide a picture is shown. */
function widthOf({ width, height }: Pixels): number {
  return Math.round(Math.min(WIDE, Math.max(NARROW, width * HEIGHT / height)));
}

/** A picture as a data URL. */
async function dataUrl({ width, height, data }: Pixels): Promise<string> {
  const png = await sharp(data, { raw: { width, height, channels: 3 } }).png().toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

/** What is shown of a sample, ready for a page or a sheet. */
interface Cell {
  readonly width: number;
  readonly url?: string;
  readonly text?: string;
}

async function cellOf(shown: Shown): Promise<Cell> {
  if (shown === null) return { width: NARROW, text: "" };
  if ("text" in shown) return { width: 200, text: shown.text };
  return { width: widthOf(shown.pixels), url: await dataUrl(shown.pixels) };
}

type Cells = ReadonlyMap<ContactSample, Readonly<Record<string, Cell>>>;

async function cellsOf({ classes }: ContactSheet): Promise<Cells> {
  const cells = new Map<ContactSample, Record<string, Cell>>();
  for (const sample of classes.flatMap(({ samples }) => samples)) {
    const own: Record<string, Cell> = {};
    for (const [modality, shown] of Object.entries(sample.shown)) own[modality] = await cellOf(shown);
    cells.set(sample, own);
  }
  return cells;
}

const summaryOf = ({ left }: ContactSheet) => left === 0 ? "" : `${left} further classes are not shown.`;

/** The page. */
function pageOf(preview: ContactSheet, cells: Cells): string {
  const cell = (modality: string, { url, text, width }: Cell) => {
    const name = xmlText(modality);
    const body = url !== undefined
      ? `<img src="${url}" width="${width}" height="${HEIGHT}" alt="${name}">`
      : text === ""
      ? `<span class="missing">no ${name}</span>`
      : `<blockquote>${xmlText(text!)}</blockquote>`;
    return `<figure>${body}<figcaption>${name}</figcaption></figure>`;
  };
  const sample = (own: ContactSample) =>
    `<article><h3>${xmlText(own.id)} <small>${own.split}</small></h3><div>${
      Object.entries(cells.get(own)!).map(([modality, shown]) => cell(modality, shown)).join("")
    }</div></article>`;
  const sections = preview.classes.map(({ name, size, samples }) =>
    `<section><h2>${xmlText(name)} <small>${size} samples</small></h2><div class="samples">${
      samples.map(sample).join("\n")
    }</div></section>`
  );
  const modalities = Object.entries(preview.modalities).map(([name, { shape, about }]) =>
    `<li><b>${xmlText(name)}</b> [${shape.join(", ")}]: ${xmlText(about)}</li>`
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${xmlText(preview.name)}: preview</title>
<style>
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 84rem; padding: 0 1rem; }
h2 { border-bottom: 1px solid #8886; margin-top: 2rem; }
small { font-weight: normal; opacity: .75; }
.samples { display: flex; flex-wrap: wrap; gap: 1rem; }
article { border: 1px solid #8886; border-radius: .4rem; padding: .6rem; max-width: 100%; box-sizing: border-box; }
article h3 { font-size: .85rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
article > div { display: flex; flex-wrap: wrap; gap: .6rem; }
figure { margin: 0; }
figcaption { font-size: .8rem; opacity: .75; }
img { image-rendering: pixelated; display: block; max-width: 100%; }
blockquote { margin: 0; width: 14rem; max-height: 6rem; overflow: auto; font-style: italic; }
.missing { display: grid; place-items: center; width: 6rem; height: 6rem; border: 1px dashed #8888; font-size: .8rem; }
</style>
<h1>${xmlText(preview.name)}</h1>
<ul>${modalities.join("\n")}</ul>
${sections.join("\n")}
<p>${summaryOf(preview)}</p>
</html>
`;
}

/** Words of a text in lines of so many characters. */
function lines(text: string, most: number, count: number): string[] {
  const found: string[] = [""];
  for (const word of text.split(/\s+/)) {
    const last = found[found.length - 1];
    if (last !== "" && last.length + word.length + 1 > most) found.push(word);
    else found[found.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return found.slice(0, count).map((line) => line.length > most ? `${line.slice(0, most - 1)}…` : line);
}

const GAP = 12;

/** The contact sheet. */
function sheetOf(preview: ContactSheet, cells: Cells): string {
  const parts: string[] = [];
  const text = (x: number, y: number, size: number, own: string, more = "") =>
    parts.push(`<text x="${x}" y="${y}" font-size="${size}" ${more}>${xmlText(own)}</text>`);
  let widest = 400;
  let y = 2 * GAP + 20;
  text(GAP, y - 8, 20, preview.name, 'font-weight="bold"');
  for (const { name, size, samples } of preview.classes) {
    y += 26;
    text(GAP, y - 8, 15, `${name} (${size})`, 'font-weight="bold"');
    let x = GAP;
    for (const sample of samples) {
      const start = x;
      for (const [modality, cell] of Object.entries(cells.get(sample)!)) {
        const { url, width } = cell;
        if (url !== undefined) {
          parts.push(
            `<image x="${x}" y="${y}" width="${width}" height="${HEIGHT}" preserveAspectRatio="none" ` +
              `image-rendering="optimizeSpeed" href="${url}"/>`,
          );
        } else if (cell.text === "") {
          parts.push(
            `<rect x="${x}" y="${y}" width="${width}" height="${HEIGHT}" fill="none" stroke="#999" ` +
              `stroke-dasharray="4 3"/>`,
          );
          text(x + 4, y + HEIGHT / 2, 10, `no ${modality}`);
        } else lines(cell.text!, 34, 7).forEach((line, k) => text(x, y + 12 + 13 * k, 11, line));
        x += width + 4;
      }
      text(
        start,
        y + HEIGHT + 13,
        10,
        `${sample.id} · ${sample.split}`.slice(0, Math.floor((x - start) / 5)),
        'fill="#555"',
      );
      x += GAP;
    }
    widest = Math.max(widest, x);
    y += HEIGHT + 20;
  }
  if (preview.left > 0) text(GAP, y += 20, 12, summaryOf(preview));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${widest}" height="${y + GAP}" font-family="sans-serif">` +
    `<rect width="100%" height="100%" fill="white"/>${parts.join("\n")}</svg>`;
}

/** Writes the contact sheet and the page into a folder. @throws {Refusal} If a picture cannot be made here. */
export async function writePreview(preview: ContactSheet, folder: string): Promise<{ png: string; page: string }> {
  const cells = await cellsOf(preview);
  await Deno.mkdir(folder, { recursive: true });
  const [png, page] = [join(folder, "preview.png"), join(folder, "preview.html")];
  await Deno.writeFile(png, await pngOf(sheetOf(preview, cells)));
  await writeAtomic(page, pageOf(preview, cells));
  return { png, page };
}
