import { llamaFamily } from "../llama-family.ts";
import type { ModelFamily } from "../model-family.ts";
import { shareRotary } from "../model-rotary.ts";

/**
 * Phi 3 and 4: Mistral with fused projections, of which some turn only a share of the dimensions.
 * @see Abdin et al., Phi-3 technical report, 2024, section 2
 */
export const PHI3: ModelFamily = llamaFamily({
  windows: "all",
  fused: true,
  rotary: shareRotary("partial_rotary_factor"),
});
