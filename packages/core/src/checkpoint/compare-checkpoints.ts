import { MismatchError } from "../errors.ts";
import { entry } from "../invariant.ts";
import { excerpt } from "../json/excerpt.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import type { TensorInfo } from "../tensor/tensor.ts";
import { adviseOnExperts } from "./advise-on-experts.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** Number of tensors that a message names before "and N more". */
const NAMED = 5;
/** Maximum number of characters of a name in a message, as names in hostile files may have any length. */
const NAME_SHOWN = 200;

/** One way in which a tensor differs between two checkpoints. */
export interface TensorDifference {
  /** Name of the tensor that differs. */
  readonly name: string;
  /** Property that differs; `missing` if the tensor is in one checkpoint only. */
  readonly kind: "missing" | "shape" | "dtype";
  /** Tensor in the first checkpoint, if any. */
  readonly a: TensorInfo | undefined;
  /** Tensor in the second checkpoint, if any. */
  readonly b: TensorInfo | undefined;
}

/** Differences between the structures of two checkpoints. */
export interface CheckpointComparison {
  /** Whether both have the same names, shapes and element types, in any order. */
  readonly same: boolean;
  /** Differences in the order of the first checkpoint, then tensors that exist only in the second. */
  readonly differences: readonly TensorDifference[];
  /** A sentence for people, empty if nothing differs. */
  readonly message: string;
}

/** Compares names, shapes and element types of two checkpoints, without reading tensors. */
export function compareCheckpoints(a: Checkpoint, b: Checkpoint): CheckpointComparison {
  const differences: TensorDifference[] = [];
  for (const [name, left] of a.tensors) {
    const right = b.tensors.get(name);
    if (right === undefined) differences.push({ name, kind: "missing", a: left, b: undefined });
    else if (!sameShape(left.shape, right.shape))
      differences.push({ name, kind: "shape", a: left, b: right });
    else if (left.dtype !== right.dtype) differences.push({ name, kind: "dtype", a: left, b: right });
  }
  for (const [name, right] of b.tensors) {
    if (!a.tensors.has(name)) differences.push({ name, kind: "missing", a: undefined, b: right });
  }
  return { same: differences.length === 0, differences, message: describe(differences, a, b) };
}

/**
 * Checks that two checkpoints have the same names and shapes, as arithmetic between them needs; element
 * types may differ.
 * @throws MismatchError that names the differing tensors.
 */
export function assertSameStructure(a: Checkpoint, b: Checkpoint): void {
  const differences = compareCheckpoints(a, b).differences.filter(({ kind }) => kind !== "dtype");
  if (differences.length === 0) return;
  const names = differences.map(({ name }) => name);
  const missing = differences.filter(({ kind }) => kind === "missing").map(({ name }) => name);
  throw new MismatchError(
    `Cannot combine "${a.source}" and "${b.source}" as they must have tensors of the same names and shapes: ` +
      describe(differences, a, b) +
      adviseOnExperts(missing),
    { parameters: names },
  );
}

/**
 * Checks that a tensor has the same shape in two checkpoints.
 * @throws MismatchError if the shapes differ
 */
export function assertSameShapes(a: Checkpoint, b: Checkpoint, name: string): void {
  const [left, right] = [entry(a.tensors, name, "tensor"), entry(b.tensors, name, "tensor")];
  if (sameShape(left.shape, right.shape)) return;
  throw new MismatchError(
    `Cannot compare "${name}" of "${a.source}" and "${b.source}" as its shapes must be equal: they are ${formatShape(left.shape)} and ${formatShape(right.shape)}`,
    { parameters: [name] },
  );
}

function describe(differences: readonly TensorDifference[], a: Checkpoint, b: Checkpoint): string {
  const lines = differences.slice(0, NAMED).map((difference) => describeOne(difference, a, b));
  if (differences.length > NAMED) lines.push(`and ${differences.length - NAMED} more`);
  return lines.join("; ");
}

function describeOne(
  { name, kind, a: left, b: right }: TensorDifference,
  a: Checkpoint,
  b: Checkpoint,
): string {
  const shown = excerpt(name, NAME_SHOWN);
  if (left === undefined) return `${shown} is only in "${b.source}"`;
  if (right === undefined) return `${shown} is only in "${a.source}"`;
  if (kind === "shape") return `${shown} is ${formatShape(left.shape)} and ${formatShape(right.shape)}`;
  return `${shown} is ${left.dtype} and ${right.dtype}`;
}
