/** Where one entry of a legend goes, in pixels from the top left of the frame; y is negative. */
export interface LegendItem {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

const ROW_HEIGHT = 20;
const SWATCH_WIDTH = 17;
const GAP = 22;
/** Mean advance of a character of 12 px system fonts, a little generous: nothing here can measure text. */
const CHARACTER_WIDTH = 6.6;

/** Sets entries in rows above a frame of `width` pixels, in order. */
export function layOutLegend(
  texts: readonly string[],
  width: number,
): { readonly items: readonly LegendItem[]; readonly height: number } {
  const places: { text: string; x: number; row: number }[] = [];
  let x = 0;
  let row = 0;
  for (const text of texts) {
    const extent = SWATCH_WIDTH + text.length * CHARACTER_WIDTH;
    if (x > 0 && x + extent > width) {
      x = 0;
      row++;
    }
    places.push({ text, x, row });
    x += extent + GAP;
  }
  const height = (row + 1) * ROW_HEIGHT;
  return {
    items: places.map((place) => ({ text: place.text, x: place.x, y: place.row * ROW_HEIGHT - height + 4 })),
    height,
  };
}
