import {
  assertWholeOptions,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  entry,
  InputError,
  OutOfRangeError,
  resolveOptions,
  type Tensor,
} from "@isthmus/core";
import { bindWeights, type DataSet, limitExamples } from "@isthmus/graph";
import {
  type Alignment,
  compose,
  identityAlignment,
  permute,
  type Rotation,
  type RotationSpace,
  rotateUnits,
  type SymmetricArchitecture,
  type SymmetrySpec,
  wholeAlignment,
  wholeSpec,
} from "@isthmus/symmetry";
import { matchWeights } from "../match-weights.ts";
import { alignRotations } from "../normalize/rotations.ts";
import { meanOf, stepInPlace } from "./kernels/step.ts";
import { type BatchLoss, createBatchLoss } from "./midpoint-loss.ts";

/** Options of {@link matchStraightThrough}. */
export interface MatchStraightThroughOptions {
  /** Seed of the order of batches and of weight matching. */
  readonly seed: number;
  /** Examples to take, from the first. @defaultValue 10000 */
  readonly examples?: number;
  /** Passes over these examples, at least 1. @defaultValue 5 */
  readonly epochs?: number;
  /** Examples in a step; a last batch that is not full is not used. @defaultValue 100 */
  readonly batchSize?: number;
  /** Step along the gradient. @defaultValue 0.01 */
  readonly learningRate?: number;
  /** Share of the last step that the next keeps, in `[0, 1)`. @defaultValue 0.9 */
  readonly momentum?: number;
  /** Steps from one projection to the next, at least 1. @defaultValue 1 */
  readonly matchEvery?: number;
  /**
   * Searches of the first projection, at least 1; the others go on from the last one's result. @defaultValue
   * 8
   */
  readonly restarts?: number;
  /**
   * Cells that may be rotated as well, by gradients that pass straight through Procrustes. @defaultValue none
   */
  readonly rotations?: readonly RotationSpace[];
  /** Signal that stops the matching. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share that is done, the steps made, and the number of all steps. */
  readonly onProgress?:
    | ((progress: { readonly done: number; readonly completed: number; readonly total: number }) => void)
    | undefined;
}

/** Defaults of {@link matchStraightThrough}; the seed has none. */
const MATCH_STRAIGHT_THROUGH_DEFAULTS: Required<Omit<MatchStraightThroughOptions, "seed">> = {
  examples: 10_000,
  epochs: 5,
  batchSize: 100,
  learningRate: 0.01,
  momentum: 0.9,
  matchEvery: 1,
  restarts: 8,
  rotations: [],
  signal: undefined,
  onProgress: undefined,
};

/** Result of {@link matchStraightThrough}. */
export interface MatchStraightThroughResult {
  /**
   * Alignment that permutes B so that the network half-way between A and permuted B has the least loss found.
   */
  readonly alignment: Alignment;
  /** Rotations of permuted B, if cells were to be rotated. */
  readonly rotations: readonly Rotation[];
  /** Minus the loss half-way over all examples, in nats: for B before it is permuted, and after. */
  readonly objective: { readonly before: number; readonly after: number };
  /** Minus the loss half-way for the result of weight matching alone, from which the search starts. */
  readonly start: number;
  /** Number of examples taken, from the first. */
  readonly examples: number;
  /** Steps made. */
  readonly steps: number;
  /** Seed of the order of batches and of weight matching. */
  readonly seed: number;
}

/**
 * Finds the permutation of B for which the network half-way between A and permuted B has the least loss, by
 * gradients that pass straight through weight matching (Ainsworth et al. 2023, section 3.3).
 *
 * Shadow parameters start at A. Each step matches B to them by weights, from the last permutation on; takes
 * the gradient of the loss half-way between A and permuted B; and moves the shadow by it, with momentum.
 * After every pass over the examples the permutation is judged by the loss half-way over all of them, and the
 * best is kept, that of weight matching included.
 *
 * Differs from the reference implementation in: the best permutation is chosen by all examples, not by the
 * loss of the one batch it was found on, and is not overwritten by later steps; batch norms take the
 * statistics of the batch.
 *
 * @throws MismatchError if a checkpoint does not fit the graph, or the graph does not give a logit for each
 *   class
 * @throws UnsupportedError if an operator has no gradient rule
 * @throws InputError if the data do not fit the graph, or the loss is not finite
 * @throws OutOfRangeError if an option is out of range
 */
export async function matchStraightThrough(
  architecture: SymmetricArchitecture,
  [a, b]: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: MatchStraightThroughOptions,
): Promise<MatchStraightThroughResult> {
  const networks = { ...architecture, a, b };
  const { seed, ...rest } = options;
  const resolved = {
    ...resolveOptions("match straight through", MATCH_STRAIGHT_THROUGH_DEFAULTS, rest, ["seed"]),
    seed,
  };
  assertOptions(resolved);
  const seen = limitExamples("match straight through", data, resolved.examples);
  const loss = await createBatchLoss(networks, seen, resolved.batchSize);
  try {
    const search = await Search.start(networks, loss, resolved);
    await search.run(createRandom(seed, "straight through"));
    return { ...search.result(), examples: seen.size, seed };
  } finally {
    await loss.release();
  }
}

/** Two networks that are matched, with their architecture. */
interface MatchedNetworks extends SymmetricArchitecture {
  readonly a: Checkpoint;
  readonly b: Checkpoint;
}

type Options = Required<Omit<MatchStraightThroughOptions, "signal" | "onProgress">> &
  Pick<MatchStraightThroughOptions, "signal" | "onProgress">;

function assertOptions(options: Options): void {
  const least = { seed: 0, epochs: 1, batchSize: 1, matchEvery: 1, restarts: 1 };
  assertWholeOptions("match straight through", options, least);
  const { learningRate, momentum } = options;
  if (!(learningRate > 0 && Number.isFinite(learningRate))) fail("learningRate", "above 0", learningRate);
  if (!(momentum >= 0 && momentum < 1)) fail("momentum", "at least 0 and below 1", momentum);
}

function fail(option: string, rule: string, value: unknown): never {
  throw new OutOfRangeError(`Cannot match straight through as "${option}" must be ${rule}: it is ${value}`);
}

type Weights = ReadonlyMap<string, Tensor>;

/** Permutation of B, and rotations after it. */
interface Place {
  readonly alignment: Alignment;
  readonly rotations: readonly Rotation[];
}

/** State of a search. */
class Search {
  readonly #networks: MatchedNetworks;
  readonly #spec: SymmetrySpec;
  readonly #loss: BatchLoss;
  readonly #options: Options;
  readonly #a: Weights;
  readonly #shadow: Map<string, Tensor>;
  readonly #velocity: ReadonlyMap<string, Float32Array>;
  /** B in the place that the shadow has led it to; alignment and rotations lead there. */
  #projected: Weights = new Map();
  #alignment: Alignment;
  #rotations: readonly Rotation[] = [];
  #judged: Weights | undefined;
  #best: Place & { readonly loss: number };
  #identity = 0;
  #start = 0;
  #steps = 0;

  static async start(networks: MatchedNetworks, loss: BatchLoss, options: Options): Promise<Search> {
    const { graph, a, b } = networks;
    // Tensors that the graph does not read, such as counts of batches, are in one checkpoint and not in the
    // shadow.
    const bound = createCheckpoint(await bindWeights(graph, b), {}, b.source);
    const search = new Search({ ...networks, b: bound }, { loss, options, a: await bindWeights(graph, a) });
    await search.#begin();
    return search;
  }

  private constructor(
    networks: MatchedNetworks,
    { loss, options, a }: { readonly loss: BatchLoss; readonly options: Options; readonly a: Weights },
  ) {
    this.#networks = networks;
    // Rotations are of the units of the plain specification.
    const { symmetries } = networks;
    this.#spec = options.rotations.length === 0 ? wholeSpec(symmetries) : symmetries.spec;
    this.#loss = loss;
    this.#options = options;
    this.#a = a;
    this.#shadow = new Map(a);
    for (const name of loss.parameters) {
      const tensor = entry(a, name, "weight");
      this.#shadow.set(name, { ...tensor, data: tensor.data.slice() });
    }
    this.#velocity = new Map(
      loss.parameters.map((name) => [name, new Float32Array(entry(a, name, "weight").data.length)]),
    );
    this.#alignment = identityAlignment(this.#spec);
    this.#best = { alignment: this.#alignment, rotations: [], loss: Number.POSITIVE_INFINITY };
  }

  /** Judges B in its original place, and as weight matching permutes it. */
  async #begin(): Promise<void> {
    await this.#move({ alignment: this.#alignment, rotations: [] });
    await this.#judge();
    this.#identity = this.#best.loss;
    await this.#project(this.#options.restarts);
    this.#start = await this.#judge();
  }

  async run(random: { shuffleInPlace(values: Int32Array): Int32Array }): Promise<void> {
    const { epochs, matchEvery, signal, onProgress } = this.#options;
    const { batches } = this.#loss;
    const order = Int32Array.from({ length: batches }, (_, batch) => batch);
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const batch of random.shuffleInPlace(order)) {
        signal?.throwIfAborted();
        await this.#step(batch);
        if (++this.#steps % matchEvery === 0) await this.#project(1);
        const total = epochs * batches;
        onProgress?.({ done: this.#steps / total, completed: this.#steps, total });
      }
      await this.#judge();
    }
  }

  async #step(batch: number): Promise<void> {
    const { learningRate, momentum } = this.#options;
    const gradients = await this.#loss.gradientsOf(this.#midpoint(), batch);
    for (const name of this.#loss.parameters) {
      const shadow = entry(this.#shadow, name, "weight").data as Float32Array;
      const velocity = entry(this.#velocity, name, "parameter");
      const gradient = entry(gradients, name, "gradient");
      // The gradient of the shadow is half of permuted B's, as the midpoint is half of it.
      stepInPlace(shadow, velocity, gradient, learningRate, momentum);
    }
  }

  /** Matches B to the shadow, starting at its present place. */
  async #project(restarts: number): Promise<void> {
    const { graph, engine, b } = this.#networks;
    const { seed, signal, rotations: spaces } = this.#options;
    const first = restarts > 1 || this.#steps === 0;
    const shadow = createCheckpoint(this.#shadow);
    const rotated = this.#rotations.length > 0;
    const matched = rotated ? createCheckpoint(this.#projected) : b;
    const start = rotated ? identityAlignment(this.#spec) : this.#alignment;
    const result = await matchWeights({ spec: this.#spec, graph, engine }, [shadow, matched], {
      seed,
      restarts,
      search: "coordinate-descent",
      signal,
      ...(first ? {} : { start }),
    });
    const alignment = rotated ? compose(result.alignment, this.#alignment) : result.alignment;
    if (spaces.length === 0) return this.#move({ alignment, rotations: [] });
    const rotations = await alignRotations([shadow, permute(alignment, b, this.#spec)], this.#spec, spaces);
    return this.#move({ alignment, rotations });
  }

  async #move({ alignment, rotations }: Place): Promise<void> {
    const { graph, b } = this.#networks;
    const same = alignment.source.every((unit, place) => unit === this.#alignment.source[place]);
    if (same && rotations.length === 0 && this.#projected.size > 0) return;
    this.#alignment = { source: alignment.source.slice() };
    this.#rotations = rotations;
    const permuted = permute(this.#alignment, b, this.#spec);
    const network = rotations.length === 0 ? permuted : rotateUnits(permuted, this.#spec, rotations);
    this.#projected = await bindWeights(graph, network);
  }

  #midpoint(): Weights {
    const middle = new Map(this.#a);
    for (const [name, tensor] of this.#a) {
      const other = entry(this.#projected, name, "weight").data;
      if (!(tensor.data instanceof Float32Array && other instanceof Float32Array)) continue;
      middle.set(name, { ...tensor, data: meanOf(tensor.data, other) });
    }
    return middle;
  }

  /** Measures B in its present place, if it has moved since the last measurement. */
  async #judge(): Promise<number> {
    if (this.#judged === this.#projected) return this.#best.loss;
    this.#judged = this.#projected;
    const loss = await this.#loss.evaluate(this.#midpoint(), this.#options.signal);
    if (!Number.isFinite(loss)) {
      throw new InputError(
        `Cannot match straight through as the loss half-way must be finite: after ${this.#steps} steps it is ${loss}; try a smaller learning rate`,
        { input: this.#networks.b.source },
      );
    }
    if (loss < this.#best.loss) {
      this.#best = { alignment: this.#alignment, rotations: this.#rotations, loss };
    }
    return loss;
  }

  result(): Omit<MatchStraightThroughResult, "examples" | "seed"> {
    const { alignment, rotations, loss } = this.#best;
    const isPlain = this.#options.rotations.length > 0;
    return {
      alignment: isPlain ? wholeAlignment(this.#networks.symmetries, alignment) : alignment,
      rotations,
      objective: { before: -this.#identity, after: -loss },
      start: -this.#start,
      steps: this.#steps,
    };
  }
}
