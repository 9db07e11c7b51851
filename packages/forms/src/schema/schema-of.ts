import type * as z from "zod";
import type { SameShape } from "./same-shape.ts";

/**
 * Returns a schema unchanged, once the compiler has found that it accepts values of type `T` and no others: a
 * key or a choice that is added to the type or to the schema alone is an error at the call.
 */
export function schemaOf<T>(): <S extends z.ZodType>(
  schema: SameShape<z.output<S>, T> extends true ? S : never,
) => z.ZodType<T> {
  return (schema) => schema as z.ZodType as z.ZodType<T>;
}

/** Schemas of the fields of a type, to be spread into schemas of larger types. */
export type SchemasOf<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K>
    ? z.ZodOptional<z.ZodType<Exclude<T[K], undefined>>>
    : z.ZodType<T[K]>;
};

/**
 * Returns fields of a schema unchanged, once the compiler has found that they are the fields of type `T`; see
 * {@link schemaOf}.
 */
export function fieldsOf<T>(): <S extends z.ZodRawShape>(
  fields: SameShape<z.output<z.ZodObject<S>>, T> extends true ? S : never,
) => SchemasOf<T> {
  return (fields) => fields as z.ZodRawShape as SchemasOf<T>;
}
