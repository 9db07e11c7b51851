type Elements = Float32Array | Float64Array;

const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;

/**
 * Makes one step of Adam in place, without weight decay.
 *
 * Source: Kingma and Ba, Adam, 2015, algorithm 1.
 */
export function adamStep(
  x: Elements,
  gradient: Elements,
  { first, second }: { readonly first: Elements; readonly second: Elements },
  { step, rate }: { readonly step: number; readonly rate: number },
): void {
  const size = rate / (1 - BETA_1 ** step);
  const spread = Math.sqrt(1 - BETA_2 ** step);
  for (let i = 0; i < x.length; i++) {
    const g = gradient[i]!;
    const m = BETA_1 * first[i]! + (1 - BETA_1) * g;
    const v = BETA_2 * second[i]! + (1 - BETA_2) * g * g;
    first[i] = m;
    second[i] = v;
    if (m !== 0) x[i] = x[i]! - (size * m) / (Math.sqrt(v) / spread + EPSILON);
  }
}
