/** Returns the number of points that a rule needs to resist any minority. */
export function leastOfMajority({ f }: { readonly f: number }): { count: number; reason: string } {
  return { count: 2 * f + 1, reason: "the majority of the updates must be honest" };
}
