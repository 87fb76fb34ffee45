/**
 * Drawings as pixels, the same on every machine: resvg as WebAssembly.
 *
 * @module
 */

/** Imported by this name at run time only, so that nothing but builds ever downloads it. */
const RESVG = "npm:@resvg/resvg-wasm@2.6.2";

interface Rendered {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  free(): void;
}
interface ResvgModule {
  initWasm(module: Uint8Array): Promise<void>;
  readonly Resvg: new (svg: string, options: object) => { render(): Rendered; free(): void };
}

let ready: Promise<void> | null = null;

/** Makes a function from SVG to RGBA bytes [side, side, 4] on white. */
export async function renderer(side: number): Promise<(svg: string) => Uint8Array> {
  const { initWasm, Resvg }: ResvgModule = await import(RESVG);
  // The package can be started once.
  ready ??= Deno.readFile(new URL(import.meta.resolve(`${RESVG}/index_bg.wasm`))).then(initWasm);
  await ready;
  return (svg) => {
    const drawing = new Resvg(svg, { background: "white", fitTo: { mode: "width", value: side } });
    const image = drawing.render();
    if (image.width !== side || image.height !== side) {
      throw new Error(`Cannot draw as the picture must be ${side} x ${side}: found ${image.width} x ${image.height}`);
    }
    const pixels = image.pixels.slice();
    image.free();
    drawing.free();
    return pixels;
  };
}
