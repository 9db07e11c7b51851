import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import type { MatchLearnedOptions } from "@isthmus/weight-matching";
import { assertOutput } from "../output/assert-output.ts";
import { sayHowToGoOn } from "../terminal/say-how-to-go-on.ts";
import { ENDING, nameState } from "../training/training-files.ts";
import { withTrainingLock } from "../training/with-training-lock.ts";
import type { Context } from "../verb.ts";

/** Output and inputs of a learned alignment. */
export interface LearnedOutput {
  /** File or folder of the alignment, beside which the state of the learning is kept. */
  readonly output: string;
  /** Files that must not be overwritten. */
  readonly inputs: readonly string[];
}

/**
 * Runs a learned alignment that keeps its state beside the output. It goes on from the state that an
 * interrupted one left, and removes it in the end; if it is stopped, says how to go on.
 * @param work - aligns and saves, with the options that keep the state
 * @throws InputError if the state cannot be written, or another process learns the same output
 */
export async function keepLearning<T>(
  { output, inputs }: LearnedOutput,
  context: Pick<Context, "signal" | "terminal">,
  work: (options: Pick<MatchLearnedOptions, "statePath">) => Promise<T>,
): Promise<T> {
  const state = nameState(output.endsWith(ENDING) ? output : `${resolve(output)}${ENDING}`);
  await assertOutput(state, inputs);
  const left = () =>
    existsSync(state) ? `what is learned so far is in "${state}": the same command goes on` : undefined;
  return withTrainingLock({ state, output }, () =>
    sayHowToGoOn({ verb: "align", left }, context, async () => {
      const result = await work({ statePath: state });
      await rm(state, { force: true });
      return result;
    }),
  );
}
