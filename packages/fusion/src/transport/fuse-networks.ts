import {
  at,
  type Checkpoint,
  countNonFinite,
  entry,
  formatNonFinite,
  InputError,
  InvariantError,
} from "@isthmus/core";
import { type Architecture, assertNetwork, limitExamples } from "@isthmus/graph";
import { handleEvents } from "@isthmus/platform";
import { assertFits, discoverSymmetries, type Symmetries } from "@isthmus/symmetry";
import { scaleByNorms } from "@isthmus/weight-matching";
import { activationCosts, type OpenedNetwork } from "./activation-costs.ts";
import { type Correspondence, correspond } from "./correspond.ts";
import { type FuseNetworksOptions, resolveFuseOptions } from "./fuse-options.ts";
import { fusedCheckpoint, readFloats } from "./fused-checkpoint.ts";
import { squaredDistance } from "./kernels/mix.ts";
import { type PlacedSymmetry, placeSymmetries } from "./place-symmetries.ts";
import { type FusedSymmetry, summarizePlan } from "./summarize-plan.ts";
import { transportWeight } from "./transport-weight.ts";
import { UnitPlans } from "./unit-plans.ts";
import { type ParameterPair, weightCosts } from "./weight-costs.ts";

/** A network with its architecture. */
export interface FusableNetwork extends Architecture {
  /** Checkpoint with a tensor for every weight of the graph. */
  readonly network: Checkpoint;
  /** Symmetries of the graph, if they were discovered before. @defaultValue they are discovered */
  readonly symmetries?: Symmetries | undefined;
}

/** Result of {@link fuseNetworks}. */
export interface FuseNetworksResult {
  /** Weighted average, a network of the target's graph; lazy. */
  readonly fused: Checkpoint;
  /** Source alone, transported to the target's graph; lazy. */
  readonly transported: Checkpoint;
  /** Plans of all symmetries, in the order of the symmetries. */
  readonly symmetries: readonly FusedSymmetry[];
  /**
   * Distance of the transported source from the target over all parameters in the form in which they were
   * matched, in norms of the target.
   */
  readonly distance: number;
  /** Number of sweeps over all symmetries. */
  readonly sweeps: number;
  /** Whether the last sweep changed no plan. */
  readonly status: "converged" | "maxSweeps";
}

/**
 * Fuses a network into another one of the same structure but other widths, by optimal transport of its units
 * (OT fusion, Singh and Jaggi 2020; transformers: Imfeld et al. 2024): each symmetry gets a rectangular plan
 * from units of the source to units of the target, along which the source's weights are transported; the
 * result is the average with the target, in the target's graph. The target may be wider or narrower.
 *
 * Differs from the reference implementation in: 1. any graph whose symmetries are known, with residual
 * streams, heads (as many units in each) and flattened channels; 2. if a layer sums over units, weights are
 * shared out by the rows of a plan, not its columns, so that a network whose units were doubled keeps its
 * function; for equal widths both rules agree; 3. plans by weights are found in sweeps until nothing changes,
 * not once layer by layer; the sweep that brings the source nearest to the target is taken; 4. hard plans are
 * exact assignments.
 *
 * @throws MismatchError if the graphs differ in more than widths, or a network does not fit its graph
 * @throws UnsupportedError if a symmetry cannot have a rectangular plan; the message names it
 * @throws InputError if a weight is NaN or infinite, or data do not fit
 * @throws OutOfRangeError if an option is out of its range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, fuseNetworks, parseNetwork } from "isthmus";
 *
 * const engine = createOnnxRuntimeEngine();
 * const form = { exampleShape: [16], classes: 4 };
 * const [narrow, wide] = [parseNetwork("mlp:8x2", form), parseNetwork("mlp:16x2", form)];
 * const { fused } = await fuseNetworks(
 *   { graph: narrow.graph, engine, network: narrow.initialize(0) }, // trained ones, as a rule
 *   { graph: wide.graph, engine, network: wide.initialize(1) },
 * );
 * assert.deepEqual(fused.tensors.get("layers.1.weight")?.shape, [16, 16]);
 * ```
 */
export async function fuseNetworks(
  source: FusableNetwork,
  target: FusableNetwork,
  options: FuseNetworksOptions = {},
): Promise<FuseNetworksResult> {
  const resolved = resolveFuseOptions(options);
  const opened = [await open(source, resolved), await open(target, resolved)] as const;
  const correspondence = correspond(...opened);
  const parameters = {
    source: await readParameters(opened[0], correspondence),
    target: await readParameters(opened[1], correspondence),
  };
  const problem = { correspondence, parameters, options: resolved };
  const best = await searchPlans(problem, await measureCosts(correspondence, opened, resolved));
  const pair = { source: source.network, target: target.network, correspondence, plans: best.plans };
  return {
    fused: fusedCheckpoint(pair, resolved.weight),
    transported: fusedCheckpoint(pair, 1),
    symmetries: [...best.placed]
      .sort(([a], [b]) => a - b)
      .map(([index, placed]) => {
        const plan = best.plans.planOf(index);
        if (plan === undefined) throw new InvariantError(`Symmetry ${index} was placed without a plan`);
        return summarizePlan(at(correspondence.families, index, "symmetry"), plan, placed);
      }),
    distance: best.distance,
    sweeps: best.sweeps,
    status: best.status,
  };
}

async function open(
  { symmetries, ...rest }: FusableNetwork,
  { signal }: Pick<FuseNetworksOptions, "signal">,
): Promise<OpenedNetwork> {
  assertNetwork(rest.graph, rest.network);
  const discovered = symmetries ?? (await discoverSymmetries(rest, { signal }));
  assertFits(rest.network, discovered.spec);
  return { ...rest, symmetries: discovered };
}

/**
 * Reads all parameters in the form in which they are matched, and checks that they are finite. Weights before
 * batch norms are scaled by the norms.
 */
async function readParameters(
  { graph, network }: OpenedNetwork,
  { weights }: Correspondence,
): Promise<ReadonlyMap<string, Float64Array>> {
  const parameters = new Map<string, Float64Array>();
  for (const [name, { role }] of weights) {
    if (role !== "parameter") continue;
    const data = await readFloats(network, name);
    const count = countNonFinite({ dtype: "f64", data });
    if (count !== undefined) {
      throw new InputError(
        `Cannot fuse "${name}" of "${network.source}" as weights must be finite: ${formatNonFinite(count, data.length)}`,
        { input: network.source },
      );
    }
    parameters.set(name, data);
  }
  for (const [name, scaled] of await scaleByNorms(graph, network)) {
    if (parameters.has(name)) parameters.set(name, Float64Array.from(scaled));
  }
  return parameters;
}

type Resolved = Required<FuseNetworksOptions>;

/** Measures the costs by activations; undefined if units are compared by weights. */
async function measureCosts(
  { families }: Correspondence,
  networks: readonly [OpenedNetwork, OpenedNetwork],
  { method, data, examples, onProgress, ...rest }: Resolved,
): Promise<ReadonlyMap<number, Float64Array> | undefined> {
  if (method === "weight" || data === undefined) return undefined;
  return activationCosts(families, networks, limitExamples("fuse networks", data, examples), {
    cost: rest.cost,
    batchSize: rest.batchSize,
    signal: rest.signal,
    onProgress: ({ done }) => onProgress?.({ done: MEASURING * done }),
  });
}

/** Share of the progress that is assigned to measuring activations. */
const MEASURING = 0.8;

/** Plans that were found, with the distance of the transported source from the target. */
interface FoundPlans {
  readonly plans: UnitPlans;
  readonly placed: ReadonlyMap<number, PlacedSymmetry>;
  readonly distance: number;
}

interface FusionProblem {
  readonly correspondence: Correspondence;
  readonly parameters: ParameterPair;
  readonly options: Resolved;
}

type Measured = ReadonlyMap<number, Float64Array> | undefined;

/**
 * Finds plans in sweeps over the symmetries, and returns the plans that bring the source nearest to the
 * target.
 */
async function searchPlans(
  problem: FusionProblem,
  measured: Measured,
): Promise<FoundPlans & Pick<FuseNetworksResult, "sweeps" | "status">> {
  const { maxSweeps, onProgress } = problem.options;
  const plans = new UnitPlans(problem.correspondence.families);
  let best: FoundPlans | undefined;
  for (let sweep = 1; ; sweep++) {
    const before = plans.copy();
    const placed = sweepOnce(problem, plans, measured);
    const distance = distanceOf(problem, plans);
    if (best === undefined || distance < best.distance) best = { plans: plans.copy(), placed, distance };
    // Activations do not depend on where other units are, so a second sweep would find the same.
    const isDone = measured !== undefined || isUnchanged(problem.correspondence, before, plans);
    onProgress?.({ done: isDone ? 1 : sweep / maxSweeps });
    if (isDone || sweep === maxSweeps) {
      return { ...best, sweeps: sweep, status: isDone ? "converged" : "maxSweeps" };
    }
    // Sweeps are synchronous: others may have work to do, such as to abort.
    await handleEvents();
  }
}

/** Finds a new plan for every symmetry once, given the plans of the others. */
function sweepOnce(
  problem: FusionProblem,
  plans: UnitPlans,
  measured: Measured,
): Map<number, PlacedSymmetry> {
  const placed = new Map<number, PlacedSymmetry>();
  for (const root of rootsOf(problem.correspondence)) {
    problem.options.signal?.throwIfAborted();
    for (const [index, found] of placeRoot(problem, root, { plans, measured })) placed.set(index, found);
  }
  return placed;
}

function rootsOf({ families }: Correspondence): number[] {
  return families.flatMap(({ symmetry, above }) =>
    symmetry !== undefined && above.length === 0 ? [symmetry] : [],
  );
}

function placeRoot(
  { correspondence, parameters, options }: FusionProblem,
  root: number,
  {
    plans,
    measured,
  }: { readonly plans: UnitPlans; readonly measured: ReadonlyMap<number, Float64Array> | undefined },
): Map<number, PlacedSymmetry> {
  const { families } = correspondence;
  const costs = new Map(measured);
  if (measured === undefined) {
    for (const { symmetry } of families) {
      if (symmetry === undefined || rootOf(correspondence, symmetry) !== root) continue;
      costs.set(symmetry, weightCosts(correspondence, parameters, plans, symmetry));
    }
  }
  return placeSymmetries(root, { families, costs, options }, plans);
}

function rootOf({ families }: Correspondence, symmetry: number): number {
  const [parent] = at(families, symmetry, "symmetry").above;
  return parent === undefined
    ? symmetry
    : rootOf({ families, weights: new Map(), paired: new Set() }, parent);
}

/** Largest change of the mass of a pair, relative to the mass of a unit, that counts as no change. */
const UNCHANGED = 1e-6;

function isUnchanged({ families }: Correspondence, before: UnitPlans, after: UnitPlans): boolean {
  return families.every(({ symmetry, target }) => {
    if (symmetry === undefined) return true;
    const [old, now] = [before.planOf(symmetry), after.planOf(symmetry)];
    return (
      now === old ||
      now?.every((mass, k) => Math.abs(mass - (old?.[k] ?? Number.NaN)) * target.count <= UNCHANGED)
    );
  });
}

/** Computes the relative distance of the transported source from the target. */
function distanceOf({ correspondence, parameters }: FusionProblem, plans: UnitPlans): number {
  let [sum, norm] = [0, 0];
  for (const [name, b] of parameters.target) {
    const a = entry(parameters.source, name, "weight");
    const { data } = transportWeight(a, entry(correspondence.weights, name, "weight"), plans);
    sum += squaredDistance(data, b);
    norm += squaredDistance(b, new Float64Array(b.length));
  }
  return norm === 0 ? Math.sqrt(sum) : Math.sqrt(sum / norm);
}
