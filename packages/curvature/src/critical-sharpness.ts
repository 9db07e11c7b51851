import { type FieldsOf, InputError, numberField, OutOfRangeError, resolveFields } from "@isthmus/core";
import { assertFinite, type LossSurface } from "./operators/loss-surface.ts";
import { norm } from "./vectors.ts";

/** Options of {@link criticalSharpness} that are plain data. */
export interface CriticalSharpnessChoice {
  /** Learning rate that is tried first, such as the result at an earlier step. @defaultValue 1e-3 */
  readonly guess?: number;
  /**
   * Width of the bracket of the learning rate, over its upper end, at which the bisection stops.
   * @defaultValue 1 / 16
   */
  readonly tolerance?: number;
}

/** Fields of {@link CriticalSharpnessChoice}. */
export const CRITICAL_SHARPNESS_FIELDS: FieldsOf<CriticalSharpnessChoice> = {
  guess: numberField({ rare: true, above: 0, default: 1e-3, help: "learning rate that is tried first" }),
  tolerance: numberField({
    rare: true,
    above: 0,
    below: 1,
    default: 1 / 16,
    help: "width of the bracket of the learning rate over its upper end at which the search stops",
  }),
};

/** Options of {@link criticalSharpness}. */
export interface CriticalSharpnessOptions extends CriticalSharpnessChoice {
  /**
   * Change of the parameters at a learning rate of 1, `[dimension]`; if it is set, no gradient is computed.
   * @defaultValue the negative gradient
   */
  readonly direction?: Float64Array | undefined;
  /** Signal that stops the search between two losses. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

const RUN_DEFAULTS: Required<Omit<CriticalSharpnessOptions, keyof CriticalSharpnessChoice>> = {
  direction: undefined,
  signal: undefined,
};

/** Curvature along an update, measured by losses alone. */
export interface CriticalSharpnessResult {
  /** Kind of the result. */
  readonly kind: "critical-sharpness";
  /** Two over the middle of the bracket of the critical learning rate. */
  readonly sharpness: number;
  /** Bounds of the smallest learning rate at which the loss rises. */
  readonly learningRate: readonly [low: number, high: number];
  /** Direction of the steps: the negative gradient, or the one that the options gave. */
  readonly direction: "gradient" | "given";
  /** Number of times that the loss of all examples was computed, including the loss of the network itself. */
  readonly passes: number;
  /** Mean loss of the network itself. */
  readonly loss: number;
}

const ATTEMPT = "measure critical sharpness";

/** Effect of a step on the loss. */
type Change = "rise" | "fall" | "none";

/** Number of doublings or halvings after which the search for a critical learning rate gives up. */
const MOST_FACTORS = 60;

/**
 * Measures critical sharpness, `2 / eta`, by losses alone: `eta` is the smallest learning rate at which a
 * step along the negative gradient, or another direction, raises the loss. It is bracketed by doubling or
 * halving, then by bisection. If the loss is quadratic, critical sharpness is the curvature along the
 * gradient `g`, `g' H g / g' g`, at most the largest eigenvalue. It is not invariant to scalings of layers
 * that leave the network's function unchanged.
 * @throws OutOfRangeError if an option is out of range
 * @throws InputError if a loss is not finite, or no step of any length raises or lowers it
 * @see Kalra et al., A scalable measure of loss landscape curvature for analyzing the training dynamics of
 *   LLMs, 2026
 */
export async function criticalSharpness(
  surface: LossSurface,
  options: CriticalSharpnessOptions = {},
): Promise<CriticalSharpnessResult> {
  const resolved = resolveFields(ATTEMPT, CRITICAL_SHARPNESS_FIELDS, options, RUN_DEFAULTS);
  assertDirection(surface, resolved);
  const { tolerance, signal } = resolved;
  const direction = resolved.direction ?? (await descent(surface));
  const { place } = surface;
  let passes = 1;
  const loss = assertFinite(ATTEMPT, await surface.lossAt(place), "look at the network's weights");
  const changeAt = async (rate: number): Promise<Change> => {
    signal?.throwIfAborted();
    passes += 1;
    const next = await surface.lossAt(place.map((x, i) => x + rate * (direction[i] as number)));
    if (next === loss) return "none";
    // A loss that overflows means that the step is too long.
    return next < loss ? "fall" : "rise";
  };
  let [low, high] = await bracket(resolved.guess, changeAt);
  while (high - low > tolerance * high) {
    const middle = (low + high) / 2;
    if ((await changeAt(middle)) === "rise") high = middle;
    else low = middle;
  }
  return {
    kind: "critical-sharpness",
    sharpness: 4 / (low + high),
    learningRate: [low, high],
    direction: resolved.direction === undefined ? "gradient" : "given",
    passes,
    loss,
  };
}

function assertDirection(
  { dimension }: LossSurface,
  { direction }: Pick<CriticalSharpnessOptions, "direction">,
): void {
  if (direction === undefined) return;
  if (direction.length !== dimension) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} of ${dimension} parameters as "direction" must be as long: it has ${direction.length} elements`,
    );
  }
  const length = norm(direction);
  if (length > 0 && Number.isFinite(length)) return;
  throw new OutOfRangeError(`Cannot ${ATTEMPT} as "direction" must lead somewhere: its length is ${length}`);
}

async function descent(surface: LossSurface): Promise<Float64Array> {
  const gradient = new Float64Array(surface.dimension);
  await surface.gradientAt(surface.place, gradient);
  const length = norm(gradient);
  if (length > 0 && Number.isFinite(length)) return gradient.map((x) => -x);
  throw new InputError(
    `Cannot ${ATTEMPT} along the gradient as it must lead somewhere: its length is ${length}; pass a "direction"`,
    { input: "gradient" },
  );
}

/** Finds a learning rate at which the loss does not rise, such that the loss rises at twice that rate. */
async function bracket(
  guess: number,
  changeAt: (rate: number) => Promise<Change>,
): Promise<[low: number, high: number]> {
  const isTooLong = (await changeAt(guess)) === "rise";
  const sought = isTooLong ? "fall" : "rise";
  let rate = guess;
  for (let i = 0; i < MOST_FACTORS; i++) {
    const next = isTooLong ? rate / 2 : rate * 2;
    if ((await changeAt(next)) === sought) return isTooLong ? [next, rate] : [rate, next];
    rate = next;
  }
  throw new InputError(
    `Cannot ${ATTEMPT} as the loss must ${sought} on the way: it does not from a learning rate of ${guess} to one of ${rate}; take another direction or guess`,
    { input: "direction" },
  );
}
