import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  openCheckpoint,
  saveCheckpoint,
} from "@isthmus/core";
import {
  type AdapterScaling,
  type FederationPlanOptions,
  type PrivacyDescription,
  planFederation,
  resolveStrategy,
  saveAggregate,
} from "@isthmus/federated";
import type { FederationConfig, ServerLimits } from "@isthmus/federation-server";
import { addToken } from "@isthmus/federation-server";

/** Returns shapes of the small network of tests, whose layers have so many times 4, 8 and 16 units. */
const shapesOf = (scale: number): readonly (readonly [string, readonly number[]])[] => [
  ["a.weight", [16 * scale, 8 * scale]],
  ["a.bias", [16 * scale]],
  ["b.weight", [4 * scale, 16 * scale]],
];

/** Makes a network of seeded normal numbers, added to another one if there is one. */
export async function makeNetwork(seed: number, base?: Checkpoint, scale = 1): Promise<Checkpoint> {
  const tensors: Record<string, ReturnType<typeof createTensor>> = {};
  const shapes =
    base === undefined
      ? shapesOf(scale)
      : [...base.tensors].map(([name, { shape }]) => [name, shape] as const);
  for (const [name, shape] of shapes) {
    const random = createRandom(seed, name);
    const before = (await base?.read(name))?.data;
    const size = shape.reduce((product, extent) => product * extent, 1);
    const data = Float32Array.from(
      { length: size },
      (_, i) => Number(before?.[i] ?? 0) + 0.1 * random.normal(),
    );
    tensors[name] = createTensor("f32", shape, data);
  }
  return createCheckpoint(tensors);
}

/** A folder with a network, a configuration and the tokens of some clients. */
export interface SmallFederation {
  readonly folder: string;
  readonly config: FederationConfig;
  readonly tokens: ReadonlyMap<string, string>;
  remove(): void;
}

/** What tests choose about a small federation. */
export interface SmallOptions extends Partial<Pick<FederationConfig, "name" | "port" | "public" | "tls">> {
  readonly clients?: readonly string[];
  readonly plan?: FederationPlanOptions;
  readonly limits?: Partial<ServerLimits>;
  readonly keepTensors?: readonly string[];
  /** How many times as wide as usual the layers of the network are. */
  readonly scale?: number;
  readonly rule?: string;
  /** Optimiser of the server. */
  readonly server?: string;
  readonly privacy?: PrivacyDescription;
  /** The network in place of the small one. */
  readonly network?: Checkpoint;
  /** Scale of adapters. */
  readonly adapters?: AdapterScaling;
}

/** Makes a small federation in a folder of its own. */
export async function makeFederation(options: SmallOptions = {}): Promise<SmallFederation> {
  const {
    clients = ["ada", "bea", "cas"],
    plan,
    limits,
    keepTensors = [],
    rule = "fedavg",
    port = 0,
  } = options;
  const folder = mkdtempSync(join(tmpdir(), "isthmus-federation-"));
  const network = join(folder, "start.safetensors");
  await saveCheckpoint(options.network ?? (await makeNetwork(0, undefined, options.scale)), network);
  const tokenFile = join(folder, "tokens.json");
  const tokens = new Map<string, string>();
  for (const client of clients) tokens.set(client, await addToken(tokenFile, client));
  const config: FederationConfig = {
    ...{
      name: options.name ?? "small",
      network,
      graph: null,
      evaluate: null,
      layerBarriers: 0,
      noiseSeed: null,
      host: "127.0.0.1",
      port,
    },
    plan: planFederation({ rounds: 3, quorum: clients.length, ...plan }),
    strategy: {
      ...(options.privacy === undefined ? { rule } : { privacy: options.privacy }),
      ...(options.server !== undefined && { server: options.server }),
      ...(options.adapters !== undefined && { adapters: options.adapters }),
      share: { layers: Object.fromEntries(keepTensors.map((name) => [name, "keep" as const])) },
    },
    training: { epochs: 1, batch: null, optimizer: "sgd", learningRate: null, momentum: 0.9 },
    limits: {
      ...{ bytes: null, norm: "auto", examples: 1e6, requestsPerMinute: 1e6, requestSeconds: 30 },
      ...{ rank: null, presenceSeconds: 60, connections: 1000, ...limits },
    },
    ...{
      tls: options.tls ?? null,
      folder: join(folder, "state"),
      tokens: tokenFile,
      public: options.public ?? true,
    },
  };
  return { folder, config, tokens, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Bytes and their SHA-256. */
export interface Body {
  readonly bytes: Buffer;
  readonly hash: string;
}

/** Returns bytes with their SHA-256. */
export const bodyOf = (bytes: Buffer): Body => ({
  bytes,
  hash: createHash("sha256").update(bytes).digest("hex"),
});

/** Makes the update that a client of tests sends for a round: a function of its name, the round and the network. */
export async function makeUpdate(client: string, round: number, network: Buffer): Promise<Body> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-update-"));
  try {
    const seed = Number.parseInt(
      createHash("sha256").update(`${client} ${round}`).digest("hex").slice(0, 8),
      16,
    );
    const base = await writeAndOpen(join(folder, "base.safetensors"), network);
    await saveCheckpoint(await makeNetwork(seed, base), join(folder, "update.safetensors"));
    await base.close();
    return bodyOf(readFileSync(join(folder, "update.safetensors")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An update as a test knows it: who sent which bytes. */
export interface SentUpdate {
  readonly client: string;
  readonly examples: number;
  readonly bytes: Buffer;
}

/**
 * Aggregates updates by the strategy of a federation that carries nothing from round to round; returns the hash
 * of the network that its server must come to.
 * @param step - number of the aggregation, from 1
 */
export async function hashOfAggregate(
  { config }: SmallFederation,
  step: number,
  network: Buffer,
  updates: readonly SentUpdate[],
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-expected-"));
  const opened: Checkpoint[] = [];
  const open = async (name: string, bytes: Buffer): Promise<Checkpoint> => {
    const checkpoint = await writeAndOpen(join(folder, `${name}.safetensors`), bytes);
    opened.push(checkpoint);
    return checkpoint;
  };
  try {
    const base = await open("base", network);
    const sent = [];
    for (const { client, examples, bytes } of updates) {
      sent.push({ client, examples, network: await open(`update.${client}`, bytes) });
    }
    const files = { network: join(folder, "next.safetensors"), state: join(folder, "state.safetensors") };
    const resolved = resolveStrategy(undefined, base, config.strategy);
    await saveAggregate(base, sent, files, { ...resolved, round: step, seed: config.plan.seed });
    return bodyOf(readFileSync(files.network)).hash;
  } finally {
    for (const checkpoint of opened) await checkpoint.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the path of the last update that a client made, as its record names it. */
export function madeBy({ folder }: SmallFederation, client: string): string {
  const { update } = JSON.parse(readFileSync(join(folder, client, "update.json"), "utf8")) as {
    readonly update: string;
  };
  return join(folder, client, update);
}

async function writeAndOpen(path: string, bytes: Buffer): Promise<Checkpoint> {
  writeFileSync(path, bytes);
  return openCheckpoint(path);
}
