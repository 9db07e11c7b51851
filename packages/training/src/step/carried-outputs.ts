import type { TrainingStep } from "./training-step.ts";

/** Returns the outputs of a step that the next step takes, each with the input that takes it. */
export function carriedOutputs({ carried }: Pick<TrainingStep, "carried">): Map<string, string> {
  return new Map(
    carried.flatMap(({ input, output }) => (output === undefined ? [] : [[output, input] as const])),
  );
}
