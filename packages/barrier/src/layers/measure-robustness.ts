import {
  type Checkpoint,
  convertData,
  createCheckpoint,
  createRandom,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import type { DirectionRobustness, LayerCut, LayerGroup } from "../layers-result.ts";
import type { PointReader } from "./create-point-reader.ts";

/** What random directions start from. */
export interface RobustnessTask {
  readonly reader: PointReader;
  readonly a: Checkpoint;
  readonly group: LayerGroup;
  /** Names of the group's parameters; what else belongs to it stays. */
  readonly parameters: readonly string[];
  /** The way to B in this group alone, the others as in A. */
  readonly toOther: LayerCut;
}

/** Networks that are evaluated in each random direction. */
export const PLACES_IN_DIRECTION: readonly number[] = [0.5, 1];

/** Name in the journal of the network at a place of a random direction. */
export function directionKey(group: string, draw: number, place: number): string {
  return `direction ${draw} of ${group} at ${place}`;
}

/**
 * Measures how much the loss of A rises in random directions that are as long as the way to B in one group: normal noise on its
 * parameters, scaled to their distance.
 *
 * @param draws - number of directions
 * @param seed - of the noise; every group, tensor and direction has a stream of its own
 * @see Zhang et al., Are all layers created equal?, 2022, on the robustness of layers; Adilova et al., Layer-wise linear mode
 *   connectivity, 2024, section 5, for directions of the same norm
 */
export async function measureRobustness(
  { reader, a, group, parameters, toOther }: RobustnessTask,
  { draws, seed }: { readonly draws: number; readonly seed: number },
): Promise<DirectionRobustness> {
  const rises = new Map<number, number[]>(PLACES_IN_DIRECTION.map((place) => [place, []]));
  const [start, halfway, end] = [0, (toOther.points.length - 1) / 2, toOther.points.length - 1].map(
    (index) => toOther.points[index]?.loss ?? Number.NaN,
  ) as [number, number, number];
  for (let draw = 0; draw < draws; draw++) {
    const direction = { parameters, length: group.euclideanDistance, seed, label: `${group.name} ${draw}` };
    for (const place of PLACES_IN_DIRECTION) {
      const key = directionKey(group.name, draw, place);
      const { loss } = await reader.near(key, () => moveRandomly(a, direction, place));
      rises.get(place)?.push(loss - start);
    }
  }
  return {
    group: group.name,
    random: rises.get(1) ?? [],
    randomHalfway: rises.get(0.5) ?? [],
    toOther: { halfway: halfway - start, end: end - start },
  };
}

interface Direction {
  readonly parameters: readonly string[];
  readonly length: number;
  readonly seed: number;
  readonly label: string;
}

/** The network at a share of a random direction; the noise is made anew from its seed. */
async function moveRandomly(
  network: Checkpoint,
  { parameters, length, seed, label }: Direction,
  share: number,
): Promise<Checkpoint> {
  const tensors = new Map<string, Tensor>();
  for (const name of network.tensors.keys()) tensors.set(name, await network.read(name));
  const noises = parameters.map((name) => {
    const random = createRandom(seed, `${label} ${name}`);
    const noise = Float64Array.from({ length: tensors.get(name)?.data.length ?? 0 }, () => random.normal());
    return { name, noise };
  });
  const squares = noises.reduce((sum, { noise }) => noise.reduce((own, x) => own + x * x, sum), 0);
  const scale = squares > 0 ? (share * length) / Math.sqrt(squares) : 0;
  for (const { name, noise } of noises) {
    const tensor = tensors.get(name);
    if (tensor === undefined) continue;
    const moved = toFloat64(tensor.data, tensor.dtype).map((value, i) => value + scale * (noise[i] ?? 0));
    tensors.set(name, { ...tensor, data: convertData(moved, "f64", tensor.dtype) });
  }
  return createCheckpoint(tensors, {}, `${network.source}, moved randomly`);
}
