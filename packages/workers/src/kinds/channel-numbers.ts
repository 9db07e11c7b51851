import { z } from "zod";

/** Schema of a mean or a deviation in the parameters of a task: for all channels, or one for each. */
export const CHANNEL_NUMBERS: z.ZodType<number | number[]> = z.union([
  z.number(),
  z.array(z.number()).min(2).max(1024),
]);
