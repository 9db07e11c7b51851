import {
  allocateData,
  type Checkpoint,
  DivergenceError,
  type DType,
  entry,
  findNonFinite,
  fromFloat64Into,
  InputError,
} from "@isthmus/core";
import type { ClientUpdate } from "../updates/client-update.ts";
import { readFloat64Range, type TensorRange } from "./ranges.ts";

/** Inputs of an aggregation, from which a range of the result was computed. */
interface Origin {
  readonly network: Checkpoint;
  readonly updates: readonly ClientUpdate[];
  /** Number of the round, from 1. */
  readonly round: number;
}

/**
 * Checks that a range of the new network is finite in the element type that it is stored in, and otherwise
 * finds the client whose numbers are not finite. Rules that choose or order updates survive a client's NaN;
 * averages do not.
 * @throws InputError that names the tensor and the client whose numbers are not finite
 * @throws DivergenceError if all clients sent finite numbers, but their aggregate is too large
 */
export async function assertFiniteRange(
  { network, updates, round }: Origin,
  range: TensorRange,
  result: Float64Array,
): Promise<void> {
  if (isStorable(result, entry(network.tensors, range.name, "tensor").dtype)) return;
  const areFinite = async (checkpoint: Checkpoint) => areAllFinite(await readFloat64Range(checkpoint, range));
  const attempt = `Cannot aggregate "${range.name}" as numbers must be finite`;
  if (!(await areFinite(network))) {
    throw new InputError(`${attempt}: numbers of the global network are not`, { input: network.source });
  }
  for (const { client, network: sent } of updates) {
    if (await areFinite(sent)) continue;
    throw new InputError(
      `${attempt}: "${client}" sent NaN or infinite ones; leave that update out, or choose a rule that takes whole updates, as krum does`,
      { input: client },
    );
  }
  throw tooLarge(attempt, round);
}

/**
 * Checks that a range of a state for the next round is finite in f32, in which states are stored.
 * @param name - name of the state's tensor, for the message
 * @throws DivergenceError if its numbers are not finite
 */
export function assertFiniteState(name: string, values: Float64Array, round: number): void {
  assertStorable(`keep the state "${name}"`, { values, dtype: "f32", round });
}

/**
 * Checks that numbers stay finite in the type that they are stored in.
 * @param attempt - what the numbers are for, for the message
 * @throws DivergenceError if they do not
 */
export function assertStorable(
  attempt: string,
  { values, dtype, round }: { readonly values: Float64Array; readonly dtype: DType; readonly round: number },
): void {
  if (isStorable(values, dtype)) return;
  throw tooLarge(`Cannot ${attempt} as numbers must be finite`, round);
}

/** Returns whether all values stay finite in the type that they are stored in. */
function isStorable(values: Float64Array, dtype: DType): boolean {
  // Types without infinity take their largest number in its place.
  if (!areAllFinite(values)) return false;
  const data = allocateData(dtype, values.length);
  fromFloat64Into(values, dtype, data);
  return findNonFinite({ dtype, data }) < 0;
}

const tooLarge = (attempt: string, round: number): DivergenceError =>
  new DivergenceError(
    `${attempt}: all clients sent finite ones, but the result is too large; clip updates to a norm, or lower the server's learning rate`,
    { step: round - 1, loss: Number.NaN },
  );

/**
 * Returns whether all numbers are finite, by a loop without a branch, as every element of a network is
 * checked.
 */
export function areAllFinite(values: Float64Array): boolean {
  let zero = 0;
  for (let i = 0; i < values.length; i++) zero += (values[i] as number) * 0;
  return zero === 0;
}
