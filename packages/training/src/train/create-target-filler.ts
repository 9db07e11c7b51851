import {
  allocateData,
  createTensor,
  formatShape,
  MismatchError,
  sameShape,
  sizeOf,
  type Tensor,
  type TensorInfo,
  UnsupportedError,
} from "@isthmus/core";
import { type Batch, typesOf } from "@isthmus/graph";
import type { TrainingStep } from "../step/training-step.ts";

/** What a step is fed as targets, and how it is made of a batch. */
export interface TargetFiller {
  /** Written anew for every batch; the batch's own inputs where these are the targets. */
  readonly targets: Tensor;
  /**
   * Makes {@link targets} of the batch.
   * @throws RangeError if a label is not a class
   */
  fill(): void;
}

/**
 * Finds out what a step wants as targets: labels i64 `[batch]`; one-hot rows f32 `[batch, classes]`; or the examples again, as
 * for the next token and for reconstructions.
 *
 * @param classes - labels must be below this
 * @throws MismatchError if targets of that shape cannot be made of labelled examples
 * @throws UnsupportedError if the loss wants weights for its targets
 */
export function createTargetFiller(
  step: Pick<TrainingStep, "graph" | "batch" | "targets" | "targetWeights">,
  batch: Batch,
  classes: number,
): TargetFiller {
  if (step.targetWeights !== undefined) {
    throw new UnsupportedError(
      `Cannot train graph "${step.graph.name}" on a data set as the loss must not want weights for its targets: it has input "${step.targetWeights}"`,
      { feature: "weighted targets" },
    );
  }
  const info = typesOf(step.graph).get(step.targets);
  const { inputs, labels } = batch;
  if (info === undefined || isSame(info, inputs)) return { targets: inputs, fill() {} };
  const targets = createTensor(info.dtype, info.shape, allocateData(info.dtype, sizeOf(info.shape)));
  const { data } = targets;
  if (data instanceof BigInt64Array && sameShape(info.shape, [step.batch])) {
    return { targets, fill: () => widenLabels(labels, classes, data) };
  }
  const [rows, columns = 0] = info.shape;
  if (data instanceof Float32Array && rows === step.batch && info.shape.length === 2 && columns >= classes) {
    return { targets, fill: () => oneHot(labels, columns, data) };
  }
  throw new MismatchError(
    `Cannot train graph "${step.graph.name}" on a data set as targets must be labels [batch], rows [batch, classes] or the examples: "${step.targets}" is ${info.dtype} ${formatShape(info.shape)}, examples are ${inputs.dtype} ${formatShape(inputs.shape)} of ${classes} classes`,
    { parameters: [step.targets] },
  );
}

function isSame(a: TensorInfo, b: TensorInfo): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

/** 64-bit integers are written as two halves, as a BigInt for every label would be an object. */
function widenLabels(labels: Int32Array, classes: number, out: BigInt64Array): void {
  const halves = new Int32Array(out.buffer, out.byteOffset, 2 * out.length);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    if (!(label >= 0 && label < classes)) throw wrongLabel(label, classes);
    // The low half comes first on every machine that Node runs on.
    halves[2 * i] = label;
    halves[2 * i + 1] = 0;
  }
}

function oneHot(labels: Int32Array, columns: number, out: Float32Array): void {
  out.fill(0);
  labels.forEach((label, i) => {
    if (!(label >= 0 && label < columns)) throw wrongLabel(label, columns);
    out[i * columns + label] = 1;
  });
}

function wrongLabel(label: number, classes: number): RangeError {
  return new RangeError(
    `Cannot train on a batch as its labels must be classes from 0 to ${classes - 1}: one is ${label}`,
  );
}
