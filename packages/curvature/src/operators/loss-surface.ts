import { gradient } from "@isthmus/autodiff";
import {
  assertWholeOptions,
  at,
  type Checkpoint,
  entry,
  InputError,
  InvariantError,
  resolveOptions,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import { type Architecture, assertNetwork, bindWeights, type DataSet } from "@isthmus/graph";
import { gradientName } from "@isthmus/graph/ir";
import { createObjectiveRunner, type ObjectiveOutcome } from "@isthmus/training";
import type { OperatorTensor } from "../linear-operator.ts";
import { addTensorsInPlace, layoutParameters, splitVector } from "./layout.ts";
import { CURVATURE_OPERATOR_DEFAULTS, type CurvatureOperatorOptions } from "./operator-options.ts";

/** Mean loss of a network as a function of the vector of its parameters. */
export interface LossSurface {
  /** Number of parameters: the length of the vectors. */
  readonly dimension: number;
  /** Tensors that a vector consists of, one after another. */
  readonly layout: readonly OperatorTensor[];
  /** Parameters of the network. */
  readonly place: Float64Array;
  /** Number of examples, the first ones of the data. */
  readonly examples: number;
  /** Examples in each batch; the last one may have fewer. */
  readonly batchSize: number;
  /**
   * Computes the mean loss at a place.
   * @param batch - index of the only batch to evaluate, from 0; all batches if missing
   */
  readonly lossAt: (place: Float64Array, batch?: number) => Promise<number>;
  /** Computes the mean loss at a place, and its gradient into `out`, `[dimension]`. */
  readonly gradientAt: (place: Float64Array, out: Float64Array, batch?: number) => Promise<number>;
}

/** Loss surface of a network, which holds memory of the engine. */
export interface NetworkSurface extends LossSurface {
  /** Frees the memory of the engine; the surface cannot be used after it. */
  readonly release: () => Promise<void>;
}

/** Options of {@link openLossSurface}. */
export interface LossSurfaceOptions extends CurvatureOperatorOptions {
  /**
   * Whether gradients are to be computed; if not, any graph that the engine can run is accepted.
   * @defaultValue true
   */
  readonly gradients?: boolean;
}

/** Defaults of {@link openLossSurface}. */
const LOSS_SURFACE_DEFAULTS: Required<LossSurfaceOptions> = {
  ...CURVATURE_OPERATOR_DEFAULTS,
  gradients: true,
};

const ATTEMPT = "measure a loss";

/** Indices of the graphs that are derived from the loss. */
const [LOSS, GRADIENT] = [0, 1];

/**
 * Opens the mean loss of a network in inference mode as a function of its parameters. Sums over batches are
 * in f64. Release it once it is not needed any more.
 * @throws MismatchError if the checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph or the loss
 * @throws OutOfRangeError if an option is out of range
 * @throws UnsupportedError if an operator has no gradient rule, and gradients are requested
 */
export async function openLossSurface(
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: LossSurfaceOptions = {},
): Promise<NetworkSurface> {
  const resolved = resolveOptions(ATTEMPT, LOSS_SURFACE_DEFAULTS, options);
  assertWholeOptions(ATTEMPT, resolved, { examples: 0, batchSize: 1 });
  assertNetwork(graph, network);
  const { loss, batchSize, signal, gradients } = resolved;
  const { layout, dimension } = layoutParameters(ATTEMPT, graph, resolved.parameters);
  const names = layout.map(({ name }) => name);
  const examples = resolved.examples === 0 ? data.size : Math.min(resolved.examples, data.size);
  const weights = await bindWeights(graph, network);
  const runner = await createObjectiveRunner(
    { attempt: ATTEMPT, graph, engine, data, loss, examples, batchSize, signal },
    (objective) => [
      objective.graph,
      ...(gradients ? [gradient(objective.graph, { loss: objective.loss, withRespectTo: names })] : []),
    ],
  );
  const run = async (
    {
      graph,
      place,
      batch,
    }: { readonly graph: number; readonly place: Float64Array; readonly batch: number | undefined },
    visit: (outcome: ObjectiveOutcome, share: number) => void,
  ): Promise<number> => {
    let mean = 0;
    const moved = new Map([...weights, ...splitVector(layout, place, weights)]);
    await runner.run(
      graph,
      moved,
      (outcome) => {
        const share = batch === undefined ? outcome.count / examples : 1;
        mean += share * lossOf(outcome);
        visit(outcome, share);
      },
      batch,
    );
    return mean;
  };
  return {
    dimension,
    layout,
    examples,
    batchSize: runner.batchSize,
    place: joinTensors(layout, dimension, weights),
    lossAt: (place, batch) => run({ graph: LOSS, place, batch }, () => {}),
    gradientAt(place, out, batch) {
      if (!gradients) throw new InvariantError("a surface that was opened without gradients has none");
      out.fill(0);
      return run({ graph: GRADIENT, place, batch }, ({ results, objective }, share) => {
        const tensors = layout.map(({ name }) =>
          entry(results, gradientName(objective.loss, name), "derivative"),
        );
        addTensorsInPlace(out, layout, [{ factor: share, tensors }]);
      });
    },
    release: () => runner.release(),
  };
}

/** Returns the loss of a batch. */
export function lossOf({ results, objective }: ObjectiveOutcome): number {
  const { data, dtype } = entry(results, objective.loss, "output");
  return at(toFloat64(data, dtype), 0, "loss");
}

function joinTensors(
  layout: readonly OperatorTensor[],
  dimension: number,
  tensors: ReadonlyMap<string, Tensor>,
): Float64Array {
  const vector = new Float64Array(dimension);
  const parts = layout.map(({ name }) => entry(tensors, name, "weight"));
  addTensorsInPlace(vector, layout, [{ factor: 1, tensors: parts }]);
  return vector;
}

/**
 * Checks that a loss is a number.
 * @throws InputError if it is not
 */
export function assertFinite(attempt: string, loss: number, advice: string): number {
  if (Number.isFinite(loss)) return loss;
  throw new InputError(`Cannot ${attempt} as every loss must be finite: one is ${loss}; ${advice}`, {
    input: "loss",
  });
}
