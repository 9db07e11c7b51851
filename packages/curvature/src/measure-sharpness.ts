import {
  createRandom,
  type FieldsOf,
  meanOf,
  numberField,
  OutOfRangeError,
  type Random,
  resolveFields,
  triesField,
} from "@isthmus/core";
import { assertFinite, type LossSurface } from "./operators/loss-surface.ts";
import { standardErrorOf } from "./sample-statistics.ts";
import { SURFACE_RUN_DEFAULTS, SURFACE_SEED_FIELD, type SurfaceRunOptions } from "./surface-run.ts";
import { addMultipleInPlace, norm, randomDirection, scaleInPlace } from "./vectors.ts";

/** Options of {@link measureSharpness} that are plain data. */
export interface SharpnessChoice {
  /** Radius of the ball in which the largest rise of the loss is sought, as in SAM. @defaultValue 0.05 */
  readonly radius?: number;
  /**
   * Radius of the ball of adaptive sharpness, in units of the absolute parameters, as in ASAM.
   * @defaultValue 0.5
   */
  readonly adaptiveRadius?: number;
  /** Number of steps of ascent in the ball; 0 for the one step of SAM alone. @defaultValue 20 */
  readonly steps?: number;
  /** Standard deviation of the Gaussian noise. @defaultValue 0.01 */
  readonly deviation?: number;
  /**
   * Standard deviation of the noise of adaptive sharpness, in units of the absolute parameters.
   * @defaultValue 0.1
   */
  readonly adaptiveDeviation?: number;
  /** Number of draws of the noise, at least 2; 0 for none. @defaultValue 20 */
  readonly samples?: number;
}

/** Fields of {@link SharpnessChoice}. */
export const SHARPNESS_FIELDS: FieldsOf<SharpnessChoice> = {
  radius: numberField({
    above: 0,
    default: 0.05,
    help: "radius of the ball in which the loss may rise, as in SAM",
  }),
  adaptiveRadius: numberField({
    rare: true,
    above: 0,
    default: 0.5,
    help: "radius in units of the absolute parameters, as in ASAM",
  }),
  steps: triesField({
    rare: true,
    least: 0,
    default: 20,
    help: "steps of ascent in the ball; 0 for the one step of SAM alone",
  }),
  deviation: numberField({
    rare: true,
    above: 0,
    default: 0.01,
    help: "standard deviation of Gaussian noise",
  }),
  adaptiveDeviation: numberField({
    rare: true,
    above: 0,
    default: 0.1,
    help: "standard deviation of noise in units of the absolute parameters",
  }),
  samples: triesField({
    rare: true,
    least: 0,
    default: 20,
    help: "number of noises, at least 2; 0 for none",
  }),
};

/** Options of {@link measureSharpness}; `onProgress` is called after every loss. */
export interface MeasureSharpnessOptions extends SharpnessChoice, SurfaceRunOptions {}

/** Rises of the loss around a network, by one measure of distance. */
export interface SharpnessValues {
  /**
   * Radius of the ball: a distance between parameters, for adaptive sharpness in units of their absolute
   * values.
   */
  readonly radius: number;
  /** Rise of the loss after one step of the radius' length along the gradient, as SAM takes it. */
  readonly oneStep: number;
  /** Largest rise met while climbing in the ball, at least `oneStep`; absent if there were no steps. */
  readonly worst?: number;
  /** Mean rise under Gaussian noise; absent if there were no samples. */
  readonly average?: {
    readonly rise: number;
    /** Standard error of the mean over the draws of the noise. */
    readonly standardError: number;
    readonly deviation: number;
  };
}

/** Sharpness of a loss around a network. */
export interface SharpnessResult {
  /** Kind of the result. */
  readonly kind: "sharpness";
  /** Mean loss of the network itself. */
  readonly loss: number;
  /**
   * Sharpness that treats all parameters alike; not invariant to scalings of layers that leave the function
   * unchanged.
   */
  readonly plain: SharpnessValues;
  /** Sharpness with every parameter in units of its absolute value; invariant to such scalings. */
  readonly adaptive: SharpnessValues;
  /** Number of steps of ascent in the ball. */
  readonly steps: number;
  /** Number of draws of the noise. */
  readonly samples: number;
  /** Seed of noise. */
  readonly seed: number;
}

const FIELDS = { ...SHARPNESS_FIELDS, ...SURFACE_SEED_FIELD };
const ATTEMPT = "measure sharpness";
const ADVICE = "take a smaller radius or deviation";

/**
 * Total length of all steps over the radius, so that the edge of the ball is reached from any place within.
 */
const TRAVEL = 2.5;

/**
 * Measures how far the loss rises around a network: in the worst direction within a ball, and on average
 * under Gaussian noise. Both are measured plain, and adaptively, which is with every parameter in units of
 * its absolute value. Adaptive sharpness stays the same if layers are scaled against each other; plain
 * sharpness does not.
 * @throws OutOfRangeError if an option is out of range
 * @throws InputError if a loss is not finite
 * @see Foret et al., Sharpness-aware minimization, 2021; Kwon et al., ASAM, 2021; Andriushchenko et al., A
 *   modern look at the relationship between sharpness and generalization, 2023
 */
export async function measureSharpness(
  surface: LossSurface,
  options: MeasureSharpnessOptions = {},
): Promise<SharpnessResult> {
  const resolved = resolveFields(ATTEMPT, FIELDS, options, SURFACE_RUN_DEFAULTS);
  assertSamples(resolved);
  const { radius, adaptiveRadius, deviation, adaptiveDeviation, steps, samples, seed } = resolved;
  const gradient = new Float64Array(surface.dimension);
  const loss = assertFinite(ATTEMPT, await surface.gradientAt(surface.place, gradient), ADVICE);
  const total = 2 * (1 + steps + samples);
  let made = 0;
  const next = (): void => {
    resolved.signal?.throwIfAborted();
    made += 1;
    resolved.onProgress?.(made / total);
  };
  const start = { surface, loss, gradient, next };
  const ones = new Float64Array(surface.dimension).fill(1);
  const sizes = surface.place.map(Math.abs);
  const plain = await measureAround({ ...start, scale: ones }, { radius, deviation, steps, samples, seed });
  const adaptive = await measureAround(
    { ...start, scale: sizes },
    { radius: adaptiveRadius, deviation: adaptiveDeviation, steps, samples, seed },
  );
  return { kind: "sharpness", loss, plain, adaptive, steps, samples, seed };
}

function assertSamples({ samples }: Required<SharpnessChoice>): void {
  if (samples !== 1) return;
  throw new OutOfRangeError(
    `Cannot ${ATTEMPT} as "samples" must be 0, or at least 2 for a standard error: it is 1`,
  );
}

/** Loss surface in coordinates that are stretched by a scale. */
interface Stretched {
  readonly surface: LossSurface;
  readonly loss: number;
  readonly gradient: Float64Array;
  readonly scale: Float64Array;
  readonly next: () => void;
}

interface Extent {
  readonly radius: number;
  readonly deviation: number;
  readonly steps: number;
  readonly samples: number;
  readonly seed: number;
}

async function measureAround(stretched: Stretched, extent: Extent): Promise<SharpnessValues> {
  const { radius, deviation, steps, samples, seed } = extent;
  const { surface, loss } = stretched;
  const riseAt = async (way: Float64Array): Promise<number> => {
    const at = assertFinite(ATTEMPT, await surface.lossAt(placeAt(stretched, way)), ADVICE);
    stretched.next();
    return at - loss;
  };
  const first = upwards(stretched, stretched.gradient);
  scaleInPlace(first, radius);
  const oneStep = await riseAt(first);
  const worst = steps === 0 ? {} : { worst: Math.max(oneStep, await climb(stretched, extent)) };
  if (samples === 0) return { radius, oneStep, ...worst };
  const rises: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const random = createRandom(seed, `${ATTEMPT} noise ${sample}`);
    rises.push(await riseAt(noise(random, surface.dimension, deviation)));
  }
  const average = { rise: meanOf(rises), standardError: standardErrorOf(rises), deviation };
  return { radius, oneStep, ...worst, average };
}

const noise = (random: Random, dimension: number, deviation: number): Float64Array =>
  Float64Array.from({ length: dimension }, () => deviation * random.normal());

/** Returns the place at the end of a displacement in stretched coordinates. */
const placeAt = ({ surface, scale }: Stretched, way: Float64Array): Float64Array =>
  surface.place.map((x, i) => x + (scale[i] as number) * (way[i] as number));

/** Returns the direction in which the loss rises fastest, of length 1; of length 0 if there is none. */
function upwards({ scale }: Stretched, gradient: Float64Array): Float64Array {
  const direction = gradient.map((x, i) => x * (scale[i] as number));
  const length = norm(direction);
  scaleInPlace(direction, length > 0 ? 1 / length : 0);
  return direction;
}

/** Climbs by steps along the gradient that stay in the ball, and returns the largest rise that it met. */
async function climb(stretched: Stretched, { radius, steps, seed }: Extent): Promise<number> {
  const { surface, loss, gradient: first, next } = stretched;
  const step = (TRAVEL * radius) / steps;
  const gradient = Float64Array.from(first);
  const way = new Float64Array(surface.dimension);
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < steps; i++) {
    const direction = upwards(stretched, gradient);
    // If the gradient is zero, as at a minimum, a random direction serves for the start.
    const isLevel = norm(direction) === 0;
    const taken = isLevel ? randomDirection(createRandom(seed, ATTEMPT), surface.dimension) : direction;
    addMultipleInPlace(way, step, taken);
    const length = norm(way);
    if (length > radius) scaleInPlace(way, radius / length);
    const at = await surface.gradientAt(placeAt(stretched, way), gradient);
    most = Math.max(most, assertFinite(ATTEMPT, at, ADVICE) - loss);
    next();
  }
  return most;
}
