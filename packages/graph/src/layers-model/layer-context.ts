import { formatShape, MismatchError, sameShape, type TensorInfo } from "@isthmus/core";
import type { GraphBuilder, Value } from "../builder/graph-builder.ts";
import type { WeightRole } from "../ir/graph.ts";
import type { ConfigReader } from "./config-reader.ts";
import type { Flow } from "./flow.ts";

/** Settings, operands and weights of a layer that is applied. */
export interface LayerContext {
  /** Settings of the layer, with its name and class. */
  readonly config: ConfigReader;
  /** Builder of the graph, to which the layer adds its nodes. */
  readonly builder: GraphBuilder;
  /** Operands of this call of the layer, in order. */
  readonly inputs: readonly Flow[];
  /**
   * Returns a weight of the layer by its name in the layer, such as `kernel`, which
   * is the tensor `layer/kernel`.
   * @throws MismatchError if the weight is missing or has another shape; an extent of -1 fits any
   */
  readonly weight: (name: string, shape: readonly number[], role?: WeightRole) => Value;
}

/** Adds a layer's nodes to the graph. */
export type BuildLayer = (context: LayerContext) => Flow;

/**
 * Returns the operand of a layer that has one. @throws FormatError if the layer has another number of
 * operands
 */
export function onlyInput({ inputs, config }: LayerContext): Flow {
  const [input] = inputs;
  if (input !== undefined && inputs.length === 1) return input;
  throw config.malformed("inbound_nodes", "one layer", inputs.length);
}

/**
 * Returns the operand of a layer on images. @throws UnsupportedError if channels come first @throws
 * FormatError if the operand is not an image
 */
export function onlyImage(context: LayerContext): Flow {
  const { config } = context;
  const input = onlyInput(context);
  const format = config.text("data_format", "channels_last");
  config.assert("data_format", format === "channels_last", "channels_last");
  if (input.shape.length === 4) return input;
  throw config.malformed("input", "an image of four axes", formatShape(input.shape));
}

/**
 * Makes the function that finds the weights of layers among stored tensors; a layer that is applied twice has
 * one set of weights.
 */
export function weightFinder(
  builder: GraphBuilder,
  tensors: ReadonlyMap<string, TensorInfo>,
  source: string,
): (layer: string) => LayerContext["weight"] {
  const declared = new Map<string, Value>();
  return (layer) =>
    (name, shape, role = "parameter") => {
      const full = `${layer}/${name}`;
      const earlier = declared.get(full);
      if (earlier !== undefined) return earlier;
      const info = tensors.get(full);
      const fits =
        info !== undefined &&
        sameShape(
          info.shape.map((extent, i) => (shape[i] === -1 ? -1 : extent)),
          shape,
        );
      if (!fits) {
        throw new MismatchError(
          `Cannot build layer "${layer}" of "${source}" as its weight "${full}" must have shape ${formatShape(shape)}: it ${info === undefined ? "is missing" : `has ${formatShape(info.shape)}`}`,
          { parameters: [full] },
        );
      }
      const value = builder.weight(full, info, role);
      declared.set(full, value);
      return value;
    };
}
