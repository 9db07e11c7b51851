import type { RotaryTables } from "../../layers/rotary.ts";
import { llamaFamily } from "../llama-family.ts";
import type { FamilyContext, ModelFamily } from "../model-family.ts";
import { modelRotary } from "../model-rotary.ts";

/**
 * Phi 3 and 4: Mistral with fused projections, of which some turn only a share of the dimensions.
 * @see Abdin et al., Phi-3 technical report, 2024, section 2
 */
export const PHI3: ModelFamily = llamaFamily({
  queryBias: false,
  windows: "all",
  tied: false,
  fused: true,
  rotary: partialRotary,
});

function partialRotary(context: FamilyContext, inner: number): (layer: number) => RotaryTables {
  const tables = modelRotary(context, {
    inner,
    base: "rope_theta",
    share: { field: "partial_rotary_factor", fallback: 1 },
  });
  return () => tables;
}
