import { at, sameShape, UnsupportedError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { MODEL_FAMILIES } from "./model-families.ts";
import type { ModelType } from "./model-types.ts";
import type { ReadArchitecture } from "./open-architecture.ts";

/**
 * Builds the network of a model's folder for the length of the texts of examples, and their number of pairs;
 * other architectures are returned unchanged.
 *
 * @throws OutOfRangeError if the model has too few positions
 * @throws UnsupportedError if texts have padding that its network would treat as text
 */
export function fitToData<A extends ReadArchitecture>(architecture: A, data: DataSet): A {
  const { graph, model } = architecture;
  const ids = graph.inputs.find(({ dtype }) => dtype === "i64");
  const isFirst = ids === graph.inputs[0] || ids?.name === data.inputName;
  const shape = isFirst ? data.exampleShape : data.features?.get(ids?.name ?? "")?.shape;
  if (model === undefined || shape === undefined || ids?.shape?.length !== shape.length + 1)
    return architecture;
  assertPadding(model.modelType, data);
  if (sameShape(ids.shape.slice(1).map(Number), shape)) return architecture;
  return { ...architecture, ...model.ofLength(at(shape, shape.length - 1, "axis"), shape.at(-2)) };
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
  const length = at(mask.shape, mask.shape.length - 1, "axis");
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
