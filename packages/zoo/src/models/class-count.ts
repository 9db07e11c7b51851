import type { ModelConfig } from "./model-config.ts";

/** Classes of a classifier: as many as the config has names for, else `num_labels`, which is 2 where it is missing. */
export function classCount(config: ModelConfig): number {
  const labels = config.object("id2label");
  return labels === undefined ? config.count("num_labels", 2) : labels.names.length;
}
