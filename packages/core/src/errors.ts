/**
 * Kinds of failures that a caller can handle; wrong arguments give {@link UsageError} and
 * {@link OutOfRangeError} instead.
 */
export type IsthmusErrorTag =
  | "FormatError"
  | "UnsupportedError"
  | "MismatchError"
  | "InputError"
  | "EngineError"
  | "DivergenceError";

const MARKER: unique symbol = Symbol.for("isthmus.error") as never;
const USAGE_MARKER: unique symbol = Symbol.for("isthmus.usage-error") as never;

/** Base of all tagged errors: carries a literal `_tag` and survives two copies of this package. */
export abstract class IsthmusError extends Error {
  abstract readonly _tag: IsthmusErrorTag;
  /** @internal */
  readonly [MARKER] = true;
  override get name(): string {
    return this._tag;
  }
}

/**
 * Error for bytes that cannot be parsed: a checkpoint, a graph or a data set is damaged, truncated or
 * hostile.
 */
export class FormatError extends IsthmusError {
  readonly _tag = "FormatError";
  /** The format that was being read, for example `safetensors`. */
  readonly format: string;
  constructor(message: string, fields: { format: string; cause?: unknown }) {
    super(message, { cause: fields.cause });
    this.format = fields.format;
  }
}

/** Error for a valid input that requires something unsupported, named by `feature`. */
export class UnsupportedError extends IsthmusError {
  readonly _tag = "UnsupportedError";
  /** Unsupported feature: a dtype, an operator, a pickle class. */
  readonly feature: string;
  constructor(message: string, fields: { feature: string; cause?: unknown }) {
    super(message, { cause: fields.cause });
    this.feature = fields.feature;
  }
}

/**
 * Error for two inputs that contradict each other: two checkpoints, or a checkpoint and a graph or
 * specification.
 */
export class MismatchError extends IsthmusError {
  readonly _tag = "MismatchError";
  /** Names of the affected tensors, in order. */
  readonly parameters: readonly string[];
  /** File that contradicts the other input, if it is known which of the two is wrong. */
  readonly input: string | undefined;
  constructor(
    message: string,
    fields: { parameters: readonly string[]; input?: string | undefined; cause?: unknown },
  ) {
    super(message, { cause: fields.cause });
    this.parameters = fields.parameters;
    this.input = fields.input;
  }
}

/**
 * Error for a file, data set or value of the user that cannot be used: it is missing, not finite, or in the
 * way.
 */
export class InputError extends IsthmusError {
  readonly _tag = "InputError";
  /** The affected file or value. */
  readonly input: string;
  constructor(message: string, fields: { input: string; cause?: unknown }) {
    super(message, { cause: fields.cause });
    this.input = fields.input;
  }
}

/** Error for a runtime that failed to load or run a graph. */
export class EngineError extends IsthmusError {
  readonly _tag = "EngineError";
  /** Name of the engine that failed, for example `onnxruntime`. */
  readonly engine: string;
  /** Whether memory was too small for the run, so that one of fewer examples may succeed. */
  readonly lacksMemory: boolean;
  constructor(message: string, fields: { engine: string; lacksMemory?: boolean; cause?: unknown }) {
    super(message, { cause: fields.cause });
    this.engine = fields.engine;
    this.lacksMemory = fields.lacksMemory ?? false;
  }
}

/**
 * Error for diverged training, or a diverged round of a federation: a loss or a weight is no longer finite.
 * Earlier saved files are untouched.
 */
export class DivergenceError extends IsthmusError {
  readonly _tag = "DivergenceError";
  /** Index of the step, or of the round, that diverged, from 0. */
  readonly step: number;
  /** Loss of that step; it is finite if only weights diverged, and NaN if no loss was measured. */
  readonly loss: number;
  constructor(message: string, fields: { step: number; loss: number; cause?: unknown }) {
    super(message, { cause: fields.cause });
    this.step = fields.step;
    this.loss = fields.loss;
  }
}

/** The class of the errors of each tag. */
export const ERROR_CLASSES: Readonly<
  Record<IsthmusErrorTag, new (message: string, fields: never) => IsthmusError>
> = { FormatError, UnsupportedError, MismatchError, InputError, EngineError, DivergenceError };

/** Checks whether a value is an error of Isthmus, optionally only of some tags. */
export function isIsthmusError(error: unknown, ...tags: readonly IsthmusErrorTag[]): error is IsthmusError {
  if (!(error instanceof Error) || (error as Partial<IsthmusError>)[MARKER] !== true) return false;
  return tags.length === 0 || tags.includes((error as IsthmusError)._tag);
}

/**
 * Error for an argument that is wrong, missing, or contradicts another one. It comes from a check in Isthmus,
 * whereas a plain `TypeError` of the JavaScript engine is a defect of the program.
 */
export class UsageError extends TypeError {
  /** @internal */
  readonly [USAGE_MARKER] = true;
  override get name(): string {
    return "UsageError";
  }
}

/**
 * Error for an argument outside its range. It comes from a check in Isthmus, whereas a plain `RangeError` of
 * the JavaScript engine is a defect of the program.
 */
export class OutOfRangeError extends RangeError {
  /** @internal */
  readonly [USAGE_MARKER] = true;
  override get name(): string {
    return "OutOfRangeError";
  }
}

/**
 * Checks whether a value is an {@link UsageError} or {@link OutOfRangeError}, even if another copy of this
 * package made it.
 */
export function isUsageError(error: unknown): error is UsageError | OutOfRangeError {
  return error instanceof Error && (error as Partial<UsageError>)[USAGE_MARKER] === true;
}
