import { excerpt, FormatError, UnsupportedError } from "@isthmus/core";

/** Largest extent: the longest vocabularies have some hundred thousand words. */
const MAX_EXTENT = 2 ** 28;

/** Most blocks of layers: the deepest published models have some hundred. */
const MAX_BLOCKS = 1024;

/** Reads fields of a `config.json`, checked; a field that is null is as one that is missing. */
export class ModelConfig {
  /** Where it is from, for errors. */
  readonly source: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  /** @throws FormatError if it is not an object */
  constructor(fields: unknown, source: string) {
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
      throw new FormatError(`Cannot read "${source}" as a model's config must be a JSON object`, {
        format: "config",
      });
    }
    this.source = source;
    this.#fields = fields as Readonly<Record<string, unknown>>;
  }

  /** Names of all fields. */
  get names(): readonly string[] {
    return Object.keys(this.#fields);
  }

  /** Whether a field is there. */
  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  /**
   * A whole number of at least 1, such as an extent.
   * @param fallback - what a missing field stands for; none if it must be there
   */
  count(name: string, fallback?: number): number {
    return this.#countUpTo(MAX_EXTENT, name, fallback);
  }

  /** How many blocks of layers there are: each is built, so that a config must not name millions. */
  blocks(name: string): number {
    return this.#countUpTo(MAX_BLOCKS, name);
  }

  #countUpTo(most: number, name: string, fallback?: number): number {
    const value = this.#get(name) ?? fallback;
    if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most)
      return value as number;
    throw this.#wrong(name, `a whole number from 1 to ${most}`);
  }

  /** The quotient of two extents. @throws FormatError if `parts` does not divide `whole` */
  quotient(whole: string, parts: string): number {
    const [extent, count] = [this.count(whole), this.count(parts)];
    this.assertDivides([whole, extent], [parts, count]);
    return extent / count;
  }

  /** Checks that one extent divides another; each with the field it is from. @throws FormatError if it does not */
  assertDivides([whole, extent]: readonly [string, number], [parts, count]: readonly [string, number]): void {
    if (extent % count === 0) return;
    throw new FormatError(
      `Cannot read "${this.source}" as "${parts}" must divide "${whole}": ${count} does not divide ${extent}`,
      { format: "config" },
    );
  }

  /** A finite number. */
  number(name: string, fallback: number): number {
    const value = this.#get(name) ?? fallback;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.#wrong(name, "a number");
  }

  /** True or false. */
  boolean(name: string, fallback: boolean): boolean {
    const value = this.#get(name) ?? fallback;
    if (typeof value === "boolean") return value;
    throw this.#wrong(name, "true or false");
  }

  /** A string. */
  text(name: string, fallback: string): string {
    const value = this.#get(name) ?? fallback;
    if (typeof value === "string") return value;
    throw this.#wrong(name, "a string");
  }

  /** An object within, by the path of its field; undefined if there is none. */
  object(name: string): ModelConfig | undefined {
    const value = this.#get(name);
    return value === undefined ? undefined : new ModelConfig(value, `${this.source}: ${name}`);
  }

  /** Strings, none if the field is missing. */
  texts(name: string): readonly string[] {
    const value = this.#get(name) ?? [];
    if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) return value;
    throw this.#wrong(name, "a list of strings");
  }

  /** Two extents, given as one number for both or as a pair: those of images and patches. */
  extents(name: string, fallback: number): readonly [number, number] {
    const value = this.#get(name) ?? fallback;
    const pair = Array.isArray(value) ? value : [value, value];
    const [height, width] = pair;
    if (pair.length === 2 && [height, width].every((extent) => Number.isSafeInteger(extent) && extent >= 1)) {
      return [height, width];
    }
    throw this.#wrong(name, "a whole number of at least 1, or two");
  }

  /**
   * Checks a field that changes what a network computes in a way that is not handled.
   * @throws UnsupportedError if it is there and has another value than `only`, which is also what a missing one stands for
   */
  require(name: string, only: string | boolean): void {
    const value = this.#get(name) ?? only;
    if (value === only) return;
    throw new UnsupportedError(
      `Cannot build the network of "${this.source}" as "${name}" must be ${excerpt(only)}: it is ${excerpt(value)}`,
      { feature: name },
    );
  }

  /**
   * The same with some fields in place of others.
   * @param fields - by name
   */
  with(fields: Readonly<Record<string, unknown>>): ModelConfig {
    return new ModelConfig({ ...this.#fields, ...fields }, this.source);
  }

  #get(name: string): unknown {
    const value = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
    return value ?? undefined;
  }

  #wrong(name: string, rule: string): FormatError {
    const value = this.#get(name);
    const found = value === undefined ? "it is missing" : `it is ${excerpt(value)}`;
    return new FormatError(`Cannot read "${this.source}" as "${name}" must be ${rule}: ${found}`, {
      format: "config",
    });
  }
}
