/** Value of an option. */
export type FieldValue = number | string | boolean | readonly number[];

/** Definition of one segment of a short string: how an option is read, written and checked. */
export interface SegmentField {
  /** Name of the option. */
  readonly option: string;
  /** Form of the segment in a short string, for example `w<width>`. */
  readonly form: string;
  /** Meaning of the option, in a line. */
  readonly help: string;
  /** Allowed values for messages: `a whole number from 1 to 1048576`. */
  readonly allowed: string;
  /** Reads the value of a segment, without checking its range; undefined if the segment has another form. */
  readonly read: (segment: string) => FieldValue | undefined;
  /** Writes the segment of a value. */
  readonly write: (value: FieldValue) => string;
  /** Checks whether a value is allowed. */
  readonly accepts: (value: unknown) => boolean;
}

/** A range of numbers, both ends included. */
export interface NumberRange {
  /** Smallest number. */
  readonly min: number;
  /** Largest number. */
  readonly max: number;
}

/**
 * Largest extent: no network that fits into a computer exceeds it, and products of a few such numbers are
 * still exact.
 */
const MAX_EXTENT = 2 ** 20;

/** Creates the field of an option that is a whole number after a prefix, as in `d12`. */
export function countField(
  option: string,
  prefix: string,
  { help, min = 1, max = MAX_EXTENT }: { readonly help: string } & Partial<NumberRange>,
): SegmentField {
  return {
    option,
    form: `${prefix}<${option}>`,
    help,
    allowed: `a whole number from ${min} to ${max}`,
    read: (segment) => numberAfter(prefix, segment, /^\d+$/),
    write: (value) => `${prefix}${value}`,
    accepts: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  };
}

/** Creates the field of an option that is any number after a prefix, as in `w0.5`. */
export function numberSegment(
  option: string,
  prefix: string,
  { help, min, max }: { readonly help: string } & NumberRange,
): SegmentField {
  return {
    option,
    form: `${prefix}<${option}>`,
    help,
    allowed: `a number from ${min} to ${max}`,
    read: (segment) => numberAfter(prefix, segment, /^\d+(\.\d+)?(e-\d+)?$/),
    write: (value) => `${prefix}${value}`,
    accepts: (value) => typeof value === "number" && value >= min && value <= max,
  };
}

function numberAfter(prefix: string, segment: string, pattern: RegExp): number | undefined {
  const text = segment.slice(prefix.length);
  return segment.startsWith(prefix) && pattern.test(text) ? Number(text) : undefined;
}

/**
 * Creates the field of an option whose value is one of a few words, each of which is a whole segment of a
 * short string.
 */
export function choiceSegment(option: string, choices: readonly string[], help: string): SegmentField {
  return {
    option,
    form: choices.join("|"),
    help,
    allowed: choices.join(", "),
    read: (segment) => (choices.includes(segment) ? segment : undefined),
    write: String,
    accepts: (value) => choices.includes(value as string),
  };
}

/** Creates the field of an option that is on or off, with a word for each. */
export function switchField(
  option: string,
  { on, off, help }: { readonly on: string; readonly off: string; readonly help: string },
): SegmentField {
  return {
    option,
    form: `${on}|${off}`,
    help,
    allowed: "true or false",
    read: (segment) => (segment === on ? true : segment === off ? false : undefined),
    write: (value) => (value === true ? on : off),
    accepts: (value) => typeof value === "boolean",
  };
}

/** Creates the field of an option that is a list of whole numbers, with functions that read and write it. */
export function listSegment(
  option: string,
  field: Pick<SegmentField, "form" | "help" | "read"> & {
    readonly write: (numbers: readonly number[]) => string;
    readonly range: NumberRange;
    /** Minimum number of numbers. @defaultValue 1 */
    readonly minLength?: number;
  },
): SegmentField {
  const { range, write, minLength = 1, ...rest } = field;
  return {
    ...rest,
    option,
    allowed: `whole numbers from ${range.min} to ${range.max}, at least ${minLength} and at most ${MAX_LAYERS}`,
    write: (value) => write(value as readonly number[]),
    accepts: (value) =>
      Array.isArray(value) &&
      value.length >= minLength &&
      value.length <= MAX_LAYERS &&
      value.every((number) => Number.isInteger(number) && number >= range.min && number <= range.max),
  };
}

/** Maximum length of a list of layers. */
export const MAX_LAYERS = 1024;
