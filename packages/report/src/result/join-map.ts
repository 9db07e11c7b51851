import type { MapGround, MapGroundMark, MappedPath, MapResult, PlaneResult } from "@isthmus/barrier";
import { at, InputError } from "@isthmus/core";
import { endsOf } from "@isthmus/findings";
import type { DrawableResult } from "./drawable-result.ts";

/** A result, and the file that it was read from. */
export interface ResultOfFile {
  /** File of the result, for error messages. */
  readonly file: string;
  /** Result that the file holds. */
  readonly result: DrawableResult;
}

/**
 * Parts of a map that other results are put on: before it is measured, only the files of its networks are
 * known.
 */
type JoinedMap = Pick<MapResult, "paths" | "ground"> & {
  readonly networks: readonly { readonly source: string }[];
};

/** A path between two networks that results of several kinds hold. */
type PathOfPair = Pick<MappedPath, "points"> & {
  readonly kind: string;
  readonly a: string;
  readonly b: string;
  readonly data: string;
  readonly examples: number;
};

/** Words for the paths of results by their kinds; other kinds have no path that a map can show. */
const PATHS: ReadonlyMap<string, string> = new Map([
  ["curve", "trained curve"],
  ["dropout-path", "path by halves"],
  ["walked-path", "walk of the layers"],
]);

/** Share of the size of a plane up to which a network lies in it. */
const IN_PLANE = 1e-3;

/**
 * Puts paths and the losses of a plane that other results measured on a map, whose result then holds them.
 *
 * A path must lead from one network of the map to another. A plane, or a landscape of two directions, must go
 * through at least three networks of the map before alignment; the last of several planes is kept.
 * Networks are found by the files that the results name; of one file that another result names by a longer
 * path, the common end decides.
 * @throws InputError if a result is of another kind, or its networks are not on the map
 */
export async function joinToMap<M extends JoinedMap>(map: M, others: readonly ResultOfFile[]): Promise<M> {
  const paths = [...(map.paths ?? [])];
  let { ground } = map;
  const find = (source: string) => findNetwork(map, source);
  for (const one of others) {
    const path = pathOf(one.result);
    if (path === undefined) ground = await groundOf(one, find);
    else paths.push(mappedPath(path, find, one));
  }
  const marked = ground && (await withMarks(ground));
  return { ...map, ...(marked && { ground: marked }), ...(paths.length > 0 && { paths }) };
}

/** Finds the minima and saddles of a ground, unless it has them. */
async function withMarks(ground: MapGround): Promise<MapGround> {
  if (ground.marks !== undefined) return ground;
  const { topologyOf } = await import("@isthmus/curvature");
  const { minima, saddles } = topologyOf(ground);
  const { length: columns } = ground.xs;
  const placeOf = (index: number) => ({
    x: at(ground.xs, index % columns, "column"),
    y: at(ground.ys, Math.floor(index / columns), "row"),
  });
  const low = minima.map(({ index, value, merge }): MapGroundMark => {
    const joins = merge === undefined ? {} : { joins: at(saddles, merge, "saddle").value };
    return { kind: "minimum", ...placeOf(index), loss: value, ...joins };
  });
  const high = saddles.map(({ index, value }): MapGroundMark => {
    return { kind: "saddle", ...placeOf(index), loss: value };
  });
  return { ...ground, marks: [...low, ...high] };
}

type Find = (source: string) => number | undefined;

function mappedPath(
  { kind, a: from, b: to, points, data, examples }: PathOfPair,
  find: Find,
  { file }: ResultOfFile,
): MappedPath {
  const [a, b] = [find(from), find(to)];
  if (a !== undefined && b !== undefined && a !== b)
    return { label: PATHS.get(kind) ?? kind, a, b, points, data, examples };
  throw cannotJoin(
    file,
    `its path must lead between two networks of the map: it leads from "${from}" to "${to}"`,
  );
}

/** Returns the difference of the last coordinate of an axis and the first. */
function extentOf(values: readonly number[]): number {
  const [from, to] = endsOf(values);
  return to - from;
}

const cannotJoin = (file: string, rule: string): InputError =>
  new InputError(`Cannot put "${file}" on the map as ${rule}`, { input: file });

/** Returns the path of a result, if it has one. */
function pathOf(result: DrawableResult): PathOfPair | undefined {
  if (!PATHS.has(result.kind) || !("path" in result) || typeof result.path !== "object") return undefined;
  const { kind, a, b, data, examples, path } = result;
  return {
    kind,
    a,
    b,
    data,
    examples,
    points: path.points.map(({ t, loss, error }) => ({ t, loss, error })),
  };
}

/** Finds a network of a map by the source that another result names; undefined if none or several fit. */
function findNetwork({ networks }: JoinedMap, source: string): number | undefined {
  const same = networks.findIndex((network) => network.source === source);
  if (same >= 0) return same;
  const ends = (long: string, short: string) => long.endsWith(`/${short.replace(/^(\.\.?\/)+/, "")}`);
  const fitting = networks.flatMap((network, i) =>
    ends(network.source, source) || ends(source, network.source) ? [i] : [],
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Makes the ground of a map of the losses of a plane, or of a landscape of two directions. */
async function groundOf({ file, result }: ResultOfFile, find: Find): Promise<MapGround> {
  const plane = await planeOfResult(result);
  if (plane === undefined)
    throw cannotJoin(
      file,
      `maps take results of isthmus curve, path and plane, and of landscape with two directions: it is of kind "${result.kind}"`,
    );
  const { xs, ys, loss, error, models, data, examples } = plane;
  const networks = models.flatMap(({ source, x, y, distance }) => {
    const network = find(source);
    return network === undefined ? [] : [{ network, x, y, distance }];
  });
  const basis = basisOf(result);
  const [along = 1, across = 1] = basis.map((vector) => Math.hypot(...vector));
  const size = Math.hypot(extentOf(xs) * along, extentOf(ys) * across);
  const inPlane = networks.filter(({ distance }) => distance <= IN_PLANE * size);
  if (inPlane.length >= 3) return { stage: "before", xs, ys, basis, loss, error, networks, data, examples };
  throw cannotJoin(
    file,
    `its plane must go through three networks of the map: it goes through ${inPlane.length}; put its other networks on the map, too`,
  );
}

/** Returns the losses of a result on a plane, if it has any. */
async function planeOfResult(result: DrawableResult): Promise<PlaneResult | undefined> {
  if (result.kind === "plane") return result;
  return result.kind === "landscape" ? (await import("@isthmus/curvature")).planeOf(result) : undefined;
}

/**
 * Returns the vectors along which the coordinates of a plane count: directions of a landscape may have any
 * length, and any angle.
 */
function basisOf(result: DrawableResult): MapGround["basis"] {
  const { basis: directions, cosines } = result.kind === "landscape" ? result : { basis: [], cosines: [] };
  const [along = 1, across = 1] = directions.map(({ length }) => length);
  const [[, cosine = 0] = []] = cosines;
  return [
    [along, 0],
    [across * cosine, across * Math.sqrt(Math.max(0, 1 - cosine ** 2))],
  ];
}
