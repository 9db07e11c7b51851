import { UsageError } from "@isthmus/core";
import type { NetworkMaker } from "@isthmus/findings";
import { keepNetworkMaker, listAddedMakers } from "../added-makers.ts";
import { listMeasurements } from "../measurements.ts";
import type { TakenNames } from "./taken-names.ts";

/**
 * Adds a maker of networks of one's own, if its names are free: the maker's name becomes a key of entries, a
 * verb and a kind of tasks, and no option may have the name of a key that chooses a maker.
 * @returns a function that removes the maker again
 * @throws UsageError if its name, or the name of one of its options, is taken
 */
export function addMaker(maker: NetworkMaker, taken: TakenNames): () => void {
  const { kinds = [], verbs = [], makers = [], options = [] } = taken;
  const others = listAddedMakers();
  const keys = [...makers, ...others.map(({ name }) => name)];
  const measured = listMeasurements().flatMap(({ kind, verb }) => [kind, verb]);
  const keysBeside = [...options, ...others.flatMap(keysOf)];
  const { name } = maker;
  if ([...keys, ...keysBeside, ...measured, ...kinds, ...verbs].includes(name)) {
    throw new UsageError(
      `Cannot add the network maker "${name}" as its name must be new, for a verb, a task and a key of studies: there is "${name}" already; choose another name`,
    );
  }
  const key = keysOf(maker).find((option) => option === name || keys.includes(option));
  if (key !== undefined) {
    throw new UsageError(
      `Cannot add the network maker "${name}" as its options must not choose another maker in a study: "${key}" does; choose another name for the option`,
    );
  }
  return keepNetworkMaker(maker);
}

/** Lists the keys that entries have beside the name of a maker. */
const keysOf = ({ options, examples }: NetworkMaker): readonly string[] => [
  ...Object.keys(options),
  ...Object.keys(examples),
];
