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

/** How far a training is, beside its tensors. */
export interface TrainingPosition {
  /** Steps made. */
  readonly step: number;
  /** Sum of the losses of the batches of the epoch under way. */
  readonly lossSum: number;
  /** Predictions that were right in the epoch under way, and how many there were; both 0 where the loss tells none. */
  readonly correct: number;
  readonly counted: number;
  /** Epochs that are over. */
  readonly epochs: readonly EpochResult[];
}

/** Where every training begins. */
const START: TrainingPosition = { step: 0, lossSum: 0, correct: 0, counted: 0, epochs: [] };

/** Key of the metadata under which a state says what it is. */
const KEY = "isthmus-training";
const VERSION = 1;

/** Writes a state: complete under its name, or not at all. */
export async function saveState(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  { run, position }: { readonly run: RunDescription; readonly position: TrainingPosition },
): Promise<void> {
  const metadata = { [KEY]: JSON.stringify({ version: VERSION, position, run }) };
  await saveCheckpoint(createCheckpoint(tensors, metadata), path, { overwrite: true });
}

/** Tells whether there is a file for a state. */
async function hasState(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/**
 * Checks that a new training replaces no state.
 * @throws InputError if there is a file of that name
 */
export async function assertNoState(path: string): Promise<void> {
  if (!(await hasState(path))) return;
  throw new InputError(
    `Cannot train with state "${path}" as it must not replace an earlier one: the file exists; resume from it, or remove it to start anew`,
    { input: path },
  );
}

/**
 * Finds where a training begins, and reads the state it goes on from, if there is one, into tensors that are there
 * already.
 * @throws FormatError if the file is not a state
 * @throws MismatchError if it is of another training
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
 * Reads a state into tensors that are there already.
 * @throws FormatError if the file is not a state
 * @throws MismatchError if it is of another training; it names what differs. The tensors are then as they were.
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
