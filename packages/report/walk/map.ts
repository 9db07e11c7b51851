import type { WalkView } from "@isthmus/findings";
import {
  aspectOf,
  bendOf,
  boundsOf,
  cellsOf,
  type Point,
  type Stroke,
  strokesOf,
} from "../src/figure/walk-shapes.ts";
import { cut, digits, draw, isolate, pressable, svg } from "./dom.ts";
import { placeLabels } from "./labels.ts";
import { colorOf } from "./legend.ts";
import { pairIndex, type State, viewOf, type WalkData, waysOf } from "./state.ts";

/** Space between the frame and the edge of the picture, in pixels. */
const EDGE = 14;
/** Number of characters of a label. */
const LABEL = 26;

/** Calls of a map when a reader chooses something on it. */
export interface Choose {
  /** Called with the first network of a point. */
  readonly network: (index: number) => void;
  /** Called with both networks of a line, and the index of a path between them, or -1. */
  readonly way: (a: number, b: number, path: number) => void;
}

/** Everything that parts of a map are drawn from. */
interface Drawing {
  readonly data: WalkData;
  readonly state: State;
  readonly view: WalkView;
  readonly pixels: (place: Point) => Point;
  readonly choose: Choose;
}

/** Draws the map of a view into an element of SVG, of the width that the element has on the page. */
export function drawMap(root: SVGElement, data: WalkData, state: State, choose: Choose): void {
  const view = viewOf(data, state);
  const ground = view.name === "ground" ? data.ground : undefined;
  const width = root.clientWidth || 600;
  const height = Math.round(width * aspectOf(view.places, ground, width < 500 ? 1 : 0.72));
  const inner = [width - 2 * EDGE, height - 2 * EDGE] as const;
  const { x, y } = boundsOf([...view.places, view.mean], ground, inner[1] / inner[0]);
  const pixels = ([u, v]: Point): Point => [
    round(EDGE + ((u - x[0]) / (x[1] - x[0])) * inner[0]),
    round(EDGE + ((y[1] - v) / (y[1] - y[0])) * inner[1]),
  ];
  const drawing = { data, state, view, pixels, choose };
  draw(
    root,
    [width, height],
    [
      ...(ground === undefined ? [] : cells(drawing)),
      ...strokes(drawing),
      ...(ground === undefined ? [] : marks(drawing)),
      ...meanMark(drawing),
      ...points(drawing),
      ...walker(drawing),
    ],
  );
  placeLabels(root, width, height);
}

const round = (value: number): number => Math.round(10 * value) / 10;

function cells({ data: { ground, colors }, pixels }: Drawing): SVGElement[] {
  if (ground === undefined) return [];
  return cellsOf(ground).map(({ corners, loss }) => {
    const fill = colorOf(ground.scale.levels, colors.ground, loss);
    return svg("path", { d: `M${corners.map(pixels).join("L")}Z`, fill, stroke: fill, "stroke-width": 0.6 });
  });
}

/** Marks minima by triangles on their tips, and saddles by crosses. */
function marks({ data: { ground }, pixels }: Drawing): SVGElement[] {
  return (ground?.marks ?? []).map(({ kind, place, words }) => {
    const d = kind === "minimum" ? "M-5,-4H5L0,5Z" : "M-4,-4L4,4M-4,4L4,-4";
    const mark = { class: `mark ${kind}`, transform: `translate(${pixels(place)})` };
    return svg("g", mark, svg("title", {}, words), svg("path", { d, class: "halo" }), svg("path", { d }));
  });
}

/** Lists the pairs whose lines are drawn: the pairs of the view, of the one chosen network, or of both. */
function linesOf({ data, state: { a, b }, view }: Drawing): number[] {
  const n = data.networks.length;
  const heads = view.groups.map(([head = 0]) => head).filter((head) => head !== a);
  if (a < 0) return [...view.lines];
  const more = b < 0 ? heads.map((head) => pairIndex(n, a, head)) : [pairIndex(n, a, b)];
  return [...new Set([...view.lines, ...more])];
}

function strokes(drawing: Drawing): SVGElement[] {
  const { data, state, view, pixels, choose } = drawing;
  const walked = waysOf(data, state, view)[state.way];
  const key = walked && (walked.path < 0 ? `line${walked.pair}` : `path${walked.path}`);
  return strokesOf(data, view, linesOf(drawing), pixels).map((stroke) => {
    const { kind, index, d, width } = stroke;
    const { a, b, words, color, dashes } = strokeWords(data, stroke);
    const isOn = key === kind + index;
    const line = svg(
      "g",
      { class: isOn ? "way on" : "way", "data-key": kind + index },
      svg("title", {}, words),
      svg("path", { d, class: "halo", "stroke-width": width + (isOn ? 6 : 2) }),
      svg("path", { d, stroke: color, "stroke-width": width, "stroke-dasharray": dashes }),
      svg("path", { d, class: "hit" }),
    );
    return pressable(line, () => choose.way(a, b, kind === "line" ? -1 : index));
  });
}

/** Describes a line or a path: its ends, its words and its looks. */
function strokeWords({ networks, pairs, paths, scale, colors }: WalkData, { kind, index, loss = 0 }: Stroke) {
  const isLine = kind === "line";
  const { a = 0, b = 0 } = (isLine ? pairs : paths)[index] ?? {};
  const names = [a, b].map((i) => isolate(networks[i]?.name ?? "")).join(" to ");
  const line = { words: `${names}: barrier ${digits(loss)}`, dashes: "none" };
  const path = { words: `${paths[index]?.label}: ${names}`, dashes: "7 5", color: "var(--isthmus-curve-2)" };
  return { a, b, ...(isLine ? { ...line, color: colorOf(scale.levels, colors.lines, loss) } : path) };
}

function points(drawing: Drawing): SVGElement[] {
  const { view, pixels, choose } = drawing;
  return view.groups.flatMap((group) => {
    const [head = 0] = group;
    const place = view.places[head];
    if (!place) return [];
    const [x, y] = pixels(place);
    const { kinds, words, label, mark } = pointOf(drawing, group);
    const at = { transform: `translate(${x},${y})`, "data-x": x, "data-y": y };
    const node = svg(
      "g",
      { class: `point ${kinds}`, "data-key": `point${head}`, "data-n": group.join(" "), ...at },
      svg("title", {}, words),
      svg("circle", { r: 16, class: "hit" }),
      ...mark,
      svg("text", { class: "label" }, label),
    );
    return [pressable(node, () => choose.network(head))];
  });
}

/** Describes the point of one network, or of several that are one up to the order of their units. */
function pointOf({ data, state, view }: Drawing, group: readonly number[]) {
  const members = group.flatMap((i) => data.networks[i] ?? []);
  const names = members.map(({ name }) => name);
  const isStar = members.some(({ star }) => star);
  const off = view.off?.[group[0] ?? 0];
  const isOn = group.includes(state.a) || group.includes(state.b);
  const away = off ? `, ${digits(off)} away from the ground` : "";
  const short = names.reduce((best, name) => (name.length < best.length ? name : best));
  const more = names.length - 1;
  const all = names.map(isolate).join(" = ");
  const circle = svg("circle", { r: more ? 9 : 6, class: "dot" });
  return {
    kinds: [isStar && "star", off && "far", isOn && "on"].filter(Boolean).join(" "),
    words: `${all}: loss ${digits(members[0]?.loss)}${away}`,
    label: all.length > LABEL && more ? `${cut(short, LABEL)} = ${more} more` : cut(all, LABEL),
    mark: [
      isStar ? svg("path", { d: STAR, class: "dot" }) : circle,
      ...(more ? [svg("text", { class: "count" }, String(names.length))] : []),
    ],
  };
}

/** Outline of a star. */
const STAR = "M0,-11L3,-4L10,-3L5,2L6,9L0,5L-6,9L-5,2L-10,-3L-3,-4Z";

function meanMark({ view: { mean }, pixels }: Drawing): SVGElement[] {
  if (mean === null) return [];
  const [x, y] = pixels(mean);
  const place = { class: "mean", transform: `translate(${x},${y})`, "data-x": x, "data-y": y };
  const label = svg("text", { class: "label" }, "mean");
  return [svg("g", place, svg("path", { d: "M-7,0H7M0,-7V7" }), label)];
}

/** Marks the place of the way at which the reader stands. */
function walker({ data, state, view, pixels }: Drawing): SVGElement[] {
  const [from, to] = [view.places[state.a], view.places[state.b]];
  const way = waysOf(data, state, view)[state.way];
  const t = way?.points[state.step]?.t;
  if (!from || !to || !way || t === undefined) return [];
  const [p, q] = [pixels(from), pixels(to)];
  const bend = way.turned ? bendOf(q, p) : bendOf(p, q);
  const on = (k: 0 | 1) => {
    const middle = way.path < 0 ? (p[k] + q[k]) / 2 : bend[k];
    return round((1 - t) ** 2 * p[k] + 2 * t * (1 - t) * middle + t ** 2 * q[k]);
  };
  return [svg("circle", { class: "walker", cx: on(0), cy: on(1), r: 9 })];
}
