import {
  allocateData,
  at,
  convertData,
  createTensor,
  DTYPES,
  formatShape,
  MismatchError,
  OutOfRangeError,
  sameShape,
  sizeOf,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import { type Batch, type DataSet, findTargets, lossParts } from "@isthmus/graph";
import { typesOf } from "@isthmus/graph/ir";
import type { TermInputs } from "../objective.ts";
import type { TrainingStep } from "../step/training-step.ts";

/** Filler of the targets of a step, which are computed from a batch. */
export interface TargetFiller {
  /** Targets of the batch, overwritten for every batch; the inputs of the batch if these are the targets. */
  readonly targets: Tensor;
  /** Weight of each target; overwritten for every batch, missing if the step does not take weights. */
  readonly weights?: Tensor;
  /**
   * Targets and weights of every output by the data inputs that take them. Targets that are the examples are
   * left out, as they are fed already.
   */
  readonly feeds: ReadonlyMap<string, Tensor>;
  /**
   * Computes {@link targets} and {@link weights} from the batch.
   * @throws OutOfRangeError if a label is not a class
   */
  fill(): void;
}

/** Parts of a step that tell which targets it takes. */
type FilledStep = Pick<TrainingStep, "graph" | "batch" | "examples" | "targets" | "targetWeights" | "terms">;

/** Rules for the labels that are allowed, and for their weights. */
export interface TargetRules {
  /** Number of classes, which labels must be below. */
  readonly classes: number;
  /**
   * Data set of the batches, by which floating-point targets are found as in the evaluation of networks.
   * @defaultValue targets are the examples, or rows with a one at the class
   */
  readonly data?: DataSet;
  /**
   * Units that count the same if targets are weighted: with `labels`, every label that is not negative; with
   * `examples`, every example, regardless of the number of its labels. @defaultValue "labels"
   */
  readonly weighting?: "labels" | "examples";
  /** Whether a teacher gives the targets, so that only their weights are filled. @defaultValue false */
  readonly isTaught?: boolean;
}

/**
 * Creates the filler of the targets that a step takes: labels i64 `[batch]`, or `[batch, length]` for each
 * position or pixel; floats of any shape, as `findTargets` of `@isthmus/graph` finds them; or the examples
 * again, as for the next token. If the step takes weights, they are 0 for negative labels and for rows
 * without labels in the batch.
 *
 * @throws MismatchError if targets of that shape cannot be made of labelled examples
 */
export function createTargetFiller(step: FilledStep, batch: Batch, rules: TargetRules): TargetFiller {
  if (step.terms !== undefined) return createTermsFiller(step, step.terms, { batch, rules });
  const types = typesOf(step.graph);
  const { classes, data: examples, isTaught = false } = rules;
  const weights = step.targetWeights === undefined ? undefined : types.get(step.targetWeights);
  const isFed = isTaught || step.targets === step.examples;
  const plain = isFed
    ? { targets: batch.inputs, fill() {} }
    : createPlainFiller(step, batch, { classes, data: examples, skips: weights !== undefined });
  const feeds = new Map(isFed ? [] : [[step.targets, plain.targets]]);
  const filler = { ...plain, feeds };
  if (weights === undefined || step.targetWeights === undefined) return filler;
  const data = new Float32Array(sizeOf(weights.shape));
  const perExample = data.length / step.batch;
  // The first token cannot be predicted, as nothing comes before it.
  const first = step.targets === step.examples ? 1 : 0;
  const counts = createTensor("f32", weights.shape, data);
  feeds.set(step.targetWeights, counts);
  return {
    targets: filler.targets,
    weights: counts,
    feeds,
    fill() {
      filler.fill();
      weighLabels(batch, { perExample, first, weighting: rules.weighting ?? "labels" }, data);
    },
  };
}

/**
 * Creates the filler of the targets of several outputs, each of which has labels of its own, found as the
 * evaluation of networks finds them. Every example counts the same.
 */
function createTermsFiller(
  step: FilledStep,
  terms: readonly TermInputs[],
  { batch, rules: { data } }: { readonly batch: Batch; readonly rules: TargetRules },
): TargetFiller {
  if (data === undefined) {
    throw new MismatchError(
      `Cannot train graph "${step.graph.name}" by the losses of several outputs as the data set must be known, which says what the labels of each are`,
      { parameters: terms.map(({ targets }) => targets) },
    );
  }
  const loss = Object.fromEntries(terms.map((term) => [term.output, term.loss]));
  const fillers = lossParts("train", { ...step.graph, loss }, data).map(({ data: labelled, view }, i) => {
    const { targets, targetWeights } = at(terms, i, "output");
    const { graph, examples, batch: rows } = step;
    const inputs = { graph, examples, batch: rows, targets, ...(targetWeights && { targetWeights }) };
    const viewed = view(batch);
    const rules = { classes: labelled.classes, data: labelled, weighting: "examples" } as const;
    const filler = createTargetFiller(inputs, viewed, rules);
    const fill = (): void => {
      // If labels are an array of their own, a view copies them: the labels of this batch are copied into it.
      if (viewed !== batch) viewed.labels.set(view(batch).labels);
      filler.fill();
    };
    return { ...filler, fill };
  });
  return {
    targets: at(fillers, 0, "output").targets,
    feeds: new Map(fillers.flatMap(({ feeds }) => [...feeds])),
    fill: () => {
      for (const filler of fillers) filler.fill();
    },
  };
}

/** Rules for the weights of the labels of an example. */
interface Weighing extends Required<Pick<TargetRules, "weighting">> {
  /** Labels of each example. */
  readonly perExample: number;
  /** Position of the first label that can count. */
  readonly first: number;
}

/** Writes the weight of each label; labels that are missing at the end have weight 0. */
function weighLabels(
  { labels, inputs }: Batch,
  { perExample, first, weighting }: Weighing,
  out: Float32Array,
): void {
  out.fill(0);
  const [examples = 0] = inputs.shape;
  if (perExample > 1 && labels.length === examples) {
    // There is one label for a whole text, of which every token counts.
    const weight = weighting === "labels" ? 1 : 1 / (perExample - first);
    for (let i = 0; i < examples; i++) out.fill(weight, i * perExample + first, (i + 1) * perExample);
    return;
  }
  for (let begin = 0; begin < labels.length; begin += perExample) {
    const exampleLabels = labels.subarray(begin + first, begin + perExample);
    const counted = exampleLabels.reduce((count, label) => (label >= 0 ? count + 1 : count), 0);
    const weight = weighting === "labels" ? 1 : 1 / counted;
    exampleLabels.forEach((label, i) => {
      if (label >= 0) out[begin + first + i] = weight;
    });
  }
}

/**
 * Creates a filler without weights; `skips` tells whether negative labels are allowed, as they do not count.
 */
function createPlainFiller(
  step: Pick<TrainingStep, "graph" | "batch" | "examples" | "targets">,
  batch: Batch,
  {
    classes,
    data: examples,
    skips,
  }: { readonly classes: number; readonly data: DataSet | undefined; readonly skips: boolean },
): Omit<TargetFiller, "feeds"> {
  const { inputs, labels } = batch;
  const info = typesOf(step.graph).get(step.targets);
  if (info === undefined || step.targets === step.examples) return { targets: inputs, fill() {} };
  const targets = createTensor(info.dtype, info.shape, allocateData(info.dtype, sizeOf(info.shape)));
  const { data } = targets;
  const perExample = sizeOf(info.shape.slice(1));
  const isLabelled = labels.length > 0;
  const isLabels = isLabelled && info.shape[0] === step.batch && labels.length % perExample === 0;
  if (data instanceof BigInt64Array && isLabels && labels.length <= data.length) {
    return { targets, fill: () => widenLabels(labels, { classes, skips }, data) };
  }
  if (examples !== undefined && DTYPES[info.dtype].float) return floatFiller(targets, batch, examples);
  if (isSame(info, inputs)) return { targets: inputs, fill() {} };
  const [rows, columns = 0] = info.shape;
  const areRows = rows === step.batch && info.shape.length === 2 && columns >= classes;
  if (data instanceof Float32Array && areRows && isLabelled) {
    return { targets, fill: () => oneHot(labels, columns, data) };
  }
  throw new MismatchError(
    `Cannot train graph "${step.graph.name}" on a data set as targets must be labels [batch] or [batch, length], rows [batch, classes] or the examples: "${step.targets}" is ${info.dtype} ${formatShape(info.shape)}, examples are ${inputs.dtype} ${formatShape(inputs.shape)} of ${classes} classes with ${labels.length} labels`,
    { parameters: [step.targets] },
  );
}

/** Creates a filler of floating-point targets, each of which must count. */
function floatFiller(targets: Tensor, batch: Batch, examples: DataSet): Omit<TargetFiller, "feeds"> {
  const { dtype, shape, data } = targets;
  const write = findTargets("train", examples, shape.slice(1));
  const floats = data instanceof Float32Array ? data : new Float32Array(data.length);
  return {
    targets,
    fill() {
      write(batch, floats);
      const missing = floats.findIndex((value) => Number.isNaN(value));
      if (missing >= 0) {
        throw new OutOfRangeError(
          `Cannot train on "${examples.name}" as each number must have a target: number ${missing} of a batch has none, a negative label or NaN; such can be measured only`,
        );
      }
      if (floats !== data) data.set(convertData(floats, "f32", dtype) as never);
    },
  };
}

function isSame(a: TensorInfo, b: TensorInfo): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

/**
 * Writes labels as 64-bit integers, each as two halves, since a BigInt for every label would be an object.
 */
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
    // The low half comes first on every machine that Node runs on. A label that does not count may be any
    // class.
    halves[2 * i] = isSkipped ? 0 : label;
    halves[2 * i + 1] = 0;
  }
}

/** Writes labels as rows with a one at the label and zeros elsewhere. */
function oneHot(labels: Int32Array, columns: number, out: Float32Array): void {
  out.fill(0);
  labels.forEach((label, i) => {
    if (!(label >= 0 && label < columns)) throw wrongLabel(label, columns);
    out[i * columns + label] = 1;
  });
}

function wrongLabel(label: number, classes: number): OutOfRangeError {
  return new OutOfRangeError(
    `Cannot train on a batch as its labels must be classes from 0 to ${classes - 1}: one is ${label}`,
  );
}
