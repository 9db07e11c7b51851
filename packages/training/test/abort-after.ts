import type { TrainOptions } from "@isthmus/training";

/** Options that abort a training once `steps` steps are made; 0 before the first. */
export function abortAfter(steps: number): Pick<TrainOptions, "signal" | "onProgress"> {
  const controller = new AbortController();
  if (steps === 0) controller.abort();
  return {
    signal: controller.signal,
    onProgress: ({ step }) => {
      if (step === steps) controller.abort();
    },
  };
}
