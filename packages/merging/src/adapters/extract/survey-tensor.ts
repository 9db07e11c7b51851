import { entry, InputError } from "@isthmus/core";
import type { MatrixProducts } from "@isthmus/linear-algebra";
import { leadingSvd } from "../../matrices/leading-svd.ts";
import { type Pair, readDifference, readDifferences, sumOfSquares } from "./read-difference.ts";
import type { ExtractedTensor } from "./tensor-roles.ts";

/** How the change of one tensor was found to be. */
export interface TensorSurvey {
  /** Name of the tensor. */
  readonly name: string;
  /** Whether any element changed; also true for tensors that the base lacks. */
  readonly changed: boolean;
  /** Squared norm of the difference; 0 for tensors that the base lacks. */
  readonly squared: number;
  /** Squared norm of the tensor of the base; 0 for tensors that the base lacks. */
  readonly ofBase: number;
  /** Largest singular values of the difference, largest first; empty if they were not asked for. */
  readonly values: readonly number[];
}

/** Options of a survey, which say how many singular values it computes. */
export interface SurveyOptions {
  /** Multiplier of matrices. */
  readonly products: MatrixProducts;
  /** Largest shorter side for which singular values are exact, see `leadingSvd`. */
  readonly exactUpTo: number;
  /** Number of singular values of each matrix to begin with; 0 for none. */
  readonly count: (tensor: ExtractedTensor) => number;
  /** Most singular values of a matrix. */
  readonly most: number;
  /** Share of the squared norm that the singular values must have, in `[0, 1]`; 0 to stop at `count`. */
  readonly energy: number;
}

/**
 * Compares one tensor of both networks, and computes singular values of the difference if they are asked for:
 * twice as many again and again, until they have the share of the squared norm.
 * @throws InputError if a difference is not finite
 */
export async function surveyTensor(
  pair: Pair,
  tensor: ExtractedTensor,
  { products, exactUpTo, count, most, energy }: SurveyOptions,
): Promise<TensorSurvey> {
  const { name, role, isInBase } = tensor;
  if (!isInBase) return { name, changed: true, squared: 0, ofBase: 0, values: [] };
  let [squared, ofBase, changed] = [0, 0, false];
  for await (const { difference, base } of readDifferences(pair, name)) {
    const part = sumOfSquares(difference);
    if (!Number.isFinite(part)) {
      throw new InputError(
        `Cannot extract an adapter from "${pair.tuned.source}" as differences must be finite: "${name}" has NaN, an infinity or a number that is too large in one of the networks; repair it, or leave it out with --exclude "${name}"`,
        { input: pair.tuned.source },
      );
    }
    changed ||= part !== 0;
    squared += part;
    ofBase += sumOfSquares(base);
  }
  const initial = count(tensor);
  if (role === "whole" || !changed || initial === 0) return { name, changed, squared, ofBase, values: [] };
  const difference = await readDifference(pair, name);
  const limit = Math.min(most, ...entry(pair.tuned.tensors, name, "tensor").shape);
  for (let rank = Math.min(initial, limit); ; rank = Math.min(2 * rank, limit)) {
    const { values } = await leadingSvd(difference, { rank, products, exactUpTo });
    if (rank >= limit || values.length < rank || sumOfSquares(values) >= energy * squared) {
      return { name, changed, squared, ofBase, values: [...values.subarray(0, rank)] };
    }
  }
}
