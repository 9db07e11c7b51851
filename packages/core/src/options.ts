import { OutOfRangeError, UsageError } from "./errors.ts";

/**
 * Merges the options of a caller with the defaults of an operation and freezes the result.
 *
 * An option that is `undefined` gets its default.
 * @param required - names of required options, which are not in `options`, for the message
 * @throws UsageError if an option has a name that `defaults` does not have.
 */
export function resolveOptions<T extends object>(
  operation: string,
  defaults: Readonly<T>,
  options?: Readonly<{ [K in keyof NoInfer<T>]?: NoInfer<T>[K] | undefined }>,
  required: readonly string[] = [],
): Readonly<T> {
  const resolved: Record<string, unknown> = { ...defaults };
  for (const [key, value] of Object.entries(options ?? {})) {
    if (!Object.hasOwn(defaults, key)) {
      const names = [...required, ...Object.keys(defaults)].join(", ");
      throw new UsageError(`Cannot ${operation} as there is no option "${key}": known options are ${names}`);
    }
    if (value !== undefined) resolved[key] = value;
  }
  return Object.freeze(resolved) as Readonly<T>;
}

/**
 * Checks options that must be whole numbers.
 * @param least - smallest value of each option
 * @throws OutOfRangeError if one is not a whole number, or is smaller
 */
export function assertWholeOptions<K extends string>(
  operation: string,
  options: Readonly<Record<NoInfer<K>, unknown>>,
  least: Readonly<Record<K, number>>,
): void {
  for (const name of Object.keys(least) as K[]) {
    const value = options[name];
    if (Number.isSafeInteger(value) && (value as number) >= least[name]) continue;
    throw new OutOfRangeError(
      `Cannot ${operation} as "${name}" must be a whole number of at least ${least[name]}: it is ${value}`,
    );
  }
}
