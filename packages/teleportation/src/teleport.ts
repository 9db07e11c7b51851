import {
  assertFiniteTensors,
  type Checkpoint,
  DTYPES,
  resolveFields,
  type Tensor,
  UnsupportedError,
} from "@isthmus/core";
import { type Architecture, bindWeights, compareOutputs, type DataSet, randomInputs } from "@isthmus/graph";
import { roundedTolerance } from "@isthmus/weight-matching";
import { act, type Doubles } from "./element.ts";
import type { Direction } from "./objectives/objective.ts";
import { OBJECTIVE_KINDS, type Objective } from "./objectives/objectives.ts";
import { type Orbit, type OrbitGroups, openOrbit } from "./orbit.ts";
import { search, type TeleportProgress } from "./search.ts";
import type { Start } from "./starts.ts";
import { TELEPORT_FIELDS, type TeleportChoice } from "./teleport-options.ts";
import { tensorOf, withValues } from "./with-values.ts";

/** Options of {@link teleport}. */
export interface TeleportOptions extends TeleportChoice {
  /** Examples that the loss is measured on, if the objective needs it. @defaultValue none */
  readonly data?: DataSet | undefined;
  /** Signal that stops the work between two steps. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step with the share that is done. @defaultValue nothing is called */
  readonly onProgress?: ((progress: TeleportProgress) => void) | undefined;
}

/** Result of a teleport, as plain data. */
export interface TeleportResult {
  /** Objective that was raised or lowered. */
  readonly objective: Objective;
  /** Whether it was raised or lowered. */
  readonly direction: Direction;
  /** Objective of the network as it was given. */
  readonly before: number;
  /** Objective of the teleported network: never worse than before. */
  readonly after: number;
  /** Objective of each start in closed form; null if the network has no symmetry that the start uses. */
  readonly starts: Readonly<Partial<Record<Start, number | null>>>;
  /** Start of the steps. */
  readonly start: Start;
  /** Step after which the objective was best; 0 for the start itself. */
  readonly bestStep: number;
  /** Objective before each step. */
  readonly values: readonly number[];
  /**
   * Largest difference of an output on random inputs, relative to its largest element, with the weights that
   * are written: in 16 bits they are rounded anew.
   */
  readonly outputError: number;
  /** Groups of symmetries that were used, and groups that were not, with reasons. */
  readonly groups: OrbitGroups;
}

/** A teleported network. */
export interface TeleportedNetwork {
  /** Weights of the network, which computes the same as before; element types are kept. */
  readonly weights: Checkpoint;
  /** Record of the teleport as plain data. */
  readonly result: TeleportResult;
}

const ATTEMPT = "teleport";

/** Largest difference of outputs that passes as rounding in 32 bits, relative to the largest element. */
const OUTPUT_TOLERANCE = 1e-3;

/** Defaults of the options that are not plain data. */
const RUN_DEFAULTS: Required<Omit<TeleportOptions, keyof TeleportChoice>> = {
  data: undefined,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Moves a network along its symmetries, so that it computes the same as before, to where an objective is
 * lower or higher: the error of quantised weights, the norm of the gradient, sharpness, or the norm of
 * weights.
 *
 * The symmetries are found in the graph and proved on the weights: positive scales of units, rotations of
 * residual streams, invertible mixtures within heads, complex factors of rotary pairs. Steps of Adam in the
 * algebra of these groups start at the best of some closed forms, and the best network met is returned.
 *
 * @see Zhao, Dehmamy, Walters, Yu, Symmetry teleportation for accelerated optimization (2022); for MLPs
 *   there, for any graph here
 * @throws UsageError if the objective needs examples and there are none
 * @throws UnsupportedError if the symmetries do not hold on the weights, an operator has no gradient rule, or
 *   rounding changes the outputs
 * @throws InputError if a weight is not finite
 * @throws OutOfRangeError if an option is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDataSet } from "@isthmus/data";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { teleport } from "@isthmus/teleportation";
 * import { parseNetwork } from "@isthmus/zoo";
 *
 * const data = await openDataSet("mnist:train@100");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 * const options = { objective: "gradient-norm", data, steps: 3 } as const;
 * const { result } = await teleport(architecture, initialize(0), options);
 * assert(result.after > result.before);
 * ```
 */
export async function teleport(
  architecture: Architecture,
  network: Checkpoint,
  options: TeleportOptions = {},
): Promise<TeleportedNetwork> {
  const resolved = resolveFields(ATTEMPT, TELEPORT_FIELDS, options, RUN_DEFAULTS);
  const { objective: name, data, seed, moves, signal } = resolved;
  const kind = OBJECTIVE_KINDS[name];
  const direction = resolved.direction ?? kind.direction;
  await assertFiniteTensors("move the weights", network);
  const orbit = await openOrbit(architecture, network, { seed, moves, signal });
  const objective = await kind.open({ architecture, network, orbit, data, options: resolved });
  try {
    const searched = await search(orbit, objective, { ...resolved, direction });
    const values = act(orbit, searched.element, orbit.base);
    const weights = await withValues(network, values);
    const outputError = await measureOutputError(architecture, [network, weights], values, { orbit, seed });
    const { element: _, value: after, step: bestStep, ...rest } = searched;
    const result = {
      objective: name,
      direction,
      after,
      bestStep,
      ...rest,
      outputError,
      groups: orbit.groups,
    };
    return { weights, result };
  } finally {
    await objective.release();
  }
}

/**
 * Runs a network as it was given, moved, and moved and rounded to its element types, on random inputs, and
 * compares the outputs: the first must agree in 32 bits, and the second as closely as these types allow.
 */
async function measureOutputError(
  { graph, engine }: Architecture,
  [given, written]: readonly [Checkpoint, Checkpoint],
  values: Doubles,
  { orbit, seed }: { readonly orbit: Orbit; readonly seed: number },
): Promise<number> {
  const bound = await bindWeights(graph, given);
  const moved = new Map<string, Tensor>(bound);
  for (const [name, { dtype, shape }] of bound) {
    const data = values.get(name);
    if (data !== undefined && DTYPES[dtype].float) moved.set(name, tensorOf({ dtype, shape }, data));
  }
  const inputs = randomInputs(graph, orbit.permutations.batch, seed);
  const session = await engine.load(graph, { optimize: false });
  const run = (weights: ReadonlyMap<string, Tensor>) => session.run(new Map([...inputs, ...weights]));
  try {
    const before = await run(bound);
    const errorOf = async (weights: ReadonlyMap<string, Tensor>, tolerance: number): Promise<number> => {
      const { relative } = compareOutputs(graph, before, await run(weights));
      if (relative <= tolerance) return relative;
      throw new UnsupportedError(
        `Cannot teleport "${given.source}" as its outputs must stay the same but for rounding, to ${tolerance.toPrecision(2)} of the largest one: they differ by ${relative.toPrecision(2)}; take fewer or smaller steps, or a smaller limit, or give it weights of 32 bits: isthmus convert --dtype f32`,
        { feature: "rounding" },
      );
    };
    const exact = await errorOf(moved, OUTPUT_TOLERANCE);
    const tolerance = roundedTolerance(written, OUTPUT_TOLERANCE);
    return tolerance === OUTPUT_TOLERANCE
      ? exact
      : await errorOf(await bindWeights(graph, written), tolerance);
  } finally {
    await session.release();
  }
}
