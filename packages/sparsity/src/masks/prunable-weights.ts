import { InputError, matchesAny, matchesGlob, OutOfRangeError } from "@isthmus/core";
import { type Graph, parameterNames } from "@isthmus/graph";

/**
 * Lists the weights that may be pruned: matrices, kernels and embeddings. Biases and the parameters of norms
 * have one axis and are left out.
 * @param patterns - names of weights, in which `*` matches any characters; all weights if missing
 * @throws OutOfRangeError if a pattern matches no weight
 * @throws InputError if the graph has no such weight
 */
export function prunableWeights(
  attempt: string,
  graph: Graph,
  patterns: readonly string[] | undefined,
): readonly string[] {
  const names = parameterNames(graph).filter((name) => (graph.weights.get(name)?.shape.length ?? 0) > 1);
  if (names.length === 0) {
    throw new InputError(
      `Cannot ${attempt} of graph "${graph.name}" as it must have weights of two or more axes: it has none`,
      { input: graph.name },
    );
  }
  if (patterns === undefined) return names;
  assertMatches(attempt, { option: "layers", patterns }, names);
  return names.filter((name) => matchesAny(patterns, name));
}

/**
 * Checks that each pattern of an option matches a name.
 * @throws OutOfRangeError if a pattern matches no name
 */
export function assertMatches(
  attempt: string,
  { option, patterns }: { readonly option: string; readonly patterns: readonly string[] },
  names: readonly string[],
): void {
  const unmatched = patterns.find((pattern) => !names.some((name) => matchesGlob(pattern, name)));
  if (unmatched === undefined) return;
  throw new OutOfRangeError(
    `Cannot ${attempt} as each of "${option}" must match a name: "${unmatched}" matches none of ${names.join(", ")}`,
  );
}

/**
 * Returns the share to prune for each name: the share of the first pattern that matches it, else the default
 * one.
 */
export function sharesOf(
  attempt: string,
  names: readonly string[],
  { sparsity, shares }: { readonly sparsity: number; readonly shares: Readonly<Record<string, number>> },
): ReadonlyMap<string, number> {
  const patterns = Object.entries(shares);
  assertMatches(attempt, { option: "shares", patterns: patterns.map(([pattern]) => pattern) }, names);
  return new Map(
    names.map((name) => [name, patterns.find(([pattern]) => matchesGlob(pattern, name))?.[1] ?? sparsity]),
  );
}
