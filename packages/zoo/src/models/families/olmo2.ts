import { llamaFamily } from "../llama-family.ts";
import type { ModelFamily } from "../model-family.ts";

/**
 * OLMo 2: Llama that normalises what attention and feed-forward network add to the stream, and the queries
 * and keys of all heads together. @see OLMo Team, 2 OLMo 2 Furious, 2025, section 2.1
 */
export const OLMO2: ModelFamily = llamaFamily({
  windows: "none",
  normPlaces: () => "after",
  headNorms: () => "whole",
});
