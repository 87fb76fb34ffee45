/**
 * Builds the embedded dataset `moji-tri` from its sources, bit for bit the same every time.
 *
 * Pictures are drawn by resvg from icon sets of four artists (and a fifth for testing), texts are Unicode's in eight
 * languages, speech comes from eSpeak NG.
 *
 * Run: `deno task build:moji-tri [FOLDER]`, about a minute.
 *
 * @module
 */
import { Random } from "../core/random.ts";
import { encodePower } from "../datasets/av_digits_format.ts";
import {
  ARTISTS,
  BANDS,
  CLASSES,
  FRAMES,
  HOP,
  LANGUAGES,
  LEVELS,
  MEL,
  type MojiConcept,
  type MojiTriManifest,
  SEEN_ARTISTS,
  SIDE,
  SPOKEN,
  WINDOW_SAMPLES,
} from "../datasets/moji_tri_format.ts";
import { melPowers } from "../datasets/transforms/spectrum.ts";
import { embed, packageJson, writeManifest } from "./embed.ts";
import { splitGroups } from "./groups.ts";
import { halve, placed, spoken } from "./speech.ts";
import { renderer } from "./svg.ts";

/** Sources. Imported by these names at run time only, so that nothing but this build ever downloads them. */
const ART: Readonly<Record<typeof ARTISTS[number], string>> = {
  noto: "npm:@iconify-json/noto@1.2.9",
  twemoji: "npm:@iconify-json/twemoji@1.2.5",
  openmoji: "npm:@iconify-json/openmoji@1.2.29",
  fluent: "npm:@iconify-json/fluent-emoji-flat@1.2.6",
  emojione: "npm:@iconify-json/emojione@1.2.3",
};
const TEXTS = "npm:emojibase-data@17.0.0";
/** Unicode's group of each class. */
const GROUPS = [0, 1, 3, 4, 5, 6, 7, 8];
/** Concepts have pictures of at least so many of the seen artists. */
const LEAST_ARTISTS = 3;
/** Noto's package: this resvg stops at it. */
const UNDRAWABLE = { artist: "noto", code: "1F4E6" };
/** Voices, words a minute and pitch. */
const VOICES = { en: "en-us", de: "de" } as const;
const SPEECH_RATE = 200;
const SPEECH_PITCH = 50;

interface Icon {
  readonly body: string;
  readonly left?: number;
  readonly top?: number;
  readonly width?: number;
  readonly height?: number;
}
interface IconSet {
  readonly icons: Readonly<Record<string, Icon>>;
  readonly aliases?: Readonly<Record<string, { readonly parent: string; readonly [key: string]: unknown }>>;
  readonly width?: number;
  readonly height?: number;
}
interface Emoji {
  readonly hexcode: string;
  readonly label: string;
  readonly tags?: readonly string[];
  readonly group?: number;
  readonly order?: number;
}

/** An English label as icon sets write it. */
function slug(label: string): string {
  return label.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f’'“”".!()]/g, "").replaceAll("&", "and")
    .replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

const plainCode = (code: string) => code.toLowerCase().split("-").filter((part) => part !== "fe0f").join("-");

/** SVG of an emoji by one artist: by its code points, else by its English label; `null` where there is none. */
async function drawings(artist: typeof ARTISTS[number]): Promise<(emoji: Emoji) => string | null> {
  const { icons, aliases = {}, width = 16, height = 16 } = await packageJson<IconSet>(`${ART[artist]}/icons.json`);
  // emojione names its pictures, and says no code points.
  const named = artist === "emojione"
    ? {}
    : await packageJson<Readonly<Record<string, string>>>(`${ART[artist]}/chars.json`);
  const byCode = new Map(Object.entries(named).map(([code, name]) => [plainCode(code), name]));
  const find = (name: string): Icon | undefined => {
    if (Object.hasOwn(icons, name)) return icons[name];
    const alias = Object.hasOwn(aliases, name) ? aliases[name] : undefined;
    // An alias that turns or flips its parent is another picture.
    return alias === undefined || Object.keys(alias).length > 1 ? undefined : find(alias.parent);
  };
  return ({ hexcode, label }) => {
    if (artist === UNDRAWABLE.artist && hexcode === UNDRAWABLE.code) return null;
    const icon = find(byCode.get(plainCode(hexcode)) ?? slug(label));
    if (icon === undefined) return null;
    const box = [icon.left ?? 0, icon.top ?? 0, icon.width ?? width, icon.height ?? height].join(" ");
    return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
      `width="${SIDE}" height="${SIDE}" viewBox="${box}">${icon.body}</svg>`;
  };
}

const PERSON = "man|woman|person|men|women|people";

/** What concepts share that differ in a person or a detail: the label before a colon, without a person at either end. */
export function stemOf(label: string): string {
  const [head] = label.toLowerCase().split(":");
  const bare = head.replace(new RegExp(`^(${PERSON}) | (${PERSON})$`, "g"), "").trim();
  return bare === "" ? head : bare;
}

const textOf = ({ label, tags = [] }: Emoji): string => [...new Set([label, ...tags])].join(" ").toLowerCase();

/** Concepts with their SVG by artist, in Unicode's order. */
export async function concepts(): Promise<
  { concepts: Omit<MojiConcept, "pictures">[]; svg: (string | null)[][]; labels: string[][] }
> {
  const languages = await Promise.all(
    LANGUAGES.map((language) => packageJson<Emoji[]>(`${TEXTS}/${language}/data.json`)),
  );
  const art = await Promise.all(ARTISTS.map(drawings));
  const byCode = languages.map((list) => new Map(list.map((emoji) => [emoji.hexcode, emoji])));
  const all = languages[0].filter(({ group }) => group !== undefined && GROUPS.includes(group))
    .sort((a, b) => a.order! - b.order!)
    .map((emoji) => ({ emoji, svg: art.map((drawing) => drawing(emoji)) }))
    .filter(({ svg }) => svg.slice(0, SEEN_ARTISTS).filter((one) => one !== null).length >= LEAST_ARTISTS);
  const items = all.map(({ emoji }) => ({ group: stemOf(emoji.label), label: GROUPS.indexOf(emoji.group!) }));
  const splits = splitGroups(items, new Random(0).split("moji-tri", "stems"));
  return {
    concepts: all.map(({ emoji }, n) => ({
      code: emoji.hexcode,
      label: items[n].label,
      stem: items[n].group,
      split: splits.get(items[n].group)!,
      texts: byCode.map((list) => textOf(list.get(emoji.hexcode)!)),
    })),
    svg: all.map(({ svg }) => svg),
    labels: SPOKEN.map((language) =>
      all.map(({ emoji }) => byCode[LANGUAGES.indexOf(language)].get(emoji.hexcode)!.label)
    ),
  };
}

/** Codes [32, 32, 3] of a drawing. */
export function picture(render: (svg: string) => Uint8Array, svg: string): Uint8Array {
  const rgba = render(svg);
  const codes = new Uint8Array(SIDE * SIDE * 3);
  for (let i = 0; i < SIDE * SIDE; i++) {
    for (let c = 0; c < 3; c++) codes[3 * i + c] = Math.round(rgba[4 * i + c] * LEVELS / 255);
  }
  return codes;
}

const mel = melPowers(MEL);

/** Codes [40, 32] of every label of a class in one language; one instance of the synthesiser speaks them in order. */
export async function speech(language: typeof SPOKEN[number], labels: readonly string[]): Promise<Uint8Array[]> {
  const voice = { language: VOICES[language], rate: SPEECH_RATE, pitch: SPEECH_PITCH };
  const signals = await spoken(voice, labels);
  return signals.map((signal, n) => {
    const random = new Random(0).split("moji-tri", "placement", language, labels[n]);
    const window = placed(halve(signal), WINDOW_SAMPLES, random);
    const powers = new Float32Array(FRAMES * BANDS);
    for (let frame = 0; frame < FRAMES; frame++) mel(window, frame * HOP, powers, frame * BANDS);
    return Uint8Array.from(powers, encodePower);
  });
}

async function build(folder: string): Promise<void> {
  const { concepts: found, svg, labels } = await concepts();
  const render = await renderer(SIDE);
  const pictures: Uint8Array[] = [];
  const complete = found.map((concept, n): MojiConcept => {
    // The unseen artist's pictures are for testing on concepts that nobody was trained on.
    const own = svg[n].map((one, artist) => concept.split !== "test" && artist >= SEEN_ARTISTS ? null : one);
    return {
      ...concept,
      pictures: own.map((one) => one === null ? -1 : pictures.push(picture(render, one)) - 1),
    };
  });
  const cells = FRAMES * BANDS;
  const sounds = new Uint8Array(found.length * SPOKEN.length * cells);
  for (const [s, language] of SPOKEN.entries()) {
    for (const label of CLASSES.keys()) {
      const members = [...found.keys()].filter((n) => found[n].label === label);
      const codes = await speech(language, members.map((n) => labels[s][n]));
      members.forEach((n, k) => sounds.set(codes[k], (n * SPOKEN.length + s) * cells));
      console.error(`${language} ${CLASSES[label]}: ${members.length} spoken`);
    }
  }
  const pixels = new Uint8Array(pictures.length * SIDE * SIDE * 3);
  pictures.forEach((codes, n) => pixels.set(codes, n * codes.length));
  const files = {
    pictures: await embed(folder, "moji_tri_pictures.u8.gz", pixels),
    speech: await embed(folder, "moji_tri_speech.u8.gz", sounds),
    concepts: await embed(folder, "moji_tri_concepts.json.gz", new TextEncoder().encode(JSON.stringify(complete))),
  };
  const manifest: MojiTriManifest = {
    format: 1,
    files: { pictures: files.pictures.file, speech: files.speech.file, concepts: files.concepts.file },
    counts: {
      concepts: found.length,
      stems: new Set(found.map(({ stem }) => stem)).size,
      pictures: pictures.length,
    },
    sources: [
      { package: "npm @iconify-json/noto 1.2.9 (Noto Emoji, Google)", licence: "Apache-2.0", use: "pictures" },
      { package: "npm @iconify-json/twemoji 1.2.5 (Twitter)", licence: "CC-BY-4.0", use: "pictures" },
      { package: "npm @iconify-json/openmoji 1.2.29 (OpenMoji)", licence: "CC-BY-SA-4.0", use: "pictures" },
      { package: "npm @iconify-json/fluent-emoji-flat 1.2.6 (Microsoft)", licence: "MIT", use: "pictures" },
      {
        package: "npm @iconify-json/emojione 1.2.3 (Emoji One)",
        licence: "CC-BY-4.0",
        use: "pictures of artist=unseen",
      },
      { package: "npm emojibase-data 17.0.0 (Unicode CLDR)", licence: "MIT", use: "labels and tags" },
      {
        package: "npm @echogarden/espeak-ng-emscripten 0.3.5 (eSpeak NG)",
        licence: "GPL-3.0",
        use: "synthesised the speech; not distributed",
      },
      { package: "npm @resvg/resvg-wasm 2.6.2", licence: "MPL-2.0", use: "drew the pictures; not distributed" },
    ],
    build: "deno task build:moji-tri",
  };
  await writeManifest(folder, "moji_tri.manifest.json", manifest);
  const sizes = Object.entries(files).map(([name, { bytes }]) => `${name} ${(bytes / 2 ** 20).toFixed(2)} MiB`);
  console.error(`${JSON.stringify(manifest.counts)}; ${sizes.join(", ")} in ${folder}`);
}

if (import.meta.main) await build(Deno.args[0] ?? new URL("../datasets/data", import.meta.url).pathname);
