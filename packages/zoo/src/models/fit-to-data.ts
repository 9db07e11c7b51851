import { at, UnsupportedError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { MODEL_FAMILIES, type ModelType } from "./model-families.ts";
import type { ReadArchitecture } from "./open-architecture.ts";

/**
 * Builds the network of a model's folder for the length of the examples; other architectures are returned
 * unchanged.
 *
 * @throws OutOfRangeError if the model has too few positions
 * @throws UnsupportedError if texts have padding that its network would treat as text
 */
export function fitToData<A extends ReadArchitecture>(architecture: A, data: DataSet): A {
  const { graph, model } = architecture;
  const [ids] = graph.inputs;
  const [length] = data.exampleShape;
  const isText = ids?.dtype === "i64" && ids.shape?.length === 2 && data.exampleShape.length === 1;
  if (model === undefined || !isText || length === undefined) return architecture;
  assertPadding(model.modelType, data);
  return ids.shape?.[1] === length ? architecture : { ...architecture, ...model.ofLength(length) };
}

/**
 * Checks padding: networks that are built from a config see every token, but networks that only look back may
 * be given padding after the text.
 */
function assertPadding(modelType: ModelType, data: DataSet): void {
  const mask = data.features?.has("attention_mask")
    ? data.read(0, data.size).features?.get("attention_mask")
    : undefined;
  if (mask === undefined) return;
  const length = at(mask.shape, 1, "axis");
  const { seesAll = false } = MODEL_FAMILIES[modelType];
  for (let i = 0; i < mask.data.length; i++) {
    if (Number(mask.data[i]) !== 0) continue;
    const isLast = (i + 1) % length === 0;
    if (!seesAll && (isLast || Number(mask.data[i + 1]) === 0)) continue;
    const where = seesAll ? "there must be no padding" : "padding must be behind the text";
    throw new UnsupportedError(
      `Cannot run a network built from a config, of type "${modelType}", on "${data.name}" as it has no attention mask and ${where}: example ${Math.floor(i / length)} has padding at position ${i % length}; ${seesAll ? "give texts of one length" : "pad behind the text"}, or export the model to ONNX with its attention mask and name it with --graph`,
      { feature: "attention_mask" },
    );
  }
}
