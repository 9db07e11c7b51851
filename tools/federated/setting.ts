import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Checkpoint, entry } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { PARTITIONS, partitionExamples } from "@isthmus/federated";
import type { Architecture, DataSet } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { type Client, createClients, type LocalTraining } from "./clients.ts";

/** Options of the command line that decide what is trained. */
const OPTIONS = {
  out: { type: "string" },
  net: { type: "string", default: "mlp:512x3" },
  data: { type: "string", default: "mnist" },
  clients: { type: "string", default: "10" },
  alpha: { type: "string", default: "0" },
  epochs: { type: "string", default: "12" },
  seed: { type: "string", default: "0" },
  balanced: { type: "boolean", default: false },
  schedule: { type: "string", default: "cosine" },
  many: { type: "string", default: "cycle" },
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
  const train = await openDataSet(`${args.data}:train`);
  const test = await openDataSet(`${args.data}:test`);
  const { graph, initialize } = parseNetwork(args.net, train);
  const scheme = entry(PARTITIONS, alpha === 0 ? "iid" : "dirichlet", "partition");
  const parameters = alpha === 0 ? {} : { alpha };
  const parts = partitionExamples(train, { scheme, parameters, clients: count, seed });
  const local: LocalTraining = {
    epochs: Number(args.epochs),
    threads: 1,
    batch: 128,
    optimizer: { kind: "adam" },
    schedule: { kind: args.schedule as "cosine" | "constant", learningRate: 0.001 },
    balanced: args.balanced,
  };
  const recipe = `e${args.epochs}${args.schedule === "cosine" ? "" : `-schedule${args.schedule}`}`;
  const network = args.net.replaceAll(":", "-");
  const shared = join(args.out, `${args.data}-${network}-${recipe}-s${seed}`);
  const split = alpha === 0 ? "iid" : `dirichlet ${alpha}`;
  const ways = [split.replace(" ", "-"), ...(args.balanced ? ["balanced"] : [])];
  return {
    architecture: { graph, engine: createOnnxRuntimeEngine() },
    test,
    whole: { data: train, counts: [], seed },
    clients: createClients(train, parts, seed),
    local,
    seed,
    folder: join(shared, ways.join("-")),
    shared,
    many: args.many as Setting["many"],
    only: args.only.split(","),
    trainOnly: args["train-only"],
    described: {
      data: args.data,
      net: network,
      split,
      recipe,
      balanced: args.balanced,
      clients: count,
      seed,
    },
    initialize,
  };
}
