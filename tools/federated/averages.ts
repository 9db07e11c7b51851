import { at, type Checkpoint, createTensor, entry, type Tensor, withTensors } from "@isthmus/core";
import { linear, merge } from "@isthmus/merging";
import type { LinearLayer } from "./client-moments.ts";
import type { Client } from "./clients.ts";

/** Networks in the same coordinates, of clients in the same order. */
export interface Cohort {
  readonly networks: readonly Checkpoint[];
  readonly clients: readonly Client[];
  readonly layers: readonly LinearLayer[];
}

/** Averages networks by the weights of their clients. */
export function averageClients({ networks, clients }: Omit<Cohort, "layers">): Checkpoint {
  const weight = clients.map((client) => client.weight);
  return merge([...networks], { method: linear, parameters: { weight } });
}

/** Averages the rows of the last layer by the number of examples of their class that each client has. */
export async function averageRowsByClass(
  mean: Checkpoint,
  { networks, clients, layers }: Cohort,
): Promise<Checkpoint> {
  const { weight, bias } = at(layers, layers.length - 1);
  const classes = at(clients, 0).counts.length;
  const replaced = new Map<string, Tensor>();
  for (const name of [weight, bias]) {
    const { shape } = entry(mean.tensors, name, "tensor");
    const out = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const row = out.length / classes;
    for (const [i, network] of networks.entries()) {
      const { data } = await network.read(name);
      for (let p = 0; p < out.length; p++) {
        out[p] = at(out, p) + shareOfClass(clients, i, Math.floor(p / row)) * Number(data[p]);
      }
    }
    replaced.set(name, createTensor("f32", shape, out));
  }
  return withTensors(mean, replaced);
}

/** Returns the share of a client in all examples of a class. */
export function shareOfClass(clients: readonly Client[], i: number, label: number): number {
  const total = clients.reduce((sum, { counts }) => sum + at(counts, label), 0);
  return at(at(clients, i).counts, label) / total;
}

/** Gives each row of the hidden layers the mean norm of the clients' rows: repair by weights alone. */
export async function rescaleRows(mean: Checkpoint, { networks, layers }: Cohort): Promise<Checkpoint> {
  const replaced = new Map<string, Tensor>();
  for (const { weight, bias } of layers.slice(0, -1)) {
    const norms = (await Promise.all(networks.map((network) => rowNorms(network, weight)))).reduce(
      (sum, one) => sum.map((x, u) => x + at(one, u)),
    );
    const current = await rowNorms(mean, weight);
    const factors = norms.map((x, u) => x / networks.length / at(current, u));
    for (const name of [weight, bias]) {
      const { data, shape } = await mean.read(name);
      const row = data.length / factors.length;
      const scaled = Float32Array.from(data as Float32Array, (x, p) => x * at(factors, Math.floor(p / row)));
      replaced.set(name, createTensor("f32", shape, scaled));
    }
  }
  return withTensors(mean, replaced);
}

async function rowNorms(network: Checkpoint, name: string): Promise<Float64Array> {
  const { data, shape } = await network.read(name);
  const [outputs = 0, inputs = 0] = shape;
  const norms = new Float64Array(outputs);
  data.forEach((x: number | bigint, p: number) => {
    const u = Math.floor(p / inputs);
    norms[u] = at(norms, u) + Number(x) ** 2;
  });
  return norms.map(Math.sqrt);
}
