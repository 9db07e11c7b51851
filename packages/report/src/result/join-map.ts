import type { MapGround, MappedPath, MapResult, PlaneResult } from "@isthmus/barrier";
import { InputError } from "@isthmus/core";
import type { LandscapeResult } from "@isthmus/curvature";
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
 * through at least three networks of the map as they are before alignment; the last one of several is kept.
 * Networks are found by the files that the results name; of one file that another result names by a longer
 * path, the common end decides.
 * @throws InputError if a result is of another kind, or its networks are not on the map
 */
export function joinToMap<M extends JoinedMap>(map: M, others: readonly ResultOfFile[]): M {
  const paths = [...(map.paths ?? [])];
  let { ground } = map;
  const find = (source: string) => findNetwork(map, source);
  for (const one of others) {
    const path = pathOf(one.result);
    if (path === undefined) ground = groundOf(one, find);
    else paths.push(mappedPath(path, find, one));
  }
  return { ...map, ...(ground && { ground }), ...(paths.length > 0 && { paths }) };
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
function groundOf({ file, result }: ResultOfFile, find: Find): MapGround {
  const isFlat = result.kind === "plane" || (result.kind === "landscape" && result.axes.length === 2);
  if (!isFlat)
    throw cannotJoin(
      file,
      `maps take results of isthmus curve, path and plane, and of landscape with two directions: it is of kind "${result.kind}"`,
    );
  const ground = result.kind === "plane" ? groundOfPlane(result, find) : groundOfLandscape(result, find);
  const [across, along] = ground.basis.map((vector) => Math.hypot(...vector));
  const size = Math.hypot(extentOf(ground.xs) * (across ?? 1), extentOf(ground.ys) * (along ?? 1));
  const inPlane = ground.networks.filter(({ distance }) => distance <= IN_PLANE * size);
  if (inPlane.length >= 3) return ground;
  throw cannotJoin(
    file,
    `its plane must go through three networks of the map: it goes through ${inPlane.length}; put its other networks on the map, too`,
  );
}

function groundOfPlane({ xs, ys, loss, error, models, data, examples }: PlaneResult, find: Find): MapGround {
  const networks = models.flatMap(({ source, x, y, distance }) => {
    const network = find(source);
    return network === undefined ? [] : [{ network, x, y, distance }];
  });
  const basis = [
    [1, 0],
    [0, 1],
  ] as const;
  return { stage: "before", xs, ys, basis, loss, error, networks, data, examples };
}

function groundOfLandscape(result: LandscapeResult, find: Find): MapGround {
  const { axes, basis: directions, cosines, loss, error, networks: named, data, examples } = result;
  const [xs = [], ys = []] = axes;
  const [along = 1, across = 1] = directions.map(({ length }) => length);
  const [[, cosine = 0] = []] = cosines;
  const networks = named.flatMap(({ source, place: [x = 0, y = 0], distance }) => {
    const network = find(source);
    return network === undefined ? [] : [{ network, x, y, distance }];
  });
  // Values of landscapes run along the last direction first.
  const rowsOf = (values: readonly number[]) =>
    ys.map((_, row) => xs.map((_, column) => values[column * ys.length + row] ?? Number.NaN));
  const basis = [
    [along, 0],
    [across * cosine, across * Math.sqrt(Math.max(0, 1 - cosine ** 2))],
  ] as const;
  return {
    stage: "before",
    xs,
    ys,
    basis,
    loss: rowsOf(loss),
    error: rowsOf(error),
    networks,
    data,
    examples,
  };
}
