import { at, type Checkpoint, entry } from "@isthmus/core";
import type { DataSet, Engine, Graph } from "@isthmus/graph";
import { type PairStatistics, pairStatistics, type UnitView } from "@isthmus/statistics";
import type { SeparableGraph } from "../graph/plan-widening.ts";

/** Operators that multiply activations by weights. */
const LAYERS: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);

/** Units of one symmetry along one axis of a value. */
interface AxisView {
  readonly view: UnitView;
  /** Unit of the specification for each unit of the view. */
  readonly units: readonly number[];
}

/**
 * Measures the similarity of paired units: the correlation of their activations over examples, averaged over
 * the values that layers read.
 * @param networks - A, and B in the coordinates of A
 * @returns similarities in `[-1, 1]`, `[units]`; 1 if both units of a pair are constant
 */
export async function activationSimilarity(
  engine: Engine,
  separable: SeparableGraph,
  networks: readonly [Checkpoint, Checkpoint],
  { data, signal }: { readonly data: DataSet; readonly signal?: AbortSignal | undefined },
): Promise<Float64Array> {
  const { graph } = separable.probed;
  const views = findViews(separable);
  const sums = new Float64Array(separable.spec.units);
  const counts = new Float64Array(separable.spec.units);
  const statistics = await pairStatistics({ graph, engine }, networks, data, {
    views: views.map(({ view }) => view),
    pairs: "equal",
    signal,
  });
  for (const [i, { units }] of views.entries()) {
    units.forEach((unit, place) => {
      sums[unit] = (sums[unit] as number) + correlation(at(statistics, i, "view"), place);
      counts[unit] = (counts[unit] as number) + 1;
    });
  }
  return sums.map((sum, unit) => sum / Math.max(1, counts[unit] as number));
}

/**
 * Finds the views of each symmetry in values that layers read, or in all values if layers read none of them.
 */
function findViews(separable: SeparableGraph): AxisView[] {
  const { probed, layouts, roots, allowed } = separable;
  const values = [...layouts.values.keys()].filter((name) => probed.data.has(name));
  const read = readByLayers(probed.graph);
  const all = values.flatMap((name) => viewsOf(separable, name).map((view) => ({ name, view })));
  return [...allowed].flatMap((index) => {
    const ofSymmetry = all.filter(({ view }) => roots.symmetryOf[at(view.units, 0, "unit")] === index);
    const chosen = ofSymmetry.filter(({ name }) => read.has(name));
    return (chosen.length > 0 ? chosen : ofSymmetry).map(({ view }) => view);
  });
}

function readByLayers({ nodes }: Graph): ReadonlySet<string> {
  return new Set(nodes.flatMap(({ op, inputs }) => (LAYERS.has(op) ? inputs.slice(0, 2) : [])));
}

function viewsOf({ probed, layouts, roots, allowed }: SeparableGraph, name: string): AxisView[] {
  const { axes } = entry(layouts.values, name, "value");
  const type = entry(probed.types, name, "value");
  if (type.dtype !== "f32") return [];
  return [...axes].flatMap(([axis, list]) => {
    if (type.shape[axis] !== entry(probed.otherTypes, name, "value").shape[axis]) return [];
    const bySymmetry = new Map<number, Map<number, number[]>>();
    list.forEach((unit, position) => {
      const index = unit < 0 ? -1 : at(roots.symmetryOf, unit, "unit");
      if (!allowed.has(index)) return;
      const ofSymmetry = bySymmetry.get(index) ?? new Map<number, number[]>();
      bySymmetry.set(index, ofSymmetry.set(unit, [...(ofSymmetry.get(unit) ?? []), position]));
    });
    return [...bySymmetry.values()].map((positions): AxisView => {
      const slots = [...positions.values()];
      return {
        view: {
          value: name,
          axes: [axis],
          positions: Int32Array.from(slots.flat()),
          slots: slots[0]?.length,
        },
        units: [...positions.keys()],
      };
    });
  });
}

/** Standard deviation, relative to the mean, up to which a unit counts as constant. */
const CONSTANT = 1e-6;

function correlation({ a, b, covariance }: PairStatistics, place: number): number {
  const deviation = ({ mean, variance }: PairStatistics["a"]): number => {
    const root = Math.sqrt(at(variance, place, "unit"));
    return root > CONSTANT * Math.abs(at(mean, place, "unit")) ? root : 0;
  };
  const [ofA, ofB] = [deviation(a), deviation(b)];
  if (ofA === 0 && ofB === 0) return 1;
  return ofA === 0 || ofB === 0 ? 0 : at(covariance, place, "unit") / (ofA * ofB);
}
