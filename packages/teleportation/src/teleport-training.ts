import {
  type Checkpoint,
  createRandom,
  DTYPES,
  type FieldsOf,
  fromFloat64Into,
  numberField,
  resolveFields,
  type Tensor,
  toFloat64,
  UsageError,
  wholeField,
} from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { WeightMove } from "@isthmus/training";
import { act, carry, carryBack, type Doubles, type Element, scaled } from "./element.ts";
import { GRADIENT_NORM } from "./objectives/gradient-norm.ts";
import type { OpenedObjective } from "./objectives/objective.ts";
import { MOVES, type Move, type Orbit, openOrbit } from "./orbit.ts";
import { walk } from "./search.ts";

/** Options of teleports in a training that are plain data. */
export interface TrainingTeleportChoice {
  /** Steps of training from one teleport to the next. */
  readonly every: number;
  /** Number of teleports, from the beginning; 0 for as many as there are. @defaultValue 0 */
  readonly times?: number;
  /** Steps of a teleport. @defaultValue 5 */
  readonly steps?: number;
  /**
   * Change of the logarithm of a scale, and of an element of a generator times the root of its size, by such
   * a step. @defaultValue 0.02
   */
  readonly learningRate?: number;
}

/** Fields of {@link TrainingTeleportChoice}. */
export const TRAINING_TELEPORT_FIELDS: FieldsOf<TrainingTeleportChoice> = {
  every: wholeField({ least: 1, help: "steps from one teleport to the next" }),
  times: wholeField({ least: 0, default: 0, help: "teleports in all, from the beginning; 0 for no limit" }),
  steps: wholeField({ least: 1, most: 10_000, default: 5, help: "steps of each teleport" }),
  learningRate: numberField({ above: 0, default: 0.02, help: "size of its steps" }),
};

/** Options of {@link openTrainingTeleports}. */
export interface TrainingTeleportOptions extends TrainingTeleportChoice {
  /** Seed of the batches on which gradients are measured, and of the proof. */
  readonly seed: number;
  /** Examples of such a batch. */
  readonly batch: number;
  /** Kinds of symmetries along which weights move. @defaultValue all */
  readonly moves?: readonly Move[];
  /** Signal that stops a teleport. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Teleports of a training, which hold memory of the engine. */
export interface TrainingTeleports {
  /** Option `move` of `train`. */
  readonly move: WeightMove;
  /** Frees the memory of the engine. */
  readonly release: () => Promise<void>;
}

/** Largest number by which a teleport multiplies or divides a unit. */
const LIMIT = 10;

const ATTEMPT = "teleport in training";

/**
 * Prepares teleports of a training: after some steps, weights move along the symmetries of the graph to where
 * the gradient on a batch is larger, and the network computes the same. The optimiser's state moves as
 * gradients do; second moments of Adam follow scales, and stay where matrices mix.
 *
 * @see Zhao, Dehmamy, Walters, Yu, Symmetry teleportation for accelerated optimization (2022), algorithm 1
 * @throws UnsupportedError if the symmetries do not hold on the weights of the start
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { openTrainingTeleports } from "@isthmus/teleportation";
 * import { train } from "@isthmus/training";
 * import { parseNetwork } from "@isthmus/zoo";
 *
 * const data = await openDataSet("mnist:train@100");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const start = initialize(0);
 * const options = { every: 5, seed: 0, batch: 20 };
 * const { move, release } = await openTrainingTeleports(architecture, start, data, options);
 * const { result } = await train(architecture, start, data, { seed: 0, epochs: 2, batch: 20, move });
 * await release();
 * assert.equal(result.epochs.length, 2);
 * ```
 */
export async function openTrainingTeleports(
  architecture: Architecture,
  start: Checkpoint,
  data: DataSet,
  options: TrainingTeleportOptions,
): Promise<TrainingTeleports> {
  const { seed, batch, moves = MOVES, signal, ...choice } = options;
  const { every, times, steps, learningRate } = resolveFields(ATTEMPT, TRAINING_TELEPORT_FIELDS, choice);
  const orbit = await openOrbit(architecture, start, { seed, moves, signal });
  const batchSize = Math.min(batch, data.size);
  const batches = Math.floor(data.size / batchSize);
  let at = 0;
  const objective = await GRADIENT_NORM.open({
    architecture,
    network: start,
    orbit,
    data,
    options: {
      seed,
      examples: batches * batchSize,
      batchSize,
      batchOf: () => createRandom(seed, `teleport after step ${at}`).integer(batches),
      bits: 4,
      scheme: "block",
      signal,
    },
  });
  const untrained = act(orbit, orbit.identity, orbit.base);
  const moved = [...new Set([...orbit.occurrences.keys(), ...orbit.scales.weights.keys()])];
  return {
    move: {
      description: { teleport: { times, steps, learningRate, batchSize, seed, moves } },
      every,
      async moveInPlace({ finished }, tensors) {
        if (times > 0 && finished > times * every) return;
        at = finished;
        assertTrained(moved, tensors);
        const current = doublesOf(tensors, architecture.graph.weights);
        const here = { ...orbit, ...orbit.place(new Map([...untrained, ...current])) };
        const element = await ascend(here, objective, { steps, learningRate, signal });
        moveInPlace(here, element, tensors);
      },
    },
    release: objective.release,
  };
}

function assertTrained(names: readonly string[], tensors: ReadonlyMap<string, Tensor>): void {
  const frozen = names.find((name) => !tensors.has(name));
  if (frozen === undefined) return;
  throw new UsageError(
    `Cannot ${ATTEMPT} as every weight that symmetries move must be trained: "${frozen}" is frozen`,
  );
}

/** Walks to where the gradient is larger. */
async function ascend(
  orbit: Orbit,
  objective: OpenedObjective,
  options: {
    readonly steps: number;
    readonly learningRate: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Element> {
  const { met } = await walk(orbit, objective, {
    ...options,
    from: orbit.identity,
    direction: "raise",
    limit: LIMIT,
    isBetter: (one, other) => one > other,
    onProgress: undefined,
  });
  return met.element;
}

/** Moves weights, and the state of the optimiser that follows them. */
function moveInPlace(orbit: Orbit, element: Element, tensors: ReadonlyMap<string, Tensor>): void {
  const ratio = element.scales.map((scale, i) => (orbit.identity.scales[i] as number) / scale);
  const squared = ratio.map((factor) => factor * factor);
  const carried = (state: Doubles) => carry(orbit, element, carryBack(orbit, orbit.identity, state));
  const rules: Readonly<Record<string, (state: Doubles) => Doubles>> = {
    momentum: carried,
    firstMoment: carried,
    secondMoment: (state) => scaled(orbit, squared, state, 0),
  };
  const write = (values: Doubles, nameOf: (name: string) => string) => {
    for (const [name, numbers] of values) {
      const tensor = tensors.get(nameOf(name));
      if (tensor !== undefined) fromFloat64Into(numbers, tensor.dtype, tensor.data);
    }
  };
  for (const [kind, rule] of Object.entries(rules)) {
    const nameOf = (name: string) => `${kind}(${name})`;
    write(rule(doublesOf(tensors, orbit.base, nameOf)), nameOf);
  }
  write(act(orbit, element, orbit.base), (name) => name);
}

/** Reads tensors of floating-point numbers as f64, by the names of weights. */
function doublesOf(
  tensors: ReadonlyMap<string, Tensor>,
  names: ReadonlyMap<string, unknown>,
  nameOf: (name: string) => string = (name) => name,
): Doubles {
  return new Map(
    [...names.keys()].flatMap((name) => {
      const tensor = tensors.get(nameOf(name));
      return tensor !== undefined && DTYPES[tensor.dtype].float
        ? [[name, toFloat64(tensor.data, tensor.dtype)] as const]
        : [];
    }),
  );
}
