import type { Measurement } from "@isthmus/findings";
import { ATTEMPT, BARRIER_FIELDS, type BarrierChoice } from "./barrier-options.ts";
import type { BarrierResult } from "./barrier-result.ts";
import { BARRIER_RESULT } from "./barrier-result-kind.ts";
import { measureBarrier } from "./measure-barrier.ts";

/**
 * Measurement of loss and error on the path from one network to another, for studies. The command
 * `isthmus barrier` does not use it, as the command has more options, compares barriers, and decomposes them.
 */
export const BARRIER: Measurement<"pair", BarrierChoice, BarrierResult> = {
  ...BARRIER_RESULT,
  version: 1,
  attempt: ATTEMPT,
  subject: "pair",
  isOnLine: true,
  options: BARRIER_FIELDS,
  examples: [],
  async run({ graph, engine, a, b, data, statisticsData }, options, { signal, report }) {
    return measureBarrier({ graph, engine }, [a, b], data, {
      ...options,
      statisticsData,
      signal,
      onProgress: ({ done }) => report("Measuring", done),
    });
  },
};
