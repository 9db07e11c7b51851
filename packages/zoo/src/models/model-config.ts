import { excerpt, FormatError, UnsupportedError } from "@isthmus/core";

/** Largest extent: the largest vocabularies have a few hundred thousand words. */
export const MAX_EXTENT: number = 2 ** 28;

/** Maximum height or width of an image in pixels: the patches of an image have positions in tables. */
const MAX_SIDE = 2 ** 14;

const isSide = (extent: unknown) =>
  Number.isSafeInteger(extent) && (extent as number) >= 1 && (extent as number) <= MAX_SIDE;

/**
 * Maximum number of blocks of layers, or of experts in a block: the deepest published models have a few
 * hundred.
 */
const MAX_BLOCKS = 1024;

/** Fields of a `config.json`, checked when they are read; a field that is null counts as missing. */
export class ModelConfig {
  /** File from which the config was read, for errors. */
  readonly source: string;
  readonly #fields: Readonly<Record<string, unknown>>;
  /**
   * Names of fields that were read, also by configs that this one was made from or that were made from it.
   */
  readonly #read: Set<string>;

  /** @throws FormatError if `fields` is not an object */
  constructor(fields: unknown, source: string, read: Set<string> = new Set()) {
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
      throw new FormatError(`Cannot read "${source}" as a model's config must be a JSON object`, {
        format: "config",
      });
    }
    this.source = source;
    this.#read = read;
    this.#fields = fields as Readonly<Record<string, unknown>>;
  }

  /** Names of all fields. */
  get names(): readonly string[] {
    return Object.keys(this.#fields);
  }

  /** Checks whether a field exists. */
  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  /** Checks whether a field exists and is null, by which some configs say that a part is missing. */
  isNull(name: string): boolean {
    return Object.hasOwn(this.#fields, name) && this.#fields[name] === null;
  }

  /** Returns a field as it is, unchecked; undefined if it is missing. */
  value(name: string): unknown {
    return this.#get(name);
  }

  /**
   * Reads a whole number of at least 1, such as an extent.
   * @param fallback - value of a missing field; without it the field is required
   * @throws FormatError if the field has another value
   */
  count(name: string, fallback?: number): number {
    return this.#countUpTo(MAX_EXTENT, name, fallback);
  }

  /** Reads a whole number of at least 0, such as the id of a token. */
  index(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (Number.isSafeInteger(value) && value >= 0 && value <= MAX_EXTENT) return value;
    throw this.misfit(name, `a whole number from 0 to ${MAX_EXTENT}`);
  }

  /**
   * Reads the number of blocks of layers, or of experts; each one is built, so a config must not request
   * millions.
   */
  blocks(name: string, fallback?: number): number {
    return this.#countUpTo(MAX_BLOCKS, name, fallback);
  }

  #countUpTo(most: number, name: string, fallback?: number): number {
    const value = this.#get(name) ?? fallback;
    if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most)
      return value as number;
    throw this.misfit(name, `a whole number from 1 to ${most}`);
  }

  /**
   * Reads whole numbers of at least 1, one for each of `size` parts: a list, or one number for all parts.
   * @param range - largest number, and the value of a missing field, without which the field is required
   */
  counts(
    name: string,
    size: number,
    { most, fallback }: { readonly most: number; readonly fallback?: number },
  ): readonly number[] {
    const value = this.#get(name) ?? fallback;
    const all: readonly unknown[] = Array.isArray(value) ? value : Array<unknown>(size).fill(value);
    const isCount = (count: unknown): count is number =>
      Number.isSafeInteger(count) && (count as number) >= 1 && (count as number) <= most;
    if (all.length === size && all.every(isCount)) return all;
    throw this.misfit(name, `a whole number from 1 to ${most}, or a list of ${size}`);
  }

  /** Divides one extent by another. @throws FormatError if `parts` does not divide `whole` */
  quotient(whole: string, parts: string): number {
    const [extent, count] = [this.count(whole), this.count(parts)];
    this.assertDivides([whole, extent], [parts, count]);
    return extent / count;
  }

  /**
   * Checks that one extent divides another, given with the names of their fields. @throws FormatError if it
   * does not divide it
   */
  assertDivides([whole, extent]: readonly [string, number], [parts, count]: readonly [string, number]): void {
    if (extent % count === 0) return;
    throw new FormatError(
      `Cannot read "${this.source}" as "${parts}" must divide "${whole}": ${count} does not divide ${extent}`,
      { format: "config" },
    );
  }

  /** Reads a finite number. */
  number(name: string, fallback?: number): number {
    const value = this.#get(name) ?? fallback;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.misfit(name, "a number");
  }

  /** Reads a number above 0, such as a base or a factor. */
  positive(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (value > 0) return value;
    throw this.misfit(name, "above 0");
  }

  /** Reads a number from 0 to 1, such as a share of all dimensions or a small number that is added. */
  share(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (value >= 0 && value <= 1) return value;
    throw this.misfit(name, "from 0 to 1");
  }

  /** Reads a finite number; undefined if the field is missing. */
  optionalNumber(name: string): number | undefined {
    return this.has(name) ? this.number(name) : undefined;
  }

  /** Reads a list of finite numbers. */
  numbers(name: string): readonly number[] {
    const value = this.#get(name);
    if (Array.isArray(value) && value.every((entry) => Number.isFinite(entry))) return value;
    throw this.misfit(name, "a list of numbers");
  }

  /** Reads true or false; a field that is missing is false. */
  boolean(name: string, fallback = false): boolean {
    const value = this.#get(name) ?? fallback;
    if (typeof value === "boolean") return value;
    throw this.misfit(name, "true or false");
  }

  /** Reads a string. */
  text(name: string, fallback?: string): string {
    const value = this.#get(name) ?? fallback;
    if (typeof value === "string") return value;
    throw this.misfit(name, "a string");
  }

  /**
   * Reads one of a list of names, of which a missing field means the first.
   * @throws UnsupportedError if the name is not in the list
   */
  choice<Name extends string>(name: string, names: readonly [Name, ...Name[]]): Name {
    const value = this.text(name, names[0]);
    const chosen = names.find((listed) => listed === value);
    if (chosen !== undefined) return chosen;
    throw new UnsupportedError(
      `Cannot use "${this.source}" as "${name}" must be one of ${names.join(", ")}: it is ${excerpt(value)}`,
      { feature: name },
    );
  }

  /** Reads an object within the config, named by its field in errors; undefined if it is missing. */
  object(name: string): ModelConfig | undefined {
    const value = this.#get(name);
    return value === undefined ? undefined : new ModelConfig(value, `${this.source}: ${name}`);
  }

  /** Reads a list of strings, empty if the field is missing. */
  texts(name: string): readonly string[] {
    const value = this.#get(name) ?? [];
    if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) return value;
    throw this.misfit(name, "a list of strings");
  }

  /** Reads the height and width of images or patches, given as one number for both or as a pair. */
  extents(name: string, fallback?: number): readonly [number, number] {
    const value = this.#get(name) ?? fallback;
    const pair = Array.isArray(value) ? value : [value, value];
    const [height, width] = pair;
    if (pair.length === 2 && [height, width].every(isSide)) return [height, width];
    throw this.misfit(name, `a whole number from 1 to ${MAX_SIDE}, or two`);
  }

  /** Checks whether a family read a field, or decided on its presence. */
  wasRead(name: string): boolean {
    return this.#read.has(name);
  }

  /**
   * Checks that a field has a supported value; other values would change the function of the network.
   * @param values - supported values; none if networks of the family have nothing that the field asks for
   * @throws UnsupportedError if the field exists and has another value
   */
  require(name: string, ...values: readonly (string | boolean | number)[]): void {
    const value = this.#get(name);
    if (value === undefined || values.some((supported) => supported === value)) return;
    const rule =
      values.length === 0
        ? `networks of its type have no "${name}"`
        : `"${name}" must be ${values.map((supported) => excerpt(supported)).join(" or ")}`;
    throw new UnsupportedError(
      `Cannot build the network of "${this.source}" as ${rule}: it is ${excerpt(value)}`,
      { feature: name },
    );
  }

  /**
   * Returns a config with some fields replaced.
   * @param fields - new values, by name
   */
  with(fields: Readonly<Record<string, unknown>>): ModelConfig {
    return new ModelConfig({ ...this.#fields, ...fields }, this.source, this.#read);
  }

  /** Returns a config in which fields that this one does not state, not even as null, have given values. */
  withDefaults(fields: Readonly<Record<string, unknown>>): ModelConfig {
    const present = Object.entries(this.#fields).filter(([, value]) => value !== undefined);
    return new ModelConfig({ ...fields, ...Object.fromEntries(present) }, this.source, this.#read);
  }

  /** Returns the fields as they are, with some replaced, for a config that contains this one. */
  fieldsWith(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    return { ...this.#fields, ...fields };
  }

  #get(name: string): unknown {
    this.#read.add(name);
    const value = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
    return value ?? undefined;
  }

  /** Returns the error for a field that does not follow a rule, such as "a number". */
  misfit(name: string, rule: string): FormatError {
    const value = this.#get(name);
    const problem =
      value !== undefined ? `it is ${excerpt(value)}` : this.isNull(name) ? "it is null" : "it is missing";
    return new FormatError(`Cannot read "${this.source}" as "${name}" must be ${rule}: ${problem}`, {
      format: "config",
    });
  }
}
