import { stat } from "node:fs/promises";
import {
  type Checkpoint,
  createCheckpoint,
  excerpt,
  FormatError,
  formatShape,
  InputError,
  MismatchError,
  openCheckpoint,
  parseJson,
  sameShape,
  saveCheckpoint,
  type Tensor,
} from "@isthmus/core";
import { assertSameRun, type RunDescription } from "./describe-run.ts";
import type { ResolvedTrainOptions } from "./train-options.ts";
import type { EpochResult } from "./train-result.ts";

/** How far a training has got: everything a state holds beside tensors. */
export interface TrainingPosition {
  /** Steps made so far. */
  readonly step: number;
  /** Sum of the losses of the batches of the current epoch. */
  readonly lossSum: number;
  /** Correct predictions of the current epoch; 0 if the loss has no notion of a correct one. */
  readonly correct: number;
  /** All predictions of the current epoch that count; 0 like `correct`. */
  readonly counted: number;
  /** Results of the finished epochs. */
  readonly epochs: readonly EpochResult[];
}

/** The position at which every training begins. */
const START: TrainingPosition = { step: 0, lossSum: 0, correct: 0, counted: 0, epochs: [] };

/** Key of the metadata that holds the position and the description of the training. */
const KEY = "isthmus-training";
const VERSION = 1;

/** Writes a state, which appears under its name complete or not at all. */
export async function saveState(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  { run, position }: { readonly run: RunDescription; readonly position: TrainingPosition },
): Promise<void> {
  const metadata = { [KEY]: JSON.stringify({ version: VERSION, position, run }) };
  await saveCheckpoint(createCheckpoint(tensors, metadata), path, { overwrite: true });
}

/** Returns whether there is a file at the path of a state. */
async function hasState(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/**
 * Checks that a new training would replace no state.
 * @throws InputError if there is a file at the path
 */
export async function assertNoState(path: string): Promise<void> {
  if (!(await hasState(path))) return;
  throw new InputError(
    `Cannot train with state "${path}" as it must not replace an earlier one: the file exists; resume from it, or remove it to start anew`,
    { input: path },
  );
}

/**
 * Returns the position at which a training begins. If there is a state to go on from, reads its tensors into
 * `tensors`.
 * @throws FormatError if the file is not a state
 * @throws MismatchError if it is a state of another training
 */
export async function startOf(
  { statePath }: ResolvedTrainOptions,
  run: RunDescription,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<TrainingPosition> {
  if (statePath === undefined || !(await hasState(statePath))) return START;
  return loadStateInto(statePath, run, tensors);
}

/**
 * Reads a state into existing tensors and returns its position.
 * @throws FormatError if the file is not a state
 * @throws MismatchError if it is a state of another training; the message names the differences, and the
 *   tensors are unchanged
 */
async function loadStateInto(
  path: string,
  run: RunDescription,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<TrainingPosition> {
  const checkpoint = await openCheckpoint(path);
  try {
    const state = parseState(path, checkpoint);
    assertSameTensors(path, checkpoint, tensors);
    assertSameRun(path, state.run, run);
    for (const [name, { data }] of tensors) await checkpoint.readRangeInto(name, 0, data);
    return state.position;
  } finally {
    await checkpoint.close();
  }
}

/**
 * Reads description and position from the metadata of a state.
 * @throws FormatError if they are not complete
 */
function parseState(
  path: string,
  { metadata }: Checkpoint,
): { readonly run: RunDescription; readonly position: TrainingPosition } {
  const text = metadata[KEY];
  const reject = (rule: string): FormatError =>
    new FormatError(`Cannot resume from "${path}" as ${rule}`, { format: "training state" });
  if (text === undefined) throw reject(`it must be a state of training: its metadata has no "${KEY}"`);
  const state = parseJson(text, {
    attempt: `resume from "${path}"`,
    rule: "its metadata must be JSON",
    format: "training state",
  }) as { version?: unknown; run?: RunDescription; position?: Partial<TrainingPosition> } | null;
  if (state?.version !== VERSION) {
    throw reject(`it must be of version ${VERSION}: it is of version ${excerpt(state?.version)}`);
  }
  const { run, position } = state;
  const numbers = [position?.step, position?.lossSum, position?.correct, position?.counted];
  if (typeof run === "object" && numbers.every(Number.isFinite) && Array.isArray(position?.epochs)) {
    return { run, position: position as TrainingPosition };
  }
  throw reject("it must say how far training is: its metadata is incomplete");
}

/** Checks that a state has the tensors of this training. @throws MismatchError if not */
function assertSameTensors(path: string, checkpoint: Checkpoint, tensors: ReadonlyMap<string, Tensor>): void {
  for (const [name, { dtype, shape }] of tensors) {
    const there = checkpoint.tensors.get(name);
    if (there?.dtype === dtype && sameShape(there.shape, shape)) continue;
    const has = there === undefined ? "missing" : `${there.dtype} ${formatShape(there.shape)}`;
    throw new MismatchError(
      `Cannot resume from "${path}" as it must be of the same network and optimiser: "${name}" is ${has} there and ${dtype} ${formatShape(shape)} here; it was left as it is`,
      { parameters: [name] },
    );
  }
}
