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
import { stat } from "@isthmus/platform";
import { assertSameRun, type RunDescription } from "./describe-run.ts";

/** Work whose state is kept in a file, so that it can be resumed to the same bytes. */
export interface WorkKind<Position> {
  /** Name of the work in messages, such as `training`. */
  readonly what: string;
  /** Things that decide the shapes of its tensors, for messages, such as `network and optimiser`. */
  readonly of: string;
  /** Key of the metadata that holds the position and the description of the run. */
  readonly key: string;
  /** Version of the format of the position; states of other versions are refused. */
  readonly version: number;
  /** Checks whether a value read from a file is a whole position. */
  isPosition(value: unknown): value is Position;
}

/** A state without its tensors. */
export interface WorkState<Position> {
  /** Description of everything that decides the result. */
  readonly run: RunDescription;
  /** Progress of the work. */
  readonly position: Position;
}

/** Writes a state, which appears under its name complete or not at all. */
export async function saveWorkState<Position>(
  path: string,
  { key, version }: WorkKind<Position>,
  { run, position }: WorkState<Position>,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<void> {
  const metadata = { [key]: JSON.stringify({ version, position, run }) };
  await saveCheckpoint(createCheckpoint(tensors, metadata), path, { overwrite: true });
}

/** Returns whether there is a file at the path of a state. */
export async function hasWorkState(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/**
 * Checks that new work would replace no state.
 * @param attempt - words for the work, such as `train`
 * @throws InputError if there is a file at the path
 */
export async function assertNoWorkState(attempt: string, path: string): Promise<void> {
  if (!(await hasWorkState(path))) return;
  throw new InputError(
    `Cannot ${attempt} with state "${path}" as it must not replace an earlier one: the file exists; resume from it, or remove it to start anew`,
    { input: path },
  );
}

/**
 * Reads a state into existing tensors and returns its position; undefined if there is no file.
 * @throws FormatError if the file is not a state of this kind of work
 * @throws MismatchError if it is a state of another run; the message names the differences, and the tensors
 *   are unchanged
 */
export async function loadWorkStateInto<Position>(
  path: string,
  kind: WorkKind<Position>,
  run: RunDescription,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<Position | undefined> {
  if (!(await hasWorkState(path))) return undefined;
  const checkpoint = await openCheckpoint(path).catch((error) => {
    const isBroken = error instanceof FormatError || error instanceof InputError;
    throw isBroken ? unreadable(path, kind.what, error) : error;
  });
  try {
    const state = parseState(path, kind, checkpoint);
    assertSameTensors(path, kind, checkpoint, tensors);
    assertSameRun(path, state.run, run, kind.what);
    for (const [name, { data }] of tensors) await checkpoint.readRangeInto(name, 0, data);
    return state.position;
  } finally {
    await checkpoint.close();
  }
}

/** Keeper of the state of work in a file, or nowhere. */
export interface WorkKeeper<Position> {
  /**
   * Returns the position at which the work goes on, and reads the tensors of its state; undefined if the work
   * begins at its start.
   * @throws InputError if there is a state, and the work must not go on from it
   * @throws FormatError if the file is not a state of this kind of work
   * @throws MismatchError if it is a state of another run
   */
  begin(): Promise<Position | undefined>;
  /** Writes the position and the tensors; does nothing if no state is kept. */
  save(position: Position): Promise<void>;
}

/** Options of {@link openWorkKeeper}. */
export interface WorkKeeping {
  /** File of the state; undefined if no state is kept. */
  readonly path: string | undefined;
  /** Whether to go on from an existing state; if not, an existing state is an error. */
  readonly resume: boolean;
  /** Describes all inputs that decide the result. */
  describe(): Promise<RunDescription>;
}

/**
 * Opens the keeper of a state, which reads and writes the values of tensors.
 * @param attempt - words for the work in messages, such as `tune a merge`
 */
export async function openWorkKeeper<Position>(
  attempt: string,
  kind: WorkKind<Position>,
  tensors: ReadonlyMap<string, Tensor>,
  { path, resume, describe }: WorkKeeping,
): Promise<WorkKeeper<Position>> {
  if (path === undefined) return { begin: async () => undefined, save: async () => {} };
  const run = await describe();
  return {
    async begin() {
      if (!resume) await assertNoWorkState(attempt, path);
      return loadWorkStateInto(path, kind, run, tensors);
    },
    save: (position) => saveWorkState(path, kind, { run, position }, tensors),
  };
}

/** Makes an error that tells what to do about a file that is cut short, or that holds no tensors. */
function unreadable(path: string, what: string, cause: Error): FormatError {
  return new FormatError(
    `Cannot resume from "${path}" as it must be a state of ${what}: ${cause.message}; remove it to begin anew`,
    { format: `${what} state`, cause },
  );
}

/**
 * Reads description and position from the metadata of a state.
 * @throws FormatError if they are not complete
 */
function parseState<Position>(
  path: string,
  { what, key, version, isPosition }: WorkKind<Position>,
  { metadata }: Checkpoint,
): WorkState<Position> {
  const text = metadata[key];
  const format = `${what} state`;
  const reject = (rule: string): FormatError =>
    new FormatError(`Cannot resume from "${path}" as ${rule}; remove it to begin anew`, { format });
  if (text === undefined) throw reject(`it must be a state of ${what}: its metadata has no "${key}"`);
  const state = parseJson(text, {
    attempt: `resume from "${path}"`,
    rule: "its metadata must be JSON",
    format,
  }) as { version?: unknown; run?: RunDescription; position?: unknown } | null;
  if (state?.version !== version) {
    throw reject(`it must be of version ${version}: it is of version ${excerpt(state?.version)}`);
  }
  const { run, position } = state;
  if (typeof run === "object" && run !== null && isPosition(position)) return { run, position };
  throw reject(`it must say how far ${what} is: its metadata is incomplete`);
}

/** Checks that a state has the tensors of this work. @throws MismatchError if not */
function assertSameTensors(
  path: string,
  { of }: Pick<WorkKind<unknown>, "of">,
  checkpoint: Checkpoint,
  tensors: ReadonlyMap<string, Tensor>,
): void {
  for (const [name, { dtype, shape }] of tensors) {
    const there = checkpoint.tensors.get(name);
    if (there?.dtype === dtype && sameShape(there.shape, shape)) continue;
    const has = there === undefined ? "missing" : `${there.dtype} ${formatShape(there.shape)}`;
    throw new MismatchError(
      `Cannot resume from "${path}" as it must be of the same ${of}: "${name}" is ${has} there and ${dtype} ${formatShape(shape)} here; it was left as it is`,
      { parameters: [name] },
    );
  }
}
