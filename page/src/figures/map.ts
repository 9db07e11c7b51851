import { areaAbove, type Box, type Surface } from "./isobands.ts";
import { label, picture, round, tag } from "./markup.ts";

const SIZE = { width: 520, height: 412 };

/** Largest width and height of a map, which is drawn to scale. */
const MOST = { width: 500, height: 376 };

/** Losses at which a band begins, in nats. */
const LEVELS = [0.25, 0.35, 0.5, 0.75, 1, 1.5, 2, 3];

/** Losses on a plane, with networks in it. */
export interface LossMap {
  /** Text alternative of the map, for screen readers. */
  readonly description: string;
  /** Extents from left to right and from bottom to top, in one unit. */
  readonly extents: readonly [number, number];
  readonly surface: Surface;
  /** Networks, with their shares of the way from left to right and from bottom to top. */
  readonly networks: readonly { readonly label: string; readonly x: number; readonly y: number }[];
}

/** A plane that was measured, as `measurePlane` describes it. */
export interface MeasuredPlane {
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** Losses, `[ys][xs]` row by row. */
  readonly loss: readonly number[];
  readonly networks: readonly { readonly label: string; readonly x: number; readonly y: number }[];
}

/** Arranges the losses of a plane as a map whose horizontal axis is the second direction, the longer one. */
export function mapOfPlane({ xs, ys, loss, networks }: MeasuredPlane, description: string): LossMap {
  return {
    description,
    extents: [extentOf(ys), extentOf(xs)],
    surface: {
      columns: ys.length,
      rows: xs.length,
      values: xs.flatMap((_, x) => ys.map((_, y) => loss[y * xs.length + x] ?? 0)),
    },
    networks: networks.map(({ label, x, y }) => ({ label, x: shareOf(ys, y), y: shareOf(xs, x) })),
  };
}

/** Returns the distance from the first place to the last. */
export function extentOf(places: readonly number[]): number {
  return (places.at(-1) ?? 0) - (places[0] ?? 0);
}

function shareOf(places: readonly number[], value: number): number {
  return (value - (places[0] ?? 0)) / extentOf(places);
}

/** Draws a map: lowland is green, and higher bands are paler, then brown. */
export function drawMap(map: LossMap): string {
  const box = boxOf(map);
  const { left, top, width, height } = box;
  const places = map.networks.map(({ label, x, y }) => ({
    label,
    x: round(left + x * width),
    y: round(top + (1 - y) * height),
  }));
  return picture(
    SIZE,
    map.description,
    tag("rect", { class: "lowland", x: left, y: top, width, height }),
    ...LEVELS.map((level, i) =>
      tag("path", { class: `band band-${i}`, d: areaAbove(map.surface, box, level) }),
    ),
    ...places.flatMap(({ label: name, x, y }) => [
      tag("circle", { class: "here", cx: x, cy: y, r: 5 }),
      label(name, { class: "name", x, y: y - 11, "text-anchor": "middle" }),
    ]),
    label(`Bands begin at ${LEVELS.join(", ")} nats`, { x: 10, y: 406 }),
  );
}

/** Returns the largest box of the shape of a map. */
function boxOf({ extents }: LossMap): Box {
  const scale = Math.min(MOST.width / extents[0], MOST.height / extents[1]);
  const [width, height] = [round(extents[0] * scale), round(extents[1] * scale)];
  return { left: round((SIZE.width - width) / 2), top: 8, width, height };
}
