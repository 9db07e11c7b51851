/** A whole number within bounds. */
export interface WholeForm {
  readonly type: "whole";
  readonly least: number;
  readonly most: number;
}

/** A finite number within bounds; a bound that is missing does not bind. */
export interface NumberForm {
  readonly type: "number";
  readonly least?: number;
  readonly most?: number;
  /** A number that the value must exceed. */
  readonly above?: number;
  /** A number that the value must not reach. */
  readonly below?: number;
}

/** One of some words. */
export interface ChoiceForm {
  readonly type: "choice";
  readonly values: readonly string[];
}

/** Values of one form, one after the other. */
export interface ListForm {
  readonly type: "list";
  readonly of: Form;
  /** Fewest values. */
  readonly least: number;
}

/** An object with a value for each of some fields, any of which may be missing. */
export interface GroupForm {
  readonly type: "group";
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  /** Name of the field whose value a command line may give in place of the whole group. @defaultValue none */
  readonly lead?: string;
}

/** An object whose keys are all there, each with a value of a form of its own. */
export interface ObjectForm {
  readonly type: "object";
  readonly parts: Readonly<Record<string, Form>>;
}

/** Values of one form by names that the user chooses. */
export interface RecordForm {
  readonly type: "record";
  readonly of: Form;
}

/** A form that another package defines, such as an optimizer; schemas of files know it by its name. */
export interface SpecialForm {
  readonly type: "special";
  readonly name: string;
  /** Says which values it allows, to follow "must be". */
  readonly rule: string;
  /** Returns whether it allows a value. */
  readonly accepts: (value: unknown) => boolean;
}

/**
 * The form of an option's value, as plain data. Checks of library functions, parsers of command lines,
 * schemas of files and tasks, help, and random values for tests are all made of it.
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
  | { readonly type: "text" }
  | { readonly type: "flag" }
  | { readonly type: "seed" }
  | { readonly type: "range" };

/**
 * When an option is part of the key of a task: `always`, with its default if it is left out; `if-named`, only
 * if a description names it; `if-changed`, only if its value is not the default. The last two are for
 * options that came later, so that tasks from before keep their keys.
 */
export type Keyed = "always" | "if-named" | "if-changed";

/** One option: all that a library, a command line, a study and their documents need to know of it. */
export interface Field<T> {
  /** Says what the option decides, as the help of a command and the schema of a file say it. */
  readonly help: string;
  /** Form of its value, with bounds. */
  readonly form: Form;
  /** Value if the option is left out; undefined if `help` says what happens then. */
  readonly default: T | undefined;
  /** Name on a command line. @defaultValue the name of the option in kebab-case */
  readonly flag?: string;
  /**
   * Name of the value on a command line, such as `<from:to>`; empty if the option takes none there, and means
   * `bare`. @defaultValue by the form
   */
  readonly placeholder?: string;
  /**
   * Value if a command line names the option without a value.
   * @defaultValue none: the option must have a value
   */
  readonly bare?: T;
  /** Name of an option without which this one means nothing. @defaultValue none */
  readonly requires?: string;
  /** Names of options that cannot be given beside this one. @defaultValue none */
  readonly excludes?: readonly string[];
  /** When the option is part of the key of a task. @defaultValue "always" */
  readonly keyed?: Keyed;
  /**
   * Whether only tasks have it, as it follows from other options, the data or the subject.
   * @defaultValue false
   */
  readonly tasksOnly?: boolean;
  /** Whether only the whole help of a command shows it. @defaultValue false */
  readonly rare?: boolean;
  /**
   * Reads the value from the word of a command line; its form is checked afterwards. An error that it throws
   * says what the word must be.
   * @defaultValue by the form
   */
  readonly parse?: (text: string) => unknown;
}

/** A field whose option always has a value: its default if it is left out. */
export interface DefaultedField<T> extends Field<T> {
  readonly default: T;
}

/** Any field. */
export type AnyField = Field<unknown>;

/** A field for each option of a type: neither an option without a field nor the reverse compiles. */
export type FieldsOf<O> = { readonly [K in keyof O]-?: Field<Exclude<O[K], undefined>> };

/** The options that fields describe, with defaults in place: one without a default may be undefined. */
export type ValuesOf<F extends Readonly<Record<string, AnyField>>> = {
  readonly [K in keyof F]: F[K]["default"];
};
