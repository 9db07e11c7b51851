import { InputError } from "../errors.ts";
import { toFloat64 } from "../tensor/convert.ts";
import { DTYPES, type DType } from "../tensor/dtype.ts";
import type { Elements } from "../tensor/elements.ts";
import { findNonFinite } from "../tensor/measure.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** Number of elements of a tensor that are not finite. */
export interface NonFiniteCount {
  /** Number of elements that are NaN. */
  readonly nan: number;
  /** Number of elements that are infinite, of either sign. */
  readonly infinite: number;
  /** Row-major index of the first such element. */
  readonly first: number;
}

/** Counts NaN and infinities among stored elements; undefined if all are finite. */
export function countNonFinite(elements: Elements): NonFiniteCount | undefined {
  const first = findNonFinite(elements);
  if (first < 0) return undefined;
  let [nan, infinite] = [0, 0];
  for (const value of toFloat64(elements.data, elements.dtype)) {
    if (Number.isNaN(value)) nan++;
    else if (!Number.isFinite(value)) infinite++;
  }
  return { nan, infinite, first };
}

/** Describes a count of elements that are not finite, for a message: `3 of 1000 are NaN, 1 is infinite`. */
export function formatNonFinite({ nan, infinite, first }: NonFiniteCount, size: number): string {
  const parts = [
    { count: nan, what: "NaN" },
    { count: infinite, what: "infinite" },
  ].filter(({ count }) => count > 0);
  const list = parts.map(({ count, what }, i) => {
    return `${count}${i === 0 ? ` of ${size}` : ""} ${count === 1 ? "is" : "are"} ${what}`;
  });
  return `${list.join(", ")}, the first at element ${first}`;
}

/**
 * Explains why a tensor cannot be saved: its numbers are not finite, either already in a file or because of a
 * computation, or they are too large for the element type.
 *
 * @param name - a tensor of the checkpoint whose numbers, converted to `dtype`, are not all finite
 */
export async function explainNonFinite(
  checkpoint: Checkpoint,
  name: string,
  dtype: DType,
): Promise<InputError> {
  const tensor = await checkpoint.read(name);
  const size = sizeOf(tensor.shape);
  const count = countNonFinite(tensor);
  if (count === undefined) {
    const largest = toFloat64(tensor.data, tensor.dtype).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    return new InputError(
      `Cannot save "${name}" of "${checkpoint.source}" as ${dtype} as its numbers must fit: the largest is ${largest}; choose a type of a wider range, such as bf16 or f32, or allow infinities with --allow-non-finite (in a script: allowNonFinite)`,
      { input: checkpoint.source },
    );
  }
  const origin = await findOrigin(checkpoint, name);
  const made = origin.checkpoint === checkpoint ? "" : ` of "${origin.checkpoint.source}"`;
  const counted = origin.count ?? count;
  return new InputError(
    `Cannot save "${checkpoint.source}" as its numbers must be finite: in "${origin.name}"${made} ${formatNonFinite(counted, size)}; use another checkpoint, or write them all the same with --allow-non-finite (in a script: allowNonFinite)`,
    { input: origin.checkpoint.source },
  );
}

interface Origin {
  readonly checkpoint: Checkpoint;
  readonly name: string;
  readonly count?: NonFiniteCount;
}

/**
 * Finds the checkpoint in which the non-finite numbers of a tensor first occur, as far as names of tensors
 * show.
 */
async function findOrigin(checkpoint: Checkpoint, name: string): Promise<Origin> {
  for (const input of checkpoint.inputs) {
    for (const candidate of namesakes(input, name)) {
      const count = countNonFinite(await input.read(candidate));
      if (count === undefined) continue;
      const deeper = await findOrigin(input, candidate);
      return deeper.count === undefined ? { checkpoint: input, name: candidate, count } : deeper;
    }
  }
  return { checkpoint, name };
}

/**
 * Lists the tensors that a name may refer to: the tensor with that name, else all tensors whose names differ
 * only by a prefix.
 */
function namesakes({ tensors }: Checkpoint, name: string): string[] {
  if (tensors.has(name)) return [name];
  return [...tensors.keys()].filter((other) => other.endsWith(`.${name}`) || name.endsWith(`.${other}`));
}

/**
 * Checks that all floating-point tensors of a checkpoint are finite, and reads each once.
 *
 * @param attempt - name of the operation for the message, for example `measure a barrier`
 * @throws InputError with the name of the first tensor that is not finite, and the numbers of its NaN and
 *   infinities
 */
export async function assertFiniteTensors(attempt: string, checkpoint: Checkpoint): Promise<void> {
  for (const [name, { dtype, shape }] of checkpoint.tensors) {
    if (!DTYPES[dtype].float) continue;
    const count = countNonFinite(await checkpoint.read(name));
    if (count === undefined) continue;
    throw new InputError(
      `Cannot ${attempt} of "${checkpoint.source}" as its numbers must be finite: in "${name}" ${formatNonFinite(count, sizeOf(shape))}`,
      { input: checkpoint.source },
    );
  }
}
