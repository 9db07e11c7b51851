import { listAddedMakers, listAddedMeasurements } from "@isthmus/measurements";
import { listVerbs } from "../src/verbs.ts";

/**
 * Lists the verbs of the program itself: other tests of the same process may have added measurements and
 * makers of networks.
 */
export function ownVerbs(): readonly string[] {
  const added = [
    ...listAddedMeasurements().map(({ verb }) => verb),
    ...listAddedMakers().map(({ name }) => name),
  ];
  return Object.keys(listVerbs()).filter((verb) => !added.includes(verb));
}
