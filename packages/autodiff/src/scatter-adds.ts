import { UnsupportedError } from "@isthmus/core";
import { SCATTER_ADDS } from "@isthmus/graph/builder";
import type { GradientContext } from "./gradient-rule.ts";

/**
 * Checks that the scatter operators of the graph's operator set can add, which the gradient of gathering
 * needs.
 * @throws UnsupportedError if they cannot
 */
export function assertScatterAdds({ builder, node }: GradientContext): void {
  if (builder.opset >= SCATTER_ADDS) return;
  throw new UnsupportedError(
    `Cannot differentiate node "${node.name}" as the gradient of ${node.op} needs operator set ${SCATTER_ADDS}: the graph has ${builder.opset}; convert it first`,
    { feature: node.op },
  );
}
