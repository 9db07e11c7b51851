import { type Checkpoint, createTensor, DivergenceError, meanOf, sumOf, type Tensor } from "@isthmus/core";
import { type Architecture, assertNetwork, bindWeights, type DataSet } from "@isthmus/graph";
import { createPopulationEvaluator, type PopulationEvaluator } from "./create-population-evaluator.ts";
import { type EvolutionOptions, type ResolvedEvolution, resolveEvolution } from "./evolution-options.ts";
import { openEvolutionState } from "./evolution-state.ts";
import {
  centeredRanks,
  drawNoiseInto,
  moveInPlace,
  type SearchDistribution,
  sampleInto,
} from "./search-distribution.ts";
import { checkpointOf, copyMasked, type SearchedWeights, searchedWeights } from "./searched-weights.ts";

/** Result of an evolution, as numbers alone. */
export interface EvolutionResult {
  /** Kind of the result. */
  readonly kind: "evolution";
  /** Number of generations of the whole search. */
  readonly generations: number;
  /** Number of networks of a generation, mirror images included. */
  readonly population: number;
  /** Examples that the networks of a generation were compared on. */
  readonly batch: number;
  /** Elements of weights that were searched. */
  readonly searched: number;
  /** Mean loss of the last generation's networks on its batch; null without a generation. */
  readonly loss: number | null;
  /** Mean of the logarithms of the standard deviations at the end. */
  readonly meanLogDeviation: number;
  /** Name of the examples that the networks were trained on. */
  readonly data: string;
  /** Seed of the networks that were tried and of the order of examples. */
  readonly seed: number;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}

/** A network that was trained by evolution. */
export interface Evolved {
  /** Means of the distributions, in the order of the graph; in memory. */
  readonly weights: Checkpoint;
  /** Standard deviation of every element, by the same names; 0 for elements that were not searched. */
  readonly deviations: Checkpoint;
  /** Record of the search as plain data. */
  readonly result: EvolutionResult;
}

const ATTEMPT = "train by evolution";

/**
 * Trains a network without gradients: every weight has a normal distribution, networks are drawn from it in
 * mirrored pairs and compared on one batch, and means and standard deviations move toward the better ones.
 *
 * The means follow the gradient estimated from ranks of losses by Adam, the logarithms of the deviations
 * their natural gradient: parameter-exploring policy gradients (Sehnke et al. 2010) with the separable
 * natural step of Wierstra et al., Natural evolution strategies (2014), and the ranks of Salimans et al.,
 * Evolution strategies as a scalable alternative to reinforcement learning (2017). Networks are run in
 * inference mode; running statistics of norms do not change. The same seed gives the same bytes, also after
 * resuming.
 *
 * Permutations of units and the networks that are drawn do not commute: the noise of an element depends on
 * its place, so that the result is invariant to symmetries only in distribution.
 * @throws OutOfRangeError if an option is out of its range, or masks do not fit
 * @throws MismatchError if weights, loss or data do not fit the graph, or the state is of another evolution
 * @throws UnsupportedError if a parameter is not f32
 * @throws DivergenceError if no network of a generation has a finite loss
 * @throws DOMException named AbortError if `signal` is aborted; the state is written before
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, trainByEvolution } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:4", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const options = { seed: 0, generations: 20, population: 16, batch: 100 };
 * const { weights, deviations, result } = await trainByEvolution(architecture, initialize(0), data, options);
 * assert.deepEqual([...weights.tensors.keys()], [...deviations.tensors.keys()]);
 * assert(result.loss !== null && result.loss < 2.4);
 * ```
 */
export async function trainByEvolution(
  architecture: Architecture,
  start: Checkpoint,
  data: DataSet,
  options: EvolutionOptions,
): Promise<Evolved> {
  const { graph, engine } = architecture;
  const resolved = resolveEvolution(ATTEMPT, data.size, options);
  assertNetwork(graph, start);
  const weights = copyMasked(await bindWeights(graph, start), resolved.masks);
  const searched = searchedWeights(ATTEMPT, { graph, weights }, resolved.masks);
  const distribution = beginAt(weights, searched, resolved.deviation);
  const evaluator = await createPopulationEvaluator(architecture, data, resolved);
  try {
    const state = await openEvolutionState(
      { ...architecture, data, start, searched, distribution },
      resolved,
    );
    const loss = await evolve({ weights, searched, distribution, evaluator, state }, resolved);
    searched.writeInto(distribution.mean, weights);
    const { generations, population, batch, seed } = resolved;
    const { logDeviation } = distribution;
    return {
      weights: checkpointOf(weights, start.source),
      deviations: checkpointOf(deviationsOf(weights, searched, distribution), start.source),
      result: {
        kind: "evolution",
        generations,
        population,
        batch,
        searched: searched.count,
        loss,
        meanLogDeviation: sumOf(logDeviation) / searched.count,
        data: data.name,
        seed,
        engine: engine.name,
      },
    };
  } finally {
    await evaluator.release();
  }
}

function beginAt(
  weights: ReadonlyMap<string, Tensor>,
  searched: SearchedWeights,
  deviation: number,
): SearchDistribution {
  const zeros = () => new Float32Array(searched.count);
  const distribution = {
    mean: zeros(),
    logDeviation: zeros().fill(Math.log(deviation)),
    first: zeros(),
    second: zeros(),
  };
  searched.readInto(weights, distribution.mean);
  return distribution;
}

function deviationsOf(
  weights: ReadonlyMap<string, Tensor>,
  searched: SearchedWeights,
  { logDeviation }: SearchDistribution,
): Map<string, Tensor> {
  const tensors = new Map(
    [...weights].map(([name, { data, shape }]) => [
      name,
      createTensor("f32", shape, new Float32Array(data.length)),
    ]),
  );
  searched.writeInto(logDeviation.map(Math.exp), tensors);
  return tensors;
}

interface Evolution {
  /** Weights of the network that is tried; overwritten by the next one. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly searched: SearchedWeights;
  readonly distribution: SearchDistribution;
  readonly evaluator: PopulationEvaluator;
  readonly state: {
    readonly generation: number;
    readonly loss: number | null;
    save(at: number, loss: number | null): Promise<void>;
  };
}

/** Makes the remaining generations; returns the mean loss of the last one. */
async function evolve(evolution: Evolution, options: ResolvedEvolution): Promise<number | null> {
  const { searched, distribution, state } = evolution;
  const { generations, population, seed, learningRate, deviationRate, saveEvery, signal } = options;
  const noise = new Float32Array((population / 2) * searched.count);
  let { loss } = state;
  for (let generation = state.generation; generation < generations; generation++) {
    if (signal?.aborted) {
      await state.save(generation, loss);
      signal.throwIfAborted();
    }
    drawNoiseInto(seed, generation, noise);
    const losses = await measurePopulation(evolution, { generation, noise, population });
    const finite = losses.filter(Number.isFinite);
    loss = meanOf(finite);
    if (finite.length === 0) {
      throw new DivergenceError(
        `Cannot ${ATTEMPT} after generation ${generation} as the loss of a network must be finite: none of ${population} is; take a smaller learning rate or deviation`,
        { step: generation, loss: Number.NaN },
      );
    }
    const rate = (learningRate * (1 + Math.cos((Math.PI * generation) / generations))) / 2;
    const rates = { learningRate: rate, deviationRate, step: generation + 1 };
    moveInPlace(distribution, noise, centeredRanks(losses), rates);
    const made = generation + 1;
    if (made % saveEvery === 0 || made === generations) await state.save(made, loss);
    options.onProgress?.({ generation: made, generations, loss });
  }
  return loss;
}

/** Measures the networks of a generation: first one of each pair, then their mirror images. */
async function measurePopulation(
  { weights, searched, distribution, evaluator }: Evolution,
  {
    generation,
    noise,
    population,
  }: { readonly generation: number; readonly noise: Float32Array; readonly population: number },
): Promise<Float64Array> {
  const values = new Float32Array(searched.count);
  const sampled = { mean: distribution.mean, deviation: distribution.logDeviation.map(Math.exp) };
  const losses = new Float64Array(population);
  const pairs = population / 2;
  evaluator.begin(generation);
  for (let k = 0; k < population; k++) {
    const begin = (k % pairs) * searched.count;
    const drawn = noise.subarray(begin, begin + searched.count);
    sampleInto(sampled, { noise: drawn, sign: k < pairs ? 1 : -1 }, values);
    searched.writeInto(values, weights);
    losses[k] = await evaluator.measure(weights);
  }
  return losses;
}
