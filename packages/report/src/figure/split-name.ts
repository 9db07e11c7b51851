import { fitText, textWidth } from "@isthmus/findings";

/**
 * Splits a name that is wider than `width` pixels into two lines at the space nearest to its middle, and
 * shortens lines that still do not fit.
 * @returns one line, or two
 */
export function splitName(name: string, width: number): readonly string[] {
  const spaces = [...name.matchAll(/ /g)].map(({ index }) => index);
  if (textWidth(name) <= width || spaces.length === 0) return [fitText(name, width)];
  const fromMiddle = (index: number) => Math.abs(index - (name.length - 1) / 2);
  const middle = spaces.reduce((best, index) => (fromMiddle(index) < fromMiddle(best) ? index : best));
  return [name.slice(0, middle), name.slice(middle + 1)].map((line) => fitText(line, width));
}
