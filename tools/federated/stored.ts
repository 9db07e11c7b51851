import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  at,
  type Checkpoint,
  createCheckpoint,
  openCheckpoint,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { alignMany } from "@isthmus/weight-matching";
import {
  type LinearLayer,
  type Moments,
  measureMoments,
  readMoments,
  storeMoments,
} from "./client-moments.ts";
import { trainClient } from "./clients.ts";
import type { Setting } from "./setting.ts";

/** Trains each client alone from its own seed, unless its network is there. */
export async function trainAlone(setting: Setting): Promise<Checkpoint[]> {
  const { architecture, clients, local, folder, initialize } = setting;
  const networks: Checkpoint[] = [];
  for (const [i, client] of clients.entries()) {
    const make = () => trainClient(architecture, initialize(client.seed), client, local);
    networks.push(await openOrMake(join(folder, `client-${i}.safetensors`), make));
  }
  return networks;
}

/** Trains one network on the examples of all clients together. */
export async function trainCentrally({
  architecture,
  whole,
  local,
  shared,
  initialize,
}: Setting): Promise<Checkpoint> {
  return openOrMake(join(shared, "central.safetensors"), () =>
    trainClient(architecture, initialize(whole.seed), whole, { ...local, balanced: false }),
  );
}

/** Brings the clients' networks into common coordinates, without data. */
export async function alignClients(
  { architecture, many, seed, folder }: Setting,
  networks: readonly Checkpoint[],
): Promise<Checkpoint[]> {
  let result: ReturnType<typeof alignMany> | undefined;
  const aligned: Checkpoint[] = [];
  for (const i of networks.keys()) {
    const make = async () => {
      result ??= alignMany(architecture, networks, { seed, many });
      return at((await result).networks, i);
    };
    aligned.push(await openOrMake(join(folder, `${many}-${i}.safetensors`), make));
  }
  return aligned;
}

/** Measures moments of the inputs of layers of each client's aligned network, on the client's examples. */
export async function measureClients(
  { architecture, clients, many, folder }: Setting,
  aligned: readonly Checkpoint[],
  layers: readonly LinearLayer[],
): Promise<Moments[][]> {
  const moments: Moments[][] = [];
  for (const [i, { data }] of clients.entries()) {
    const make = async () => storeMoments(await measureMoments(architecture, at(aligned, i), data, layers));
    moments.push(await readMoments(await openOrMake(join(folder, `${many}-moments-${i}.safetensors`), make)));
  }
  return moments;
}

/** Opens a checkpoint of a file, which is made first if it is missing. */
async function openOrMake(path: string, make: () => Promise<Checkpoint>): Promise<Checkpoint> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    await mkdir(join(path, ".."), { recursive: true });
    await saveCheckpoint(await make(), path);
    process.stderr.write(`made ${path}\n`);
  }
  const opened = await openCheckpoint(path);
  const tensors = new Map<string, Tensor>();
  for (const name of opened.tensors.keys()) tensors.set(name, await opened.read(name));
  await opened.close();
  return createCheckpoint(tensors, {}, path);
}
