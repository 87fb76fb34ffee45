/**
 * Numbers as people read them, everywhere alike: a minus sign and no hyphen, none before what rounds to 0, thousands apart by
 * a narrow space.
 *
 * @module
 */

/** How a number is written. */
export type Unit = "percent" | "plain" | "count" | "seconds" | "milliseconds";

/** The text of a number with a minus sign in place of the hyphen before it. */
export function signed(text: string): string {
  return text.startsWith("-") ? `−${text.slice(1)}` : text;
}

/** A number with so many digits behind the point; what rounds to 0 has no sign. */
export function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : signed(text);
}

/** A number with so many digits that count, and none for nothing: "0.25", "1.2e-7". */
export function significant(value: number, digits: number): string {
  return signed(String(Number(value.toPrecision(digits))));
}

/** A whole number, its thousands apart by a narrow space. */
export function grouped(value: number): string {
  return signed(String(Math.round(value))).replaceAll(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** A number at a tick of an axis; an axis that begins at a value may begin anywhere. */
export function tickText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? grouped(value) : significant(value, 6);
}

/** A number in its unit. */
export function numberText(value: number, unit: Unit, withUnit: boolean = true): string {
  switch (unit) {
    case "percent":
      return `${fixed(100 * value, 1)}${withUnit ? " %" : ""}`;
    case "count":
      return grouped(value);
    case "seconds":
      return withUnit ? duration(value) : fixed(value, 1);
    case "milliseconds":
      return `${value.toPrecision(3)}${withUnit ? " ms" : ""}`;
    case "plain":
      return value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)
        ? signed(value.toExponential(2))
        : fixed(value, 3);
  }
}

/** The number that a text of these was made of, as far as it shows it. */
export function numberOf(text: string): number {
  return Number(text.replaceAll("\u202f", "").replace("−", "-"));
}

/** A time span: "42.1 s", "3 min 05 s", "1 h 20 min". */
export function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor(whole % 3600 / 60)).padStart(2, "0")} min`;
}
