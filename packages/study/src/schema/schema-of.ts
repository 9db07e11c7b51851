import type { z } from "zod";
import type { SameShape } from "./same-shape.ts";

/**
 * Returns a schema as it is, once the compiler has found that it accepts values of type `T` and no others:
 * a key or a choice that is added to the type or to the schema alone is an error where this is called.
 */
export function schemaOf<T>(): <S extends z.ZodType>(
  schema: SameShape<z.output<S>, T> extends true ? S : never,
) => z.ZodType<T> {
  return (schema) => schema as z.ZodType as z.ZodType<T>;
}
