/**
 * Mean advance of a character of 12 px system fonts, in pixels. It is a little generous, as this package
 * cannot measure text.
 */
const CHARACTER_WIDTH = 7;

/** Estimates the width of text in a figure, in pixels. */
export function textWidth(text: string): number {
  return text.length * CHARACTER_WIDTH;
}

/** Shortens text to `width` pixels by leaving out its middle, as names differ at their ends. */
export function fitText(text: string, width: number): string {
  const characters = Math.max(3, Math.floor(width / CHARACTER_WIDTH));
  if (text.length <= characters) return text;
  const remaining = characters - 1;
  return `${text.slice(0, Math.ceil(remaining / 2))}…${text.slice(text.length - Math.floor(remaining / 2))}`;
}
