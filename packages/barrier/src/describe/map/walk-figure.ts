import { at } from "@isthmus/core";
import {
  dataWords,
  type Figure,
  factorScale,
  formatCounted,
  formatNumber,
  formatShort,
  lossWords,
  quoteCommand,
  sequentialScale,
  type WalkGround,
  type WalkPlot,
  type WalkView,
} from "@isthmus/findings";
import type { MapGround, MapResult, MapStage } from "../../map-result.ts";
import { MAP_STAGES, mapNames } from "./map-networks.ts";

/** Share of the longest distance below which two networks are one, up to the order of its units. */
const SAME = 1e-6;
/** Share of the longest distance up to which a network lies in the plane of the ground. */
const IN_PLANE = 1e-3;
/** Words for minima and saddles. */
const MARKED =
  " Triangles are minima of the squares, crosses the saddles at which they join; beyond the edge, losses may fall further.";
/** Number of shared points whose networks are named in words. */
const MOST_SAID = 8;
/** Number of lines up to which all are drawn; of more networks, only the lowest lines that connect them. */
const MOST_LINES = 45;

/**
 * Makes the map that readers walk on: networks as places, lines and paths between them, and the measured
 * losses of a plane as the ground if there are any.
 */
export function walkFigure(result: MapResult): Figure {
  const { points, data, examples, ground, paths = [] } = result;
  const words = lossWords(result);
  const plot = walkPlot(result);
  const shown = plot.views.at(-1);
  const arcs =
    paths.length === 0
      ? ""
      : " Paths are drawn as arcs: their losses are measured, their bends on the map are not.";
  return {
    name: "walk",
    title: "A map to walk on:",
    caption: `each point is a network, or several that are one up to the order of its units; lines are coloured by their loss barrier, ${words.inUnit}, and the lower the thicker. ${shown?.caption ?? ""}${arcs} Lines were measured at ${formatCounted(points, "place")} on ${dataWords(data, examples)}.`,
    words: `Networks as points of a map. ${plot.networks
      .map(({ name, loss }) => `${name}: loss ${formatNumber(loss)}`)
      .join("; ")}.`,
    table: ground === undefined ? "pairs" : "ground",
    size: "half",
    plot,
  };
}

/** Gathers everything that the map shows, as plain data. */
function walkPlot(result: MapResult): WalkPlot {
  const { networks, before, after, ground, points, data, examples, statistics, paths = [] } = result;
  const words = lossWords(result);
  const names = mapNames(result);
  const command = quoteCommand([
    ...["--data", data, "--points", String(points), "--statistics", statistics],
    ...["--graph", "model.onnx"],
  ]);
  return {
    kind: "walk",
    networks: networks.map(({ source, role, loss, error }, i) => ({
      name: at(names, i, "name"),
      word: quoteCommand([source]),
      star: role === "star",
      loss,
      error,
    })),
    means: [before.mean.loss, after.mean.loss],
    views: [
      ...MAP_STAGES.map((_, stage) => stageView(result, stage === 0 ? 0 : 1)),
      ...(ground === undefined ? [] : [groundView(result, ground)]),
    ],
    pairs: before.pairs.map((pair, i) => {
      const { a: _a, b: _b, ...naive } = pair;
      const { a, b, ...aligned } = at(after.pairs, i, "pair");
      return { a, b, stages: [naive, aligned] };
    }),
    paths: paths.map(({ label, a, b, points: measured, ...on }) => ({
      label:
        on.data === data && on.examples === examples
          ? label
          : `${label} (${dataWords(on.data, on.examples)})`,
      a,
      b,
      points: measured.map(({ t, loss, error }) => ({ t, loss, error })),
    })),
    ...(ground && { ground: groundOf(ground) }),
    scale: factorScale([...before.pairs, ...after.pairs].map(({ loss }) => loss)),
    unit: words.unit,
    hasErrors: words.hasErrors,
    command,
    words: { loss: words.axis(words.mean), barrier: words.axis("Loss barrier of lines") },
  };
}

/** Lays out the networks by their distances in one state of alignment. */
function stageView(result: MapResult, stage: 0 | 1): WalkView {
  const { key, name } = at(MAP_STAGES, stage, "stage");
  const { places } = result[key];
  const drawn = drawnOf(result, stage);
  return {
    name: key,
    label: name,
    caption: `Places are fitted so that distances are as near as a plane allows to those between all weights (stress ${formatShort(places.stress, 2)}); nothing is measured between the points but the lines.${sayGroups(mapNames(result), drawn.groups)}`,
    stage,
    places: places.networks,
    mean: places.mean,
    ...drawn,
  };
}

/** Returns the shortest name of the networks on one point. */
function shortest(names: readonly string[], group: readonly number[]): string {
  const [first = "", ...others] = group.map((i) => at(names, i, "name"));
  return others.reduce((best, name) => (name.length < best.length ? name : best), first);
}

/** Lists the networks that are on one point in words; an empty text if each has its own. */
function sayGroups(names: readonly string[], groups: readonly (readonly number[])[]): string {
  const shared = groups.filter(({ length }) => length > 1);
  if (shared.length === 0) return "";
  const said = shared.slice(0, MOST_SAID).map((group) => group.map((i) => at(names, i, "name")).join(" = "));
  const more = shared.length > MOST_SAID ? `; and ${shared.length - MOST_SAID} more points` : "";
  return ` On one point, as they differ in the order of their units only: ${said.join("; ")}${more}.`;
}

/** Lays out the networks at their nearest places on a plane whose losses were measured. */
function groundView(result: MapResult, ground: MapGround): WalkView {
  const { networks, xs, ys, data, examples, basis } = ground;
  const n = result.networks.length;
  const placed = new Map(networks.map((one) => [one.network, one]));
  const placeOf = (network: number) => {
    const one = placed.get(network);
    return one === undefined ? null : onPlane(basis, one);
  };
  const all = Array.from({ length: n }, (_, i) => i);
  const longest = Math.max(...result[ground.stage].pairs.map(({ distance }) => distance));
  const off = all.map((i) => {
    const distance = placed.get(i)?.distance ?? null;
    return distance !== null && distance <= IN_PLANE * longest ? 0 : distance;
  });
  const drawn = drawnOf(result, ground.stage === "before" ? 0 : 1);
  const names = mapNames(result);
  const inPlane = drawn.groups
    .filter((group) => at(off, at(group, 0, "network"), "distance") === 0)
    .map((group) => shortest(names, group));
  return {
    name: "ground",
    label: "On the ground",
    caption: `Squares are ${xs.length} by ${ys.length} networks of the plane through ${inPlane.slice(0, 4).join(", ")}${inPlane.length > 4 ? ` and ${inPlane.length - 4} more` : ""}, each measured on ${dataWords(data, examples)}; nothing between them is interpolated. Other networks, drawn hollow, stand at the nearest place of the plane: their loss is not the loss of the square below them.${ground.marks === undefined ? "" : MARKED}${sayMissing(off)}${sayGroups(names, drawn.groups)}`,
    stage: ground.stage === "before" ? 0 : 1,
    places: all.map(placeOf),
    mean: placeOf(n),
    off,
    ...drawn,
  };
}

/** Says how many networks have no place on the ground; an empty text if all have one. */
function sayMissing(off: readonly (number | null)[]): string {
  const missing = off.filter((distance) => distance === null).length;
  return missing === 0
    ? ""
    : ` The plane was measured without ${formatCounted(missing, "network")}, left out here.`;
}

const onPlane = (
  [u, v]: MapGround["basis"],
  { x, y }: { readonly x: number; readonly y: number },
): readonly [number, number] => [x * u[0] + y * v[0], x * u[1] + y * v[1]];

function groundOf({ xs, ys, basis, loss, marks = [] }: MapGround): WalkGround {
  const said = marks.map((mark) => {
    const joins = mark.joins === undefined ? "" : `, joins a deeper one at ${formatNumber(mark.joins)}`;
    const words = `${mark.kind} of the squares: loss ${formatNumber(mark.loss)}${joins}`;
    return { kind: mark.kind, place: onPlane(basis, mark), words };
  });
  return { xs, ys, basis, loss, scale: sequentialScale(loss.flat()), marks: said };
}

/** Chooses the lines and paths of a view, and its tree. */
function drawnOf(
  result: MapResult,
  stage: 0 | 1,
): Pick<WalkView, "groups" | "lines" | "paths" | "joins" | "order"> {
  const { before, after, networks, paths = [] } = result;
  const one = stage === 0 ? before : after;
  const n = networks.length;
  const groups = groupsOf(n, one);
  const between = (a: number, b: number) => at(one.pairs, pairIndex(n, a, b), "pair");
  return {
    groups,
    lines: linesOf(n, groups, between),
    // A path leads to the networks before alignment; it stays true of aligned ones if they moved alike.
    paths: paths.flatMap(({ a, b }, i) => {
      const [was, is] = [before, after].map(({ pairs }) => at(pairs, pairIndex(n, a, b), "pair").distance);
      const movedAlike = Math.abs((was ?? 0) - (is ?? 0)) <= SAME * (was ?? 0);
      return stage === 0 || movedAlike ? [i] : [];
    }),
    joins: one.tree.joins,
    order: one.tree.order,
  };
}

/** Returns the index of a pair in the order (0, 1), (0, 2), ... */
function pairIndex(n: number, one: number, other: number): number {
  const [a, b] = [Math.min(one, other), Math.max(one, other)];
  return a * n - (a * (a + 1)) / 2 + b - a - 1;
}

/** Gathers networks between which there is no distance, each in the group of the first of them. */
function groupsOf(n: number, { pairs }: MapStage): number[][] {
  const most = SAME * Math.max(...pairs.map(({ distance }) => distance));
  const first = Array.from({ length: n }, (_, i) => i);
  for (const { a, b, distance } of pairs)
    if (distance <= most) first[b] = Math.min(at(first, b, "network"), at(first, a, "network"));
  const groups = new Map<number, number[]>();
  first.forEach((group, i) => {
    groups.set(group, [...(groups.get(group) ?? []), i]);
  });
  return [...groups.values()];
}

type Between = (a: number, b: number) => { readonly loss: number; readonly distance: number };

/**
 * Chooses the pairs whose lines are drawn: all between different points if they are few, or else the tree of
 * the lowest barriers that connects all points (Prim).
 */
function linesOf(n: number, groups: readonly (readonly number[])[], between: Between): number[] {
  const heads = groups.map((group) => at(group, 0, "network"));
  const all = heads.flatMap((a, i) => heads.slice(i + 1).map((b) => [a, b] as const));
  if (all.length <= MOST_LINES) return all.map(([a, b]) => pairIndex(n, a, b));
  const lower = (one: readonly [number, number], other: readonly [number, number]) => {
    const [p, q] = [between(...one), between(...other)];
    return p.loss === q.loss ? p.distance < q.distance : p.loss < q.loss;
  };
  const [root = 0, ...others] = heads;
  const nearest = new Map(others.map((b) => [b, [root, b] as const]));
  const lines: number[] = [];
  while (nearest.size > 0) {
    const line = [...nearest.values()].reduce((best, one) => (lower(one, best) ? one : best));
    const [, added] = line;
    lines.push(pairIndex(n, ...line));
    nearest.delete(added);
    for (const [b, best] of nearest) if (lower([added, b], best)) nearest.set(b, [added, b]);
  }
  return lines;
}
