import { type Checkpoint, createCheckpoint, createRandom, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type DataSet, type Engine, type Graph, randomWeights } from "@isthmus/graph";
import {
  type DiagonalSymmetry,
  exchangeParts,
  mixInPlace,
  moveGainsInPlace,
  occurrencesOf,
  permute,
  randomAlignment,
  shiftLogitsInPlace,
} from "@isthmus/symmetry";
import { multiplyUnits } from "@isthmus/symmetry/layout";
import { denseMixture } from "../../../test/helpers/dense-mixture.ts";
import { discoverAll } from "../../../test/helpers/discover-all.ts";
import { networkOfDoubles, toDoubles } from "../../../test/helpers/double-weights.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomOrders } from "../../symmetry/src/exchange/verify-exchanges.ts";
import { randomShifts } from "../../symmetry/src/shifts/shift-weights.ts";

/** Engine of these tests. */
export const engine: Engine = createOnnxRuntimeEngine();
/** Examples of {@link examplesFor}. */
export const EXAMPLES = 64;

/** Unlabelled examples of normal numbers for a graph. */
export function examplesFor(graph: Graph, seed: number = 3, size: number = EXAMPLES): DataSet {
  const shape = (graph.inputs[0]?.shape ?? []).slice(1).map(Number);
  return randomExamples(shape, { size, seed, name: "noise" });
}

/** Weights with gains around 1 of both signs' sizes, and offsets. */
export function networkOf(graph: Graph, seed: number): Checkpoint {
  const random = createRandom(seed, "gains");
  const weights = new Map(
    [...randomWeights(graph, seed)].map(([name, tensor]): [string, Tensor] =>
      /norm\d\.weight/.test(name)
        ? [name, { ...tensor, data: (tensor.data as Float32Array).map(() => 0.5 + random.uniform()) }]
        : [name, tensor],
    ),
  );
  return createCheckpoint(weights, {}, `network ${seed}`);
}

/** Applies a random element of the whole group: permutations, signs, scales, rotations and other gains. */
export async function scramble(graph: Graph, network: Checkpoint, seed: number): Promise<Checkpoint> {
  const { spec, linear, mixing, exchanges } = await discoverAll(graph);
  const random = createRandom(seed, "factors");
  const draw = ({ variables }: DiagonalSymmetry, number: () => number) =>
    Float64Array.from({ length: variables }, number);
  const signs = draw(linear.signs, () => (random.uniform() < 0.5 ? -1 : 1));
  const scales = draw(linear.scales, () => 0.5 + random.uniform());
  const exchanged = exchangeParts(network, exchanges, randomOrders(exchanges, seed));
  const permuted = permute(randomAlignment(spec, seed), exchanged, spec);
  const multiplied = multiplyUnits(multiplyUnits(permuted, linear.signs, signs), linear.scales, scales);
  const bound = await bindWeights(graph, multiplied);
  const values = toDoubles(bound);
  moveGainsInPlace(values, linear.scales, mixing, new Map());
  const mixture = denseMixture(mixing.spaces, seed);
  for (const [name, layout] of mixing.weights) {
    mixInPlace(values.get(name) as Float64Array, occurrencesOf(layout, mixing.spaces), mixture);
  }
  const gains = mixing.gains.map(({ gain, variables }): [string, Float64Array] => [
    gain,
    Float64Array.from(variables, () => 0.5 + random.uniform()),
  ]);
  moveGainsInPlace(values, linear.scales, mixing, new Map(gains));
  shiftLogitsInPlace(values, mixing.shifts, randomShifts(mixing.shifts, seed));
  return networkOfDoubles(bound, values);
}

/** Moves each weight a little, as fine-tuning does. */
export async function nudged(graph: Graph, network: Checkpoint, size: number): Promise<Checkpoint> {
  const random = createRandom(9, "nudge");
  return createCheckpoint(
    new Map(
      [...(await bindWeights(graph, network))].map(([name, tensor]) => [
        name,
        { ...tensor, data: (tensor.data as Float32Array).map((value) => value + size * random.normal()) },
      ]),
    ),
  );
}

/**
 * Multiplies queries and keys, and values and outputs, of each head by random matrices and their inverses,
 * after which the mean of the network and of a relative is useless.
 *
 * @see MergeLock (2025), arXiv:2509.01548
 */
export async function lockHeads(graph: Graph, network: Checkpoint, seed: number): Promise<Checkpoint> {
  const { mixing } = await discoverAll(graph);
  const bound = await bindWeights(graph, network);
  const values = toDoubles(bound);
  const heads = mixing.spaces.map(({ group }) => group === "invertible");
  const mixture = denseMixture(mixing.spaces, seed);
  for (const [name, layout] of mixing.weights) {
    const ofHeads = occurrencesOf(layout, mixing.spaces).filter(({ space }) => heads[space]);
    mixInPlace(values.get(name) as Float64Array, ofHeads, mixture);
  }
  return networkOfDoubles(bound, values);
}
