import { at, type Checkpoint, MismatchError, UsageError } from "@isthmus/core";
import {
  type Architecture,
  type BoundNetwork,
  bindArchitecture,
  type DataSet,
  type Graph,
} from "@isthmus/graph";
import { dirname } from "@isthmus/platform";
import { compareTokens } from "@isthmus/recipe";
import {
  assertArchitecture,
  findModelConfig,
  fitToData,
  haveOneArchitecture,
  nameTrainingData,
  openBound,
  openSharedArchitecture,
  type SharedReading,
} from "@isthmus/zoo";
import { nameNetworks, valuesOfNetworks } from "../values-of-networks.ts";

/** A network with the path that it was opened from. */
export interface NamedCheckpoint {
  /** Path of the network, from which its config is found. */
  readonly path: string;
  /** Opened checkpoint. */
  readonly checkpoint: Checkpoint;
}

/** Networks, examples and architectures of a healing, by name. */
export interface HealingNames extends Omit<SharedReading, "graph"> {
  /** Merged network that is healed. */
  readonly merged: NamedCheckpoint;
  /** Experts, which teach it. */
  readonly experts: readonly NamedCheckpoint[];
  /**
   * Names of the examples: one for all experts, or one for each, in place or by name as in
   * `code=text:code.txt`.
   */
  readonly data: readonly string[];
  /**
   * Names of the examples to measure on, likewise, or `none`. @defaultValue the test split of the examples
   */
  readonly evalData?: readonly string[] | undefined;
  /**
   * Files of the architectures: one for each expert, or one for all. @defaultValue the config beside the
   * merged network
   */
  readonly graphs?: readonly string[] | undefined;
}

/** An expert that is ready to teach. */
export interface HealingExpert {
  /** Path of the expert. */
  readonly path: string;
  /** Architecture of the merged network with the expert's head. */
  readonly architecture: Architecture;
  /** Graph of an expert of another architecture. @defaultValue the graph of `architecture` */
  readonly ownGraph?: Graph | undefined;
  /** Weights of the expert, under the names of its graph. */
  readonly weights: Checkpoint;
  /** Examples that it teaches on. */
  readonly data: DataSet;
  /** Examples to measure on; undefined for the first of `data`. */
  readonly evaluationData: DataSet | undefined;
}

/** A merged network, and the experts that heal it. */
export interface Healing {
  /** Path of the merged network. */
  readonly path: string;
  /** Merged network, under the names of all graphs. */
  readonly network: Checkpoint;
  /** Experts in the order of their names. */
  readonly experts: readonly HealingExpert[];
  /** Gives healed weights the names of the merged network's file, with its tensors that no graph reads. */
  readonly restore: (healed: Checkpoint) => Checkpoint;
}

/**
 * Opens the architectures and the examples of a healing. The network of a model's folder is built for the
 * length of the first examples. An expert whose config describes another architecture than the merged
 * network's, such as a dense model that is one of the experts of a mixture, is run in its own: it must
 * predict tokens of the same vocabulary.
 * @throws UsageError if there are neither one nor as many examples or graphs as experts, or weights that
 *   several graphs share have other names in the file
 * @throws MismatchError if networks and architectures do not fit each other, or an expert of another
 *   architecture has other tokens
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { average } from "@isthmus/interpolation";
 * import { openHealing } from "@isthmus/merge-learning";
 *
 * const paths = ["examples/mnist-mlp/s0.safetensors", "examples/mnist-mlp/s1.safetensors"];
 * const networks = await Promise.all(paths.map((path) => openCheckpoint(path)));
 * const healing = await openHealing({
 *   merged: { path: "merged.safetensors", checkpoint: average(networks) },
 *   experts: networks.map((checkpoint, i) => ({ path: paths[i] ?? "", checkpoint })),
 *   data: ["mnist:train@50"], // for both experts
 *   evalData: ["mnist:test@50"],
 *   graphs: ["examples/mnist-mlp/graph.onnx"],
 *   engine: createOnnxRuntimeEngine(),
 * });
 * assert.equal(healing.experts[1]?.data.size, 50);
 * await Promise.all(networks.map((network) => network.close()));
 * ```
 */
export async function openHealing(names: HealingNames): Promise<Healing> {
  const { merged, experts, data, evalData, graphs, ...reading } = names;
  if (experts.length === 0)
    throw new UsageError("Cannot heal as an expert must teach: name some with --from");
  const networksOfExperts = nameNetworks(experts.map(({ path }) => path));
  const findIn = (option: string, values: readonly string[] = []) => {
    const takers = { what: "experts", count: experts.length };
    return valuesOfNetworks("heal", { option, values, networks: networksOfExperts, takers });
  };
  const dataOf = findIn("--data", data);
  const evalOf = findIn("--eval-data", evalData);
  const graphOf = findIn("--graph", graphs);
  const opened: HealingExpert[] = [];
  const bound: BoundNetwork[] = [];
  for (const graph of new Set(experts.map((_, i) => graphOf(i)))) {
    const members = [...experts.keys()].filter((i) => graphOf(i) === graph);
    const taught = await Promise.all(
      members.map((i) => nameTrainingData({ data: dataOf(i) ?? "", evalData: evalOf(i) })),
    );
    const sources = taught.flatMap(({ training, evaluated }, i): [string, string | undefined][] => [
      [`data of ${i}`, training],
      [`measured of ${i}`, evaluated],
    ]);
    const networks = [merged, ...members.map((i) => at(experts, i, "expert"))];
    const { paths, others } = await describedPaths(networks, graph);
    const alike = networks.filter((network) => !others.has(network));
    const { architecture, examples } = await openBound(
      paths,
      alike.map(({ checkpoint }) => checkpoint),
      Object.fromEntries(sources),
      { ...reading, graph },
    );
    bound.push(at(architecture.networks, 0, "network"));
    for (const [i, member] of members.entries()) {
      const training = examples.get(`data of ${i}`);
      if (training === undefined) throw new UsageError("Cannot heal as examples must be named: give --data");
      const expert = at(experts, member, "expert");
      const isOther = others.has(expert);
      opened[member] = {
        path: expert.path,
        architecture: { graph: architecture.graph, engine: architecture.engine },
        ...(isOther
          ? await openOther(expert, at(paths, 0, "path"), { data: training, reading })
          : { weights: at(architecture.networks, alike.indexOf(expert), "network").network }),
        data: training,
        evaluationData: examples.get(`measured of ${i}`),
      };
    }
  }
  return { path: merged.path, experts: opened, ...joined(merged.checkpoint, bound) };
}

/** Sources of the architecture of a merged network. */
interface Described {
  /** Paths of networks of that architecture that say what it is. */
  readonly paths: readonly string[];
  /** Experts whose configs describe another architecture. */
  readonly others: ReadonlySet<NamedCheckpoint>;
}

/**
 * Finds the networks that say what their architecture is: all if a graph is named, else the ones with a
 * config, so that a merged network may be a file without one.
 * @throws UsageError if no network has a config
 */
async function describedPaths(
  networks: readonly NamedCheckpoint[],
  graph: string | undefined,
): Promise<Described> {
  const paths = networks.map(({ path }) => path);
  if (graph !== undefined) return { paths, others: new Set() };
  const configs = await Promise.all(paths.map(findModelConfig));
  const [first, ...more] = networks.filter((_, i) => configs[i] !== undefined);
  if (first === undefined) await assertArchitecture("heal", paths, {});
  const { path = "" } = first ?? {};
  const described = [path];
  const others = new Set<NamedCheckpoint>();
  for (const network of more) {
    if (await haveOneArchitecture(path, network.path)) described.push(network.path);
    else others.add(network);
  }
  return { paths: described, others };
}

/**
 * Opens an expert of another architecture than the merged network's.
 * @param described - path of a model of the merged network's architecture
 * @throws MismatchError if its tokens have other ids
 */
async function openOther(
  { path, checkpoint }: NamedCheckpoint,
  described: string,
  { data, reading }: { readonly data: DataSet; readonly reading: Omit<SharedReading, "graph"> },
): Promise<Pick<HealingExpert, "ownGraph" | "weights">> {
  const [base = "", folder = ""] = (await Promise.all([described, path].map(findModelConfig))).map(
    (config) => config && dirname(config),
  );
  const { difference } = await compareTokens(base, folder);
  if (difference !== undefined) {
    throw new MismatchError(
      `Cannot heal by the expert "${path}" as it must predict the tokens of "${described}": ${difference.replace("the base", "the merged network")}; give it the other tokenizer first by isthmus vocabulary, or leave it out`,
      { parameters: ["vocabulary"], input: path },
    );
  }
  reading.onNote?.(
    `"${path}" has another architecture than "${described}": it teaches by its outputs alone.`,
  );
  const opened = fitToData(await openSharedArchitecture([path], reading.engine, reading), data);
  const { graph, networks } = await bindArchitecture(opened, [checkpoint], reading);
  return { ownGraph: graph, weights: at(networks, 0, "network").network };
}

/** Joins what the graphs read of the merged network. */
function joined(merged: Checkpoint, bound: readonly BoundNetwork[]): Pick<Healing, "network" | "restore"> {
  const [first, ...others] = bound;
  if (first !== undefined && others.length === 0) {
    return { network: first.network, restore: (healed) => first.restore(healed) };
  }
  for (const { network } of bound) {
    const renamed = [...network.tensors.keys()].find((name) => !merged.tensors.has(name));
    if (renamed === undefined) continue;
    throw new UsageError(
      `Cannot heal by several graphs as their weights must have the names of "${merged.source}": it has no "${renamed}"; export the graphs under these names, or heal by one graph`,
    );
  }
  return { network: merged, restore: (healed) => healed };
}
