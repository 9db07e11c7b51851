import { type Checkpoint, DTYPES } from "@isthmus/core";
import { layOutTensors, type SecureLayout } from "@isthmus/federated";

/**
 * Lays out the elements of an update that is summed securely, in the same way at the server and at each
 * client: all floating-point tensors that clients do not keep, in the order of their names.
 */
export function secureLayout({ tensors }: Checkpoint, keep: ReadonlySet<string>): SecureLayout {
  const shared = [...tensors].filter(([name, { dtype }]) => DTYPES[dtype].float && !keep.has(name));
  return layOutTensors(new Map(shared.sort(([a], [b]) => (a < b ? -1 : 1))));
}
