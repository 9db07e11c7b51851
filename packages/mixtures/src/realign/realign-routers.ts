import {
  at,
  type Checkpoint,
  choiceField,
  entry,
  examplesField,
  type FieldsOf,
  numberField,
  resolveFields,
  UsageError,
  wholeField,
  withTensors,
} from "@isthmus/core";
import { type Architecture, assertNetwork, type DataSet, limitExamples } from "@isthmus/graph";
import type { ActivationStatisticsOptions, VisitedNetwork } from "@isthmus/statistics";
import {
  columnsOf,
  discoverRouters,
  type RouterLayer,
  readRouter,
  routerTensors,
} from "../routers/discover-routers.ts";
import { readRows } from "../routers/read-rows.ts";
import { type RouterSolution, realignRouter } from "./realign-router.ts";

/** A network that was merged, with texts that it is good at. */
export interface RouterParent {
  /** The network, under the graph's names, with its experts at the places of the merged network's. */
  readonly network: Checkpoint;
  /** Texts on which its routers' decisions are kept; a few hundred are enough. */
  readonly data: DataSet;
}

/** Names of what is kept of the parents: their routers, or the scores that these give in the parents. */
const KEPT = ["routers", "scores"] as const;

/** Options of {@link realignRouters} that decide which routers are found. */
export interface RealignChoice {
  /**
   * Decisions that are kept: `routers`, the ones that a parent's router would make in the merged network, as
   * in the paper; `scores`, the ones that it makes in the parent itself. @defaultValue "routers"
   */
  readonly keep?: (typeof KEPT)[number];
  /**
   * Share of the second derivatives outside the diagonal that counts, in `[0, 1]`: less keeps routers that
   * saw few tokens from following them too closely. @defaultValue 0.9
   */
  readonly regularization?: number;
  /** Examples of each parent's data to take, from the first; 0 for all. @defaultValue 0 */
  readonly examples?: number;
  /** Examples in one engine call. @defaultValue 16 */
  readonly batchSize?: number;
  /** Residual over the length of the right side at which a solution is accurate enough. @defaultValue 1e-5 */
  readonly tolerance?: number;
  /** Largest number of products for one router. @defaultValue 500 */
  readonly steps?: number;
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

/** Options of {@link realignRouters}. */
export interface RealignRoutersOptions extends RealignChoice {
  /** Routers of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly routers?: readonly RouterLayer[] | undefined;
  /** Signal that stops the work between two batches or products. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch and each router. */
  readonly onProgress?: ((progress: RealignProgress) => void) | undefined;
}

/** Fields of {@link RealignChoice}. */
export const REALIGN_FIELDS: FieldsOf<RealignChoice> = {
  keep: choiceField(KEPT, {
    default: "routers",
    help: "decisions that are kept: of parents' routers on what the merged mixture computes, or of their scores in the parents themselves",
  }),
  regularization: numberField({
    least: 0,
    most: 1,
    default: 0.9,
    help: "share of the second derivatives outside the diagonal that counts; less for few texts",
  }),
  examples: examplesField({
    least: 0,
    default: 0,
    help: "first n examples of each parent's data; 0 for all",
  }),
  batchSize: wholeField({
    least: 1,
    most: 2 ** 20,
    default: 16,
    rare: true,
    help: "examples in one engine call",
  }),
  tolerance: numberField({
    above: 0,
    default: 1e-5,
    rare: true,
    help: "residual, over the length of the right side, at which a router is accurate enough",
  }),
  steps: wholeField({ least: 1, default: 500, rare: true, help: "most products for one router" }),
};

const RUN: Required<Omit<RealignRoutersOptions, keyof RealignChoice>> = {
  routers: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** A router that was realigned. */
export interface RealignedRouter extends Omit<RouterSolution, "rows"> {
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
 * Realigns the routers of a merged mixture, so that they send the tokens of each parent's texts to the
 * experts to which the parent's router sends them: router by router in the order of computation, each in
 * closed form on the rows that the merged network computes with the routers before it realigned (see
 * `realignRouter`).
 *
 * Differs from the authors' code in: 1. routers are found by the graph and not by names, so that the routers
 * of any mixture are realigned, of a softmax or of sigmoids, with a bias or without; 2. `keep: "scores"`,
 * which takes into account that the parents' routers read other rows; 3. the steps are made in units of the
 * diagonal, and end by the residual alone; 4. the rows of each parent count once, while the authors' pool of
 * processes may give the tasks of two processes to one of them, whose rows then count twice; 5. their
 * preconditioner `kronecker` is left out: it takes the mean of `p p' - diag(p)` for the mean of `diag(p) - p
 * p'`, so that it has the wrong sign.
 *
 * @param merged - the merged network, under the graph's names
 * @param parents - the networks that were merged; `align` puts their experts at the places of `merged`'s
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
  const resolved = resolveFields(ATTEMPT, REALIGN_FIELDS, options, RUN);
  const { graph } = architecture;
  if (parents.length === 0) throw noParents();
  for (const network of [merged, ...parents.map((parent) => parent.network)]) assertNetwork(graph, network);
  const { examples, signal, onProgress } = resolved;
  const routers = resolved.routers ?? (await discoverRouters(architecture, { signal }));
  const seen = parents.map(({ network, data }) => ({
    network,
    data: examples === 0 ? data : limitExamples(ATTEMPT, data, examples),
  }));
  const realigned: RealignedRouter[] = [];
  let network = merged;
  for (const router of routers) {
    const report = (share: number) =>
      onProgress?.({
        done: (realigned.length + share) / routers.length,
        completed: realigned.length,
        total: routers.length,
      });
    const { rows, ...one } = await realignOne(
      architecture,
      { network, router, parents: seen },
      resolved,
      report,
    );
    realigned.push(one);
    network = withTensors(network, routerTensors(router, rows));
    report(0);
  }
  return { network, routers: realigned };
}

/** Share of the time of a router that computing its states takes, for progress. */
const STATES = 0.7;

/** Realigns one router, on the rows that it reads in a network. */
async function realignOne(
  architecture: Architecture,
  {
    network,
    router,
    parents,
  }: {
    readonly network: Checkpoint;
    readonly router: RouterLayer;
    readonly parents: readonly RouterParent[];
  },
  { keep, batchSize, regularization, tolerance, steps, signal }: Required<RealignRoutersOptions>,
  report: (share: number) => void,
): Promise<RealignedRouter & Pick<RouterSolution, "rows">> {
  const run = { batchSize, signal };
  const targets = [];
  for (const [i, parent] of parents.entries()) {
    const onProgress = ({ done }: { readonly done: number }) =>
      report((STATES * (i + done)) / parents.length);
    const merged = { ...architecture, network, values: [router.input] };
    const states = withOnes(await readValue(merged, parent.data, { ...run, onProgress }), router);
    const scores =
      keep === "scores"
        ? await readValue(
            { ...architecture, network: parent.network, values: [router.scores] },
            parent.data,
            run,
          )
        : undefined;
    targets.push({ rows: await readRouter(parent.network, router), states, scores });
  }
  const before = await readRouter(network, router);
  const { experts, probabilities, name } = router;
  const solved = await realignRouter(architecture.engine, before, targets, {
    experts,
    probabilities,
    regularization,
    tolerance,
    steps,
    signal,
  });
  const change = lengthOf(solved.rows.map((value, k) => value - at(before, k, "weight"))) / lengthOf(before);
  return { name, change, tokens: targets.map(({ states }) => states.length / columnsOf(router)), ...solved };
}

const lengthOf = (vector: Float64Array) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));

function noParents(): UsageError {
  return new UsageError(
    `Cannot ${ATTEMPT} as there must be a network that was merged: give one with its data`,
  );
}

/** Reads a value that a network computes for all tokens of a text, one row after another. */
async function readValue(
  visited: VisitedNetwork,
  text: DataSet,
  options: ActivationStatisticsOptions,
): Promise<Float32Array> {
  const rows = await readRows(visited, text, options);
  return entry(rows, at(visited.values, 0, "value"), "value").data as Float32Array;
}

/** Appends a one to each row for a router with a bias. */
function withOnes(rows: Float32Array, router: RouterLayer): Float32Array {
  const [columns, { width }] = [columnsOf(router), router];
  if (columns === width) return rows;
  const out = new Float32Array((rows.length / width) * columns).fill(1);
  for (let row = 0; row * width < rows.length; row++) {
    out.set(rows.subarray(row * width, (row + 1) * width), row * columns);
  }
  return out;
}
