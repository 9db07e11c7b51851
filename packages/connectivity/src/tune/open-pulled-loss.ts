import { gradient } from "@isthmus/autodiff";
import { at, createTensor, entry, sizeOf, type Tensor } from "@isthmus/core";
import type { Architecture, DataSet, Graph } from "@isthmus/graph";
import { add, GraphBuilder, mul, reduceSum } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { createObjectiveRunner, type Objective, type ObjectiveRunner } from "@isthmus/training";
import { findLastLayer } from "./last-layer.ts";

/** Weights by name. */
export type Weights = ReadonlyMap<string, Tensor>;

/** Loss and gradients of one batch. */
export interface PulledOutcome {
  /** Cross-entropy, in nats. */
  readonly loss: number;
  /** Gradient of each parameter. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** Weights of the loss and of the representations in a gradient. */
export interface Pull {
  /** Factor of the loss; 0 leaves only the product with the representations. */
  readonly scale: number;
  /** Gradient by the representations, which is added, `[batch, width]`; 0 if missing. */
  readonly pull?: Float32Array;
}

/**
 * Loss of a network on batches of data, whose gradients may include a given gradient by the representations.
 */
export interface PulledLoss {
  /** Number of examples in each batch. */
  readonly batch: number;
  /**
   * Computes the loss, and the gradient of `scale` times the loss plus the product of `pull` and the
   * representations.
   */
  differentiate(weights: Weights, batch: number, pull: Pull): Promise<PulledOutcome>;
  /** Computes the representations, which the last layer reads, `[batch, width]`. */
  represent(weights: Weights, batch: number): Promise<Float32Array>;
  /** Frees the memory of the engine. */
  release(): Promise<void>;
}

const ATTEMPT = "tune by connectivity";
const [GRADIENT, FEATURES] = [0, 1];
const NAMES = { scale: "tune_scale", pull: "tune_pull", total: "tune_total" } as const;

/**
 * Opens the loss of networks in inference mode on whole batches of a data set.
 * @throws UnsupportedError if the network's output is not computed by a last linear layer
 */
export async function openPulledLoss(
  { graph, engine }: Architecture,
  data: DataSet,
  {
    batch,
    names,
    signal,
  }: { readonly batch: number; readonly names: readonly string[]; readonly signal: AbortSignal | undefined },
): Promise<PulledLoss> {
  const examples = data.size - (data.size % batch);
  const made: PulledGraph[] = [];
  const runner: ObjectiveRunner = await createObjectiveRunner(
    { attempt: ATTEMPT, graph, engine, data, loss: undefined, examples, batchSize: batch, signal },
    (objective) => {
      const pulled = pullAtFeatures(objective);
      made.push(pulled);
      return [gradient(pulled.graph, { loss: NAMES.total, withRespectTo: names }), pulled.forward];
    },
  );
  const { features, shape } = at(made, 0, "graph");
  const none = createTensor("f32", shape, new Float32Array(sizeOf(shape)));
  return {
    batch,
    async differentiate(weights, index, { scale, pull }) {
      const inputs = new Map<string, Tensor>([
        ...weights,
        [NAMES.scale, createTensor("f32", [], Float32Array.of(scale))],
        [NAMES.pull, pull === undefined ? none : createTensor("f32", shape, pull)],
      ]);
      const outcomes: PulledOutcome[] = [];
      await runner.run(
        GRADIENT,
        inputs,
        ({ results, objective }) => {
          const values = names.map((name): [string, Float32Array] => {
            return [name, entry(results, gradientName(NAMES.total, name), "gradient").data as Float32Array];
          });
          const loss = Number(entry(results, objective.loss, "loss").data[0]);
          outcomes.push({ loss, gradients: new Map(values) });
        },
        index,
      );
      return at(outcomes, 0, "batch");
    },
    async represent(weights, index) {
      const values: Float32Array[] = [];
      await runner.run(
        FEATURES,
        weights,
        ({ results }) => {
          values.push(entry(results, features, "representation").data as Float32Array);
        },
        index,
      );
      return at(values, 0, "batch");
    },
    release: () => runner.release(),
  };
}

/** Graph of a loss to which the representations may add a term. */
interface PulledGraph {
  readonly graph: Graph;
  /** Graph that computes representations only. */
  readonly forward: Graph;
  readonly features: string;
  readonly shape: readonly number[];
}

function pullAtFeatures(objective: Objective): PulledGraph {
  const { graph } = objective;
  const { graph: layers, output = "" } = objective;
  const { input: features } = findLastLayer(ATTEMPT, layers, output);
  const builder = GraphBuilder.from(graph);
  const value = builder.value(features);
  const scale = builder.input(NAMES.scale, { dtype: "f32", shape: [] });
  const pull = builder.input(NAMES.pull, { dtype: "f32", shape: value.shape });
  const loss = builder.value(objective.loss);
  const total = builder.rename(add(mul(loss, scale), reduceSum(mul(value, pull))), NAMES.total);
  const forward = { ...graph, outputs: [{ name: features }] };
  return { graph: builder.build([loss, total]), forward, features, shape: value.shape };
}
