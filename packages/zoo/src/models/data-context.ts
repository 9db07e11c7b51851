import { DTYPES } from "@isthmus/core";
import type { NoiseObjective, TextObjective } from "@isthmus/data";
import { NOISE_OBJECTIVE, takesSteps } from "./noise-objective.ts";
import type { ReadArchitecture } from "./open-architecture.ts";
import type { TextEncoding } from "./text-encoding.ts";

/** Requirements of an architecture for its data: options of `openDataSet`, and the tokenizer for texts. */
export interface DataContext {
  /** Names of the graph's data inputs. */
  readonly inputs?: readonly string[];
  /** Names of the arrays of labels for a loss of several outputs; absent for other losses. */
  readonly outputs?: readonly string[];
  /**
   * Shape of an example of pictures, `[channels, height, width]`; absent if the graph takes other examples,
   * or any shape.
   */
  readonly imageShape?: readonly number[];
  /** Number of tokens of one example of text. */
  readonly context?: number;
  /** Most tokens that the model takes; absent if it states none. */
  readonly longest?: number;
  /** Token ids by character. */
  readonly vocabulary?: ReadonlyMap<string, number>;
  /** Number of token ids of the model. */
  readonly vocabularySize?: number;
  /** Objective of the model; absent if it predicts labels, or each token of a text from earlier tokens. */
  readonly objective?: TextObjective | NoiseObjective;
  /** Folder of the tokenizer that encodes texts; absent if tokens are characters. */
  readonly tokenizedBy?: string;
}

/** Number of tokens of an example of text for models that allow more. */
const MOST_TOKENS = 256;

/**
 * Determines the options for reading data for an architecture: arrays are found by the names of its inputs,
 * and of outputs with their own losses; texts are cut into windows of as many tokens as the architecture
 * takes, by the vocabulary in the folder of its model, or of the weights; images for a graph with the input
 * `timestep` get noise.
 */
export function dataContext({
  graph,
  model,
  encoding = {},
  noise = NOISE_OBJECTIVE,
}: Pick<ReadArchitecture, "graph" | "model" | "encoding" | "noise">): DataContext {
  const [input] = graph.inputs;
  const { objective } = model ?? {};
  const arrays = {
    inputs: graph.inputs.map(({ name }) => name),
    ...labelsOfOutputs(graph),
    ...(objective === undefined ? {} : { objective }),
  };
  const isText = input?.dtype !== undefined && !DTYPES[input.dtype].float && input.shape?.length === 2;
  if (!isText) {
    const noisy = takesSteps(graph) ? { objective: noise } : {};
    return { ...arrays, ...imageShapeOf(input?.shape), ...noisy };
  }
  if (model === undefined) {
    const context = input.shape?.[1];
    return { ...arrays, ...(typeof context === "number" ? { context } : {}), ...encoded(encoding) };
  }
  const { maxLength, vocabularySize } = model;
  return {
    ...arrays,
    context: Math.min(maxLength ?? MOST_TOKENS, MOST_TOKENS),
    ...(maxLength === undefined ? {} : { longest: maxLength }),
    ...(vocabularySize === undefined ? {} : { vocabularySize }),
    ...encoded(model),
  };
}

/** Lists the arrays of labels that the loss of several outputs names, or that are named after the outputs. */
function labelsOfOutputs({ loss }: ReadArchitecture["graph"]): Pick<DataContext, "outputs"> {
  if (typeof loss !== "object") return {};
  const outputs = Object.entries(loss).map(([name, part]) =>
    typeof part === "string" ? name : (part.targets ?? name),
  );
  return { outputs };
}

function imageShapeOf(shape: readonly (number | string)[] = []): Pick<DataContext, "imageShape"> {
  const [, ...imageShape] = shape;
  const isKnown = imageShape.length === 3 && imageShape.every((extent) => typeof extent === "number");
  return isKnown ? { imageShape } : {};
}

function encoded({ vocabulary, tokenizerFolder }: TextEncoding): DataContext {
  return {
    ...(vocabulary === undefined ? {} : { vocabulary }),
    ...(tokenizerFolder === undefined ? {} : { tokenizedBy: tokenizerFolder }),
  };
}
