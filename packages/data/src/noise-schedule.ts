/** Shapes of schedules of noise, by their names in schedulers of diffusers. */
export const NOISE_SCHEDULES = ["linear", "scaled_linear", "squaredcos_cap_v2"] as const;

/** Variances of the noise that each step of a diffusion adds. */
export interface NoiseScheduleOptions {
  /** Number of steps. */
  readonly steps: number;
  /** Shape of the schedule: variances or their roots on a line, or the squared cosine of what remains. */
  readonly shape: (typeof NOISE_SCHEDULES)[number];
  /** Variance of the first step; the squared cosine has its own. */
  readonly first: number;
  /** Variance of the last step; the squared cosine has its own. */
  readonly last: number;
  /** Whether the schedule is stretched so that nothing of the image remains after the last step. */
  readonly endsInNoise: boolean;
}

/** Options of denoising diffusion models as first published. @see Ho et al., 2020, section 4 */
export const NOISE_SCHEDULE_DEFAULTS: NoiseScheduleOptions = Object.freeze({
  steps: 1000,
  shape: "linear",
  first: 1e-4,
  last: 0.02,
  endsInNoise: false,
});

/** Largest variance of a step of the squared cosine. */
const LARGEST = 0.999;

/** Share of the image that remains after a share of the steps, by Nichol and Dhariwal, 2021, equation 17. */
const squaredCosine = (time: number): number => Math.cos(((time + 0.008) / 1.008) * (Math.PI / 2)) ** 2;

const line = (from: number, to: number, share: number): number => from + (to - from) * share;

/** Variance of the noise of each step, by the shape of the schedule. */
const VARIANCES: Readonly<
  Record<NoiseScheduleOptions["shape"], (step: number, options: NoiseScheduleOptions) => number>
> = {
  linear: (step, { steps, first, last }) => line(first, last, step / Math.max(1, steps - 1)),
  scaled_linear: (step, { steps, first, last }) =>
    line(Math.sqrt(first), Math.sqrt(last), step / Math.max(1, steps - 1)) ** 2,
  squaredcos_cap_v2: (step, { steps }) =>
    Math.min(LARGEST, 1 - squaredCosine((step + 1) / steps) / squaredCosine(step / steps)),
};

/** Computes the share of the variance of an image that remains after each step, `[steps]`, from 1 to 0. */
export function remainingSignal(options: NoiseScheduleOptions): Float64Array {
  const { steps, shape, endsInNoise } = options;
  const remaining = new Float64Array(steps);
  let product = 1;
  for (let step = 0; step < steps; step++) {
    product *= 1 - VARIANCES[shape](step, options);
    remaining[step] = product;
  }
  return endsInNoise ? stretch(remaining) : remaining;
}

/** Moves the roots of the shares to 0 at the last step (Lin et al., 2024, algorithm 1). */
function stretch(remaining: Float64Array): Float64Array {
  const roots = remaining.map(Math.sqrt);
  const [first = 1, last = 0] = [roots[0], roots.at(-1)];
  return roots.map((root) => ((root - last) * (first / (first - last))) ** 2);
}
