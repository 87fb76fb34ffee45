/** @jsxImportSource hono/jsx */
/**
 * Previews of samples on pages.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import type { Preview } from "../../core/kinds/mod.ts";
import type { Shown } from "../sample.ts";
import { significant } from "../numbers.ts";

/** Numbers written out at most. */
const maxNumbers = 48;
/** Characters of a text in a card. */
const cardCharacters = 160;

/** Address of the file of a preview. */
function fileOf(base: string, modality: string, index: number, ending: string): string {
  return `${base}/previews/${encodeURIComponent(modality)}/${index}.${ending}`;
}

const Numbers: FC<{ preview: Preview & { kind: "values" } }> = ({ preview: { values, shape } }) => (
  <code class="values">
    {[...values.slice(0, maxNumbers)].map((value) => significant(value, 4)).join(" ")}
    {values.length > maxNumbers && ` … (${shape.join(" × ")})`}
  </code>
);

const One: FC<{ preview: Preview; modality: string; index: number; base: string; what: string; whole: boolean }> = (
  { preview, modality, index, base, what, whole },
) => {
  switch (preview.kind) {
    case "image":
      return (
        <img
          class="pixels"
          src={fileOf(base, modality, index, "bmp")}
          alt={`${modality} of ${what}`}
          width={whole ? 224 : 84}
          height={Math.round((whole ? 224 : 84) * preview.height / preview.width)}
          loading="lazy"
        />
      );
    case "spectrogram":
      return (
        <img
          class="pixels"
          src={fileOf(base, modality, index, "bmp")}
          alt={`Spectrogram of ${modality} of ${what}, low tones below, time to the right`}
          width={whole ? 224 : 84}
          height={whole ? 224 : 84}
          loading="lazy"
        />
      );
    case "sound":
      return (
        <audio
          controls
          preload="none"
          src={fileOf(base, modality, index, "wav")}
          aria-label={`${modality} of ${what}`}
        >
        </audio>
      );
    case "text":
      return (
        <blockquote>
          {whole || preview.text.length <= cardCharacters ? preview.text : `${preview.text.slice(0, cardCharacters)}…`}
        </blockquote>
      );
    case "values":
      return <Numbers preview={preview} />;
  }
};

/** What there is to see and hear of a sample, a figure for each modality; in a card the first of each. */
export const Previews: FC<{ shown: Shown; base: string; what: string; whole?: boolean }> = (
  { shown, base, what, whole = false },
) => (
  <div class={whole ? "previews whole" : "previews"}>
    {Object.entries(shown.previews).map(([modality, previews]) => (
      <figure>
        {(whole ? previews : previews.slice(0, 1)).map((preview, index) => (
          <One preview={preview} modality={modality} index={index} base={base} what={what} whole={whole} />
        ))}
        <figcaption class="muted">{modality}</figcaption>
      </figure>
    ))}
  </div>
);

/** That previews are still to come; a script asks again for the page by itself. */
export const StillToCome: FC<{ url: string }> = ({ url }) => (
  <p class="note" data-again="">
    The data is being loaded; what there is to see and hear of it follows. <a href={url} data-swap="">Ask again</a>
  </p>
);
