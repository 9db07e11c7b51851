/** Form of whole numbers within bounds. */
export interface WholeForm {
  /** Discriminant of the form: whole numbers. */
  readonly type: "whole";
  /** Smallest number that is allowed. */
  readonly least: number;
  /** Largest number that is allowed; `Number.MAX_SAFE_INTEGER` for no limit. */
  readonly most: number;
}

/** Form of finite numbers within bounds; missing bounds do not limit. */
export interface NumberForm {
  /** Discriminant of the form: numbers. */
  readonly type: "number";
  /** Smallest number that is allowed. @defaultValue no limit */
  readonly least?: number;
  /** Largest number that is allowed. @defaultValue no limit */
  readonly most?: number;
  /** A number that the value must exceed. */
  readonly above?: number;
  /** A number that the value must not reach. */
  readonly below?: number;
}

/** Form of a choice among words. */
export interface ChoiceForm {
  /** Discriminant of the form: a choice. */
  readonly type: "choice";
  /** Words that may be chosen. */
  readonly values: readonly string[];
}

/** Form of lists of values of one form. */
export interface ListForm {
  /** Discriminant of the form: a list. */
  readonly type: "list";
  /** Form of every value of the list. */
  readonly of: Form;
  /** Minimum number of values. */
  readonly least: number;
}

/** Form of objects with optional fields. */
export interface GroupForm {
  /** Discriminant of the form: an object with optional fields. */
  readonly type: "group";
  /** Fields of the object by name, each of which may be left out. */
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  /** Name of the field whose value may stand for the whole group on a command line. @defaultValue none */
  readonly lead?: string;
}

/** Form of objects with required fields, each of its own form. */
export interface ObjectForm {
  /** Discriminant of the form: an object with required fields. */
  readonly type: "object";
  /** Forms of the fields by name, all of which are required. */
  readonly parts: Readonly<Record<string, Form>>;
}

/** Form of objects whose keys are chosen by the user and whose values have one form. */
export interface RecordForm {
  /** Discriminant of the form: an object with any keys. */
  readonly type: "record";
  /** Form of every value of the object. */
  readonly of: Form;
}

/** Form that another package defines, for example optimizers; JSON Schemas refer to it by its name. */
export interface SpecialForm {
  /** Discriminant of the form: one that another package defines. */
  readonly type: "special";
  /** Name of the definition in JSON Schemas. */
  readonly name: string;
  /** Description of the allowed values, to follow "must be". */
  readonly rule: string;
  /** Function that checks whether a value is allowed. */
  readonly accepts: (value: unknown) => boolean;
}

/**
 * Form of an option's value, as plain data. Checks of library functions, parsers of command lines, schemas of
 * files and tasks, help, and random values for tests are all derived from it.
 *
 * `text` is any text of at most 4096 characters, `flag` is true or false, `seed` a whole number from 0,
 * `range` two numbers of which the first is smaller.
 */
export type Form =
  | WholeForm
  | NumberForm
  | ChoiceForm
  | ListForm
  | GroupForm
  | ObjectForm
  | RecordForm
  | SpecialForm
  | { /** Any text. */ readonly type: "text" }
  | { /** True or false. */ readonly type: "flag" }
  | { /** Whole number from 0. */ readonly type: "seed" }
  | { /** Two numbers, the first smaller. */ readonly type: "range" };

/**
 * Condition under which an option is part of the key of a task: `always`, with its default if it is left out;
 * `if-named`, only if a description names it; `if-changed`, only if its value is not the default. The last
 * two are for options that were added later, so that earlier tasks keep their keys.
 */
export type Keyed = "always" | "if-named" | "if-changed";

/** Definition of one option: everything that a library, a command line, a study and their documents need. */
export interface Field<T> {
  /** Description of the option for the help of a command and the schema of a file. */
  readonly help: string;
  /** Form of the option's value, with bounds. */
  readonly form: Form;
  /** Value if the option is left out; undefined if `help` describes that case. */
  readonly default: T | undefined;
  /** Name on a command line. @defaultValue the name of the option in kebab-case */
  readonly flag?: string;
  /**
   * Name of the value on a command line, such as `<from:to>`; empty if the option takes no value there and
   * then means `bare`. @defaultValue by the form
   */
  readonly placeholder?: string;
  /**
   * Value if a command line names the option without a value.
   * @defaultValue none: the option must have a value
   */
  readonly bare?: T;
  /** Name of another option that must be given beside this one. @defaultValue none */
  readonly requires?: string;
  /** Names of options that must not be given beside this one. @defaultValue none */
  readonly excludes?: readonly string[];
  /** Condition under which the option is part of the key of a task. @defaultValue "always" */
  readonly keyed?: Keyed;
  /**
   * Whether only tasks have the option, as its value follows from other options, the data or the subject.
   * @defaultValue false
   */
  readonly tasksOnly?: boolean;
  /** Whether only the full help of a command shows the option. @defaultValue false */
  readonly rare?: boolean;
  /**
   * Parses the value from a word of a command line; its form is checked afterwards. The message of a thrown
   * error describes the allowed words.
   * @defaultValue by the form
   */
  readonly parse?: (text: string) => unknown;
}

/** A field whose option always has a value: the default if the option is left out. */
export interface DefaultedField<T> extends Field<T> {
  /** Value if the option is left out. */
  readonly default: T;
}

/** Any field. */
export type AnyField = Field<unknown>;

/** Type with a field for each option of `O`; it compiles only if options and fields correspond one to one. */
export type FieldsOf<O> = { readonly [K in keyof O]-?: Field<Exclude<O[K], undefined>> };

/** Options that fields describe, with defaults filled in; an option without a default may be undefined. */
export type ValuesOf<F extends Readonly<Record<string, AnyField>>> = {
  readonly [K in keyof F]: F[K]["default"];
};
