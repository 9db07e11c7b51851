import { at } from "@isthmus/core";
import type { MultipliedRows } from "./multiplied-weight.ts";

/** Multiplies each row of a weight by its factor, in place. */
export function scaleRows({ data, top, columns }: MultipliedRows, factors: ArrayLike<number>): void {
  for (let i = 0; i < data.length; i++) {
    data[i] = at(data, i, "element") * at(factors, top + Math.floor(i / columns), "factor");
  }
}

/** Multiplies the elements of each input; a kernel of a convolution has several elements of one input. */
export function scaleColumns({ data, columns }: MultipliedRows, factors: ArrayLike<number>): void {
  const ofInput = columns / factors.length;
  for (let i = 0; i < data.length; i++) {
    data[i] = at(data, i, "element") * at(factors, Math.floor((i % columns) / ofInput), "factor");
  }
}
