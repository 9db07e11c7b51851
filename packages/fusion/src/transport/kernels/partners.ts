/** Mean, smallest and largest of the effective numbers of partners of units. */
export interface Partners {
  /** Mean over the units. */
  readonly mean: number;
  /** Smallest number of partners of a unit, at least 1. */
  readonly least: number;
  /** Largest number of partners of a unit. */
  readonly most: number;
}

/**
 * Computes the effective number of partners of each unit, `exp(entropy)` of its share of the plan.
 * @param layout - unit `u` and partner `p` share `plan[u * stride + p * step]`
 */
export function countPartners(
  plan: Float64Array,
  layout: { readonly units: number; readonly others: number; readonly stride: number; readonly step: number },
): Partners {
  const { units, others, stride, step } = layout;
  let [sum, least, most] = [0, Number.POSITIVE_INFINITY, 0];
  for (let u = 0; u < units; u++) {
    let mass = 0;
    let entropy = 0;
    for (let p = 0; p < others; p++) mass += plan[u * stride + p * step]!;
    for (let p = 0; p < others; p++) {
      const share = plan[u * stride + p * step]! / mass;
      if (share > 0) entropy -= share * Math.log(share);
    }
    const partners = Math.exp(entropy);
    sum += partners;
    least = Math.min(least, partners);
    most = Math.max(most, partners);
  }
  return { mean: sum / units, least, most };
}
