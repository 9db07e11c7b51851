import type { SameShape } from "@isthmus/study";
import { z } from "zod";
import type { DrawableResult, Provenance } from "../result/drawable-result.ts";

/** A result of a kind, as a file holds it. */
type ResultOf<K extends DrawableResult["kind"]> = Extract<DrawableResult, { readonly kind: K }>;

/**
 * Returns the schema of a kind of result as it is, once the compiler has found that it describes the type of
 * the result: a key or a choice that is added to the type or to the schema alone is an error here.
 */
export function schemaOf<K extends DrawableResult["kind"]>(): <S extends z.ZodType>(
  schema: SameShape<z.output<S>, ResultOf<K>> extends true ? S : never,
) => z.ZodType {
  return <S extends z.ZodType>(
    schema: SameShape<z.output<S>, ResultOf<K>> extends true ? S : never,
  ): z.ZodType => schema;
}

const channels = z.union([z.number(), z.array(z.number())]);

/** The command that made a result, and how it scaled bytes, as files that a command wrote hold it. */
export const provenance: z.ZodOptional<z.ZodType<Provenance>> = z
  .looseObject({
    command: z.string(),
    version: z.string(),
    data: z.array(z.looseObject({ name: z.string(), mean: channels, std: channels })).optional(),
  })
  .optional();

/** Fields that say by which loss a result was measured, if that is not the usual one of classes. */
export const lossFields: {
  readonly lossKind: z.ZodOptional<z.ZodString>;
  readonly lossUnit: z.ZodOptional<z.ZodString>;
} = { lossKind: z.string().optional(), lossUnit: z.string().optional() };
