/** A value that a variable of a file takes. */
export type VariableValue = string | number;

/** Values by name of the variable. */
export type Variables = Readonly<Record<string, VariableValue>>;

/**
 * An entry that is made once for every combination of values of its variables. `${name}` in any of its texts
 * is replaced by the value. A text that consists of one `${name}` becomes the value itself, with its type. A
 * text of variables and digits alone becomes a number if it makes a whole one, and `{ lookup }` becomes the
 * value in its table.
 */
export type Repeated<T> = { readonly [K in keyof T]: Templated<T[K]> } & {
  /**
   * Values of each variable; `"0..16"` means the whole numbers from 0 to 16.
   * @defaultValue none: the entry is made once
   */
  readonly for?: Readonly<Record<string, readonly VariableValue[] | string>>;
};

/** A table with a value for each value of a variable, such as fewer epochs for wider networks. */
export interface Lookup {
  /** Name of the variable. */
  readonly variable: string;
  /** Values by value of the variable. */
  readonly values: Readonly<Record<string, VariableValue>>;
}

/** A type with texts or tables in place of values that depend on variables. */
export type Templated<T> = T extends string
  ? string | { /** Table that gives the text for each value of a variable. */ readonly lookup: Lookup }
  : T extends number | boolean
    ? T | string | { /** Table that gives the value for each value of a variable. */ readonly lookup: Lookup }
    : { readonly [K in keyof T]: Templated<T[K]> };
