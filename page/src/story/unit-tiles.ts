import { colorOf, partsOf, pixelBetween } from "../shell/colors.ts";
import { prefersStill } from "../shell/dom.ts";

/** Extent of the picture of a unit, and number of its pixels. */
const EXTENT = 28;
const PIXELS = EXTENT * EXTENT;

/** Space between pictures, as a share of a picture's extent. */
const GAP = 0.12;

/** Milliseconds that one unit flies, and over which the starts are spread. */
const FLIGHT = 900;
const SPREAD = 900;

/** Weights of this many standard deviations have the full colour. */
const FULL = 3;

/** Number of shades of either sign. */
const SHADES = 127;

/** Number of empty pictures, milliseconds in which a wave goes over them, and from one frame of it to the next. */
const WAITING = 64;
const WAVE = 1600;
const WAVE_PAUSE = 50;

/** A place of a unit on the canvas, in the units of its drawing. */
export interface UnitPlace {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** A canvas that shows the units of a layer as small pictures of their weights. */
export interface UnitTiles {
  /** Shows empty pictures with a wave of light over them, until weights are shown. */
  wait(): void;
  /** Shows weights `[units, 28, 28]`, each unit at its own place. */
  show(units: Float32Array): void;
  /** Draws what is shown again, as after a change of colours. */
  redraw(): void;
  /**
   * Lets units fly to other places: `order[place]` is the unit that comes there.
   * @param onFrame - called with each drawn frame with the places of all units by their number
   */
  fly(order: Int32Array, onFrame: (places: readonly UnitPlace[]) => void): Promise<void>;
  /** Returns where each unit is. */
  places(): readonly UnitPlace[];
}

/** Draws units on a canvas; positive weights have the colour of a variable of the style. */
export function createUnitTiles(canvas: HTMLCanvasElement, colorName: string): UnitTiles {
  const context = canvas.getContext("2d");
  if (context === null) throw new TypeError("Cannot draw units as this browser has no canvas");
  const atlas = document.createElement("canvas");
  let shown: Float32Array = new Float32Array(0);
  let at: readonly UnitPlace[] = [];
  const count = () => shown.length / PIXELS;
  const paint = () => {
    context.clearRect(0, 0, canvas.width, canvas.height);
    at.forEach(({ x, y, size }, unit) => {
      const [column, row] = [unit % 16, Math.floor(unit / 16)];
      context.drawImage(atlas, column * EXTENT, row * EXTENT, EXTENT, EXTENT, x, y, size, size);
    });
  };
  const settle = (units = count()) => {
    const extent = Math.max(1, Math.round(canvas.clientWidth * Math.min(2, devicePixelRatio)));
    if (canvas.width !== extent) canvas.width = canvas.height = extent;
    at = grid(units, canvas.width);
  };
  const redraw = () => {
    if (count() === 0) return;
    settle();
    fillAtlas(atlas, shown, colorName);
    paint();
  };
  return {
    wait() {
      const began = performance.now();
      const wave = (now: number) => {
        if (count() > 0) return;
        settle(WAITING);
        paintWave(context, at, prefersStill() ? 0 : now - began);
        if (!prefersStill()) setTimeout(() => requestAnimationFrame(wave), WAVE_PAUSE);
      };
      requestAnimationFrame(wave);
    },
    show(units) {
      shown = units;
      redraw();
    },
    redraw,
    places: () => at,
    async fly(order, onFrame) {
      settle();
      const home = at;
      const target = home.map((place) => place);
      order.forEach((unit, place) => {
        const there = home[place];
        if (there !== undefined) target[unit] = there;
      });
      await animate(FLIGHT + SPREAD, (elapsed) => {
        at = home.map((from, unit) => between(from, target[unit] ?? from, elapsed, unit / count()));
        paint();
        onFrame(at);
      });
      at = target;
    },
  };
}

/** Draws empty pictures, over which a wave of light goes from corner to corner. */
function paintWave(context: CanvasRenderingContext2D, places: readonly UnitPlace[], elapsed: number): void {
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  context.fillStyle = colorOf("shade");
  for (const { x, y, size } of places) {
    const phase = (x + y) / (width + height) - elapsed / WAVE;
    context.globalAlpha = 0.3 + 0.25 * Math.sin(2 * Math.PI * phase);
    context.fillRect(x, y, size, size);
  }
  context.globalAlpha = 1;
}

/** Returns the places of units in rows, on a square canvas of this extent. */
function grid(count: number, extent: number): UnitPlace[] {
  const columns = Math.ceil(Math.sqrt(count));
  const size = extent / (columns + (columns - 1) * GAP);
  const step = size * (1 + GAP);
  return Array.from({ length: count }, (_, unit) => ({
    x: (unit % columns) * step,
    y: Math.floor(unit / columns) * step,
    size,
  }));
}

/** Returns where a unit is on its arc, after so many milliseconds. */
function between(from: UnitPlace, to: UnitPlace, elapsed: number, turn: number): UnitPlace {
  const share = Math.min(1, Math.max(0, (elapsed - turn * SPREAD) / FLIGHT));
  const eased = share < 0.5 ? 4 * share ** 3 : 1 - (2 - 2 * share) ** 3 / 2;
  const lift = Math.sin(Math.PI * eased);
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const size = from.size * (1 + 0.25 * lift * Math.min(1, Math.hypot(dx, dy) / (2 * from.size)));
  const grown = (size - from.size) / 2;
  return {
    x: from.x + dx * eased - 0.18 * dy * lift - grown,
    y: from.y + dy * eased + 0.18 * dx * lift - grown,
    size,
  };
}

/** Calls a function with the elapsed milliseconds at each frame, and a last time at the end. */
export async function animate(duration: number, onFrame: (elapsed: number) => void): Promise<void> {
  if (prefersStill() || document.hidden) return onFrame(duration);
  const began = performance.now();
  await new Promise<void>((finish) => {
    const step = (now: number) => {
      const elapsed = Math.min(duration, Math.max(0, now - began));
      onFrame(elapsed);
      if (elapsed < duration) requestAnimationFrame(step);
      else finish();
    };
    requestAnimationFrame(step);
  });
}

/** Draws all units into one hidden canvas, 16 in a row. */
function fillAtlas(atlas: HTMLCanvasElement, units: Float32Array, colorName: string): void {
  const count = units.length / PIXELS;
  atlas.width = 16 * EXTENT;
  atlas.height = Math.ceil(count / 16) * EXTENT;
  const context = atlas.getContext("2d");
  if (context === null) return;
  const picture = context.createImageData(atlas.width, atlas.height);
  const pixels = new Uint32Array(picture.data.buffer);
  const shades = shadesOf(colorName);
  const middle = shades.length >> 1;
  const scale = middle / (FULL * deviationOf(units));
  for (let unit = 0; unit < count; unit++) {
    const corner = Math.floor(unit / 16) * EXTENT * atlas.width + (unit % 16) * EXTENT;
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      const shade = middle + (units[unit * PIXELS + pixel] as number) * scale;
      const out = corner + Math.floor(pixel / EXTENT) * atlas.width + (pixel % EXTENT);
      pixels[out] = shades[Math.max(0, Math.min(2 * middle, Math.round(shade)))] as number;
    }
  }
  context.putImageData(picture, 0, 0);
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
