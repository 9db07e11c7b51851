import { createRandom, createTensor, DTYPES, sizeOf, type Tensor } from "@isthmus/core";
import type { Batch, DataSet, Scaling } from "@isthmus/graph";
import { assertReads } from "./assert-reads.ts";
import { type NoiseScheduleOptions, remainingSignal } from "./noise-schedule.ts";

/** Numbers that a diffusion model predicts from a noisy image, by their names in schedulers of diffusers. */
export const NOISE_TARGETS = ["epsilon", "v_prediction", "sample"] as const;

/** Objective of diffusion models: the noise in an image, at a step of a schedule, is predicted. */
export interface NoiseObjective {
  /** Tag of the prediction of noise. */
  readonly kind: "noise";
  /** Variances of the noise of each step. */
  readonly schedule: NoiseScheduleOptions;
  /** Predicted numbers: the noise, its mixture with the image that is called velocity, or the image. */
  readonly predicts: (typeof NOISE_TARGETS)[number];
}

/** Scaling of bytes to -1 to 1, the usual one of diffusion models. */
export const NOISE_SCALING: Scaling = Object.freeze({ mean: 0.5, std: 0.5 });

/** Seed by which steps and noise are drawn, so that all networks are measured on the same ones. */
const SEED = 0;

/** Names of the arrays of an example: the step, the class, and the numbers to be predicted. */
const [STEP, CLASS, TARGET] = ["timestep", "class_labels", "target"] as const;

/** Options of {@link addNoise}. */
interface AddNoiseOptions {
  /** Index of the first example among those by which noise is drawn. @defaultValue 0 */
  readonly begin?: number;
  /** Names of the graph's inputs; `class_labels` is fed the classes of images. @defaultValue none */
  readonly inputs?: readonly string[];
}

/**
 * Returns a data set of noisy images: of each image `x` one step `t` and noise `n` are drawn by a seed
 * and the
 * index of the example, and the inputs are `sqrt(a[t]) x + sqrt(1 - a[t]) n`, of the shares `a` that remain
 * after each step. The targets are the predicted numbers. Other data, and data with steps of their own, are
 * returned unchanged.
 *
 * @param data - images `[channels, height, width]` of floats, or of bytes that are scaled
 * @see Ho et al., Denoising diffusion probabilistic models, 2020, equation 14
 */
export function addNoise(
  data: DataSet,
  objective: NoiseObjective,
  { begin = 0, inputs = [] }: AddNoiseOptions = {},
): DataSet {
  const { exampleShape, features } = data;
  if (exampleShape.length !== 3 || features?.has(STEP) || !DTYPES[data.read(0, 1).inputs.dtype].float)
    return data;
  const { gatherInto: _, vocabulary: __, ...others } = data;
  const remaining = remainingSignal(objective.schedule);
  const hasClasses =
    inputs.includes(CLASS) && (data.labelling ?? "example") === "example" && data.classes > 0;
  return Object.freeze({
    ...others,
    inputName: "sample",
    labelling: "none" as const,
    unlabelled: "the numbers to be predicted are not classes",
    targets: TARGET,
    classes: 0,
    features: new Map([
      ...(features ?? []),
      [STEP, { dtype: "i64", shape: [] } as const],
      [TARGET, { dtype: "f32", shape: exampleShape } as const],
      ...(hasClasses ? [[CLASS, { dtype: "i64", shape: [] } as const] as const] : []),
    ]),
    notes: [...(data.notes ?? []), noteOf(objective)],
    read(from: number, to: number): Batch {
      assertReads(data, from, to);
      const batch = data.read(from, to);
      const noisy = drawNoise(batch.inputs, { ...objective, remaining, begin: begin + from });
      const classes = BigInt64Array.from(batch.labels, BigInt);
      return {
        inputs: noisy.inputs,
        labels: new Int32Array(0),
        features: new Map([
          ...(batch.features ?? []),
          [STEP, createTensor("i64", [to - from], noisy.steps)],
          [TARGET, noisy.target],
          ...(hasClasses ? [[CLASS, createTensor("i64", [to - from], classes)] as const] : []),
        ]),
      };
    },
  });
}

/** Describes an objective in a sentence. */
function noteOf({ schedule, predicts }: NoiseObjective): string {
  const { steps, shape, first, last } = schedule;
  const range = shape === "squaredcos_cap_v2" ? "" : ` from ${first} to ${last}`;
  return `The loss is the mean squared error of the predicted ${predicts === "epsilon" ? "noise" : predicts}: a step of ${steps} and noise are drawn for each image by seed ${SEED}, by the schedule ${shape}${range}.`;
}

/** Shares of the image that remain, and the index by which the noise of the first image is drawn. */
interface Draw extends Pick<NoiseObjective, "predicts"> {
  readonly remaining: Float64Array;
  readonly begin: number;
}

/** Numbers that a model predicts of an image and noise, with the roots of their shares. */
const PREDICTED: Readonly<
  Record<NoiseObjective["predicts"], (image: number, noise: number, signal: number, rest: number) => number>
> = {
  epsilon: (_, noise) => noise,
  v_prediction: (image, noise, signal, rest) => signal * noise - rest * image,
  sample: (image) => image,
};

/** Noisy images, the step of each, and what is to be predicted. */
interface Noisy {
  readonly inputs: Tensor;
  readonly steps: BigInt64Array;
  readonly target: Tensor;
}

function drawNoise({ shape, data }: Tensor, { predicts, remaining, begin }: Draw): Noisy {
  const [count = 0, ...example] = shape;
  const size = sizeOf(example);
  const inputs = new Float32Array(data.length);
  const target = new Float32Array(data.length);
  const steps = new BigInt64Array(count);
  const predict = PREDICTED[predicts];
  for (let row = 0; row < count; row++) {
    const random = createRandom(SEED, `noise ${begin + row}`);
    const step = random.integer(remaining.length);
    const share = remaining[step] as number;
    const [signal, rest] = [Math.sqrt(share), Math.sqrt(1 - share)];
    steps[row] = BigInt(step);
    for (let i = row * size; i < (row + 1) * size; i++) {
      const [image, noise] = [Number(data[i]), random.normal()];
      inputs[i] = signal * image + rest * noise;
      target[i] = predict(image, noise, signal, rest);
    }
  }
  return { inputs: createTensor("f32", shape, inputs), steps, target: createTensor("f32", shape, target) };
}
