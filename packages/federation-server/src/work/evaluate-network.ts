import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type Evaluator } from "@isthmus/graph";
import { readArchitecture } from "@isthmus/zoo";

/** What is needed to evaluate a network. */
export interface EvaluateRequest {
  readonly network: string;
  readonly graph: string;
  /** Name of the examples. */
  readonly data: string;
}

/** Numbers of a network on the server's examples; a type alias, so that it has an index signature. */
export type EvaluatedNetwork = { readonly loss: number; readonly accuracy: number };

let open: { readonly key: string; readonly evaluator: Promise<Evaluator> } | undefined;

/** Evaluates a network on the server's examples; graph and examples are opened once. */
export async function evaluateNetwork(
  { network: path, graph, data }: EvaluateRequest,
  signal: AbortSignal,
): Promise<EvaluatedNetwork> {
  const key = JSON.stringify([graph, data]);
  if (open?.key !== key) open = { key, evaluator: openEvaluator(graph, data) };
  const network: Checkpoint = await openCheckpoint(path);
  try {
    const { loss, error } = await (await open.evaluator).evaluate(network, signal);
    return { loss, accuracy: 1 - error };
  } finally {
    await network.close();
  }
}

async function openEvaluator(path: string, data: string): Promise<Evaluator> {
  const { graph } = await readArchitecture(path);
  return createEvaluator({ graph, engine: createOnnxRuntimeEngine() }, await openDataSet(data), {
    threads: 1,
  });
}
