import type { ColorScale, WalkGround, WalkPlot, WalkView } from "@isthmus/findings";

/** Two coordinates. */
export type Point = readonly [x: number, y: number];

/** Extents of a picture along both axes, in values. */
export interface Bounds {
  /** Left and right end. */
  readonly x: Point;
  /** Lower and upper end. */
  readonly y: Point;
}

/** Share of the extent of all points that is kept free around them. */
const ROOM = 0.12;
/** Widths of the lines of the highest and of the lowest barrier, in pixels. */
const WIDTHS = { high: 1.5, low: 5 } as const;

/**
 * Finds the extents of a picture with one scale on both axes that holds all points, and the ground if there
 * is one.
 * @param aspect - height of the picture over its width
 */
export function boundsOf(
  places: readonly (Point | null)[],
  ground: WalkGround | undefined,
  aspect: number,
): Bounds {
  const corners = ground === undefined ? [] : cornersOf(ground);
  const points = [...places, ...corners].flatMap((place) => (place === null ? [] : [place]));
  const [left, right] = extentOf(points.map(([x]) => x));
  const [low, high] = extentOf(points.map(([, y]) => y));
  const room = corners.length > 0 ? 1 : 1 + 2 * ROOM;
  const width = Math.max((right - left) * room, ((high - low) * room) / aspect) || 1;
  const around = (from: number, to: number, extent: number): Point => [
    (from + to - extent) / 2,
    (from + to + extent) / 2,
  ];
  return { x: around(left, right, width), y: around(low, high, width * aspect) };
}

/**
 * Returns the height of a picture over its width at which the ground, or else the places, fill it: at most
 * `usual` without a ground, at most 1 with one.
 */
export function aspectOf(
  places: readonly (Point | null)[],
  ground: WalkGround | undefined,
  usual: number,
): number {
  const points = ground === undefined ? places.filter((place) => place !== null) : cornersOf(ground);
  const [left, right] = extentOf(points.map(([x]) => x));
  const [low, high] = extentOf(points.map(([, y]) => y));
  const most = ground === undefined ? usual : 1;
  return Math.min(most, Math.max(usual / 2, (high - low) / (right - left) || usual));
}

const cornersOf = (ground: WalkGround): Point[] => cellsOf(ground).flatMap(({ corners }) => corners);

function extentOf(values: readonly number[]): Point {
  return values.length === 0 ? [-1, 1] : [Math.min(...values), Math.max(...values)];
}

/** A measured place of the ground. */
interface Cell {
  /** Four corners of the square that has the place in its middle. */
  readonly corners: readonly Point[];
  /** Loss at the place; null or not finite if it was not measured. */
  readonly loss: number | null;
}

/** Lists the measured places of the ground, row by row. */
export function cellsOf({ xs, ys, basis: [u, v], loss }: WalkGround): Cell[] {
  const [w = 0, h = 0] = [xs, ys].map(([first = 0, second = 1]) => (second - first) / 2);
  const place = (s: number, t: number): Point => [s * u[0] + t * v[0], s * u[1] + t * v[1]];
  return ys.flatMap((y, row) =>
    xs.map((x, column) => ({
      corners: [place(x - w, y - h), place(x + w, y - h), place(x + w, y + h), place(x - w, y + h)],
      loss: loss[row]?.[column] ?? null,
    })),
  );
}

/** Returns the width of a line by its barrier, so that lines differ without colour: the lower the thicker. */
export function lineWidth({ levels }: ColorScale, loss: number): number {
  const band = levels.filter((level) => level <= loss).length;
  return WIDTHS.low - ((WIDTHS.low - WIDTHS.high) * band) / Math.max(1, levels.length);
}

/** A line or a path as a picture draws it. */
export interface Stroke {
  /** Whether it is the straight line of a pair, or the arc of a path. */
  readonly kind: "line" | "path";
  /** Index of the pair, or of the path. */
  readonly index: number;
  /** Drawing commands of SVG, in pixels. */
  readonly d: string;
  /** Width in pixels. */
  readonly width: number;
  /** Loss barrier of a line; undefined for a path. */
  readonly loss?: number;
}

/** Width of paths, in pixels. */
const PATH_WIDTH = 2.5;

/**
 * Lays out the lines of a view, and its paths as arcs beside them.
 * @param lines - indices of the pairs whose lines are drawn
 * @param pixels - function from values to pixels
 */
export function strokesOf(
  { pairs, paths, scale }: Pick<WalkPlot, "pairs" | "paths" | "scale">,
  view: WalkView,
  lines: readonly number[],
  pixels: (place: Point) => Point,
): Stroke[] {
  const ends = (one: { readonly a: number; readonly b: number } | undefined) => {
    const [from, to] = [view.places[one?.a ?? -1], view.places[one?.b ?? -1]];
    return from && to ? { from: pixels(from), to: pixels(to) } : undefined;
  };
  const drawn = lines.flatMap((index): Stroke[] => {
    const [pair, way] = [pairs[index], ends(pairs[index])];
    if (pair === undefined || way === undefined) return [];
    const { loss } = pair.stages[view.stage];
    return [{ kind: "line", index, d: `M${way.from}L${way.to}`, width: lineWidth(scale, loss), loss }];
  });
  const arcs = view.paths.flatMap((index): Stroke[] => {
    const way = ends(paths[index]);
    if (way === undefined) return [];
    const d = `M${way.from}Q${bendOf(way.from, way.to)} ${way.to}`;
    return [{ kind: "path", index, d, width: PATH_WIDTH }];
  });
  return [...drawn, ...arcs];
}

/** Returns the bend of the arc by which a path is drawn beside the straight line. */
export function bendOf([x, y]: Point, [u, v]: Point): Point {
  return [(x + u) / 2 + (v - y) / 3, (y + v) / 2 - (u - x) / 3];
}
