import { at, type Checkpoint, createTensor, entry, type Tensor, toFloat64, withTensors } from "@isthmus/core";
import { type Architecture, type Graph, limitExamples } from "@isthmus/graph";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import type { Moments } from "./client-moments.ts";
import type { Client } from "./clients.ts";
import { poolDiagonals } from "./repair-by-moments.ts";

/** Examples of each client that norms are measured on. */
const EXAMPLES = 1000;

/** Names of the running mean and variance of each batch norm of a graph. */
export function findNorms({ nodes }: Graph): (readonly [mean: string, variance: string])[] {
  return nodes.flatMap(({ op, inputs }) =>
    op === "BatchNormalization" ? [[at(inputs, 3), at(inputs, 4)] as const] : [],
  );
}

/**
 * Gives an average the batch-norm statistics that its clients measure of it: each client measures all norms on
 * its own examples and sends them, and the server pools them as if the examples were one client's. That is
 * exact where clients' examples are alike; a deeper norm of a client was measured above its own statistics,
 * not above the pooled ones. It takes one exchange.
 * @returns the network, and the bytes that each client has sent
 */
export async function poolNorms(
  architecture: Architecture,
  network: Checkpoint,
  clients: readonly Client[],
): Promise<{ readonly network: Checkpoint; readonly upload: number }> {
  const norms = findNorms(architecture.graph);
  const measured: Checkpoint[] = [];
  for (const { data } of clients) {
    const examples = limitExamples("measure norms", data, Math.min(EXAMPLES, data.size));
    measured.push(await recalibrateBatchNorm(architecture, network, examples, { threads: 1 }));
  }
  const replaced = new Map<string, Tensor>();
  let upload = 0;
  for (const [mean, variance] of norms) {
    const parts: Moments[] = [];
    for (const [i, { data }] of clients.entries()) {
      const read = async (name: string) => toFloat64((await at(measured, i).read(name)).data, "f32");
      parts.push({ count: data.size, mean: await read(mean), covariance: await read(variance) });
    }
    const pooled = poolDiagonals(parts);
    const { shape } = entry(network.tensors, mean, "tensor");
    replaced.set(mean, createTensor("f32", shape, Float32Array.from(pooled.mean)));
    replaced.set(variance, createTensor("f32", shape, Float32Array.from(pooled.covariance)));
    upload += 2 * 4 * pooled.mean.length;
  }
  return { network: withTensors(network, replaced), upload };
}
