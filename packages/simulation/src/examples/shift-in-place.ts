import { at, createRandom, type Tensor, UnsupportedError } from "@isthmus/core";
import type { FeatureShift } from "./feature-shift.ts";

/**
 * Turns every image of a batch, brightens it and adds noise to it.
 *
 * An image is turned about its middle, with linear interpolation between pixels; pixels from outside the
 * image have the value of the nearest pixel at the edge.
 * @param inputs - `[images, channels, height, width]`, f32
 * @param what - name for messages and for the random stream of the noise, and the seed of that stream
 * @throws UnsupportedError if inputs are not f32, or inputs to be turned are not images
 */
export function shiftInPlace(
  inputs: Tensor,
  { rotation, brightness, noise }: FeatureShift,
  { name, seed }: { readonly name: string; readonly seed: number },
): void {
  const { data, shape } = inputs;
  if (!(data instanceof Float32Array) || inputs.dtype !== "f32") {
    throw new UnsupportedError(
      `Cannot shift the inputs of "${name}" as they must be f32: they are ${inputs.dtype}`,
      { feature: inputs.dtype },
    );
  }
  if (rotation !== 0) turnInPlace(data, shape, { rotation, name });
  if (brightness !== 0) for (let i = 0; i < data.length; i++) data[i] = at(data, i) + brightness;
  if (noise !== 0) {
    const random = createRandom(seed, `noise of ${name}`);
    for (let i = 0; i < data.length; i++) data[i] = at(data, i) + noise * random.normal();
  }
}

function turnInPlace(
  data: Float32Array,
  shape: readonly number[],
  { rotation, name }: { readonly rotation: number; readonly name: string },
): void {
  const [, , height, width] = shape;
  if (shape.length !== 4 || height === undefined || width === undefined) {
    throw new UnsupportedError(
      `Cannot turn the inputs of "${name}" as they must be images [channels, height, width]: they are [${shape.slice(1)}]`,
      { feature: "rotation" },
    );
  }
  const area = height * width;
  const places = placesOf(height, width, rotation);
  const before = new Float32Array(area);
  for (let begin = 0; begin < data.length; begin += area) {
    const plane = data.subarray(begin, begin + area);
    before.set(plane);
    for (let i = 0; i < area; i++) {
      const [y, x] = [at(places.y, i), at(places.x, i)];
      const [top, left] = [Math.min(Math.floor(y), height - 2), Math.min(Math.floor(x), width - 2)];
      const [down, right] = [y - Math.max(0, top), x - Math.max(0, left)];
      const corner = Math.max(0, top) * width + Math.max(0, left);
      const [below, beside] = [height > 1 ? width : 0, width > 1 ? 1 : 0];
      const upper = at(before, corner) * (1 - right) + at(before, corner + beside) * right;
      const lower = at(before, corner + below) * (1 - right) + at(before, corner + below + beside) * right;
      plane[i] = upper * (1 - down) + lower * down;
    }
  }
}

/** Finds the position in the original image from which each pixel of the turned image comes. */
function placesOf(height: number, width: number, rotation: number) {
  const angle = (rotation * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
  const y = new Float64Array(height * width);
  const x = new Float64Array(height * width);
  for (let i = 0; i < y.length; i++) {
    const [fromY, fromX] = [Math.floor(i / width) - middleY, (i % width) - middleX];
    // Rows go down, so that this turns the visible image counter-clockwise.
    y[i] = within(middleY + cos * fromY + sin * fromX, height);
    x[i] = within(middleX - sin * fromY + cos * fromX, width);
  }
  return { y, x };
}

const within = (place: number, extent: number): number => Math.min(Math.max(place, 0), extent - 1);
