import { colorOf } from "../shell/colors.ts";
import type { UnitPlace } from "./unit-tiles.ts";

/** Draws a thread from each unit of A to its partner in B, over the stage. */
export interface Threads {
  /**
   * Draws the threads.
   * @param partners - unit of B that belongs to each unit of A
   * @param strength - from 0, invisible, to 1
   */
  draw(a: readonly UnitPlace[], b: readonly UnitPlace[], partners: Int32Array, strength: number): void;
  clear(): void;
}

/** Creates the threads between two canvases of units. */
export function createThreads(
  overlay: HTMLCanvasElement,
  left: HTMLCanvasElement,
  right: HTMLCanvasElement,
): Threads {
  const context = overlay.getContext("2d");
  const clear = () => context?.clearRect(0, 0, overlay.width, overlay.height);
  return {
    clear,
    draw(a, b, partners, strength) {
      if (context === null) return;
      const frame = overlay.getBoundingClientRect();
      const ratio = Math.min(2, devicePixelRatio);
      const [width, height] = [Math.round(frame.width * ratio), Math.round(frame.height * ratio)];
      if (overlay.width !== width) overlay.width = width;
      if (overlay.height !== height) overlay.height = height;
      clear();
      const locate = (canvas: HTMLCanvasElement) => {
        const box = canvas.getBoundingClientRect();
        const scale = (box.width / canvas.width) * ratio;
        const [x, y] = [(box.left - frame.left) * ratio, (box.top - frame.top) * ratio];
        return (place: UnitPlace): readonly [number, number] => [
          x + (place.x + place.size / 2) * scale,
          y + (place.y + place.size / 2) * scale,
        ];
      };
      const [placeA, placeB] = [locate(left), locate(right)];
      const color = context.createLinearGradient(0, 0, width, 0);
      color.addColorStop(0.2, colorOf("a"));
      color.addColorStop(0.8, colorOf("b"));
      context.strokeStyle = color;
      context.lineWidth = 1.1 * ratio;
      context.globalAlpha = 0.5 * strength;
      partners.forEach((unit, index) => {
        const [from, to] = [a[index], b[unit]];
        if (from === undefined || to === undefined) return;
        const [x0, y0] = placeA(from);
        const [x1, y1] = placeB(to);
        context.beginPath();
        context.moveTo(x0, y0);
        context.bezierCurveTo(x0 + (x1 - x0) / 3, y0, x1 - (x1 - x0) / 3, y1, x1, y1);
        context.stroke();
      });
    },
  };
}
