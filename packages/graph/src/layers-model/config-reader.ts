import { excerpt, FormatError, UnsupportedError } from "@isthmus/core";

/** Reads the settings of one layer and checks their kinds; every error names the layer. */
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

  /** A setting as it is; undefined where it is missing or null. */
  value(key: string): unknown {
    const value = Object.hasOwn(this.#config, key) ? this.#config[key] : undefined;
    return value === null ? undefined : value;
  }

  /** Reads one setting as if it had another value. */
  with(key: string, value: unknown): ConfigReader {
    return new ConfigReader(this.source, this.className, { ...this.#config, [key]: value });
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.value(key) ?? fallback;
    if (typeof value !== "boolean") throw this.malformed(key, "true or false", value);
    return value;
  }

  number(key: string, fallback: number): number {
    const value = this.value(key) ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value)) throw this.malformed(key, "a number", value);
    return value;
  }

  text(key: string, fallback: string): string {
    const value = this.value(key) ?? fallback;
    if (typeof value !== "string") throw this.malformed(key, "text", value);
    return value;
  }

  /** A list of whole numbers; a single one stands for a list of one. */
  integers(key: string, fallback?: readonly number[]): number[] {
    const value = this.value(key) ?? fallback;
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length > MAX_LIST || !list.every(Number.isSafeInteger)) {
      throw this.malformed(key, "whole numbers", value);
    }
    return [...(list as readonly number[])];
  }

  /** Two whole numbers of at least `least`, for height and width; a single one stands for both. */
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

  /** Two numbers for each of height and width: before and after. */
  margins(key: string): readonly [Pair, Pair] {
    const value = this.value(key);
    const list = Array.isArray(value) ? value : [value, value];
    const [rows, columns] = list.map((entry: unknown) => this.with(key, entry).pair(key, { least: 0 }));
    if (list.length !== 2 || rows === undefined || columns === undefined) {
      throw this.malformed(key, "margins of height and width", value);
    }
    return [rows, columns];
  }

  /** Checks a setting that is handled in one way only. @throws UnsupportedError if it is another */
  assert(key: string, isHandled: boolean, rule: string): void {
    if (isHandled) return;
    throw this.unsupported(
      `${key} must be ${rule}: it is ${excerpt(this.value(key))}`,
      `${this.className} ${key}`,
    );
  }

  unsupported(reason: string, feature: string): UnsupportedError {
    return new UnsupportedError(
      `Cannot build layer "${this.layer}" (${this.className}) of "${this.source}" as ${reason}`,
      { feature },
    );
  }

  malformed(key: string, rule: string, value: unknown): FormatError {
    return new FormatError(
      `Cannot build layer "${this.layer}" (${this.className}) of "${this.source}" as ${key} must be ${rule}: it is ${excerpt(value)}`,
      { format: "layers-model" },
    );
  }
}

/** Height and width, or before and after. */
export type Pair = readonly [number, number];

/** Longest list of numbers in a layer's settings; shapes and axes are far shorter. */
const MAX_LIST = 16;
/** Largest window, stride or margin, so that a small file cannot ask for much. */
const MAX_EXTENT = 65_536;

/** Whether a value of parsed JSON is an object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
