import {
  at,
  type Checkpoint,
  convertData,
  createCheckpoint,
  createRandom,
  entry,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import type { DirectionRobustness, LayerCut, LayerGroup } from "../layers-result.ts";
import type { PointReader } from "./create-point-reader.ts";

/** Group of network A that is moved in random directions. */
export interface RobustnessTask {
  /** Evaluator of networks near A, each once. */
  readonly reader: PointReader;
  /** Network A, from which random directions start. */
  readonly a: Checkpoint;
  /** Group that is moved, whose distance from A to B is the length of directions. */
  readonly group: LayerGroup;
  /** Names of the group's parameters; other tensors of the group do not move. */
  readonly parameters: readonly string[];
  /** Measured path to B in this group alone, with the others as in A. */
  readonly toOther: LayerCut;
}

/** Places in each random direction at which networks are evaluated. */
export const PLACES_IN_DIRECTION: readonly number[] = [0.5, 1];

/** Returns the key in the journal of the network at a place of a random direction. */
export function directionKey(group: string, draw: number, place: number): string {
  return `direction ${draw} of ${group} at ${place}`;
}

/**
 * Measures how much the loss of A rises in random directions that are as long as the path to B in one group:
 * normal noise on its parameters, scaled to the distance of A and B in them.
 *
 * @param draws - number of directions
 * @param seed - seed of the noise; every group, tensor and direction has its own stream of random numbers
 * @see Zhang et al., Are all layers created equal?, 2022, on the robustness of layers; Adilova et al.,
 *   Layer-wise linear mode connectivity, 2024, section 5, for directions of the same norm
 */
export async function measureRobustness(
  { reader, a, group, parameters, toOther }: RobustnessTask,
  { draws, seed }: { readonly draws: number; readonly seed: number },
): Promise<DirectionRobustness> {
  const rises = new Map<number, number[]>(PLACES_IN_DIRECTION.map((place) => [place, []]));
  const lossAt = (index: number) => at(toOther.points, index, "place").loss;
  const last = toOther.points.length - 1;
  const [start, halfway, end] = [lossAt(0), lossAt(last / 2), lossAt(last)];
  for (let draw = 0; draw < draws; draw++) {
    const direction = { parameters, length: group.euclideanDistance, seed, label: `${group.name} ${draw}` };
    for (const place of PLACES_IN_DIRECTION) {
      const key = directionKey(group.name, draw, place);
      const { loss } = await reader.near(key, () => moveRandomly(a, direction, place));
      entry(rises, place, "place").push(loss - start);
    }
  }
  return {
    group: group.name,
    random: entry(rises, 1, "place"),
    randomHalfway: entry(rises, 0.5, "place"),
    toOther: { halfway: halfway - start, end: end - start },
  };
}

/** Random direction in some parameters. */
interface Direction {
  readonly parameters: readonly string[];
  readonly length: number;
  readonly seed: number;
  readonly label: string;
}

/**
 * Moves a network by a share of a random direction; the noise is generated again from its seed at every call.
 */
async function moveRandomly(
  network: Checkpoint,
  { parameters, length, seed, label }: Direction,
  share: number,
): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const name of network.tensors.keys()) tensors.set(name, await network.read(name));
  const noises = parameters.map((name) => {
    const random = createRandom(seed, `${label} ${name}`);
    const { length: size } = entry(tensors, name, "parameter").data;
    return { name, noise: Float64Array.from({ length: size }, () => random.normal()) };
  });
  const squares = noises.reduce((total, { noise }) => noise.reduce((sum, x) => sum + x * x, total), 0);
  const scale = squares > 0 ? (share * length) / Math.sqrt(squares) : 0;
  for (const { name, noise } of noises) {
    const tensor = entry(tensors, name, "parameter");
    const moved = toFloat64(tensor.data, tensor.dtype).map(
      (value, i) => value + scale * (noise[i] as number),
    );
    tensors.set(name, { ...tensor, data: convertData(moved, "f64", tensor.dtype) });
  }
  return createCheckpoint(tensors, {}, `${network.source}, moved randomly`);
}
