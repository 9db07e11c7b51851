import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  at,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  entry,
  openCheckpoint,
  saveCheckpoint,
  sizeOf,
  type Tensor,
  withTensors,
} from "@isthmus/core";
import { discoverSymmetries, permute, wholeSpec } from "@isthmus/symmetry";
import { alignMany } from "@isthmus/weight-matching";
import {
  type LinearLayer,
  type Moments,
  measureMoments,
  readMoments,
  selectMoments,
  storeMoments,
} from "./client-moments.ts";
import { trainClient } from "./clients.ts";
import { importanceOf } from "./importance.ts";
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

/** Clients' networks in common coordinates, and what clients know of them. */
export interface AlignedClients {
  readonly networks: readonly Checkpoint[];
  /** Moments of the inputs of layers, of each client, in the same coordinates. */
  readonly moments: readonly (readonly Moments[])[];
}

/**
 * Brings the clients' networks, and the moments that come with them, into common coordinates, without data.
 * @param moments - of each client, of its own network
 */
export async function alignClients(
  setting: Setting,
  networks: readonly Checkpoint[],
  { layers, moments }: { readonly layers: readonly LinearLayer[]; readonly moments: readonly Moments[][] },
): Promise<AlignedClients> {
  const { architecture, many, restarts, weigh, by, seed, folder, clients } = setting;
  const symmetries = await discoverSymmetries(architecture);
  const spec = wholeSpec(symmetries);
  const key = [many, restarts === 1 ? "" : `r${restarts}`, weigh === "no" ? "" : `${weigh}-${by}`]
    .filter((part) => part !== "")
    .join("-");
  const found = await openOrMake(join(folder, `universe-${key}.safetensors`), async () => {
    const importance =
      weigh === "no" ? undefined : importanceOf(architecture.graph, { layers, moments, clients }, weigh);
    const { aligned } = await alignMany(architecture, networks, {
      seed,
      many,
      starts: restarts,
      symmetries,
      importance,
      proof: "outputs",
    });
    const sources = aligned.map(({ alignment: { source } }, i): [string, Tensor] => [
      `${i}`,
      createTensor("i32", [source.length], source),
    ]);
    return createCheckpoint(new Map(sources));
  });
  const placed: Checkpoint[] = [];
  const turned: Moments[][] = [];
  for (const [i, network] of networks.entries()) {
    const alignment = { source: (await found.read(`${i}`)).data as Int32Array };
    const move = (one: Checkpoint) => permute(alignment, one, spec);
    placed.push(move(network));
    const ofClient: Moments[] = [];
    for (const [l, { weight }] of layers.entries()) {
      const { shape } = entry(architecture.graph.weights, weight, "weight");
      const columns = Float32Array.from({ length: sizeOf(shape) }, (_, p) => p % at(shape, 1));
      const numbered = withTensors(network, new Map([[weight, createTensor("f32", shape, columns)]]));
      const { data } = await move(numbered).read(weight);
      ofClient.push(selectMoments(at(at(moments, i), l), (data as Float32Array).subarray(0, at(shape, 1))));
    }
    turned.push(ofClient);
  }
  return { networks: placed, moments: turned };
}

/** Measures moments of the inputs of layers of each client's own network, on the client's examples. */
export async function measureClients(
  { architecture, clients, folder }: Setting,
  networks: readonly Checkpoint[],
  layers: readonly LinearLayer[],
): Promise<Moments[][]> {
  const moments: Moments[][] = [];
  for (const [i, { data }] of clients.entries()) {
    const make = async () => storeMoments(await measureMoments(architecture, at(networks, i), data, layers));
    moments.push(await readMoments(await openOrMake(join(folder, `own-moments-${i}.safetensors`), make)));
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
