import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type Evaluator, type NamedLoss } from "@isthmus/graph";
import { readArchitecture } from "@isthmus/zoo";
import { type EvaluatedNetwork, evaluatedNetwork } from "./evaluated-network.ts";

/** Inputs of the evaluation of a network. */
export interface EvaluateRequest {
  /** Path of the network. */
  readonly network: string;
  /** Path of the graph. */
  readonly graph: string;
  /** Name of the examples. */
  readonly data: string;
  /** The loss. @defaultValue the loss that the graph names, else the loss that follows from the data */
  readonly loss?: NamedLoss;
}

let open: { readonly key: string; readonly evaluator: Promise<Evaluator> } | undefined;

/** Evaluates a network on the server's examples; graph and examples are opened once. */
export async function evaluateNetwork(
  { network: path, graph, data, loss: named }: EvaluateRequest,
  signal: AbortSignal,
): Promise<EvaluatedNetwork> {
  const key = JSON.stringify([graph, data, named]);
  if (open?.key !== key) open = { key, evaluator: openEvaluator(graph, data, named) };
  const network: Checkpoint = await openCheckpoint(path);
  try {
    return evaluatedNetwork(await (await open.evaluator).evaluate(network, signal));
  } finally {
    await network.close();
  }
}

async function openEvaluator(path: string, data: string, loss: NamedLoss | undefined): Promise<Evaluator> {
  const { graph } = await readArchitecture(path);
  return createEvaluator({ graph, engine: createOnnxRuntimeEngine() }, await openDataSet(data), {
    threads: 1,
    loss,
  });
}
