/** Parts of names under which training scripts store optimizers, schedules, scalers and random generators. */
const TRAINING_PARTS =
  /^(optim|optimizer\w*|opt|opt_state|lr_?sched\w*|sched|scheduler\w*|scaler|grad_scaler|amp|rng\w*|random\w*|exp_avg\w*|max_exp_avg_sq|momentum_buffer)$/i;

/**
 * Checks by its name whether a tensor is the state of a
 * training, which no network has and no merge should touch.
 */
export function isTrainingState(name: string): boolean {
  return name.split(".").some((part) => TRAINING_PARTS.test(part));
}
