import { colorOf } from "../shell/colors.ts";
import { prefersStill } from "../shell/dom.ts";
import { createUnitAtlas, PIXELS, type UnitPlace, unitPlaces } from "./unit-atlas.ts";

/** Milliseconds that one unit flies, and over which the starts are spread. */
const FLIGHT = 900;
const SPREAD = 900;

/** Number of empty pictures, milliseconds in which a wave goes over them, and from one frame of it to the next. */
const WAITING = 64;
const WAVE = 1600;
const WAVE_PAUSE = 80;

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
  const atlas = createUnitAtlas();
  let shown: Float32Array = new Float32Array(0);
  let at: readonly UnitPlace[] = [];
  let extent = 0;
  const count = () => shown.length / PIXELS;
  const paint = () => {
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(atlas.canvas, 0, 0, canvas.width, canvas.height);
  };
  const paintMoving = () => {
    context.clearRect(0, 0, canvas.width, canvas.height);
    at.forEach((to, unit) => {
      const from = atlas.placeOf(unit);
      context.drawImage(atlas.canvas, from.x, from.y, from.size, from.size, to.x, to.y, to.size, to.size);
    });
  };
  const settle = (units = count()) => {
    if (extent === 0) extent = Math.max(1, Math.round(canvas.clientWidth * Math.min(2, devicePixelRatio)));
    if (canvas.width !== extent) canvas.width = canvas.height = extent;
    at = unitPlaces(units, extent);
  };
  const redraw = () => {
    if (count() === 0) return;
    settle();
    atlas.fill(shown, colorName);
    paint();
  };
  new ResizeObserver(() => {
    extent = 0;
    redraw();
  }).observe(canvas);
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
        paintMoving();
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
