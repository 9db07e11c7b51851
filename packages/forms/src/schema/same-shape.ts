/** Marks, in a shape, a key without which an object is complete. */
interface Optional<T> {
  readonly optional: T;
}

/**
 * Shape of the values of a type as plain data: without `readonly`, with optional keys marked, and without the
 * `[key: string]: unknown` of a schema that lets other keys pass.
 */
type ShapeOf<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly unknown[]
    ? { -readonly [K in keyof T]: ShapeOf<T[K]> }
    : {
        -readonly [K in keyof T as string extends K
          ? unknown extends T[K]
            ? never
            : K
          : K]-?: K extends string
          ? string extends K
            ? ShapeOf<T[K]>
            : object extends Pick<T, K>
              ? Optional<ShapeOf<Exclude<T[K], undefined>>>
              : ShapeOf<T[K]>
          : never;
      };

/**
 * True if two types describe the same plain data: the same keys, optional in both or in neither, with values
 * of the same types, all the way down. A schema is compared with its type by this.
 */
export type SameShape<A, B> = [ShapeOf<A>] extends [ShapeOf<B>]
  ? [ShapeOf<B>] extends [ShapeOf<A>]
    ? true
    : false
  : false;
