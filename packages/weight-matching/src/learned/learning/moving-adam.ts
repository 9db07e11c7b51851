/**
 * Constants of Adam: decay of the mean of gradients, of the mean of their squares, and the addend that keeps
 * divisors from 0.
 */
const DECAY = 0.9;
const SQUARE_DECAY = 0.99;
const EPSILON = 1e-8;

/** Share of a network in a step, and the size of the step in an element of a generator. */
export interface LearningStep {
  /** Share of the moved network in the mean at which the gradient was taken, in `[0, 1]`. */
  readonly t: number;
  /** Largest change of an element of the generator by this step. */
  readonly rate: number;
}

/** Running means of the gradients of one space, in the frame that moves with its matrix, or of factors. */
export interface Moments {
  /** Decayed mean of the gradients, not corrected for its start at 0. */
  readonly mean: Float64Array;
  /** Decayed mean of the squares of the gradients, not corrected either. */
  readonly square: Float64Array;
}

/** Creates moments of zeros for a number of elements. */
export function createMoments(count: number): Moments {
  return { mean: new Float64Array(count), square: new Float64Array(count) };
}

/**
 * Updates moments by a gradient and returns the step, about 1 in each element at first. The step is in the
 * frame in which the matrix is now, so moments need not be transported.
 *
 * @see Kingma and Ba, Adam (2015), algorithm 1; with beta_2 = .99
 * @param step - number of this step, from 1
 */
export function adamStep(gradient: Float64Array, { mean, square }: Moments, step: number): Float64Array {
  const forMean = 1 - DECAY ** step;
  const forSquare = 1 - SQUARE_DECAY ** step;
  const direction = new Float64Array(gradient.length);
  for (let i = 0; i < gradient.length; i++) {
    const value = gradient[i] as number;
    const m = DECAY * (mean[i] as number) + (1 - DECAY) * value;
    const v = SQUARE_DECAY * (square[i] as number) + (1 - SQUARE_DECAY) * value * value;
    mean[i] = m;
    square[i] = v;
    direction[i] = m / forMean / (Math.sqrt(v / forSquare) + EPSILON);
  }
  return direction;
}
