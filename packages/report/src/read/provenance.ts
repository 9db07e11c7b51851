import { z } from "zod";
import type { DrawableResult, Provenance } from "../result/drawable-result.ts";

/** A result of a kind, as a file holds it. */
export type ResultOf<K extends DrawableResult["kind"]> = Extract<DrawableResult, { readonly kind: K }>;

const channels = z.union([z.number(), z.array(z.number())]);

/** The command that made a result, and how it scaled bytes, as files that a command wrote hold it. */
export const provenance: z.ZodOptional<z.ZodType<Provenance>> = z
  .looseObject({
    command: z.string(),
    version: z.string(),
    data: z.array(z.looseObject({ name: z.string(), mean: channels, std: channels })).optional(),
  })
  .optional();
