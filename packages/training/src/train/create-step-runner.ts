import {
  allocateData,
  at,
  type Checkpoint,
  createRandom,
  createTensor,
  entry,
  fromFloat32Into,
  sizeOf,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import {
  bindWeights,
  createFeedHolder,
  type DeviceMemory,
  type Engine,
  type Graph,
  type Session,
} from "@isthmus/graph";
import { typesOf } from "@isthmus/graph/ir";
import type { MaskInput } from "../mode/mask-input.ts";
import { carriedOutputs } from "../step/carried-outputs.ts";
import type { RunnableStep } from "../step/training-step.ts";
import { createInPlaceUpdater, type InPlaceUpdater } from "./create-in-place-updater.ts";

/** Options of {@link createStepRunner}. */
export interface StepRunnerOptions {
  /** Seed of the elements that dropout drops. */
  readonly seed: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /**
   * Whether the caller changes or needs the carried tensors after every step, so that an engine with a device
   * of its own does not keep them there. @defaultValue false
   */
  readonly returnsEach?: boolean;
}

/** The step to make. */
export interface StepAt {
  /** Number of the step, from 0. */
  readonly step: number;
  /** Learning rate of the schedule at the step. */
  readonly learningRate: number;
}

/** The loss and the metrics of a step. */
export interface StepOutcome {
  /** Mean loss of the batch before the step. */
  readonly loss: number;
  /** Metrics of the batch before the step, by what they measure. */
  readonly metrics: ReadonlyMap<string, number>;
}

/** Runner that makes step after step, and holds all tensors that are carried from one step to the next. */
export interface StepRunner {
  /**
   * Returns the carried tensors after the last step, by the names of the weights that take them; an engine
   * with a device of its own copies them from there. The next step writes into other tensors, the step after
   * that into these again; tensors that are updated in place are the same ones in every step. Before the
   * first step they can be changed.
   * @throws EngineError if the device fails
   */
  carried(): Promise<ReadonlyMap<string, Tensor>>;
  /** Gradients of the last step by the trained parameters, for steps that return them; else empty. */
  readonly gradients: ReadonlyMap<string, Tensor>;
  /** Weights of the step that it does not change. */
  readonly fixed: ReadonlyMap<string, Tensor>;
  /**
   * Gives tensors of data inputs that every later step takes, until others are given for them; an engine with
   * a device of its own copies them there once, and again only if they are other objects. An engine
   * without such a device is given the same tensors in every step.
   * @throws EngineError if the device fails
   */
  hold(tensors: ReadonlyMap<string, Tensor>): Promise<void>;
  /**
   * Makes a step.
   * @param data - tensors of the step's data inputs other than its scalars, its masks and held tensors
   * @throws EngineError if the engine fails; the carried tensors then hold their values from before the step
   */
  run(at: StepAt, data: ReadonlyMap<string, Tensor>): Promise<StepOutcome>;
  /** Frees the engine's session. */
  release(): Promise<void>;
}

/**
 * Prepares to make steps from the weights of a checkpoint.
 *
 * There are two sets of the carried tensors that a graph returns: a step reads one and writes the other, so
 * that nothing is copied or allocated from step to step. Tensors that are updated in place are in both sets.
 * An engine with a device of its own keeps the tensors there from step to step, and the weights that do not
 * change.
 * @throws MismatchError if the checkpoint lacks weights of the step
 * @throws EngineError if the engine refuses the graph
 */
export async function createStepRunner(
  step: RunnableStep,
  engine: Engine,
  weights: Checkpoint,
  { seed, threads = 0, returnsEach = false }: StepRunnerOptions,
): Promise<StepRunner> {
  const bound = await bindWeights(withoutState(step), weights);
  const names = new Set(step.carried.map(({ input }) => input));
  const fixed = new Map([...bound].filter(([name]) => !names.has(name)));
  const updater = openUpdater(step);
  const buffers = createBuffers(step, bound, updater);
  const carried = returnsEach ? new Map<string, string>() : carriedOutputs(step);
  const session = await engine.load(step.graph, { threads, carried });
  const memory = returnsEach ? undefined : session.memory;
  const runner = new Runner({ step, fixed, buffers, updater, session, memory, seed });
  await runner.hold(fixed);
  return runner;
}

/** Returns the step's graph without the optimiser's state, which no checkpoint has, among its weights. */
function withoutState({ graph, carried }: RunnableStep): Graph {
  const state = new Set(carried.filter(({ role }) => role === "state").map(({ input }) => input));
  return { ...graph, weights: new Map([...graph.weights].filter(([name]) => !state.has(name))) };
}

/** Two sets of the carried tensors, by the names of the weights that take them. */
type Buffers = readonly [ReadonlyMap<string, Tensor>, ReadonlyMap<string, Tensor>];

function openUpdater({ carried, inPlace }: RunnableStep): InPlaceUpdater | undefined {
  const shapes = new Map(carried.map(({ input, shape }) => [input, shape]));
  return inPlace && createInPlaceUpdater(inPlace, shapes);
}

function createBuffers(
  { carried }: RunnableStep,
  weights: ReadonlyMap<string, Tensor>,
  updater: InPlaceUpdater | undefined,
): Buffers {
  const first = new Map<string, Tensor>();
  const second = new Map<string, Tensor>();
  for (const { input, output, dtype, shape } of carried) {
    const inPlace = output === undefined ? entry(updater?.tensors ?? new Map(), input, "tensor") : undefined;
    const tensor = inPlace ?? allocate({ dtype, shape });
    const start = weights.get(input);
    // We copy, as the tensors of the checkpoint must not change.
    if (start !== undefined) tensor.data.set(start.data as never);
    first.set(input, tensor);
    second.set(input, inPlace ?? allocate({ dtype, shape }));
  }
  return [first, second];
}

function allocate({ dtype, shape }: TensorInfo): Tensor {
  return createTensor(dtype, shape, allocateData(dtype, sizeOf(shape)));
}

/** A step, its session and its tensors. */
interface RunnerParts {
  readonly step: RunnableStep;
  readonly fixed: ReadonlyMap<string, Tensor>;
  readonly buffers: Buffers;
  /** Updater of the tensors that are updated in place; undefined if there are none. */
  readonly updater: InPlaceUpdater | undefined;
  readonly session: Session;
  /** Memory of the device in which tensors stay from step to step; undefined if they are fed. */
  readonly memory: DeviceMemory | undefined;
  readonly seed: number;
}

class Runner implements StepRunner {
  readonly fixed: ReadonlyMap<string, Tensor>;
  readonly gradients: ReadonlyMap<string, Tensor>;
  readonly #parts: RunnerParts;
  readonly #scalars: ReadonlyMap<string, Tensor>;
  readonly #masks: ReadonlyMap<string, Tensor>;
  readonly #holdFeeds: ReturnType<typeof createFeedHolder>;
  readonly #feeds: readonly [Map<string, Tensor>, Map<string, Tensor>];
  readonly #outs: readonly [Map<string, Tensor>, Map<string, Tensor>];
  readonly #results: ReadonlyMap<string, Tensor>;
  /** Index of the set that holds the carried tensors after the last step. */
  #side: 0 | 1 = 0;
  /** Place of the carried tensors after the last step, if a device can have them. */
  #place: "here" | "device" | "both" = "here";

  constructor(parts: RunnerParts) {
    const { step, fixed, buffers, updater } = parts;
    this.#parts = parts;
    this.fixed = fixed;
    this.#holdFeeds = createFeedHolder(parts.session);
    this.#scalars = new Map(step.scalars.map(({ name }) => [name, allocate({ dtype: "f32", shape: [] })]));
    this.#masks = new Map(step.masks.map((mask) => [mask.name, allocate(mask)]));
    this.#results = createResults(step);
    const gradients = [...(step.gradients ?? [])];
    this.gradients = new Map(
      gradients.map(([name, output]) => [name, entry(this.#results, output, "gradient")]),
    );
    const feedsOf = (from: ReadonlyMap<string, Tensor>) =>
      new Map([...from, ...this.#scalars, ...this.#masks]);
    const written = (step.inPlace?.parameters ?? []).map(({ gradient }) => {
      return [gradient, entry(updater?.tensors ?? new Map(), gradient, "gradient")] as const;
    });
    const outsOf = (to: ReadonlyMap<string, Tensor>) =>
      new Map([
        ...this.#results,
        ...written,
        ...step.carried.flatMap(({ input, output }) => {
          return output === undefined ? [] : [[output, entry(to, input, "carried tensor")] as const];
        }),
      ]);
    this.#feeds = [feedsOf(buffers[0]), feedsOf(buffers[1])];
    this.#outs = [outsOf(buffers[1]), outsOf(buffers[0])];
  }

  async carried(): Promise<ReadonlyMap<string, Tensor>> {
    const { buffers, memory } = this.#parts;
    if (this.#place === "device") {
      await memory?.readInto(buffers[this.#side]);
      this.#place = "both";
    }
    return buffers[this.#side];
  }

  async hold(tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    const fed = await this.#holdFeeds(tensors);
    for (const feeds of this.#feeds) for (const [name, tensor] of fed) feeds.set(name, tensor);
  }

  /** Returns the tensors to feed to a step: all of them, or all but the ones that lie on the device. */
  async #feedsOf(data: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor>> {
    const { memory, buffers } = this.#parts;
    if (memory !== undefined) {
      if (this.#place === "here") await memory.hold(buffers[this.#side]);
      return new Map([...this.#scalars, ...this.#masks, ...data]);
    }
    const feeds = this.#feeds[this.#side];
    for (const [name, tensor] of data) feeds.set(name, tensor);
    return feeds;
  }

  async run(stepAt: StepAt, data: ReadonlyMap<string, Tensor>): Promise<StepOutcome> {
    const { step, updater, session, memory, seed } = this.#parts;
    for (const { name, valueAt } of step.scalars) {
      entry(this.#scalars, name, "scalar").data[0] = valueAt(stepAt.step, stepAt.learningRate);
    }
    for (const mask of step.masks) {
      fillMask(mask, entry(this.#masks, mask.name, "mask"), { seed, step: stepAt.step });
    }
    const feeds = await this.#feedsOf(data);
    await session.run(feeds, this.#outs[this.#side]);
    updater?.update(stepAt);
    this.#side = this.#side === 0 ? 1 : 0;
    if (memory !== undefined) this.#place = "device";
    const numberOf = (output: string) =>
      Number(at<number | bigint>(entry(this.#results, output, "result").data, 0));
    const metrics = new Map([...step.metrics].map(([what, output]) => [what, numberOf(output)]));
    return { loss: numberOf(step.loss), metrics };
  }

  async release(): Promise<void> {
    await this.#parts.session.release();
  }
}

/** Allocates the scalars that a step reports, and the gradients that it returns. */
function createResults({ graph, loss, metrics, gradients }: RunnableStep): Map<string, Tensor> {
  const types = typesOf(graph);
  return new Map(
    [loss, ...metrics.values(), ...(gradients?.values() ?? [])].map((name) => [
      name,
      allocate(entry(types, name, "type of value")),
    ]),
  );
}

/** Number of different random values that decide an element: half of a random number of 32 bits is enough. */
const LEVELS = 2 ** 16;

/**
 * Writes the dropout mask of a step: each element is 0 with probability `ratio`, rounded to 16 bits, else
 * `1 / (1 - ratio)`. The mask depends on the seed, the step and its name only.
 */
export function fillMask(
  { name, ratio, dtype }: MaskInput,
  { data }: Tensor,
  { seed, step }: { readonly seed: number; readonly step: number },
): void {
  const random = createRandom(seed, `mask ${name} of step ${step}`);
  const values = dtype === "f32" && data instanceof Float32Array ? data : new Float32Array(data.length);
  const state = Int32Array.from({ length: 3 }, () => random.integer(2 ** 32));
  fillRandomly(values, { dropped: Math.round(ratio * LEVELS), scale: Math.fround(1 / (1 - ratio)) }, state);
  if (values !== data) fromFloat32Into(values, dtype, data);
}

/**
 * Writes 0 or `scale` at random, by the generator sfc32 (Chris Doty-Humphrey's PractRand) with its state in
 * local variables, two elements from each number, and no branch that depends on them: several times faster
 * than a call of `uniform` for each element.
 */
function fillRandomly(
  out: Float32Array,
  { dropped, scale }: { readonly dropped: number; readonly scale: number },
  state: Int32Array,
): void {
  const bitsOut = new Int32Array(out.buffer, out.byteOffset, out.length);
  const scaleBits = at(new Int32Array(Float32Array.of(scale).buffer), 0);
  let [a = 0, b = 0, c = 0] = state;
  let counter = 1;
  for (let i = 0; i < bitsOut.length; i += 2) {
    const bits = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + bits) | 0;
    // The shifted difference is all ones if it is negative: if the half is below the share that is dropped.
    bitsOut[i] = scaleBits & ~(((bits & 0xffff) - dropped) >> 31);
    // Writing past the end of an odd length does nothing.
    bitsOut[i + 1] = scaleBits & ~(((bits >>> 16) - dropped) >> 31);
  }
}
