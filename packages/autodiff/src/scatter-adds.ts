import { UnsupportedError } from "@isthmus/core";
import { SCATTER_ADDS } from "@isthmus/graph/builder";
import { stringAttribute } from "@isthmus/graph/ir";
import { type GradientContext, refuseVariant } from "./gradient-rule.ts";

/** @throws UnsupportedError if the graph's operator set cannot add where it scatters, as the gradient of gathering needs */
export function assertScatterAdds({ builder, node }: GradientContext): void {
  if (builder.opset >= SCATTER_ADDS) return;
  throw new UnsupportedError(
    `Cannot differentiate node "${node.name}" as the gradient of ${node.op} needs operator set ${SCATTER_ADDS}: the graph has ${builder.opset}; convert it first`,
    { feature: node.op },
  );
}

/**
 * Whether a scatter adds instead of replacing.
 * @throws UnsupportedError if it does something else
 */
export function scatterAdds(context: GradientContext): boolean {
  const reduction = stringAttribute(context.node, "reduction", "none");
  if (reduction !== "none" && reduction !== "add") {
    refuseVariant(context, 'must have reduction "none" or "add"', `"${reduction}"`);
  }
  return reduction === "add";
}
