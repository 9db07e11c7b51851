import { excerpt, FormatError, UnsupportedError } from "@isthmus/core";

/** Settings of one layer, which are checked when they are read; every error names the layer. */
export class ConfigReader {
  readonly source: string;
  readonly layer: string;
  readonly className: string;
  readonly #config: Readonly<Record<string, unknown>>;

  constructor(source: string, className: string, config: unknown) {
    this.source = source;
    this.className = className;
    this.#config = isRecord(config) ? config : {};
    const name = this.#config["name"];
    this.layer = typeof name === "string" ? name : className;
  }

  /** Returns a setting unchecked; undefined if it is missing or null. */
  value(key: string): unknown {
    const value = Object.hasOwn(this.#config, key) ? this.#config[key] : undefined;
    return value === null ? undefined : value;
  }

  /** Returns the settings with another value of one setting. */
  with(key: string, value: unknown): ConfigReader {
    return new ConfigReader(this.source, this.className, { ...this.#config, [key]: value });
  }

  /** Returns a setting that is true or false. @throws FormatError if the setting is neither */
  boolean(key: string, fallback: boolean): boolean {
    const value = this.value(key) ?? fallback;
    if (typeof value !== "boolean") throw this.malformed(key, "true or false", value);
    return value;
  }

  /** Returns a setting that is a number. @throws FormatError if the setting is not a number */
  number(key: string, fallback: number): number {
    const value = this.value(key) ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value)) throw this.malformed(key, "a number", value);
    return value;
  }

  /** Returns a setting that is text. @throws FormatError if the setting is not text */
  text(key: string, fallback: string): string {
    const value = this.value(key) ?? fallback;
    if (typeof value !== "string") throw this.malformed(key, "text", value);
    return value;
  }

  /**
   * Returns a setting that is a list of whole numbers, or one whole number as a list of one. @throws
   * FormatError if the setting is neither
   */
  integers(key: string, fallback?: readonly number[]): number[] {
    const value = this.value(key) ?? fallback;
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length > MAX_LIST || !list.every(Number.isSafeInteger)) {
      throw this.malformed(key, "whole numbers", value);
    }
    return [...(list as readonly number[])];
  }

  /**
   * Returns two whole numbers of at least `least`, for height and width; one number is used for both.
   * @throws FormatError if the setting has another form
   */
  pair(
    key: string,
    { least, fallback }: { readonly least: number; readonly fallback?: readonly number[] },
  ): Pair {
    const [height, width = height, ...rest] = this.integers(key, fallback);
    const isFit = (extent: number | undefined): extent is number =>
      extent !== undefined && extent >= least && extent <= MAX_EXTENT;
    if (isFit(height) && isFit(width) && rest.length === 0) return [height, width];
    throw this.malformed(key, `two whole numbers from ${least} to ${MAX_EXTENT}`, this.value(key));
  }

  /**
   * Returns two whole numbers for each of height and width: before and after.
   * @throws FormatError if the setting has another form
   */
  margins(key: string): readonly [Pair, Pair] {
    const value = this.value(key);
    const list = Array.isArray(value) ? value : [value, value];
    const [rows, columns] = list.map((entry: unknown) => this.with(key, entry).pair(key, { least: 0 }));
    if (list.length !== 2 || rows === undefined || columns === undefined) {
      throw this.malformed(key, "margins of height and width", value);
    }
    return [rows, columns];
  }

  /**
   * Checks a setting of which only one value is supported. @throws UnsupportedError if it has another value
   */
  assert(key: string, isHandled: boolean, rule: string): void {
    if (isHandled) return;
    throw this.unsupported(
      `${key} must be ${rule}: it is ${excerpt(this.value(key))}`,
      `${this.className} ${key}`,
    );
  }

  /** Makes the error for an unsupported feature. */
  unsupported(reason: string, feature: string): UnsupportedError {
    return new UnsupportedError(
      `Cannot build layer "${this.layer}" (${this.className}) of "${this.source}" as ${reason}`,
      { feature },
    );
  }

  /** Makes the error for a setting that breaks a rule. */
  malformed(key: string, rule: string, value: unknown): FormatError {
    return new FormatError(
      `Cannot build layer "${this.layer}" (${this.className}) of "${this.source}" as ${key} must be ${rule}: it is ${excerpt(value)}`,
      { format: "layers-model" },
    );
  }
}

/** Height and width, or before and after. */
export type Pair = readonly [number, number];

/** Maximum length of a list of numbers in a layer's settings; shapes and axes are far shorter. */
const MAX_LIST = 16;
/** Largest window, stride or margin, so that a small file cannot request much memory. */
const MAX_EXTENT = 65_536;

/** Checks whether a value of parsed JSON is an object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
