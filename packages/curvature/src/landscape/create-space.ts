import type { PlaneSubject } from "@isthmus/barrier";
import { at, blendInto, type Checkpoint, createRandom, InputError } from "@isthmus/core";
import { type Graph, parameterNames } from "@isthmus/graph";
import { combine, innerProducts, lerp } from "@isthmus/interpolation";
import { createMatrix, plainProducts, solvePositiveDefinite } from "@isthmus/linear-algebra";
import type { DirectionTask } from "./directions/direction-task.ts";
import {
  type Direction,
  type DirectionValues,
  directionCheckpoint,
  readWeights,
  zerosFor,
} from "./directions/direction-values.ts";
import { type ComputedDirections, eigenvectorDirections } from "./directions/eigenvector-directions.ts";
import { differenceDirections, trajectoryDirections } from "./directions/network-directions.ts";
import { normalizeInPlace } from "./directions/normalize-direction.ts";
import { ATTEMPT } from "./landscape-options.ts";
import type { LandscapeNetwork, LandscapeResult } from "./landscape-result.ts";

/** Position of a network relative to the directions. */
export type Place = Pick<LandscapeNetwork, "place" | "distance">;

/** Space of networks that some directions span. */
export interface LandscapeSpace {
  /** Directions that span the space, one for each coordinate. */
  readonly directions: readonly Direction[];
  /** Lengths of the directions. */
  readonly lengths: readonly number[];
  /** Cosines of the angles between the directions. */
  readonly cosines: readonly (readonly number[])[];
  /** Record of the computation of eigenvectors; empty for other directions. */
  readonly computed: Omit<ComputedDirections, "directions">;
  /** Returns the network at a place, lazily. */
  readonly at: (place: readonly number[]) => Checkpoint;
  /** Place of the network itself. */
  readonly center: readonly number[];
  /** Places of the other networks. */
  readonly places: readonly Place[];
}

/**
 * Makes the directions of a landscape, and the networks along them.
 * @throws InputError if directions are not independent
 */
export async function createSpace(task: DirectionTask): Promise<LandscapeSpace> {
  const { network, others, options } = task;
  const { directions, ...computed } = await createDirections(task);
  const basis = directions.map((direction) => directionCheckpoint(direction, network));
  const measured = await measureBasis(task.architecture.graph, { network, basis, others });
  if (options.directions === "initialization") {
    const start = at(others, 0, "initialization").network;
    return {
      directions,
      computed,
      ...measured,
      at: ([t = Number.NaN]) => lerp(start, network, t),
      center: [1],
      places: [{ place: [0], distance: 0 }],
    };
  }
  return {
    directions,
    computed,
    ...measured,
    at: (place) =>
      combine({
        source: `landscape(${network.source}, ${place.join(", ")})`,
        inputs: [network, ...basis],
        integersFrom: network,
        blend: (_range, parts, out) => blendInto(parts, [1, ...place], out),
      }),
    center: directions.map(() => 0),
  };
}

async function createDirections(task: DirectionTask): Promise<ComputedDirections> {
  const computed = await directionsOf(task);
  const { normalization } = task.options;
  for (const { values } of computed.directions) {
    const weights = await readWeights(task.network, normalization === "none" ? [] : [...values.keys()]);
    normalizeInPlace(values, weights, { graph: task.architecture.graph, normalization });
  }
  return computed;
}

async function directionsOf(task: DirectionTask): Promise<ComputedDirections> {
  switch (task.options.directions) {
    case "random":
      return { directions: randomDirections(task) };
    case "eigenvectors":
      return eigenvectorDirections(task);
    case "trajectory":
      return { directions: await trajectoryDirections(task) };
    case "initialization":
      return { directions: await differenceDirections(task, -1) };
    case "networks":
      return { directions: await differenceDirections(task, 1) };
  }
}

/** Measures lengths and angles of directions, and the positions of the other networks relative to them. */
async function measureBasis(
  graph: Graph,
  {
    network,
    basis,
    others,
  }: {
    readonly network: Checkpoint;
    readonly basis: readonly Checkpoint[];
    readonly others: readonly PlaneSubject[];
  },
): Promise<Pick<LandscapeSpace, "lengths" | "cosines" | "places">> {
  const all = [...basis, network, ...others.map((other) => other.network)];
  const size = basis.length;
  const unit = (k: number) => all.map((_, j) => (j === k ? 1 : 0));
  const toOther = (k: number) => all.map((_, j) => (j === size ? -1 : j === size + 1 + k ? 1 : 0));
  const tensors = parameterNames(graph);
  const rows = [...basis.map((_, k) => unit(k)), ...others.map((_, k) => toOther(k))];
  const products = await innerProducts(all, rows, { tensors });
  const product = (i: number, j: number) => at(at(products, i, "direction"), j, "direction");
  const lengths = basis.map((_, k) => Math.sqrt(product(k, k)));
  assertLengths(network, basis, lengths);
  const length = (k: number) => at(lengths, k, "length");
  const cosines = basis.map((_, i) =>
    basis.map((__, j) => (i === j ? 1 : product(i, j) / (length(i) * length(j)))),
  );
  const right = basis.map((_, i) => others.map((__, k) => product(i, size + k) / length(i)));
  const solved = await solveCosines(network, cosines, right);
  // The sign of a negative zero is removed, as JSON does not keep it.
  const placeOf = (k: number) =>
    basis.map((_, i) => at(solved, i * others.length + k, "place") / length(i) + 0);
  const places: Place[] = [];
  for (const k of others.keys()) {
    const place = placeOf(k);
    // The distance is computed from the remainder itself, as a difference of products has few correct digits
    // if the network is near the directions.
    const rest = toOther(k).map((share, j) => (j < size ? -at(place, j, "coordinate") : share));
    const [[square]] = (await innerProducts(all, [rest], { tensors })) as [[number]];
    places.push({ place, distance: Math.sqrt(square) });
  }
  return { lengths, cosines, places };
}

function assertLengths(
  { source }: Checkpoint,
  basis: readonly Checkpoint[],
  lengths: readonly number[],
): void {
  const k = lengths.findIndex((length) => !(length > 0 && Number.isFinite(length)));
  if (k < 0) return;
  throw new InputError(
    `Cannot ${ATTEMPT} around "${source}" as every direction must have a length above 0: that of "${at(basis, k, "direction").source}" is ${lengths[k]}; the networks are the same in what directions move, or weights are 0`,
    { input: source },
  );
}

/** Solves for coordinates along directions of length 1; returns them as `[directions][networks]`, flat. */
async function solveCosines(
  { source }: Checkpoint,
  cosines: readonly (readonly number[])[],
  right: readonly (readonly number[])[],
): Promise<ArrayLike<number>> {
  const size = cosines.length;
  const columns = at(right, 0, "row").length;
  // The right side has an extra column of zeros, so that dependent directions are detected even if no network
  // is placed.
  const matrix = createMatrix(size, size, Float64Array.from(cosines.flat()));
  const sides = createMatrix(size, columns + 1, Float64Array.from(right.flatMap((row) => [...row, 0])));
  const solved = await solvePositiveDefinite(matrix, sides, plainProducts);
  if (solved === undefined) {
    throw new InputError(
      `Cannot ${ATTEMPT} around "${source}" as its directions must be independent: one is a sum of others; leave out a network, or take another`,
      { input: source },
    );
  }
  return solved.data.filter((_, i) => i % (columns + 1) !== columns);
}

/** Returns the description of directions for a result. */
export function describeBasis({ directions, lengths }: LandscapeSpace): LandscapeResult["basis"] {
  return directions.map(({ values: _, ...facts }, k) => ({ ...facts, length: at(lengths, k, "length") }));
}

/**
 * Draws directions of independent normal numbers. Every tensor of every direction has a random stream of its
 * own, so that its values do not depend on the number of directions or on the other tensors that they move.
 */
function randomDirections({ network, names, options }: DirectionTask): Direction[] {
  return Array.from({ length: options.dimensions }, (_, k) => {
    const values: DirectionValues = zerosFor(network, names);
    for (const [name, numbers] of values) {
      const random = createRandom(options.seed, `direction ${k} of ${name}`);
      for (let i = 0; i < numbers.length; i++) numbers[i] = random.normal();
    }
    return { label: `random ${k + 1}`, values };
  });
}
