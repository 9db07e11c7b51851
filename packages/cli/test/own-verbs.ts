import { listAddedMeasurements } from "@isthmus/measurements";
import { listVerbs } from "../src/verbs.ts";

/** Lists the verbs of the program itself: other tests of the same process may have added measurements. */
export function ownVerbs(): readonly string[] {
  const added = listAddedMeasurements().map(({ verb }) => verb);
  return Object.keys(listVerbs()).filter((verb) => !added.includes(verb));
}
