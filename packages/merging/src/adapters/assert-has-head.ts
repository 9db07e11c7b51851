import { type Checkpoint, MismatchError } from "@isthmus/core";
import type { Adapter } from "./adapter.ts";
import { isHead } from "./extract/tensor-roles.ts";
import { indexNames } from "./find-weight.ts";

/**
 * Checks that a network has the head that an adapter holds whole, such as a trained classifier.
 * @throws MismatchError if the network lacks it
 */
export function assertHasHead(base: Checkpoint, { source }: Adapter, target: string): void {
  if (!isHead(target) || indexNames(base)(target).length > 0) return;
  throw new MismatchError(
    `Cannot apply adapter "${source}" to "${base.source}" as the model must have the head "${target}" that the adapter holds whole (modules_to_save): it has none; save the model with such a head first, as the class of transformers that the adapter was trained with does`,
    { parameters: [target] },
  );
}
