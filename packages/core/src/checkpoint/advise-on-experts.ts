/** Name of a tensor of one expert of a mixture, such as `model.layers.0.mlp.experts.4.up_proj.weight`. */
const OF_EXPERT = /\.experts\.\d+\./;

/**
 * Returns the end of an error's message that says how mixtures of unequal numbers of experts are merged; an
 * empty text if the networks differ in something else.
 *
 * @param names - names of the tensors that only one of two networks has
 */
export function adviseOnExperts(names: readonly string[]): string {
  if (names.length === 0 || !names.every((name) => OF_EXPERT.test(name))) return "";
  return "; these are mixtures with unequal numbers of experts: make them equal first, by isthmus experts MIXTURE --reduce N --data TEXTS -o FOLDER with the smaller number as N";
}
