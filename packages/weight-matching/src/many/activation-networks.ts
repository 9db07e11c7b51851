import {
  at,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  resolveOptions,
  sumOf,
  type Tensor,
} from "@isthmus/core";
import { type DataSet, limitExamples, probeGraph } from "@isthmus/graph";
import { SAMPLE_UNITS_DEFAULTS, sampleUnits } from "@isthmus/statistics";
import type { SymmetricArchitecture, SymmetrySpec, WeightLayout } from "@isthmus/symmetry";
import { findActivationViews, type MemberView } from "../activation-matching/activation-views.ts";
import type { ActivationChoice } from "../activation-matching/compared-values.ts";
import { createPlacementExpander } from "../coordinate-descent/placement.ts";
import { createUnitTree } from "../coordinate-descent/unit-tree.ts";

/** Options for comparing units by their activations. */
export interface ActivationNetworksOptions {
  /** Examples to take, from the first. @defaultValue 10000 */
  readonly examples?: number;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /** Most samples of each unit: examples, times positions in an image or a text. @defaultValue 4096 */
  readonly samples?: number;
  /** Values by which units are compared, all with equal weight. @defaultValue "read" */
  readonly values?: ActivationChoice;
}

/** Defaults of {@link ActivationNetworksOptions}. */
export const ACTIVATION_NETWORKS_DEFAULTS: Required<ActivationNetworksOptions> = {
  examples: 10_000,
  batchSize: 100,
  samples: SAMPLE_UNITS_DEFAULTS.samples,
  values: "read",
};

/** Networks whose weights are the activations of units on data. */
export interface ActivationNetworks {
  /** The symmetries of the networks; its weights are the samples of their units. */
  readonly spec: SymmetrySpec;
  /** Networks of samples, one for each network given, in order; tensors are `[units, samples]` in f32. */
  readonly networks: readonly Checkpoint[];
}

/**
 * Turns networks into networks of activations: the weights of a unit are its activations over samples, with
 * mean 0 and norm 1. Inner products of such weights are correlations, so everything that matches weights
 * matches units by how alike they behave, and no symmetry depends on another.
 *
 * @throws InputError if the data do not fit the graph, or activations are not finite
 * @throws OutOfRangeError if an option is out of range
 */
export async function activationNetworks(
  { graph, engine, symmetries }: SymmetricArchitecture,
  networks: readonly Checkpoint[],
  data: DataSet,
  {
    signal,
    onProgress,
    ...options
  }: ActivationNetworksOptions & {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: (done: number) => void;
  } = {},
): Promise<ActivationNetworks> {
  const { examples, values, ...sampling } = resolveOptions(
    "match activations",
    ACTIVATION_NETWORKS_DEFAULTS,
    options,
  );
  const seen = limitExamples("match activations", data, examples);
  const tree = createUnitTree(symmetries.spec);
  const expander = createPlacementExpander(symmetries.spec);
  const probe = await probeGraph({ graph, engine }, { batch: symmetries.batch + 1 });
  const architecture = { graph, permutations: symmetries, probe, tree, expander };
  const chosen = findActivationViews(architecture, values).filter((view) => view.chosen);
  const layouts = new Map<string, WeightLayout>();
  const checkpoints: Checkpoint[] = [];
  for (const [i, network] of networks.entries()) {
    const sampled = await sampleUnits({ graph, engine }, network, seen, {
      views: chosen.map(({ view }) => view),
      ...sampling,
      signal,
      onProgress: ({ done }) => onProgress?.((i + done) / networks.length),
    });
    const tensors = new Map<string, Tensor>();
    for (const [k, samples] of sampled.entries()) {
      const { member, view } = at(chosen, k, "view");
      const name = `${member.symmetry.name} in ${view.value}`;
      const layout = layoutOf(at(chosen, k, "view"), samples.length);
      layouts.set(name, layout);
      const weight = 1 / Math.sqrt(chosen.filter((other) => other.member === member).length);
      tensors.set(
        name,
        createTensor("f32", layout.shape, standardize(samples, at(layout.shape, 0, "axis"), weight)),
      );
    }
    checkpoints.push(createCheckpoint(tensors, {}, network.source));
  }
  return { spec: { ...symmetries.spec, weights: layouts }, networks: checkpoints };
}

/** Lays out samples as a weight whose first axis is the units. */
function layoutOf({ member: { symmetry } }: MemberView, elements: number): WeightLayout {
  const units = symmetry.cells.length * symmetry.size;
  const shape = [units, elements / units];
  const field = {
    axes: [0],
    units: Int32Array.from({ length: units }, (_, unit) => symmetry.firstUnit + unit),
    ranks: new Int32Array(units),
  };
  return { shape, view: shape, role: "parameter", fields: [field] };
}

/** Deviation, relative to the mean, up to which a unit counts as constant: rounding of f32 makes as much. */
const CONSTANT = 1e-6;

/** Gives the samples of each unit mean 0 and a norm; a unit that never varies is 0, similar to no other. */
function standardize(samples: Float32Array, units: number, norm: number): Float32Array {
  const count = samples.length / units;
  const result = new Float32Array(samples.length);
  for (let unit = 0; unit < units; unit++) {
    const values = samples.subarray(unit * count, (unit + 1) * count);
    const mean = sumOf(values) / count;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    if (!(Math.sqrt(squares / count) > CONSTANT * Math.abs(mean))) continue;
    const factor = norm / Math.sqrt(squares);
    values.forEach((value, sample) => {
      result[unit * count + sample] = (value - mean) * factor;
    });
  }
  return result;
}
