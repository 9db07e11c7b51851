import type { ModelConfig } from "./model-config.ts";

/**
 * Returns the number of classes of a classifier: the number of names in the config, else `num_labels`, which
 * is 2 by default.
 */
export function classCount(config: ModelConfig): number {
  const labels = config.object("id2label");
  return labels === undefined ? config.count("num_labels", 2) : labels.names.length;
}
