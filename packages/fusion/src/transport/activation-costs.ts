import { at, type Checkpoint, entry, MismatchError, sumOf, UnsupportedError } from "@isthmus/core";
import { type Architecture, type DataSet, limitExamples } from "@isthmus/graph";
import {
  crossStatistics,
  type ExamplesProgress,
  type PairStatistics,
  type UnitView,
} from "@isthmus/statistics";
import { layOutValues, type Symmetries, type ValueComponent } from "@isthmus/symmetry";
import { comparedValues } from "@isthmus/weight-matching";
import type { FamilySide, SymmetricGraph, UnitFamily } from "./correspond.ts";
import { addActivationDistances, addDecorrelations } from "./kernels/pair-costs.ts";

/**
 * Measures of the difference of two units on data: the mean squared difference of their activations, as in OT
 * fusion, or one minus their correlation, which ignores scales and means.
 */
export const ACTIVATION_COSTS = ["distance", "correlation"] as const;

/** One of {@link ACTIVATION_COSTS}. */
export type ActivationCost = (typeof ACTIVATION_COSTS)[number];

/** Options of {@link activationCosts}. */
export interface ActivationCostOptions {
  /** Measure of the difference of two units. */
  readonly cost: ActivationCost;
  /** Number of examples in one engine call. */
  readonly batchSize: number;
  /** Signal that stops the measurement between two batches; undefined if nothing stops it. */
  readonly signal: AbortSignal | undefined;
  /** Called after each batch on all examples; undefined for no reports. */
  readonly onProgress: ((progress: ExamplesProgress) => void) | undefined;
}

/** A network with its architecture and symmetries. */
export interface OpenedNetwork extends Architecture {
  /** Symmetries of the network's graph. */
  readonly symmetries: Symmetries;
  /** Checkpoint under the names of the graph. */
  readonly network: Checkpoint;
}

/** A value that contains the units of a symmetry, in both networks. */
export interface ViewPair {
  /** Position of the symmetry in the specification. */
  readonly symmetry: number;
  /** Whether a layer reads the value. */
  readonly isRead: boolean;
  /** Value of the source's graph, with the axes and positions of the units. */
  readonly source: UnitView;
  /** Value of the target's graph, with the axes and positions of the units. */
  readonly target: UnitView;
}

/**
 * Computes the differences between units of two networks on data, for each symmetry
 * `[source units, target units]`. It is the mean over the values that contain these units and that layers
 * read, each in the unit of its mean cost. Other values, on fewer examples, only decide between units that
 * never fire in the former.
 *
 * @throws UnsupportedError if no value allows to compare the units of a symmetry
 */
export async function activationCosts(
  families: readonly UnitFamily[],
  networks: readonly [OpenedNetwork, OpenedNetwork],
  data: DataSet,
  { onProgress, ...options }: ActivationCostOptions,
): Promise<Map<number, Float64Array>> {
  const views = findViews(families, ...networks);
  assertCompared(families, new Set(views.map(({ symmetry }) => symmetry)));
  const isChosen = ({ symmetry, isRead }: ViewPair) =>
    isRead || !views.some((other) => other.symmetry === symmetry && other.isRead);
  const costs = new Map<number, Float64Array>();
  const measure = async (compared: readonly ViewPair[], examples: DataSet, scale: number) => {
    if (compared.length === 0) return;
    const sides = (["source", "target"] as const).map((side) => compared.map((view) => view[side]));
    const [viewsOfA = [], viewsOfB = []] = sides;
    const [a, b] = networks;
    const pair = [
      { ...a, views: viewsOfA },
      { ...b, views: viewsOfB },
    ] as const;
    const { batchSize, signal } = options;
    const statistics = await crossStatistics(pair, examples, {
      batchSize,
      signal,
      onProgress: scale === 1 ? onProgress : undefined,
    });
    compared.forEach(({ symmetry }, i) => {
      const measured = at(statistics, i, "view");
      const sum = costs.get(symmetry) ?? new Float64Array(measured.covariance.length);
      addCosts(measured, options.cost, scale, sum);
      costs.set(symmetry, sum);
    });
  };
  await measure(views.filter(isChosen), data, 1);
  const few = limitExamples("fuse networks", data, HEARSAY_EXAMPLES);
  await measure(
    views.filter((view) => !isChosen(view)),
    few,
    HEARSAY,
  );
  return costs;
}

/**
 * Weight of values that no layer reads: enough to decide between equal costs, too little to change other
 * decisions.
 */
const HEARSAY = 1e-3;

/**
 * Largest number of examples on which values that no layer reads are compared, because little depends on
 * them.
 */
const HEARSAY_EXAMPLES = 1000;

function addCosts(
  { a, b, covariance }: PairStatistics,
  cost: ActivationCost,
  weight: number,
  sum: Float64Array,
): void {
  if (cost === "correlation") {
    const [ofA, ofB] = [a.variance.map(Math.sqrt), b.variance.map(Math.sqrt)];
    addDecorrelations(covariance, ofA, ofB, weight, sum);
    return;
  }
  const meanSquare = [a, b].flatMap(({ mean, variance }) =>
    Array.from(variance, (value, unit) => value + at(mean, unit, "unit") ** 2),
  );
  const scale = (weight * meanSquare.length) / (sumOf(meanSquare) || 1);
  addActivationDistances(covariance, a, b, scale, sum);
}

/** Checks that every symmetry is compared by a value, or by values of the symmetries nested in it. */
function assertCompared(families: readonly UnitFamily[], compared: ReadonlySet<number>): void {
  const isCompared = (index: number): boolean =>
    compared.has(index) ||
    families.some(
      ({ symmetry, above }) => symmetry !== undefined && above[0] === index && isCompared(symmetry),
    );
  const missing = families.find(({ symmetry }) => symmetry !== undefined && !isCompared(symmetry));
  if (missing === undefined) return;
  throw new UnsupportedError(
    `Cannot compare the activations of ${missing.name} as its units must lie in a value that a layer reads, once each: they lie in none; fuse by weights instead`,
    { feature: missing.name },
  );
}

/**
 * Finds the values that contain all units of a symmetry, each once, and nothing else that changes with the
 * width. Values correspond by their order in the graphs.
 *
 * @throws MismatchError if the graphs compute different numbers of values
 */
export function findViews(
  families: readonly UnitFamily[],
  source: SymmetricGraph,
  target: SymmetricGraph,
): ViewPair[] {
  const [values, others] = [comparedValues(source.graph, "all"), comparedValues(target.graph, "all")];
  if (values.length !== others.length) {
    throw new MismatchError(
      `Cannot compare activations of two networks as their graphs must have the same operators: the first computes ${values.length} values, the second ${others.length}`,
      { parameters: [] },
    );
  }
  const read = new Set(comparedValues(source.graph, "read"));
  const components = [source, target].map(({ symmetries }) => layOutValues(symmetries).components);
  return families.flatMap((family) =>
    values.flatMap((value, i): ViewPair[] => {
      const other = at(others, i, "value");
      const inSource = viewOf(value, components[0]?.get(value) ?? [], family.source);
      const inTarget = viewOf(other, components[1]?.get(other) ?? [], family.target);
      if (family.symmetry === undefined || inSource === undefined || inTarget === undefined) return [];
      return [{ symmetry: family.symmetry, isRead: read.has(value), source: inSource, target: inTarget }];
    }),
  );
}

function viewOf(
  value: string,
  components: readonly ValueComponent[],
  { firstUnit, count }: FamilySide,
): UnitView | undefined {
  const [component, ...others] = components;
  if (component === undefined || others.length > 0) return undefined;
  const table = component.units.find(
    (units) => units.length === count && units.every((unit) => unit >= firstUnit && unit < firstUnit + count),
  );
  if (table === undefined) return undefined;
  const positionOf = new Map([...table].map((unit, position) => [unit - firstUnit, position]));
  if (positionOf.size !== count) return undefined;
  const positions = Int32Array.from({ length: count }, (_, unit) => entry(positionOf, unit, "unit"));
  const isPlain = positions.every((position, unit) => position === unit);
  return { value, axes: component.axes, ...(isPlain ? {} : { positions }) };
}
