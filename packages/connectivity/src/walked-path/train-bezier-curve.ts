import { rm } from "@isthmus/platform";
import { trainCurve } from "../curve/train-curve.ts";
import type { NamedPath } from "../dropout-path/measure-dropout-path.ts";
import type { Walking, WalkSubject } from "./open-meter.ts";
import { countWalkSteps } from "./plan-walk.ts";
import type { WalkedPathProgress } from "./walked-path-options.ts";

/** Journal file and progress callback of the training of a curve. */
interface Following {
  readonly journalPath: string | undefined;
  readonly onProgress: ((progress: WalkedPathProgress) => void) | undefined;
}

/** Trained curve between the ends of a walk. */
interface TrainedBeside {
  readonly named: NamedPath;
  /** Removes the state of the curve's training, once everything is measured. */
  readonly finish: () => Promise<void>;
}

/** Trains a Bezier curve between the ends of a walk, in about as many steps as the walk has. */
export async function trainBezierCurve(
  { architecture, ends, training }: WalkSubject,
  { moves, trainSteps, learningRate, ...options }: Walking,
  { journalPath, onProgress }: Following,
): Promise<TrainedBeside> {
  const steps = countWalkSteps(architecture.graph, { moves, trainSteps });
  const statePath = journalPath === undefined ? undefined : `${journalPath}.bezier.safetensors`;
  const { path } = await trainCurve(architecture, ends, training, {
    ...options,
    ...(statePath === undefined ? {} : { statePath, resume: true }),
    schedule: { kind: "constant", learningRate },
    epochs: Math.max(1, Math.round((steps * options.batch) / training.size)),
    onProgress: ({ done }) => onProgress?.({ done, stage: "curve" }),
  });
  return {
    named: { name: "Bezier curve", path },
    finish: async () => {
      if (statePath !== undefined) await rm(statePath, { force: true });
    },
  };
}
