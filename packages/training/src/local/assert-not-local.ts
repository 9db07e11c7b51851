import { UsageError } from "@isthmus/core";
import type { LocalTrainingOptions } from "./local-training.ts";

/** Names of the options that only single networks are trained with. */
const LOCAL: readonly (keyof LocalTrainingOptions)[] = [
  "proximal",
  "controlVariates",
  "curriculum",
  "wasserstein",
  "constraint",
  "move",
];

/**
 * Checks that a training has no options that only `train` takes.
 * @param what - name of the trained thing in messages, such as `a blend of networks`
 * @throws UsageError if it has one
 */
export function assertNotLocal(what: string, options: Readonly<Record<string, unknown>>): void {
  const name = LOCAL.find((option) => options[option] !== undefined);
  if (name === undefined) return;
  throw new UsageError(
    `Cannot train ${what} with "${name}" as that is for single networks: train() takes it; leave it out`,
  );
}
