import {
  at,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  entry,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { shareOfClass } from "./averages.ts";
import type { LinearLayer, Moments } from "./client-moments.ts";
import type { Client } from "./clients.ts";

/**
 * Ways to weigh what clients know of each weight: `no` counts all alike; `inputs` counts a weight by the second
 * moment of its input on the client's examples; `classes` counts rows of the last layer by the client's share of
 * the class; `both` does both.
 */
export const WEIGHINGS = ["no", "inputs", "classes", "both"] as const;

/** A way to weigh what clients know. */
export type Weighing = (typeof WEIGHINGS)[number];

/** Numbers that clients send beside their networks: moments of the inputs of each layer, and counts of classes. */
export interface Known {
  readonly layers: readonly LinearLayer[];
  /** Moments of the inputs of every layer, for each client. */
  readonly moments: readonly (readonly Moments[])[];
  readonly clients: readonly Client[];
}

/**
 * Computes how much each weight of each client counts, by what the client knows of the unit that it reads and
 * of the class that it speaks for; every other weight counts by the client's examples.
 *
 * A second moment of 0 is an input that the client has never seen: its weights are what training began with.
 * @returns tensors of the names and shapes of the graph's weights, for each client
 */
export function importanceOf(
  graph: Graph,
  { layers, moments, clients }: Known,
  weigh: Exclude<Weighing, "no">,
): Checkpoint[] {
  const total = clients.reduce((sum, client) => sum + client.weight, 0);
  return clients.map((client, i) => {
    const ofClient = client.weight / total;
    const tensors = new Map<string, Tensor>();
    for (const [name, { shape }] of graph.weights) {
      tensors.set(name, createTensor("f32", shape, new Float32Array(sizeOf(shape)).fill(ofClient)));
    }
    for (const [l, { weight, bias }] of layers.entries()) {
      const [outputs = 0, inputs = 0] = entry(graph.weights, weight, "weight").shape;
      const { mean, covariance } = at(at(moments, i), l);
      const isLast = l === layers.length - 1;
      const ofRow = (row: number) =>
        isLast && weigh !== "inputs" ? shareOfClass(clients, i, row) : ofClient;
      const ofColumn = (u: number) =>
        weigh === "classes" ? 1 : Math.max(at(covariance, u * (inputs + 1)), 0) + at(mean, u) ** 2;
      const values = Float32Array.from(
        { length: outputs * inputs },
        (_, p) => ofRow(Math.floor(p / inputs)) * ofColumn(p % inputs),
      );
      tensors.set(weight, createTensor("f32", [outputs, inputs], values));
      tensors.set(
        bias,
        createTensor(
          "f32",
          [outputs],
          Float32Array.from({ length: outputs }, (_, u) => ofRow(u)),
        ),
      );
    }
    return createCheckpoint(tensors, {}, `what client ${i} knows`);
  });
}
