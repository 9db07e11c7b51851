import { measureLayers } from "@isthmus/barrier";
import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { limitExamples, type NamedLoss } from "@isthmus/graph";
import { readArchitecture } from "@isthmus/zoo";
import { completed } from "./complete-update.ts";

/** Inputs of the measurement of the barriers of layers between two clients. */
export interface LayerBarriersRequest {
  /** Path of the global network that both began with. */
  readonly network: string;
  /** Paths of the two updates. */
  readonly updates: readonly [string, string];
  /** Names of tensors that clients keep to themselves. */
  readonly keep: readonly string[];
  /** Path of the graph. */
  readonly graph: string;
  /** Name of the examples. */
  readonly data: string;
  /** The loss. @defaultValue the loss that the graph names, else the loss that follows from the data */
  readonly loss?: NamedLoss;
  /** Number of examples to measure on, the first ones of the data. */
  readonly examples: number;
}

/**
 * Rise of the loss by name of the layer, as `barrier NAME`; a type alias, so that it has an index signature.
 */
export type LayerBarriers = Readonly<Record<string, number>>;

/** Number of points on each path: both ends and the middle. */
const POINTS = 3;

/**
 * Measures the rise of the loss on the server's examples if one layer of two clients is averaged and the
 * other layers come from one of the clients.
 */
export async function measureLayerBarriers(
  request: LayerBarriersRequest,
  signal: AbortSignal,
): Promise<LayerBarriers> {
  const opened: Checkpoint[] = [];
  const open = async (path: string): Promise<Checkpoint> => {
    const checkpoint = await openCheckpoint(path);
    opened.push(checkpoint);
    return checkpoint;
  };
  try {
    const network = await open(request.network);
    const keep = new Set(request.keep);
    const [first, second] = request.updates;
    const a = completed(await open(first), network, keep);
    const b = completed(await open(second), network, keep);
    const { graph } = await readArchitecture(request.graph);
    const all = await openDataSet(request.data);
    const data = limitExamples("measure layers", all, request.examples);
    const architecture = { graph, engine: createOnnxRuntimeEngine() };
    const { layers } = await measureLayers(architecture, [a, b], data, {
      points: POINTS,
      orders: [],
      loss: request.loss,
      signal,
    });
    return Object.fromEntries(layers.map(({ group, barrier }) => [`barrier ${group}`, barrier.loss]));
  } finally {
    for (const checkpoint of opened) await checkpoint.close();
  }
}
