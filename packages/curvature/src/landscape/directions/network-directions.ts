import { at, InputError } from "@isthmus/core";
import { innerProducts } from "@isthmus/interpolation";
import { createMatrix, symmetricEigen } from "@isthmus/linear-algebra";
import { ATTEMPT } from "../landscape-options.ts";
import { type DirectionTask, differingNames } from "./direction-task.ts";
import { addWeightsInPlace, type Direction, zerosFor } from "./direction-values.ts";
import { orient } from "./eigenvector-directions.ts";

/**
 * Share of the variance of the first principal component below which another component counts as rounding
 * error.
 */
const FLAT = 1e-12;

/**
 * Makes a direction for each of the other networks: its difference from the network in the middle.
 * @param sign - 1; or -1 for the opposite differences
 */
export async function differenceDirections(task: DirectionTask, sign: 1 | -1): Promise<Direction[]> {
  const directions: Direction[] = [];
  for (const { label, network: other } of task.others) {
    const values = zerosFor(task.network, differingNames(task));
    await addWeightsInPlace(values, sign, other);
    await addWeightsInPlace(values, -sign, task.network);
    directions.push({ label: sign === 1 ? label : "way from the initialization", values });
  }
  return directions;
}

/**
 * Computes the principal components of a training run: the directions of length 1 along which its snapshots,
 * the last one included, vary most around their mean.
 * @throws InputError if the snapshots vary in fewer directions than requested
 */
export async function trajectoryDirections(task: DirectionTask): Promise<Direction[]> {
  const { network, others, names, options } = task;
  const snapshots = [...others.map((other) => other.network), network];
  const size = snapshots.length;
  const fromMean = snapshots.map((_, k) => snapshots.map((__, j) => (j === k ? 1 : 0) - 1 / size));
  const products = await innerProducts(snapshots, fromMean, { tensors: names });
  const { values, vectors } = symmetricEigen(createMatrix(size, size, Float64Array.from(products.flat())));
  const total = values.reduce((sum, value) => sum + Math.max(0, value), 0);
  const largest = at(values, 0, "variance");
  const rank = values.filter((value) => value > FLAT * largest && value > 0).length;
  if (options.dimensions > rank) {
    throw new InputError(
      `Cannot ${ATTEMPT} as the snapshots of the trajectory must differ in ${options.dimensions} directions: the ${size} from "${at(snapshots, 0, "snapshot").source}" to "${network.source}" differ in ${rank}; take fewer dimensions, or other snapshots`,
      { input: network.source },
    );
  }
  const moved = differingNames(task);
  const directions: Direction[] = [];
  for (let k = 0; k < options.dimensions; k++) {
    const value = at(values, k, "variance");
    const column = Float64Array.from(snapshots, (_, j) => at(vectors.data, j * size + k, "element"));
    const direction = zerosFor(network, moved);
    // Shares sum to 0, so that the mean need not be subtracted.
    for (const [j, share] of orient(column).entries()) {
      await addWeightsInPlace(direction, share / Math.sqrt(value), at(snapshots, j, "snapshot"));
    }
    directions.push({ label: `component ${k + 1}`, values: direction, explained: value / total });
  }
  return directions;
}
