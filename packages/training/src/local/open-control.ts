import { type Checkpoint, entry, type Tensor, toFloat64 } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { measureGradient } from "../gradients/measure-gradient.ts";
import { resolveOptimizer } from "../optimizer/optimizers.ts";
import type { TrainingStep } from "../step/training-step.ts";
import type { ResolvedTrainOptions } from "../train/train-options.ts";
import { bindParameters, trainedPart } from "./bind-parameters.ts";
import type { ControlVariateUpdate, ResolvedControlVariates } from "./control-variates.ts";
import {
  addScaled,
  controlCorrection,
  nextControlVariates,
  type ParameterTensors,
  sumLearningRates,
} from "./next-control-variates.ts";
import type { LocalNetwork } from "./open-curriculum.ts";

/**
 * Returns whether control variates correct any gradient: whether the server's and the client's differ. If
 * not, the step is the same as without control variates.
 */
export async function correctsGradients(
  graph: Graph,
  { server, client }: Partial<ResolvedControlVariates> = {},
): Promise<boolean> {
  const read = async (checkpoint: Checkpoint | undefined, name: string) => {
    if (checkpoint?.tensors.has(name) !== true) return undefined;
    const { data, dtype } = await checkpoint.read(name);
    return toFloat64(data, dtype);
  };
  for (const name of graph.weights.keys()) {
    const [c, own] = [await read(server, name), await read(client, name)];
    const zeros = new Float64Array((c ?? own)?.length ?? 0);
    if (!areEqual(c ?? zeros, own ?? zeros)) return true;
  }
  return false;
}

/** Returns whether numbers are equal; sizes that differ are refused once the parameters are known. */
const areEqual = (a: Float64Array, b: Float64Array): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/** Control variates of a training that begins. */
export interface Control {
  /** Tensors for the step's corrections, by their data inputs. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Computes the variates that the client sends and keeps, once training is over. */
  finish(end: ParameterTensors, steps: number): Promise<ControlVariateUpdate>;
}

/**
 * Opens the control variates of a training.
 * @throws MismatchError if a variate of a trained parameter is missing or has another shape
 * @throws InputError if a variate is not finite
 */
export async function openControl(
  network: LocalNetwork,
  step: TrainingStep,
  { server, client, option }: ResolvedControlVariates,
  options: ResolvedTrainOptions,
): Promise<Control> {
  const part = trainedPart(network.graph, step);
  const what = "control variates";
  const bind = async (checkpoint: Checkpoint | undefined) =>
    checkpoint === undefined ? undefined : bindParameters(part, checkpoint, what);
  const [serverVariates, clientVariates] = [await bind(server), await bind(client)];
  const correction =
    step.corrections.size === 0 ? undefined : controlCorrection(part.weights, serverVariates, clientVariates);
  const inputs = [...step.corrections].map(([name, input]): [string, Tensor] => [
    input,
    entry(correction ?? new Map<string, Tensor>(), name, "correction"),
  ]);
  return {
    inputs: new Map(inputs),
    async finish(end, steps) {
      const start = await bindParameters(part, network.weights, "weights");
      const gradient = option === "I" ? await gradientAt(network, start, options) : undefined;
      const rates = sumLearningRates(options.schedule, steps);
      return nextControlVariates({ start, end, client: clientVariates, correction, gradient, rates });
    },
  };
}

/** Computes the gradient at the weights that training starts from: of the mean loss, and of weight decay. */
async function gradientAt(
  { graph, engine, weights, data }: LocalNetwork,
  start: ParameterTensors,
  { loss, optimizer, threads, signal }: ResolvedTrainOptions,
): Promise<ParameterTensors> {
  const { decayOf } = resolveOptimizer(optimizer);
  const measured = await measureGradient({ graph, engine }, weights, data, { loss, threads, signal });
  const entries = [...start].map(async ([name, w]): Promise<[string, Tensor]> => {
    const slope = await measured.read(name);
    return [name, addScaled(w, slope, decayOf({ name, shape: w.shape }))];
  });
  return new Map(await Promise.all(entries));
}
