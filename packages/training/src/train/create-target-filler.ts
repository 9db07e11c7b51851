import {
  allocateData,
  createTensor,
  formatShape,
  MismatchError,
  sameShape,
  sizeOf,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import type { Batch } from "@isthmus/graph";
import { typesOf } from "@isthmus/graph/ir";
import type { TrainingStep } from "../step/training-step.ts";

/** What a step is fed as targets, and how it is made of a batch. */
export interface TargetFiller {
  /** Written anew for every batch; the batch's own inputs where these are the targets. */
  readonly targets: Tensor;
  /** How much each target counts, where the step wants to know; written anew for every batch. */
  readonly weights?: Tensor;
  /**
   * Makes {@link targets} and {@link weights} of the batch.
   * @throws RangeError if a label is not a class
   */
  fill(): void;
}

/** What labels may be, and how they count. */
export interface TargetRules {
  /** Labels must be below this. */
  readonly classes: number;
  /**
   * Where targets are weighted, what counts the same: every label that is not negative; or every example, whatever the number of its
   * labels. @defaultValue "labels"
   */
  readonly weighting?: "labels" | "examples";
}

/**
 * Finds out what a step wants as targets: labels i64 `[batch]`, or of each position `[batch, length]`; one-hot rows f32
 * `[batch, classes]`; or the examples again, as for the next token and for reconstructions. Where it wants weights, those of negative
 * labels are 0, and so are those of rows that a batch has no labels for.
 *
 * @throws MismatchError if targets of that shape cannot be made of labelled examples
 */
export function createTargetFiller(
  step: Pick<TrainingStep, "graph" | "batch" | "examples" | "targets" | "targetWeights">,
  batch: Batch,
  rules: TargetRules,
): TargetFiller {
  const types = typesOf(step.graph);
  const { classes } = rules;
  const weights = step.targetWeights === undefined ? undefined : types.get(step.targetWeights);
  const filler = createPlainFiller(step, batch, { classes, skips: weights !== undefined });
  if (weights === undefined) return filler;
  const data = new Float32Array(sizeOf(weights.shape));
  const perExample = data.length / step.batch;
  // Nothing comes before the first token, by which it could be predicted.
  const first = step.targets === step.examples ? 1 : 0;
  return {
    targets: filler.targets,
    weights: createTensor("f32", weights.shape, data),
    fill() {
      filler.fill();
      weighLabels(batch, { perExample, first, weighting: rules.weighting ?? "labels" }, data);
    },
  };
}

/** Labels of each example, from which one on they can count, and how. */
interface Weighing extends Required<Pick<TargetRules, "weighting">> {
  readonly perExample: number;
  readonly first: number;
}

/** Writes how much each label counts; labels that are missing at the end count nothing. */
function weighLabels(
  { labels, inputs }: Batch,
  { perExample, first, weighting }: Weighing,
  out: Float32Array,
): void {
  out.fill(0);
  const [examples = 0] = inputs.shape;
  if (perExample > 1 && labels.length === examples) {
    // Labels of whole texts: of these every token counts.
    const weight = weighting === "labels" ? 1 : 1 / (perExample - first);
    for (let i = 0; i < examples; i++) out.fill(weight, i * perExample + first, (i + 1) * perExample);
    return;
  }
  for (let begin = 0; begin < labels.length; begin += perExample) {
    const own = labels.subarray(begin + first, begin + perExample);
    const counted = own.reduce((count, label) => (label >= 0 ? count + 1 : count), 0);
    const weight = weighting === "labels" ? 1 : 1 / counted;
    own.forEach((label, i) => {
      if (label >= 0) out[begin + first + i] = weight;
    });
  }
}

function createPlainFiller(
  step: Pick<TrainingStep, "graph" | "batch" | "examples" | "targets">,
  { inputs, labels }: Batch,
  { classes, skips }: { readonly classes: number; readonly skips: boolean },
): TargetFiller {
  const info = typesOf(step.graph).get(step.targets);
  if (info === undefined || step.targets === step.examples) return { targets: inputs, fill() {} };
  const targets = createTensor(info.dtype, info.shape, allocateData(info.dtype, sizeOf(info.shape)));
  const { data } = targets;
  const perExample = sizeOf(info.shape.slice(1));
  const isLabels = info.shape[0] === step.batch && labels.length % perExample === 0;
  if (data instanceof BigInt64Array && isLabels && labels.length <= data.length) {
    return { targets, fill: () => widenLabels(labels, { classes, skips }, data) };
  }
  if (isSame(info, inputs)) return { targets: inputs, fill() {} };
  const [rows, columns = 0] = info.shape;
  if (data instanceof Float32Array && rows === step.batch && info.shape.length === 2 && columns >= classes) {
    return { targets, fill: () => oneHot(labels, columns, data) };
  }
  throw new MismatchError(
    `Cannot train graph "${step.graph.name}" on a data set as targets must be labels [batch] or [batch, length], rows [batch, classes] or the examples: "${step.targets}" is ${info.dtype} ${formatShape(info.shape)}, examples are ${inputs.dtype} ${formatShape(inputs.shape)} of ${classes} classes with ${labels.length} labels`,
    { parameters: [step.targets] },
  );
}

function isSame(a: TensorInfo, b: TensorInfo): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

/** 64-bit integers are written as two halves, as a BigInt for every label would be an object. */
function widenLabels(
  labels: Int32Array,
  { classes, skips }: { readonly classes: number; readonly skips: boolean },
  out: BigInt64Array,
): void {
  const halves = new Int32Array(out.buffer, out.byteOffset, 2 * out.length);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    const isSkipped = skips && label < 0;
    if (!isSkipped && !(label >= 0 && label < classes)) throw wrongLabel(label, classes);
    // The low half comes first on every machine that Node runs on. What does not count may be any class.
    halves[2 * i] = isSkipped ? 0 : label;
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
