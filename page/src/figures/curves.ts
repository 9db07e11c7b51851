import { label, pointsOf, round, tag } from "./markup.ts";

/** A frame in which curves are drawn, and the largest value at its top. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly most: number;
  /** Text above the frame: what is drawn, and its unit. */
  readonly title: string;
  /** Texts below the left and the right end. */
  readonly ends: readonly [string, string];
}

/** A curve of evenly spaced values. */
export interface Curve {
  readonly values: readonly number[];
  /** Classes of the style. */
  readonly look: string;
  /** Whether the area below is filled. */
  readonly filled?: boolean;
}

/** Returns the place of a value of a curve. */
export function placeIn(frame: Frame, share: number, value: number): readonly [x: number, y: number] {
  const { left, top, width, height, most } = frame;
  return [left + share * width, top + height * (1 - Math.min(value, most) / most)];
}

/** Draws curves into a frame with its axis. */
export function drawCurves(frame: Frame, curves: readonly Curve[]): string {
  const { left, top, width, height, most, title, ends } = frame;
  const step = most > 4 ? 2 : most > 1.2 ? 0.5 : 0.25;
  const ticks = Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
  const grid = ticks.map((value) => {
    const y = round(placeIn(frame, 0, value)[1]);
    return (
      tag("line", { class: "grid", x1: left, x2: left + width, y1: y, y2: y }) +
      label(String(value), { x: left - 6, y: y + 4, "text-anchor": "end" })
    );
  });
  const below = top + height + 17;
  return [
    ...grid,
    label(title, { x: left - 20, y: top - 14 }),
    label(ends[0], { x: left, y: below, "text-anchor": "middle", class: "strong" }),
    label(ends[1], { x: left + width, y: below, "text-anchor": "middle", class: "strong" }),
    ...curves.map((curve) => drawCurve(frame, curve)),
  ].join("");
}

function drawCurve(frame: Frame, { values, look, filled = false }: Curve): string {
  const points = values.map((value, i) => placeIn(frame, i / (values.length - 1), value));
  const ground = frame.top + frame.height;
  const area: [number, number][] = [
    [frame.left, ground],
    ...points.map(([x, y]): [number, number] => [x, y]),
    [frame.left + frame.width, ground],
  ];
  return (
    (filled ? tag("polygon", { class: `fill ${look}`, points: pointsOf(area) }) : "") +
    tag("polyline", { class: `curve ${look}`, points: pointsOf(points) })
  );
}

/** Returns values between two curves: the first at 0, the second at 1. */
export function blend(from: readonly number[], to: readonly number[], share: number): number[] {
  return from.map((value, i) => value + share * ((to[i] ?? value) - value));
}
