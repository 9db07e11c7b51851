import {
  ERROR_CLASSES,
  type IsthmusErrorTag,
  isIsthmusError,
  isUsageError,
  OutOfRangeError,
  systemCodesOf,
  UsageError,
} from "@isthmus/core";

/**
 * An error as plain data, which can be sent to another thread and turned into an error of the same class
 * there.
 */
export interface ErrorDescription {
  /** Tag of an error of core, name of an error on an argument, or name of any other error. */
  readonly name: string;
  /** Message of the error, or the thrown value as text if it is not an error. */
  readonly message: string;
  /** Stack of the error; missing if the thrown value is not an error. */
  readonly stack?: string | undefined;
  /** Properties of a tagged error of core, such as `format`; missing for other errors. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  /** Whether it is a usage error, which concerns an argument. */
  readonly isUsage: boolean;
  /** Code of the system's or server's error that caused it, such as `ENOSPC`; missing if there is none. */
  readonly code?: string | undefined;
}

/** JavaScript classes that are restored unchanged; an error of any other class becomes an `Error`. */
const NATIVE: ReadonlyMap<string, ErrorConstructor> = new Map(
  [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((type) => [type.name, type]),
);

/** Describes any thrown value as plain data. A cause is left out, as it may be any value. */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), isUsage: false };
  const { name, message, stack } = error;
  const [code] = systemCodesOf(error);
  const base = { stack, ...(code !== undefined && { code }) };
  if (!isIsthmusError(error)) return { name, message, isUsage: isUsageError(error), ...base };
  const { _tag: tag, ...properties } = error;
  // Spreading copies symbols, too, which cannot be sent.
  const fields = Object.fromEntries(Object.entries(properties));
  return { name: tag, message, fields, isUsage: false, ...base };
}

/** Restores the error that {@link describeError} described: with the same class, message and stack. */
export function reviveError({ name, message, stack, fields, isUsage, code }: ErrorDescription): Error {
  const error = createError({ name, message, fields, isUsage });
  // Constructors of JavaScript set only their own name.
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true });
  if (code !== undefined) error.cause = { code };
  if (stack !== undefined) Object.defineProperty(error, "stack", { value: stack, configurable: true });
  return error;
}

function createError({ name, message, fields, isUsage }: ErrorDescription): Error {
  if (isUsage) return name === "OutOfRangeError" ? new OutOfRangeError(message) : new UsageError(message);
  if (fields !== undefined && isTag(name)) return new ERROR_CLASSES[name](message, fields as never);
  const NativeError = NATIVE.get(name) ?? Error;
  return new NativeError(message);
}

function isTag(name: string): name is IsthmusErrorTag {
  return Object.hasOwn(ERROR_CLASSES, name);
}
