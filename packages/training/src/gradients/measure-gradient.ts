import { type Checkpoint, resolveOptions } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { LossSpec } from "../loss/loss-spec.ts";
import { meanOverExamples } from "./mean-over-examples.ts";
import { MEASURE_FISHER_DEFAULTS, type MeasureFisherOptions } from "./measure-fisher.ts";

/** Options of {@link measureGradient}. */
export interface MeasureGradientOptions extends MeasureFisherOptions {
  /** Loss of an example. @defaultValue the loss that `lossOfData` chooses */
  readonly loss?: LossSpec | undefined;
}

/** Defaults of {@link measureGradient}. */
const MEASURE_GRADIENT_DEFAULTS: Required<MeasureGradientOptions> = {
  ...MEASURE_FISHER_DEFAULTS,
  loss: undefined,
};

/**
 * Measures the gradient of the loss of a network on labelled data: the mean over examples, for each
 * parameter. The loss is by default the usual one of the data, as in training: cross-entropy for labels, the
 * next token for token ids.
 *
 * Gradients are computed example by example and added up in f64, so the result does not depend on batches.
 * Norms take their running statistics, and there is no dropout.
 *
 * @returns a checkpoint f32 of the names and shapes of the graph's parameters
 * @throws InputError if the data do not fit the graph, or a gradient is not finite
 * @throws UnsupportedError if the graph takes a fixed number of examples, or an operator has no gradient rule
 */
export async function measureGradient(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: MeasureGradientOptions = {},
): Promise<Checkpoint> {
  const attempt = "measure a gradient";
  const { loss, ...resolved } = resolveOptions(attempt, MEASURE_GRADIENT_DEFAULTS, options);
  const visited = { attempt, network, data, loss, name: "gradient" };
  return meanOverExamples(architecture, visited, resolved, (derivative) => derivative);
}
