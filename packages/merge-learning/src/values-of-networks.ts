import { at, UsageError } from "@isthmus/core";
import { basename } from "@isthmus/platform";

/**
 * Returns names of networks: the names of their files or folders, without an ending; networks of one such
 * name have their whole path.
 * @param paths - paths of the networks; undefined for a network without one
 */
export function nameNetworks(paths: readonly (string | undefined)[]): readonly string[] {
  const short = paths.map((path, i) =>
    path === undefined ? `model ${i + 1}` : basename(path).replace(/\.(safetensors|pt|pth|bin|gguf)$/, ""),
  );
  return short.map((name, i) => {
    const isTwin = short.filter((other) => other === name).length > 1;
    return isTwin ? (paths[i] ?? `${name} ${i + 1}`) : name;
  });
}

/** A value of an option, such as the name of a data set, with the network that is named before it. */
export interface NetworkValue {
  /** Position of the network in `NETWORK=value`; undefined if none is named. */
  readonly network: number | undefined;
  /** The value itself. */
  readonly value: string;
}

/** A name and `=` before a data set, as in `code=text:a.txt`; files and cues may have `=`, too. */
const NAMED_DATA = /^([^:+/\\=]+)=(?:[a-z0-9-]+)(?=[:@]|$)/;

/**
 * Reads a value that may have the name of a network and `=` before it, as in `code=text:code.txt`.
 * @throws UsageError if the name before a data set is of no network
 */
export function readNetworkValue(text: string, networks: readonly string[]): NetworkValue {
  const network = networks.findIndex((name) => text.startsWith(`${name}=`));
  if (network < 0) {
    const [, name] = NAMED_DATA.exec(text) ?? [];
    if (name === undefined) return { network: undefined, value: text };
    throw new UsageError(
      `Cannot read "${text}" as the name before "=" must be of a network: "${name}" is none of ${networks.join(", ")}`,
    );
  }
  return { network, value: text.slice(at(networks, network, "network").length + 1) };
}

/** Values of an option for several networks or data sets. */
export interface NetworkValues {
  /** Name of the option, for messages. */
  readonly option: string;
  /** Values, each of which may have the name of a network before it. */
  readonly values: readonly string[];
  /** Names of the networks, see {@link nameNetworks}. */
  readonly networks: readonly string[];
  /** Noun and number of the things that take a value each. @defaultValue the networks */
  readonly takers?: { readonly what: string; readonly count: number };
}

/**
 * Returns a function that finds the value of an option for a network or data set: the value that names its
 * network, or the one in its place, or the only one. It returns undefined if no values are given.
 * @throws UsageError if there is neither one value for all nor one for each, and, when it is called, if none
 *   is for the network
 */
export function valuesOfNetworks(
  attempt: string,
  { option, values, networks, takers = { what: "networks", count: networks.length } }: NetworkValues,
): (place: number, network?: number) => string | undefined {
  if (values.length > 1 && values.length !== takers.count) {
    throw new UsageError(
      `Cannot ${attempt} with ${values.length} values of ${option} as there must be one for all ${takers.what}, or one for each: there are ${takers.count}`,
    );
  }
  const read = values.map((value) => readNetworkValue(value, networks));
  return (place, network = place) => {
    if (read.length === 0) return undefined;
    const named = read.find((one) => one.network === network);
    const placed = read[read.length === 1 ? 0 : place];
    const chosen = named ?? (placed?.network === undefined ? placed : undefined);
    if (chosen !== undefined) return chosen.value;
    throw new UsageError(
      `Cannot ${attempt} as ${option} must name a value for each of the ${takers.what}: "${networks[network] ?? place + 1}" has none`,
    );
  };
}
