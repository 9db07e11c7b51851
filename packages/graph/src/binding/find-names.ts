import { type Checkpoint, groupBy, MismatchError, OutOfRangeError } from "@isthmus/core";
import { listNames } from "../ir/list-names.ts";

/**
 * Names of a network's tensors in a checkpoint, `prefix + rest`, and in the graph, `graphPrefix + rest`,
 * which is also the network's name for the tensor. Parts that wrappers insert are left out of the network's
 * names.
 */
export interface NetworkNames {
  /** Name in the checkpoint by name in the network, in the checkpoint's order. */
  readonly stored: ReadonlyMap<string, string>;
  /** Text before every name of the network in the checkpoint, such as `module.`; `""` if there is none. */
  readonly prefix: string;
  /**
   * Text before the network's names in the graph, for example if a wrapper was exported; `""` if there is
   * none.
   */
  readonly graphPrefix: string;
  /** Tensors of the checkpoint whose names do not begin with the prefix, except copies. */
  readonly outside: readonly string[];
  /**
   * Tensors that have names of the network behind another prefix, such as averages of its weights; empty
   * unless the prefix was given.
   */
  readonly copies: readonly string[];
}

/** A checkpoint, and its tensors under the network's names. */
export interface NamedNetwork {
  /** Checkpoint under the names with which it was saved. */
  readonly checkpoint: Checkpoint;
  /** Names of the network's tensors in the checkpoint and in the graph. */
  readonly names: NetworkNames;
  /** All tensors of the network, by its names. */
  readonly inner: Checkpoint;
}

/** Parts that wrappers insert anywhere in names: `torch.compile`, FSDP and activation checkpointing. */
const WRAPPERS: ReadonlySet<string> = new Set([
  "_orig_mod",
  "_fsdp_wrapped_module",
  "_checkpoint_wrapped_module",
]);

/**
 * First parts of names that containers and wrappers insert, for graphs whose names share
 * nothing with the checkpoint.
 */
const CONTAINERS: ReadonlySet<string> = new Set([
  "module",
  "model",
  "network",
  "net",
  "state_dict",
  "model_state_dict",
]);

/** Largest number of parts of a prefix. */
const MAX_PREFIX_PARTS = 4;

/**
 * Finds the prefix of the names of a network in a checkpoint, by comparing them with the names of a graph.
 *
 * The prefix is the one with which the most names of the graph occur in the checkpoint; of several such
 * prefixes the shortest.
 *
 * @param graphNames - names of the graph's weights
 * @param checkpoint - its source and the names of its tensors
 * @param prefix - the prefix, or its first parts, if it is known; it is ignored for a checkpoint that has the
 *   names of the graph itself and none with the prefix
 * @throws MismatchError if several networks of these names are in the checkpoint,
 *   or none begins with `prefix`
 */
export function findNames(
  graphNames: readonly string[],
  { source, names }: { readonly source: string; readonly names: readonly string[] },
  prefix?: string,
): NetworkNames {
  // Parts that wrappers insert are not part of a prefix, but occur in its written form.
  const asked =
    prefix === undefined || isPlain(graphNames, names, prefix) ? undefined : withoutWrappers(prefix);
  const pair = choosePrefixes(graphNames, { source, names }, asked);
  const stored = new Map<string, string>();
  const outside: string[] = [];
  for (const name of names) {
    const plain = withoutWrappers(name);
    if (plain.startsWith(pair.prefix)) stored.set(pair.graphPrefix + plain.slice(pair.prefix.length), name);
    else outside.push(name);
  }
  if (stored.size === 0) {
    throw new MismatchError(
      `Cannot find the network in "${source}" as its names must begin with "${pair.prefix}": they are ${listNames(names)}`,
      { parameters: [] },
    );
  }
  const rests = new Set([...stored.keys()].map((name) => name.slice(pair.graphPrefix.length)));
  const copies = new Set(asked === undefined ? [] : findCopies(outside, rests));
  return { ...pair, stored, outside: outside.filter((name) => !copies.has(name)), copies: [...copies] };
}

/**
 * Checks whether a checkpoint contains one network under the graph's own names, so that a given prefix is
 * meant for other checkpoints.
 */
function isPlain(graphNames: readonly string[], names: readonly string[], prefix: string): boolean {
  const present = new Set(names);
  return graphNames.every((name) => present.has(name)) && !names.some((name) => name.startsWith(prefix));
}

/**
 * Lists the names that are names of the network after another prefix, if most of the network has that prefix.
 */
function findCopies(names: readonly string[], rests: ReadonlySet<string>): string[] {
  const candidates = names.flatMap((name) =>
    splits(withoutWrappers(name))
      .filter(({ rest }) => rests.has(rest))
      .map(({ prefix }) => ({ prefix, name })),
  );
  return [...groupBy(candidates, ({ prefix }) => prefix).values()]
    .filter((copies) => 2 * copies.length > rests.size)
    .flatMap((copies) => copies.map(({ name }) => name));
}

/** Returns the text before every name of the network in its written form, with parts of wrappers. */
export function writtenPrefix({ stored, prefix, graphPrefix }: NetworkNames): string {
  const befores = [...stored].map(([name, written]) => {
    const rest = name.slice(graphPrefix.length);
    return written.endsWith(rest) ? written.slice(0, written.length - rest.length) : undefined;
  });
  const [first = prefix] = befores;
  return befores.every((before) => before === first) ? first : prefix;
}

/** Removes the parts that wrappers insert from a name. */
function withoutWrappers(name: string): string {
  const parts = name.split(".");
  return parts.some((part) => WRAPPERS.has(part))
    ? parts.filter((part) => !WRAPPERS.has(part)).join(".")
    : name;
}

/** Prefix of a network's names in the checkpoint and in the graph. */
interface PrefixPair {
  readonly prefix: string;
  readonly graphPrefix: string;
}

function choosePrefixes(
  graphNames: readonly string[],
  { source, names }: { readonly source: string; readonly names: readonly string[] },
  prefix: string | undefined,
): PrefixPair {
  const all = [...countVotes(graphNames, names).values()];
  const votes = prefix === undefined ? all : votesFor(all, prefix);
  const most = Math.max(0, ...votes.map(({ count }) => count));
  if (most === 0) return { prefix: prefix ?? commonContainer(names), graphPrefix: "" };
  const best = votes.filter(({ count }) => count === most);
  const shortest = best.toSorted((a, b) => lengthOf(a.pair) - lengthOf(b.pair));
  const [first, second] = shortest;
  if (first === undefined)
    throw new OutOfRangeError(`Cannot choose a prefix for "${source}" as there are no votes`);
  if (second !== undefined && lengthOf(first.pair) > 0 && lengthOf(second.pair) === lengthOf(first.pair)) {
    throw severalNetworks(source, first.pair, second.pair);
  }
  return first.pair;
}

/** Returns the votes for a prefix; if there are none, the votes for prefixes that begin with it. */
function votesFor(votes: readonly Votes[], prefix: string): Votes[] {
  const exact = votes.filter(({ pair }) => pair.prefix === prefix);
  return exact.length > 0 ? exact : votes.filter(({ pair }) => pair.prefix.startsWith(prefix));
}

const lengthOf = ({ prefix, graphPrefix }: PrefixPair): number =>
  countParts(prefix) + countParts(graphPrefix);
const countParts = (prefix: string): number => prefix.split(".").length - 1;

/** Number of names of the graph that occur in the checkpoint with a pair of prefixes. */
interface Votes {
  readonly pair: PrefixPair;
  count: number;
}

/**
 * Counts, for every pair of prefixes, the names of the graph that occur in the
 * checkpoint without these prefixes.
 */
function countVotes(graphNames: readonly string[], names: readonly string[]): Map<string, Votes> {
  const prefixesOf = groupByRest(names);
  const votes = new Map<string, Votes>();
  const vote = (prefix: string, graphPrefix: string): void => {
    const key = `${prefix} ${graphPrefix}`;
    const counted = votes.get(key);
    if (counted === undefined) votes.set(key, { pair: { prefix, graphPrefix }, count: 1 });
    else counted.count++;
  };
  for (const graphName of graphNames) {
    for (const prefix of prefixesOf.get(graphName) ?? []) vote(prefix, "");
    for (const { prefix: graphPrefix, rest } of splits(graphName).slice(1)) {
      if (prefixesOf.get(rest)?.has("")) vote("", graphPrefix);
    }
  }
  return votes;
}

/** Groups the prefixes of all names by the rest of the name after them. */
function groupByRest(names: readonly string[]): Map<string, Set<string>> {
  const prefixesOf = new Map<string, Set<string>>();
  for (const { prefix, rest } of names.flatMap((name) => splits(withoutWrappers(name)))) {
    const prefixes = prefixesOf.get(rest);
    if (prefixes === undefined) prefixesOf.set(rest, new Set([prefix]));
    else prefixes.add(prefix);
  }
  return prefixesOf;
}

/** Lists the ways to split a name into a prefix of whole parts and the rest; the empty prefix first. */
function splits(name: string): PrefixSplit[] {
  const parts = name.split(".");
  return Array.from({ length: Math.min(parts.length, MAX_PREFIX_PARTS + 1) }, (_, count) => ({
    prefix: parts
      .slice(0, count)
      .map((part) => `${part}.`)
      .join(""),
    rest: parts.slice(count).join("."),
  }));
}

/** A name in two parts. */
interface PrefixSplit {
  readonly prefix: string;
  readonly rest: string;
}

/** Returns the prefix of all names that consists of names of containers. */
function commonContainer(names: readonly string[]): string {
  const [first = ""] = names;
  let common = "";
  for (const part of first.split(".").slice(0, -1)) {
    const longer = `${common}${part}.`;
    if (!(CONTAINERS.has(part) || WRAPPERS.has(part)) || !names.every((name) => name.startsWith(longer)))
      break;
    common = longer;
  }
  return common;
}

function severalNetworks(source: string, one: PrefixPair, two: PrefixPair): MismatchError {
  return new MismatchError(
    `Cannot find the network in "${source}" as one must fit the graph: those under "${one.prefix}" and "${two.prefix}" both do; say which with --prefix (in a script, the option prefix)`,
    { parameters: [] },
  );
}
