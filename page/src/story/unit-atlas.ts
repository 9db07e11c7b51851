import { partsOf, pixelBetween } from "../shell/colors.ts";

/** Extent of the picture of a unit, and number of its pixels. */
const EXTENT = 28;
export const PIXELS: number = EXTENT * EXTENT;

/** Space between pictures, in pixels of a picture. */
const SPACE = 3;

/** Weights of this many standard deviations have the full colour. */
const FULL = 3;

/** Number of shades of either sign. */
const SHADES = 127;

/** A part of an atlas or of a canvas. */
export interface UnitPlace {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** A hidden canvas with the pictures of all units in rows, each weight a pixel. */
export interface UnitAtlas {
  readonly canvas: HTMLCanvasElement;
  /** Draws weights `[units, 28, 28]` with the colours of the style; positive ones have the colour of this name. */
  fill(units: Float32Array, colorName: string): void;
  /** Returns where the picture of a unit is in the atlas. */
  placeOf(unit: number): UnitPlace;
}

/** Returns the number of columns, and of rows, in which so many units are shown. */
function columnsOf(count: number): number {
  return Math.ceil(Math.sqrt(count));
}

/** Returns the places of units in rows on a square canvas of this extent. */
export function unitPlaces(count: number, extent: number): UnitPlace[] {
  const columns = columnsOf(count);
  const scale = extent / (columns * (EXTENT + SPACE) - SPACE);
  const step = (EXTENT + SPACE) * scale;
  return Array.from({ length: count }, (_, unit) => ({
    x: (unit % columns) * step,
    y: Math.floor(unit / columns) * step,
    size: EXTENT * scale,
  }));
}

/** Creates an empty atlas. */
export function createUnitAtlas(): UnitAtlas {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (context === null) throw new TypeError("Cannot draw units as this browser has no canvas");
  let columns = 0;
  let picture = context.createImageData(1, 1);
  const placeOf = (unit: number): UnitPlace => ({
    x: (unit % columns) * (EXTENT + SPACE),
    y: Math.floor(unit / columns) * (EXTENT + SPACE),
    size: EXTENT,
  });
  return {
    canvas,
    placeOf,
    fill(units, colorName) {
      const count = units.length / PIXELS;
      if (columns !== columnsOf(count)) {
        columns = columnsOf(count);
        canvas.width = canvas.height = columns * (EXTENT + SPACE) - SPACE;
        picture = context.createImageData(canvas.width, canvas.height);
      }
      const pixels = new Uint32Array(picture.data.buffer);
      pixels.fill(0);
      const shades = shadesOf(colorName);
      const scale = SHADES / (FULL * deviationOf(units));
      for (let unit = 0; unit < count; unit++) {
        const { x, y } = placeOf(unit);
        for (let pixel = 0; pixel < PIXELS; pixel++) {
          const shade = Math.round(SHADES + (units[unit * PIXELS + pixel] as number) * scale);
          const out = (y + Math.floor(pixel / EXTENT)) * canvas.width + x + (pixel % EXTENT);
          pixels[out] = shades[Math.max(0, Math.min(2 * SHADES, shade))] as number;
        }
      }
      context.putImageData(picture, 0, 0);
    },
  };
}

/** Returns the pixels of all shades: from the most negative weight over 0, in the middle, to the most positive. */
function shadesOf(colorName: string): Uint32Array {
  const [base, positive, negative] = [partsOf("background"), partsOf(colorName), partsOf("muted")];
  return Uint32Array.from({ length: 2 * SHADES + 1 }, (_, shade) =>
    pixelBetween(base, shade > SHADES ? positive : negative, Math.abs(shade - SHADES) / SHADES),
  );
}

/** Returns the root of the mean of the squares. */
function deviationOf(weights: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < weights.length; i++) squares += (weights[i] as number) ** 2;
  return Math.sqrt(squares / weights.length);
}
