import {
  at,
  FormatError,
  formatShape,
  InputError,
  MismatchError,
  sameShape,
  UnsupportedError,
} from "@isthmus/core";
import { modelFolderOf, nameOfReference, openReference, readModelConfig } from "@isthmus/recipe";
import { configDefaults } from "@isthmus/zoo";
import { type DenseModel, EMBEDDING, UNIT_PARTS, unitName } from "./dense-model.ts";
import { listTraits } from "./dense-traits.ts";
import type { DenseReference } from "./mixture-recipe.ts";

/**
 * Opens a dense model and checks its extents against its tensors, whatever its config claims. Reads headers
 * only.
 * @throws InputError if it has no weights or no config
 * @throws UnsupportedError if it is no model of Llama's form
 * @throws MismatchError if its tensors do not fit its config
 */
export async function openDenseModel(reference: DenseReference): Promise<DenseModel> {
  const name = nameOfReference(reference);
  const checkpoint = await openReference(reference);
  try {
    const directory = await modelFolderOf(reference);
    if (directory === undefined) {
      throw new InputError(
        `Cannot make experts of "${name}" as it must be a folder with config.json, which tells its layers: there is none`,
        { input: name },
      );
    }
    const stated = await readModelConfig(directory);
    const config = { ...configDefaults(stated["model_type"]), ...stated };
    return describe({ name, directory, checkpoint, config });
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

type OpenedModel = Pick<DenseModel, "name" | "directory" | "checkpoint" | "config">;

function describe(opened: OpenedModel): DenseModel {
  const { name, checkpoint, config } = opened;
  const type = config["model_type"];
  if (typeof type !== "string") throw unfit(opened, "model_type", type, "a text");
  const heads = countOf(opened, "num_attention_heads");
  const layers = countOf(opened, "num_hidden_layers");
  const [vocabulary, width] = matrixOf(opened, EMBEDDING);
  // Each layer has at least nine tensors, so that a false number of layers is found before any loop.
  if (layers > checkpoint.tensors.size / 9 || checkpoint.tensors.has(unitName(layers, "up_proj"))) {
    throw new MismatchError(
      `Cannot make experts of "${name}" as config.json must count its layers: it claims ${layers}, and the weights have ${checkpoint.tensors.size} tensors`,
      { parameters: ["num_hidden_layers"], input: name },
    );
  }
  const [hidden] = matrixOf(opened, unitName(0, "up_proj"));
  const [queries] = matrixOf(opened, "model.layers.0.self_attn.q_proj.weight");
  const [keys] = matrixOf(opened, "model.layers.0.self_attn.k_proj.weight");
  const inner = queries / heads;
  const groups = keys / inner;
  if (!Number.isSafeInteger(inner) || !Number.isSafeInteger(groups))
    throw unfit(opened, "num_attention_heads", heads, `a divisor of ${queries}, the rows of queries`);
  const activation = config["hidden_act"];
  if (typeof activation !== "string") throw unfit(opened, "hidden_act", activation, "a text");
  const sizes = { type, layers, width, hidden, vocabulary, heads, groups, inner, activation };
  assertUnits(opened, sizes);
  return { ...opened, ...sizes, traits: listTraits({ ...opened, ...sizes }) };
}

/** Checks that the feed-forward networks of all layers have one shape. @throws MismatchError if not */
function assertUnits(
  opened: OpenedModel,
  { layers, width, hidden }: Pick<DenseModel, "layers" | "width" | "hidden">,
): void {
  for (let layer = 0; layer < layers; layer++) {
    for (const part of UNIT_PARTS) {
      const shape = matrixOf(opened, unitName(layer, part));
      const right = part === "down_proj" ? [width, hidden] : [hidden, width];
      if (!sameShape(shape, right)) throw otherShape(opened, unitName(layer, part), [shape, right]);
    }
  }
}

function countOf(model: OpenedModel, key: string): number {
  const value = model.config[key];
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw unfit(model, key, value, "a whole number of at least 1");
}

function unfit({ directory }: OpenedModel, key: string, value: unknown, rule: string): FormatError {
  return new FormatError(
    `Cannot make experts of "${directory}" as "${key}" of its config.json must be ${rule}: it is ${JSON.stringify(value)}`,
    { format: "config.json" },
  );
}

function matrixOf({ name, checkpoint }: OpenedModel, tensor: string): readonly [number, number] {
  const shape = checkpoint.tensors.get(tensor)?.shape;
  if (shape?.length === 2) return [at(shape, 0), at(shape, 1)];
  const state = shape === undefined ? "there is none" : `it has the shape ${formatShape(shape)}`;
  throw new UnsupportedError(
    `Cannot make experts of "${name}" as it must be a dense model of Llama's form, with a matrix "${tensor}": ${state}`,
    { feature: tensor },
  );
}

function otherShape(
  { name }: OpenedModel,
  tensor: string,
  [shape, right]: readonly [readonly number[], readonly number[]],
): MismatchError {
  return new MismatchError(
    `Cannot make experts of "${name}" as all layers must have one shape: "${tensor}" is ${formatShape(shape)}, and ${formatShape(right)} was expected`,
    { parameters: [tensor], input: name },
  );
}
