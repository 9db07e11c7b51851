import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { type Checkpoint, entry } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Architecture, type DataSet, type Graph, readGraph } from "@isthmus/graph";
import { PARTITIONS, partitionExamples } from "@isthmus/simulation";
import { parseNetwork } from "@isthmus/zoo";
import { type Client, type ClientWeight, createClients, type LocalTraining } from "./clients.ts";
import { WEIGHINGS, type Weighing } from "./importance.ts";
import { initializeGraph } from "./initialize.ts";

/** Options of the command line that decide what is trained. */
const OPTIONS = {
  out: { type: "string" },
  net: { type: "string", default: "mlp:512x3" },
  data: { type: "string", default: "mnist" },
  examples: { type: "string" },
  test: { type: "string" },
  batch: { type: "string", default: "128" },
  clients: { type: "string", default: "10" },
  alpha: { type: "string", default: "0" },
  epochs: { type: "string", default: "12" },
  seed: { type: "string", default: "0" },
  balanced: { type: "boolean", default: false },
  schedule: { type: "string", default: "cosine" },
  many: { type: "string", default: "cycle" },
  restarts: { type: "string", default: "1" },
  weigh: { type: "string", default: "no" },
  by: { type: "string", default: "examples" },
  only: { type: "string", default: "*" },
  "train-only": { type: "boolean", default: false },
} as const;

/** Everything that a run needs before networks are averaged. */
export interface Setting {
  readonly architecture: Architecture;
  readonly test: DataSet;
  readonly whole: Client;
  readonly clients: readonly Client[];
  readonly local: LocalTraining;
  readonly seed: number;
  /** Folder of networks of this setting, and of all settings that share the training of one network. */
  readonly folder: string;
  readonly shared: string;
  readonly many: "cycle" | "merge-many";
  /** Starts of the cycle, of which the one of the greatest objective is taken. */
  readonly restarts: number;
  /** Way to weigh what clients know while their networks are aligned. */
  readonly weigh: Weighing;
  /** Way to weigh clients in averages. */
  readonly by: ClientWeight;
  /** Names of measurements to make, with wildcards. */
  readonly only: readonly string[];
  readonly trainOnly: boolean;
  /** Plain data that each printed line begins with. */
  readonly described: Readonly<Record<string, string | number | boolean>>;
  readonly initialize: (seed: number) => Checkpoint;
}

/** Reads the command line, opens the data and makes the clients. */
export async function readSetting(): Promise<Setting> {
  const { values: args } = parseArgs({ options: OPTIONS });
  if (args.out === undefined) throw new Error("give --out FOLDER");
  const [alpha, seed, count] = [Number(args.alpha), Number(args.seed), Number(args.clients)];
  const limit = args.examples === undefined ? "" : `@${args.examples}`;
  const train = await openDataSet(`${args.data}:train${limit}`);
  const test = await openDataSet(`${args.data}:test${args.test === undefined ? "" : `@${args.test}`}`);
  const { graph, initialize, network } = await openNetwork(args.net, train);
  const scheme = entry(PARTITIONS, alpha === 0 ? "iid" : "dirichlet", "partition");
  const parameters = alpha === 0 ? {} : { alpha };
  const parts = partitionExamples(train, { scheme, parameters, clients: count, seed });
  const by = chooseFrom(["examples", "even", "coverage"] as const, args.by, "by");
  const local: LocalTraining = {
    epochs: Number(args.epochs),
    threads: 1,
    batch: Number(args.batch),
    optimizer: { kind: "adam" },
    schedule: { kind: args.schedule as "cosine" | "constant", learningRate: 0.001 },
    balanced: args.balanced,
  };
  const schedule = args.schedule === "cosine" ? "" : `-schedule${args.schedule}`;
  const batch = args.batch === "128" ? "" : `-b${args.batch}`;
  const recipe = `e${args.epochs}${batch}${schedule}${limit.replace("@", "-n")}`;
  const [images = ""] = args.data.split(":");
  const shared = join(args.out, `${images}-${network}-${recipe}-s${seed}`);
  const split = alpha === 0 ? "iid" : `dirichlet ${alpha}`;
  const ways = [split.replace(" ", "-"), ...(args.balanced ? ["balanced"] : [])];
  return {
    architecture: { graph, engine: createOnnxRuntimeEngine() },
    test,
    whole: { data: train, counts: [], weight: 1, seed },
    clients: createClients(train, parts, { seed, by }),
    by,
    local,
    seed,
    folder: join(shared, ways.join("-")),
    shared,
    many: args.many as Setting["many"],
    restarts: Number(args.restarts),
    weigh: chooseFrom(WEIGHINGS, args.weigh, "weigh"),
    only: args.only.split(","),
    trainOnly: args["train-only"],
    described: {
      data: images,
      net: network,
      split,
      recipe,
      balanced: args.balanced,
      clients: count,
      restarts: Number(args.restarts),
      weigh: args.weigh,
      by: args.by,
      seed,
    },
    initialize,
  };
}

function chooseFrom<T extends string>(choices: readonly T[], name: string, option: string): T {
  const chosen = choices.find((way) => way === name);
  if (chosen === undefined)
    throw new Error(`--${option} must be one of ${choices.join(", ")}: it is ${name}`);
  return chosen;
}

/** Opens a network of the zoo, or the graph of a file, whose folder is then its name. */
async function openNetwork(
  net: string,
  examples: DataSet,
): Promise<{ graph: Graph; initialize: (seed: number) => Checkpoint; network: string }> {
  if (!net.endsWith(".onnx")) return { ...parseNetwork(net, examples), network: net.replaceAll(":", "-") };
  const { graph } = await readGraph(net);
  return { graph, initialize: (seed) => initializeGraph(graph, seed), network: basename(dirname(net)) };
}
