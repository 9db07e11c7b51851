/**
 * Kinds of failure a caller can act on; wrong arguments are {@link UsageError} and {@link OutOfRangeError}.
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

/** Bytes do not parse: a checkpoint, a graph or a data set is damaged, truncated or hostile. */
export class FormatError extends IsthmusError {
  readonly _tag = "FormatError";
  /** The format that was being read, for example `safetensors`. */
  readonly format: string;
  constructor(message: string, fields: { format: string; cause?: unknown }) {
    super(message, { cause: fields.cause });
    this.format = fields.format;
  }
}

/** The input is valid but needs something that is not handled, named by `feature`. */
export class UnsupportedError extends IsthmusError {
  readonly _tag = "UnsupportedError";
  /** What is not handled: a dtype, an operator, a pickle class. */
  readonly feature: string;
  constructor(message: string, fields: { feature: string; cause?: unknown }) {
    super(message, { cause: fields.cause });
    this.feature = fields.feature;
  }
}

/** Two things that must agree do not: two checkpoints, or a checkpoint and a graph or specification. */
export class MismatchError extends IsthmusError {
  readonly _tag = "MismatchError";
  /** Names of the tensors concerned, in order. */
  readonly parameters: readonly string[];
  /** The file that does not agree, where one of them is known to be wrong. */
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

/** A file, data set or value given by the user cannot be used as it is: missing, not finite, in the way. */
export class InputError extends IsthmusError {
  readonly _tag = "InputError";
  /** The file or value concerned. */
  readonly input: string;
  constructor(message: string, fields: { input: string; cause?: unknown }) {
    super(message, { cause: fields.cause });
    this.input = fields.input;
  }
}

/** A runtime failed to load or run a graph. */
export class EngineError extends IsthmusError {
  readonly _tag = "EngineError";
  /** The engine that failed, for example `onnxruntime`. */
  readonly engine: string;
  constructor(message: string, fields: { engine: string; cause?: unknown }) {
    super(message, { cause: fields.cause });
    this.engine = fields.engine;
  }
}

/**
 * Training, or a round of a federation, diverged: a loss or a weight is no longer a finite number. Files that
 * were saved before are untouched.
 */
export class DivergenceError extends IsthmusError {
  readonly _tag = "DivergenceError";
  /** Index of the step, or of the round, that diverged, from 0. */
  readonly step: number;
  /** Loss of that step; finite if only weights are not, NaN where nobody measured one. */
  readonly loss: number;
  constructor(message: string, fields: { step: number; loss: number; cause?: unknown }) {
    super(message, { cause: fields.cause });
    this.step = fields.step;
    this.loss = fields.loss;
  }
}

/** Checks whether a value is an error of Isthmus, optionally only of some tags. */
export function isIsthmusError(error: unknown, ...tags: readonly IsthmusErrorTag[]): error is IsthmusError {
  if (!(error instanceof Error) || (error as Partial<IsthmusError>)[MARKER] !== true) return false;
  return tags.length === 0 || tags.includes((error as IsthmusError)._tag);
}

/**
 * An argument is wrong, missing, or contradicts another one. It is a `TypeError` that comes from a check of
 * ours, whereas a plain `TypeError` of the JavaScript engine is a defect of the program.
 */
export class UsageError extends TypeError {
  /** @internal */
  readonly [USAGE_MARKER] = true;
  override get name(): string {
    return "UsageError";
  }
}

/**
 * An argument lies outside its range. It is a `RangeError` that comes from a check of ours, whereas a plain
 * `RangeError` of the JavaScript engine is a defect of the program.
 */
export class OutOfRangeError extends RangeError {
  /** @internal */
  readonly [USAGE_MARKER] = true;
  override get name(): string {
    return "OutOfRangeError";
  }
}

/**
 * Checks whether a value is an error of ours on an argument, even if another copy of this package made it.
 */
export function isUsageError(error: unknown): error is UsageError | OutOfRangeError {
  return error instanceof Error && (error as Partial<UsageError>)[USAGE_MARKER] === true;
}
