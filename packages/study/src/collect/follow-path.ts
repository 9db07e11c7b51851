/**
 * Returns what a path such as `barrier.loss.chord` or `predictors.0.nll` leads to in a result.
 * @returns undefined if it leads nowhere
 */
export function followPath(result: unknown, path: string): unknown {
  let at = result;
  for (const step of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[step];
  }
  return at;
}
