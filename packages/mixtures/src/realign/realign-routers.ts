import {
  assertWholeOptions,
  at,
  type Checkpoint,
  OutOfRangeError,
  resolveOptions,
  UnsupportedError,
  UsageError,
  withTensors,
} from "@isthmus/core";
import { type Architecture, assertNetwork, type DataSet, limitExamples } from "@isthmus/graph";
import { columnsOf, discoverRouters, type Router, readRouter, routerTensors } from "./discover-routers.ts";
import { SOLVE_ROUTER_DEFAULTS, type SolvedRouter, solveRouter } from "./solve-router.ts";
import { type TokenValuesOptions, tokenValues } from "./token-values.ts";

/** A network that was merged, with texts that it is good at. */
export interface RouterParent {
  /** The network, under the graph's names, with its experts at the places of the merged network's. */
  readonly network: Checkpoint;
  /** Texts on which its routers' decisions are kept; a few hundred are enough. */
  readonly data: DataSet;
}

/** Progress of {@link realignRouters}. */
export interface RealignProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Routers that were realigned. */
  readonly completed: number;
  /** Number of all routers. */
  readonly total: number;
}

/** What {@link realignRouters} keeps of the parents: their routers, or the scores that these give. */
export const ROUTER_TARGETS = ["routers", "scores"] as const;

/** Options of {@link realignRouters}. */
export interface RealignRoutersOptions {
  /**
   * What is kept: `routers`, the decisions that a parent's router would make in the merged network, as in the
   * paper; `scores`, those that it makes in the parent itself. @defaultValue "scores"
   */
  readonly keep?: (typeof ROUTER_TARGETS)[number];
  /**
   * Share of the second derivatives outside the diagonal that counts, in `[0, 1]`: less keeps routers that saw
   * few tokens from following them too closely. @defaultValue 0.9
   */
  readonly regularization?: number;
  /** Residual over the length of the right side at which a solution is accurate enough. @defaultValue 1e-5 */
  readonly tolerance?: number;
  /** Largest number of products for one router. @defaultValue 500 */
  readonly steps?: number;
  /** Examples of each parent's data to take, from the first; 0 for all. @defaultValue 0 */
  readonly examples?: number;
  /** Examples in one engine call. @defaultValue 16 */
  readonly batchSize?: number;
  /** Routers of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly routers?: readonly Router[] | undefined;
  /** Signal that stops the work between two batches or products. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch and each router. */
  readonly onProgress?: ((progress: RealignProgress) => void) | undefined;
}

/** Defaults of {@link RealignRoutersOptions}. */
export const REALIGN_ROUTERS_DEFAULTS: Required<RealignRoutersOptions> = {
  keep: "scores",
  regularization: SOLVE_ROUTER_DEFAULTS.regularization,
  tolerance: SOLVE_ROUTER_DEFAULTS.tolerance,
  steps: SOLVE_ROUTER_DEFAULTS.steps,
  examples: 0,
  batchSize: 16,
  routers: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** A router that was realigned. */
export interface RealignedRouter extends Omit<SolvedRouter, "rows"> {
  /** Name of the router's experts. */
  readonly name: string;
  /** Length of the change of the router over the length of the router before. */
  readonly change: number;
  /** Number of tokens of each parent's data. */
  readonly tokens: readonly number[];
}

/** Result of {@link realignRouters}. */
export interface RealignRoutersResult {
  /** The merged network with other routers; all other tensors are read from the merged network. */
  readonly network: Checkpoint;
  /** Routers in the order of computation. */
  readonly routers: readonly RealignedRouter[];
}

const ATTEMPT = "realign routers";

/**
 * Realigns the routers of a merged mixture, so that they send the tokens of each parent's texts to the experts
 * that the parent's router would: router by router in the order of computation, each in closed form on the
 * rows that the merged network computes with the routers before it realigned (see `solveRouter`).
 *
 * Differs from the authors' code in: 1. it is found by the graph and not by names, so that any mixture of a
 * softmax or a sigmoid is realigned, also a router with a bias; 2. the steps are made in units of the diagonal;
 * 3. tokens are counted in every engine call once, while their pool of processes may give one of them the
 * tokens of another twice.
 *
 * @param merged - the merged network, under the graph's names
 * @throws UnsupportedError if the graph has no router
 * @throws MismatchError if a network does not fit the graph
 * @throws InputError if the data do not fit the graph
 * @throws OutOfRangeError if an option is out of range
 * @see Huang et al., When model merging breaks routing: training-free calibration for MoE (HARC), 2026
 */
export async function realignRouters(
  architecture: Architecture,
  merged: Checkpoint,
  parents: readonly RouterParent[],
  options: RealignRoutersOptions = {},
): Promise<RealignRoutersResult> {
  const resolved = resolveOptions(ATTEMPT, REALIGN_ROUTERS_DEFAULTS, options);
  assertOptions(resolved, parents);
  const { graph, engine } = architecture;
  for (const network of [merged, ...parents.map((parent) => parent.network)]) assertNetwork(graph, network);
  const { keep, examples, batchSize, signal, onProgress, regularization, tolerance, steps } = resolved;
  const routers = resolved.routers ?? (await discoverRouters(architecture, { signal }));
  if (routers.length === 0) throw noRouters(graph.name);
  const seen = parents.map(({ data }) => (examples === 0 ? data : limitExamples(ATTEMPT, data, examples)));
  const realigned: RealignedRouter[] = [];
  let network = merged;
  for (const router of routers) {
    const report = (share: number) =>
      onProgress?.({
        done: (realigned.length + share) / routers.length,
        completed: realigned.length,
        total: routers.length,
      });
    const targets = [];
    for (const [i, data] of seen.entries()) {
      const parent = at(parents, i, "parent").network;
      const run = { attempt: ATTEMPT, batchSize, signal };
      const states = await readTokens(architecture, network, data, {
        ...{ ...run, names: [router.input] },
        onProgress: (done) => report((STATES * (i + done)) / seen.length),
      });
      targets.push({
        rows: await readRouter(parent, router),
        states: withOnes(states, router),
        scores:
          keep === "scores"
            ? await readTokens(architecture, parent, data, { ...run, names: [router.scores] })
            : undefined,
      });
    }
    const before = await readRouter(network, router);
    const { rows, ...solved } = await solveRouter(engine, before, targets, {
      ...{ experts: router.experts, probabilities: router.probabilities },
      ...{ regularization, tolerance, steps, signal },
    });
    const tokens = targets.map(({ states }) => states.length / columnsOf(router));
    const change = lengthOf(rows.map((value, k) => value - at(before, k, "weight"))) / lengthOf(before);
    realigned.push({ name: router.name, change, tokens, ...solved });
    network = withTensors(network, routerTensors(router, rows));
    report(0);
  }
  return { network, routers: realigned };
}

/** Share of the time of a router that computing its states takes, for progress. */
const STATES = 0.7;

const lengthOf = (vector: Float64Array) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));

function assertOptions(options: Required<RealignRoutersOptions>, parents: readonly RouterParent[]): void {
  assertWholeOptions(ATTEMPT, options, { steps: 1, examples: 0, batchSize: 1 });
  const { regularization, tolerance } = options;
  if (!(regularization >= 0 && regularization <= 1)) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "regularization" must be from 0 to 1: it is ${regularization}`,
    );
  }
  if (!(tolerance > 0)) {
    throw new OutOfRangeError(`Cannot ${ATTEMPT} as "tolerance" must be above 0: it is ${tolerance}`);
  }
  if (!ROUTER_TARGETS.includes(options.keep)) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "keep" must be one of ${ROUTER_TARGETS.join(", ")}: it is ${options.keep}`,
    );
  }
  if (parents.length > 0) return;
  throw new UsageError(`Cannot ${ATTEMPT} as there must be a network that was merged: give one with its data`);
}

function noRouters(name: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot ${ATTEMPT} of graph "${name}" as it must have a mixture of experts whose shares come from a linear layer: none was found`,
    { feature: "routers" },
  );
}

/** Reads the numbers that a network computes for all tokens of some texts, one row after another. */
async function readTokens(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: TokenValuesOptions,
): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  const name = at(options.names, 0, "value");
  for await (const valueOf of tokenValues(architecture, network, data, options)) {
    parts.push(valueOf(name).data.slice());
  }
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let begin = 0;
  for (const part of parts) {
    all.set(part, begin);
    begin += part.length;
  }
  return all;
}

/** Appends a one to each row for a router with a bias. */
function withOnes(rows: Float32Array, router: Router): Float32Array {
  const [columns, { width }] = [columnsOf(router), router];
  if (columns === width) return rows;
  const out = new Float32Array((rows.length / width) * columns).fill(1);
  for (let row = 0; row * width < rows.length; row++) {
    out.set(rows.subarray(row * width, (row + 1) * width), row * columns);
  }
  return out;
}
