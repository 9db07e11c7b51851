import { at, type Elements, fromFloat64Into, InvariantError, toFloat64 } from "@isthmus/core";
import type { Matrix } from "@isthmus/linear-algebra";
import type { MergedTensor, MergeMethod } from "../merge-method.ts";
import type { ParameterSpecs } from "../parameters.ts";
import { describeHeld, type HeldMatrix } from "./held-bytes.ts";
import { addDifference, addScaled, subtract } from "./kernels/task-vectors.ts";
import { isMatrix } from "./task-matrices.ts";

/** Parameter of all methods on matrices: the factor of the merged difference. */
export const SCALE = {
  description: "What the merged difference is multiplied by before it is added to the base.",
  of: "merge",
  default: 1,
} as const;

/** Definition of a method on matrices; the rest is common to all such methods. */
export interface MatrixMethod<P extends ParameterSpecs> {
  /** Name in recipes and on the command line. */
  readonly name: string;
  /** One sentence that describes the method. */
  readonly description: string;
  /** Source of the method: paper, section and equation. */
  readonly source: string;
  /** Parameters of the method other than `scale`. */
  readonly parameters: P;
  /** Number of networks up to which the rule gives their plain average, if `scale` is 1. @defaultValue 0 */
  readonly averages?: number;
  /** Returns the most bytes that `combine` holds for a matrix of several networks, including its result. */
  heldBytes(matrix: HeldMatrix): number;
  /** Merges the differences between the matrices of all networks and the matrix of the base. */
  combine(tensor: MergedTensor<WithScale<P>>): Promise<Matrix>;
}

/** Parameters of a method on matrices. */
export type WithScale<P extends ParameterSpecs> = P & { /** Final factor. */ readonly scale: typeof SCALE };

/** A merge method whose survey is the merged difference of a whole matrix; undefined for other tensors. */
export type MatrixMergeMethod<P extends ParameterSpecs> = MergeMethod<
  WithScale<P>,
  Matrix["data"] | undefined
>;

/**
 * Makes a merge method from a rule for matrices. A matrix of the result is the base plus `scale` times the
 * result of the rule for the differences; any other tensor is the base plus `scale` times the mean of the
 * differences.
 */
export function defineMatrixMethod<const P extends ParameterSpecs>({
  combine,
  heldBytes,
  parameters,
  averages = 0,
  ...words
}: MatrixMethod<P>): MatrixMergeMethod<P> {
  return {
    ...words,
    parameters: { ...parameters, scale: SCALE },
    networks: { least: 1, base: "required", averages },
    keepsTensor: true,
    heldBytes(info, count) {
      const matrix = describeHeld(info, count);
      return matrix === undefined ? 0 : heldBytes(matrix);
    },
    survey: async (tensor) => (isMatrix(tensor) ? (await combine(tensor)).data : undefined),
    blendInto({ parts, base, begin, survey, tensor }, out) {
      if (base === undefined) throw new InvariantError(`"${tensor.name}" has no base`);
      const difference = survey?.subarray(begin, begin + out.data.length) ?? meanDifference(parts, base);
      // A float's f64 copy may be the stored array itself, which must not be written to.
      const result = Float64Array.from(toFloat64(base.data, base.dtype));
      addDifference(result, difference, scaleOf(tensor.parameters));
      fromFloat64Into(result, out.dtype, out.data);
    },
  };
}

function scaleOf(parameters: Readonly<Record<string, unknown>>): number {
  return Number(parameters["scale"]);
}

function meanDifference(parts: readonly Elements[], base: Elements): Float64Array {
  const from = toFloat64(base.data, base.dtype);
  const mean = new Float64Array(from.length);
  for (let i = 0; i < parts.length; i++) {
    const { data, dtype } = at(parts, i, "network");
    const difference = Float64Array.from(toFloat64(data, dtype));
    subtract(difference, from);
    addScaled(mean, difference, 1 / parts.length);
  }
  return mean;
}
