import { readJsonFile } from "@isthmus/core";
import { NOISE_SCHEDULE_DEFAULTS, NOISE_SCHEDULES, NOISE_TARGETS, type NoiseObjective } from "@isthmus/data";
import type { Graph } from "@isthmus/graph";
import { basename, dirname, join, resolve, stat } from "@isthmus/platform";
import { ModelConfig } from "./model-config.ts";

/** Name of the config of a scheduler of diffusers. */
const SCHEDULER = "scheduler_config.json";

/** Largest number of steps of a schedule. */
const MOST_STEPS = 100_000;

/** Objective of denoising diffusion models as first published, of networks without a scheduler. */
export const NOISE_OBJECTIVE: NoiseObjective = Object.freeze({
  kind: "noise",
  schedule: NOISE_SCHEDULE_DEFAULTS,
  predicts: "epsilon",
});

/** Checks whether a graph is that of a diffusion model: images and `timestep` are among its inputs. */
export function takesSteps({ inputs }: Pick<Graph, "inputs">): boolean {
  return inputs[0]?.shape?.length === 4 && inputs.some(({ name }) => name === "timestep");
}

/**
 * Reads the objective of a diffusion model from the config of its scheduler: `scheduler_config.json` beside
 * the weights or, for the folder `unet` of a pipeline, in the folder `scheduler` beside it.
 * @returns undefined if there is no scheduler
 * @throws FormatError if a field of the config has a wrong value
 * @throws UnsupportedError if the shape of the schedule or the prediction is not in the list
 */
export async function readNoiseObjective(folder: string): Promise<NoiseObjective | undefined> {
  const places = [join(folder, SCHEDULER)];
  const whole = resolve(folder);
  if (basename(whole) === "unet") places.push(join(dirname(whole), "scheduler", SCHEDULER));
  for (const path of places) {
    const stats = await stat(path).catch(() => undefined);
    if (stats?.isFile())
      return objectiveOf(new ModelConfig(await readJsonFile(path, { format: "config" }), path));
  }
  return undefined;
}

function objectiveOf(config: ModelConfig): NoiseObjective {
  const { steps, first, last } = NOISE_SCHEDULE_DEFAULTS;
  config.require("trained_betas");
  return {
    kind: "noise",
    schedule: {
      steps: config.counts("num_train_timesteps", 1, { most: MOST_STEPS, fallback: steps })[0] ?? steps,
      shape: config.choice("beta_schedule", NOISE_SCHEDULES),
      first: config.share("beta_start", first),
      last: config.share("beta_end", last),
      endsInNoise: config.boolean("rescale_betas_zero_snr", false),
    },
    predicts: config.choice("prediction_type", NOISE_TARGETS),
  };
}
