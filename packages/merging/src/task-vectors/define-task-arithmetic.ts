import { at, sizeOf } from "@isthmus/core";
import { ALL_MAGNITUDES } from "../kernels/mixtures.ts";
import type { MergedTensor, MergeMethod } from "../merge-method.ts";
import type { ParameterSpecs, TensorParameters } from "../parameters.ts";
import { deriveStreamKey } from "../random/stream-key.ts";
import { createMixer, type KeptMagnitudes, type MixBlock } from "./blend-deltas.ts";
import type { DeltaBlock } from "./delta-blocks.ts";
import {
  CONSENSUS_PARAMETERS,
  type ConsensusSpecs,
  type TaskArithmeticDefaults,
  type TaskArithmeticSpecs,
  taskArithmeticParameters,
} from "./parameters.ts";
import { measureRescaling } from "./rescale.ts";
import { runSurveyors } from "./scan-deltas.ts";
import { prepareThinning, type Sparsifier, type Thinning } from "./sparsifier.ts";
import { writeDeltas } from "./write-deltas.ts";

/** Definition of a merge method of the family of task arithmetic. */
export interface TaskArithmetic extends TaskArithmeticDefaults {
  /** Name in recipes and on the command line. */
  readonly name: string;
  /** One sentence that describes the method. */
  readonly description: string;
  /** Source of the method: paper, section and equation. */
  readonly source: string;
  /** Rule by which each task vector is thinned out. @defaultValue undefined: all elements are kept */
  readonly sparsifier?: Sparsifier;
  /** Whether a sign is elected for each element, and differences of the other sign are left out. */
  readonly electsSigns: boolean;
}

/** A merge method of the family, with parameters `P` in addition to the common ones. */
export type TaskArithmeticMethod<P extends ParameterSpecs = Record<never, never>> = MergeMethod<
  TaskArithmeticSpecs & P,
  TaskVectorSurvey
>;

type CommonValues = TensorParameters<TaskArithmeticSpecs> & Partial<TensorParameters<ConsensusSpecs>>;

/** Survey of the task vectors of all networks before the first range. */
export interface TaskVectorSurvey {
  /** Thinning of each task vector; undefined if all its elements are kept. */
  readonly thinnings: readonly (Thinning | undefined)[];
  /** Adds the kept elements of the task vectors of a block to the base. */
  readonly mix: MixBlock;
}

/**
 * Defines a merge method of the family of task arithmetic: the difference of each network from the base is
 * thinned out, scaled and weighted. All differences, or only differences of an elected sign, are summed, and
 * the sum, which may be normalised, is added to the base.
 *
 * Formulas and defaults are as in mergekit 0.1.5, but arithmetic is in f32 (f64 if a network is in f64) and
 * rounded once, and random numbers depend on seed, tensor, network and position only.
 */
export function defineTaskArithmetic<P extends ParameterSpecs>(
  rule: TaskArithmetic,
): TaskArithmeticMethod<P> {
  const { name, description, source, sparsifier, electsSigns } = rule;
  const parameters = {
    ...taskArithmeticParameters(rule, sparsifier !== undefined),
    ...(electsSigns ? CONSENSUS_PARAMETERS : {}),
    ...sparsifier?.parameters,
  } as TaskArithmeticSpecs & P;
  return {
    name,
    description,
    source,
    parameters,
    networks: { least: 1, base: "required" },
    findConflict(values) {
      const densities = (values as unknown as CommonValues).density;
      for (const [network, density] of densities.entries()) {
        if (density <= 0 || density >= 1) continue;
        const parameter = parameterOf(values, network);
        const conflict = sparsifier?.findConflict?.({ density, parameter });
        if (conflict !== undefined) return { ...conflict, network };
      }
      return undefined;
    },
    async survey(tensor) {
      const values = tensor.parameters as unknown as CommonValues;
      const { weight, normalize, lambda, rescale, rescale_norm: norm, consensus_method } = values;
      const thinnings = tensor.networks.map((_, network) =>
        prepareThinning(sparsifier, vectorOf(tensor as unknown as MergedTensor, network)),
      );
      const surveyors = thinnings.map((thinning) => thinning?.surveyor);
      await runSurveyors(tensor, surveyors);
      const rowLength = rowsOf(sparsifier, tensor);
      const factors = rescale
        ? await measureRescaling(tensor, thinnings, { norm, rowLength })
        : thinnings.map(() => 1);
      const mix = createMixer({
        weights: weight,
        factors,
        normalize,
        lambda,
        consensus: consensus_method,
      });
      return { thinnings, mix };
    },
    blendInto(range, out) {
      const { tensor, survey } = range;
      return writeDeltas(
        range,
        out,
        (block, result) => {
          const windows = survey.thinnings.map((thinning, k) => thinBlock(thinning, block, k));
          survey.mix(block, windows, result);
        },
        rowsOf(sparsifier, tensor),
      );
    },
  };
}

/**
 * Returns the window of kept magnitudes of a block if it decides for all elements; otherwise thins out the
 * task vector, and returns undefined.
 */
function thinBlock(thinning: Thinning | undefined, block: DeltaBlock, k: number): KeptMagnitudes {
  if (thinning === undefined) return ALL_MAGNITUDES;
  const magnitudes = thinning.magnitudes?.(block.begin, block.length);
  if (magnitudes === undefined) thinning.thin(at(block.deltas, k), at(block.patterns, k), block.begin);
  return magnitudes;
}

/** Returns a function that reads the parameters of one network by name. */
function parameterOf(parameters: TensorParameters<ParameterSpecs>, network: number) {
  return (key: string) => at(parameters[key] as unknown as readonly number[], network, key);
}

function vectorOf({ name, info, parameters, seed }: MergedTensor, network: number) {
  const parameter = parameterOf(parameters, network);
  return {
    tensor: name,
    size: sizeOf(info.shape),
    rowLength: rowLengthOf(info.shape),
    key: deriveStreamKey({ seed, tensor: name, network }),
    density: parameter("density"),
    parameter,
  };
}

/** Returns the length of rows that blocks must contain completely; undefined if blocks may end anywhere. */
function rowsOf(
  sparsifier: Sparsifier | undefined,
  { info }: Pick<MergedTensor, "info">,
): number | undefined {
  return sparsifier?.needsRows ? rowLengthOf(info.shape) : undefined;
}

/** Returns the length of a row, the number of weights of one output of a layer; a vector is a single row. */
function rowLengthOf(shape: readonly number[]): number {
  return Math.max(1, sizeOf(shape.length < 2 ? shape : shape.slice(1)));
}
