import { UsageError } from "@isthmus/core";
import type { NetworkMaker } from "@isthmus/findings";
import { keepNetworkMaker, listAddedMakers } from "../added-makers.ts";
import { listMeasurements } from "../measurements.ts";
import type { TakenNames } from "./taken-names.ts";

/**
 * Adds a maker of networks of one's own, if nothing has its names: its own is a key of entries, a verb and a
 * kind of tasks, and keys of entries choose makers.
 * @returns a function that takes it away again
 * @throws UsageError if its name or the name of an option is there already
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
