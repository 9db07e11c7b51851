import { excerpt, FormatError } from "@isthmus/core";

/** Place of a value, for messages. */
interface JsonPlace {
  /** Path of the value in the document. */
  readonly path?: string;
  /** Name of the document. */
  readonly source?: string | undefined;
}

/**
 * A strict reader of parsed JSON: every mistake is an error that names its place and the rule that was
 * broken.
 */
export class JsonReader {
  readonly #value: unknown;
  readonly #path: string;
  readonly #format: string;
  readonly #source: string | undefined;

  constructor(format: string, value: unknown, { path = "", source }: JsonPlace = {}) {
    this.#format = format;
    this.#value = value;
    this.#path = path;
    this.#source = source;
  }

  /** Whether there is a value. */
  get present(): boolean {
    return this.#value !== undefined;
  }

  /** Unchecked value. */
  get value(): unknown {
    return this.#value;
  }

  /** Throws a FormatError that states the rule for the value. */
  fail(rule: string): never {
    const shown = this.#value === undefined ? "nothing" : excerpt(this.#value);
    const place = this.#path === "" ? "it" : `"${this.#path}"`;
    const what = this.#source === undefined ? this.#format : `${this.#format} of "${this.#source}"`;
    throw new FormatError(`Cannot read ${what} as ${place} must be ${rule}: it is ${shown}`, {
      format: this.#format,
    });
  }

  /** Returns a reader of a member of an object; for an absent member it has no value. */
  member(name: string): JsonReader {
    const record = this.#record();
    const path = this.#path === "" ? name : `${this.#path}.${name}`;
    return this.#at(Object.hasOwn(record, name) ? record[name] : undefined, path);
  }

  #at(value: unknown, path: string): JsonReader {
    return new JsonReader(this.#format, value, { path, source: this.#source });
  }

  #record(): Record<string, unknown> {
    const value = this.#value;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return this.fail("an object");
    return value as Record<string, unknown>;
  }

  /** Lists the members of an object; fails if a name is not among `allowed`, unless `allowed` is left out. */
  entries(allowed?: readonly string[]): [string, JsonReader][] {
    const names = Object.keys(this.#record());
    const stray = allowed === undefined ? undefined : names.find((name) => !allowed.includes(name));
    if (stray !== undefined) this.fail(`an object of ${allowed?.join(", ")}, without "${stray}"`);
    return names.map((name) => [name, this.member(name)]);
  }

  /** Lists the elements of an array. */
  items(): JsonReader[] {
    if (!Array.isArray(this.#value)) return this.fail("an array");
    return this.#value.map((item, i) => this.#at(item, `${this.#path}[${i}]`));
  }

  /** Reads a string. */
  text(): string {
    return typeof this.#value === "string" ? this.#value : this.fail("a string");
  }

  /** Reads a whole number in `[minimum, maximum]`. */
  whole(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#value;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= minimum && value <= maximum) {
      return value;
    }
    return this.fail(`a whole number from ${minimum} to ${maximum}`);
  }

  /** Reads a value that must be one of some values. */
  oneOf<T>(...allowed: readonly T[]): T {
    const match = allowed.find((candidate) => candidate === this.#value);
    return match ?? this.fail(allowed.map((candidate) => JSON.stringify(candidate)).join(" or "));
  }
}
