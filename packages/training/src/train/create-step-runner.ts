import {
  allocateData,
  type Checkpoint,
  createTensor,
  sizeOf,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import { bindWeights, type Engine, type Graph, type Session } from "@isthmus/graph";
import { typesOf } from "@isthmus/graph/ir";
import type { TrainingStep } from "../step/training-step.ts";
import { fillMask } from "./fill-mask.ts";

/** Options of {@link createStepRunner}. */
export interface StepRunnerOptions {
  /** Decides what dropout drops. */
  readonly seed: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
}

/** Which step is to be made. */
export interface StepAt {
  /** Number of the step, from 0. */
  readonly step: number;
  readonly learningRate: number;
}

/** What a step reports. */
export interface StepOutcome {
  /** Mean loss of the batch before the step. */
  readonly loss: number;
  /** Metrics of the step by what they are, before it was made. */
  readonly metrics: ReadonlyMap<string, number>;
}

/** Makes step after step; holds all that is carried from one to the next. */
export interface StepRunner {
  /**
   * Tensors carried, by the names they enter a step by, as they are after the last step. The next step writes into others, the
   * one after it into these again.
   */
  carried(): ReadonlyMap<string, Tensor>;
  /** Weights of the step that it does not change. */
  readonly fixed: ReadonlyMap<string, Tensor>;
  /**
   * Makes a step.
   * @param data - tensors of the step's data inputs other than its scalars and masks
   * @throws EngineError if the engine fails; what is carried is then as before the step
   */
  run(at: StepAt, data: ReadonlyMap<string, Tensor>): Promise<StepOutcome>;
  /** Frees what the engine holds. */
  release(): Promise<void>;
}

/**
 * Gets ready to make steps from the weights of a checkpoint.
 *
 * What is carried lies in two sets of tensors: a step reads one and writes the other, so that nothing is copied or allocated
 * from step to step.
 * @throws MismatchError if the checkpoint lacks weights of the step
 * @throws EngineError if the engine refuses the graph
 */
export async function createStepRunner(
  step: TrainingStep,
  engine: Engine,
  weights: Checkpoint,
  { seed, threads = 0 }: StepRunnerOptions,
): Promise<StepRunner> {
  const own = await bindWeights(withoutState(step), weights);
  const names = new Set(step.carried.map(({ input }) => input));
  const fixed = new Map([...own].filter(([name]) => !names.has(name)));
  const buffers = createBuffers(step, own);
  const session = await engine.load(step.graph, { threads });
  return new Runner({ step, fixed, buffers, session, seed });
}

/** The step's graph with the weights only that a checkpoint has. */
function withoutState({ graph, carried }: TrainingStep): Graph {
  const state = new Set(carried.filter(({ role }) => role === "state").map(({ input }) => input));
  return { ...graph, weights: new Map([...graph.weights].filter(([name]) => !state.has(name))) };
}

/** Carried tensors twice, by the name they enter by. */
type Buffers = readonly [ReadonlyMap<string, Tensor>, ReadonlyMap<string, Tensor>];

function createBuffers({ carried }: TrainingStep, weights: ReadonlyMap<string, Tensor>): Buffers {
  const first = new Map<string, Tensor>();
  const second = new Map<string, Tensor>();
  for (const { input, dtype, shape } of carried) {
    const tensor = allocate({ dtype, shape });
    const start = weights.get(input);
    // A copy, as the checkpoint's own tensors are not ours to write to.
    if (start !== undefined) tensor.data.set(start.data as never);
    first.set(input, tensor);
    second.set(input, allocate({ dtype, shape }));
  }
  return [first, second];
}

function allocate({ dtype, shape }: TensorInfo): Tensor {
  return createTensor(dtype, shape, allocateData(dtype, sizeOf(shape)));
}

interface RunnerParts {
  readonly step: TrainingStep;
  readonly fixed: ReadonlyMap<string, Tensor>;
  readonly buffers: Buffers;
  readonly session: Session;
  readonly seed: number;
}

class Runner implements StepRunner {
  readonly fixed: ReadonlyMap<string, Tensor>;
  readonly #parts: RunnerParts;
  readonly #scalars: ReadonlyMap<string, Tensor>;
  readonly #masks: ReadonlyMap<string, Tensor>;
  readonly #feeds: readonly [Map<string, Tensor>, Map<string, Tensor>];
  readonly #outs: readonly [Map<string, Tensor>, Map<string, Tensor>];
  readonly #results: ReadonlyMap<string, Tensor>;
  /** Which of the two sets holds what is carried now. */
  #side: 0 | 1 = 0;

  constructor(parts: RunnerParts) {
    const { step, fixed, buffers } = parts;
    this.#parts = parts;
    this.fixed = fixed;
    this.#scalars = new Map(step.scalars.map(({ name }) => [name, allocate({ dtype: "f32", shape: [] })]));
    this.#masks = new Map(step.masks.map((mask) => [mask.name, allocate(mask)]));
    this.#results = createResults(step);
    const feedsOf = (from: ReadonlyMap<string, Tensor>) =>
      new Map([...fixed, ...from, ...this.#scalars, ...this.#masks]);
    const outsOf = (to: ReadonlyMap<string, Tensor>) =>
      new Map([
        ...this.#results,
        ...step.carried.flatMap(({ input, output }) => {
          const tensor = to.get(input);
          return tensor === undefined ? [] : ([[output, tensor]] as const);
        }),
      ]);
    this.#feeds = [feedsOf(buffers[0]), feedsOf(buffers[1])];
    this.#outs = [outsOf(buffers[1]), outsOf(buffers[0])];
  }

  carried(): ReadonlyMap<string, Tensor> {
    return this.#parts.buffers[this.#side];
  }

  async run(at: StepAt, data: ReadonlyMap<string, Tensor>): Promise<StepOutcome> {
    const { step, session, seed } = this.#parts;
    for (const { name, valueAt } of step.scalars) {
      const tensor = this.#scalars.get(name);
      if (tensor !== undefined) tensor.data[0] = valueAt(at.step, at.learningRate);
    }
    for (const mask of step.masks) {
      const tensor = this.#masks.get(mask.name);
      if (tensor !== undefined) fillMask(mask, tensor, { seed, step: at.step });
    }
    const feeds = this.#feeds[this.#side];
    for (const [name, tensor] of data) feeds.set(name, tensor);
    await session.run(feeds, this.#outs[this.#side]);
    this.#side = this.#side === 0 ? 1 : 0;
    const numberOf = (output: string) => Number(this.#results.get(output)?.data[0]);
    const metrics = new Map([...step.metrics].map(([what, output]) => [what, numberOf(output)]));
    return { loss: numberOf(step.loss), metrics };
  }

  async release(): Promise<void> {
    await this.#parts.session.release();
  }
}

/** Room for the scalars a step reports. */
function createResults({ graph, loss, metrics }: TrainingStep): Map<string, Tensor> {
  const types = typesOf(graph);
  return new Map(
    [loss, ...metrics.values()].map((name) => [
      name,
      allocate(types.get(name) ?? { dtype: "f32", shape: [] }),
    ]),
  );
}
