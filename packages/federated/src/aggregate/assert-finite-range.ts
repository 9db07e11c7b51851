import { type Checkpoint, InputError } from "@isthmus/core";
import type { ClientUpdate } from "../updates/client-update.ts";
import { readFloat64Range, type TensorRange } from "./ranges.ts";

/**
 * Checks a range of the network after a round, and looks for the one to blame if its numbers are not
 * finite: rules that choose or order updates survive a client's NaN, and averages do not.
 * @throws InputError that names the client and the tensor
 */
export async function assertFiniteRange(
  { network, updates }: { readonly network: Checkpoint; readonly updates: readonly ClientUpdate[] },
  range: TensorRange,
  result: Float64Array,
): Promise<void> {
  if (areAllFinite(result)) return;
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
  throw new InputError(
    `${attempt}: all clients sent finite ones, but the result is too large; clip updates to a norm, or lower the server's learning rate`,
    { input: range.name },
  );
}

/** Says whether all numbers are finite; a loop without a branch, as there are as many as the network has. */
export function areAllFinite(values: Float64Array): boolean {
  let zero = 0;
  for (let i = 0; i < values.length; i++) zero += (values[i] as number) * 0;
  return zero === 0;
}
