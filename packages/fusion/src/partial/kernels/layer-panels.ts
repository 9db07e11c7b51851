import type { Window } from "../fit/layer-sites.ts";

/** The input of a convolution, `[examples, channels, height, width]`, and the size of its output. */
export interface ImageForm {
  /** Number of channels of the input. */
  readonly channels: number;
  /** Number of rows of the input. */
  readonly height: number;
  /** Number of columns of the input. */
  readonly width: number;
  /** Number of rows of the output. */
  readonly outHeight: number;
  /** Number of columns of the output. */
  readonly outWidth: number;
}

/**
 * Writes the windows of images as rows.
 * @param x - `[examples, channels, height, width]`
 * @param columns - number of columns of a row: the first `channels * kernel` are written in the order of a
 *   kernel's weights, further columns are not changed
 * @param out - `[examples * outHeight * outWidth, columns]`, with zeros for elements of windows outside the
 *   image
 */
export function writeWindows(
  x: Float32Array,
  form: ImageForm,
  { kernel, strides, pads, dilations }: Window,
  columns: number,
  out: Float32Array,
): void {
  const { channels, height, width, outHeight, outWidth } = form;
  const image = channels * height * width;
  const examples = x.length / image;
  let row = 0;
  for (let n = 0; n < examples; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++, row += columns) {
        let to = row;
        for (let c = 0; c < channels; c++) {
          const plane = n * image + c * height * width;
          for (let di = 0; di < kernel[0]; di++) {
            const y = i * strides[0] - pads[0] + di * dilations[0];
            for (let dj = 0; dj < kernel[1]; dj++) {
              const z = j * strides[1] - pads[1] + dj * dilations[1];
              const isInside = y >= 0 && y < height && z >= 0 && z < width;
              out[to++] = isInside ? x[plane + y * width + z]! : 0;
            }
          }
        }
      }
    }
  }
}

/**
 * Copies rows to rows with more columns.
 * @param x - `[rows, inputs]`
 * @param out - `[rows, columns]`, `columns >= inputs`; the other columns are not changed
 */
export function writeRows(x: Float32Array, inputs: number, columns: number, out: Float32Array): void {
  for (let from = 0, row = 0; from < x.length; row += columns) {
    for (let i = 0; i < inputs; i++) out[row + i] = x[from++]!;
  }
}

/** The outputs of a layer in the two networks and in the wide one. */
export interface LayerOutputs {
  /** Outputs of the wide network, `[outer, places, inner]`. */
  readonly wide: Float32Array;
  /** Outputs of A, `[outer, channels, inner]`. */
  readonly a: Float32Array;
  /** Outputs of B in the coordinates of A, `[outer, channels, inner]`. */
  readonly b: Float32Array;
}

/** Places of the outputs of a layer in the wide network. */
export interface OutputPlaces {
  /** Channel of each place, `[places]`. */
  readonly from: Int32Array;
  /** Share of A in the target of each place, `[places]`; the rest is the share of B. */
  readonly shareOfA: Float32Array;
  /** Number of channels of A. */
  readonly channels: number;
  /** Number of elements behind the axis of places: pixels of the output of a convolution, 1 for a product. */
  readonly inner: number;
}

/**
 * Computes the residuals of the outputs of the wide network: the targets, which are outputs of A, of B or a
 * mean of both by the shares of places, minus the outputs.
 * @param out - `[outer * inner, places]`
 * @returns the sum of squares of the targets
 */
export function writeResiduals(outputs: LayerOutputs, places: OutputPlaces, out: Float32Array): number {
  const { wide, a, b } = outputs;
  const { from, shareOfA, channels, inner } = places;
  const count = from.length;
  const outer = wide.length / (count * inner);
  let squares = 0;
  for (let o = 0; o < outer; o++) {
    for (let place = 0; place < count; place++) {
      const start = (o * channels + from[place]!) * inner;
      const share = shareOfA[place]!;
      let to = o * inner * count + place;
      let at = (o * count + place) * inner;
      for (let i = 0; i < inner; i++, to += count) {
        const inA = share === 0 ? 0 : share * a[start + i]!;
        const inB = share === 1 ? 0 : (1 - share) * b[start + i]!;
        const target = inA + inB;
        squares += target * target;
        out[to] = target - wide[at++]!;
      }
    }
  }
  return squares;
}

/** Adds `terms` to `sums`, element by element. */
export function addTo(sums: Float64Array, terms: Float32Array | Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += terms[i]!;
}

/** Returns the sum of the products of two arrays, element by element. */
export function innerProduct(x: Float64Array, y: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}
