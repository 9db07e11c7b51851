import type { Scaling } from "@isthmus/graph";
import * as z from "zod";

/** Scaling of bytes in the parameters of a task. @defaultValue the usual one of the data set */
export interface DescribedScaling {
  /** Mean that is subtracted from bytes, with `std`. */
  readonly mean?: Scaling["mean"] | undefined;
  /** Deviation by which bytes are divided once `mean` is subtracted; without `mean` it has no effect. */
  readonly std?: Scaling["std"] | undefined;
}

/** Schema of a mean or a deviation in the parameters of a task: for all channels, or one for each. */
export const CHANNEL_NUMBERS: z.ZodType<number | number[]> = z.union([
  z.number(),
  z.array(z.number()).min(2).max(1024),
]);

/** Reads the scaling in the parameters of a task; undefined for the usual one of the data set. */
export function scalingOf({ mean, std }: DescribedScaling): Scaling | undefined {
  return mean === undefined || std === undefined ? undefined : { mean, std };
}
