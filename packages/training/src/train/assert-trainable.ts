import {
  formatShape,
  InputError,
  MismatchError,
  OutOfRangeError,
  sameShape,
  type Tensor,
} from "@isthmus/core";
import { type DataSet, type Graph, logitsOf } from "@isthmus/graph";
import { typesOf } from "@isthmus/graph/ir";
import type { LossSpec } from "../loss/loss-spec.ts";
import type { TrainingStep } from "../step/training-step.ts";
import type { ResolvedTrainOptions } from "./train-options.ts";

/**
 * Checks that there are enough examples for a batch.
 * @throws InputError if the data set is empty
 * @throws OutOfRangeError if a batch is larger than the data set
 */
export function assertEnoughExamples({ name, size }: DataSet, { batch }: ResolvedTrainOptions): void {
  if (size === 0) {
    throw new InputError(`Cannot train on "${name}" as it must have examples: it is empty`, { input: name });
  }
  if (batch <= size) return;
  throw new OutOfRangeError(
    `Cannot train on "${name}" as a batch must be at most the data set: it is ${batch} of ${size} examples; choose a smaller batch`,
  );
}

/**
 * Checks that batches can be fed to a step.
 * @param feeds - a tensor of a batch for every data input of the network
 * @throws MismatchError if a tensor differs from the step's input in shape or element type
 */
export function assertExamplesFit(
  step: TrainingStep,
  data: DataSet,
  feeds: ReadonlyMap<string, Tensor>,
): void {
  const types = typesOf(step.graph);
  for (const [name, { dtype, shape }] of feeds) {
    const expected = types.get(name);
    if (expected === undefined || (expected.dtype === dtype && sameShape(expected.shape, shape))) continue;
    const [batch] = expected.shape;
    if (batch !== undefined && batch !== step.batch) {
      throw new MismatchError(
        `Cannot train on "${data.name}" as the graph's input "${name}" takes batches of ${batch} examples: they are of ${step.batch}; choose that batch, or let the graph take any with freeBatch()`,
        { parameters: [name] },
      );
    }
    throw new MismatchError(
      `Cannot train on "${data.name}" as its examples must fit the graph's input "${name}", ${expected.dtype} ${formatShape(expected.shape.slice(1))}: they are ${dtype} ${formatShape(shape.slice(1))}`,
      { parameters: [name] },
    );
  }
}

/**
 * Returns how many classes labels may be of: for cross-entropy as many as there are logits, else as many as
 * the data set has.
 * @throws InputError if the data set has labels beyond the logits
 */
export function assertClasses(
  { graph, step, loss }: { readonly graph: Graph; readonly step: TrainingStep; readonly loss: LossSpec },
  data: DataSet,
): number {
  if (loss.kind !== "cross-entropy") return data.classes;
  const logits = loss.logits ?? logitsOf(graph);
  const shape =
    typesOf(step.graph).get(logits)?.shape ?? graph.outputs.find(({ name }) => name === logits)?.shape;
  const classes = shape?.at(-1);
  if (typeof classes !== "number" || data.classes <= classes) {
    return typeof classes === "number" ? classes : data.classes;
  }
  throw new InputError(
    `Cannot train on "${data.name}" as labels must be below the ${classes} classes of the graph: the largest is ${data.classes - 1}`,
    { input: data.name },
  );
}
