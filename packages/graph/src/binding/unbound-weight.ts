import { sameShape } from "@isthmus/core";
import { isConstant } from "./same-values.ts";
import type { CarriedValues, TensorPool } from "./tensor-pool.ts";

/** A weight of a graph that comes from no tensor of the checkpoint. */
export interface UnboundWeight {
  /** Name of the weight in the graph. */
  readonly weight: string;
  /** Reason why no tensor is its source, in a few words for messages. */
  readonly reason: string;
  /**
   * Reason why the values do not identify the weight: `ambiguous` if several tensors have them, or all are
   * equal; `changed` if the tensor of the same name has most of them; `unknown` if they were computed from
   * tensors.
   */
  readonly kind: "ambiguous" | "changed" | "unknown";
}

/** A weight without a source, with the reason. */
interface KnownWeight {
  /** Reason, if several tensors may be the weight. */
  readonly several: string | undefined;
  /** Values of the weight; undefined if the graph's file contains none. */
  readonly values: CarriedValues | undefined;
}

/** Explains why a weight is not a tensor of a checkpoint. */
export async function explainUnbound(
  pool: TensorPool,
  weight: string,
  { several, values }: KnownWeight,
): Promise<UnboundWeight> {
  if (several !== undefined) return { weight, reason: several, kind: "ambiguous" };
  const info = pool.checkpoint.tensors.get(weight);
  if (values === undefined) {
    const reason =
      info === undefined
        ? "no tensor has its name"
        : `the tensor of that name has shape [${info.shape.join(", ")}]`;
    return { weight, reason, kind: "unknown" };
  }
  if (isConstant(values.values)) {
    const reason = `its numbers are all ${values.values[0]}, as those of several tensors may be`;
    return { weight, reason, kind: "ambiguous" };
  }
  if (info === undefined) return { weight, reason: "no tensor has its values", kind: "unknown" };
  const reason = "the tensor of that name has other values";
  if (!sameShape(info.shape, values.shape)) return { weight, reason, kind: "unknown" };
  const tensor = await pool.read(weight);
  const changed = tensor.filter((value, i) => value !== values.values[i]).length;
  if (2 * changed > tensor.length) return { weight, reason, kind: "unknown" };
  return { weight, reason: `${reason}, ${changed} of ${tensor.length}`, kind: "changed" };
}
