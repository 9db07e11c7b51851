import { type Checkpoint, composeCheckpoint } from "@isthmus/core";

/** Returns an update in which the tensors that clients keep come from the global network. */
export function completed(update: Checkpoint, network: Checkpoint, keeps: ReadonlySet<string>): Checkpoint {
  const places = [...network.tensors.keys()].map((name) => {
    return [name, { checkpoint: keeps.has(name) ? network : update, name }] as const;
  });
  return composeCheckpoint(new Map(places), { source: update.source });
}
