import { DTYPES, type DType } from "@isthmus/core";
import { schemaOf } from "@isthmus/forms";
import * as z from "zod";
import type { ComparisonResult } from "./comparison-result.ts";
import { VERDICTS } from "./judge-pair.ts";

const count = z.int().min(0);
const text = z.string();
const numbers = z.array(z.number());
const position = count;
const shape = z.array(count);
const dtype = z.enum(Object.keys(DTYPES) as [DType, ...DType[]]);
const nullable = z.number().nullable();
const both = z.tuple([z.number(), z.number()]);
const verdict = z.enum(VERDICTS);
const traits = z.looseObject({
  source: text,
  tensors: count,
  parameters: count,
  dtypes: z.partialRecord(dtype, count),
  quantized: z.looseObject({ scheme: text, tensor: text }).nullable(),
  coarse: z.looseObject({ matrices: count, of: count }),
  adapter: z.boolean(),
  unmerged: text.nullable().default(null),
  tied: z.boolean().nullable(),
  vocabulary: z.looseObject({ tensor: text, rows: count }).nullable(),
  madeOf: z.array(text).default([]),
  nonFinite: z.array(z.looseObject({ tensor: text, count })),
  facts: z
    .looseObject({
      modelType: text.nullable(),
      tied: z.boolean().nullable(),
      quantization: text.nullable(),
      chat: z.boolean(),
      adapter: z.boolean(),
    })
    .nullable(),
});
const comparedPair = z.looseObject({
  a: position,
  b: position,
  onlyA: z.array(text),
  onlyB: z.array(text),
  shapes: z.array(z.looseObject({ name: text, a: shape, b: shape })),
  dtypes: z.array(z.looseObject({ name: text, a: dtype, b: dtype })),
  shared: z.looseObject({ tensors: z.number(), parameters: z.number() }),
  identical: z.boolean(),
  offset: nullable,
  norms: both,
  distance: nullable,
  cosine: nullable,
  kinship: nullable,
  matrices: count,
  growth: z
    .looseObject({ kurtosis: z.number(), norm: z.number(), length: nullable.default(null) })
    .nullable()
    .default(null),
  moved: z.looseObject({ tensors: z.array(text), share: z.number() }).nullable(),
  vocabulary: z.looseObject({ tensor: text, rows: both, kinship: nullable, moved: nullable }).nullable(),
  alignment: z.looseObject({ before: z.number(), after: z.number(), gain: z.number() }).nullable(),
  tensors: z.array(
    z.looseObject({
      name: text,
      distance: nullable,
      cosine: nullable,
      kinship: nullable,
      sampled: z.number(),
    }),
  ),
});
const advice = z.looseObject({
  rule: text,
  method: text.nullable(),
  parameters: z.record(text, z.number()),
  align: z.boolean(),
  base: position.nullable(),
  networks: z.array(position),
  reason: text,
  signs: z.looseObject({
    verdict,
    adapters: z.enum(["none", "some", "all"]),
    networks: count,
    kinship: nullable,
    distance: nullable,
    cosine: nullable,
    conflict: nullable,
    length: nullable,
    unequal: nullable,
    nonFinite: count.default(0),
    gradients: z.looseObject({ alignment: nullable, slope: nullable }).nullable(),
  }),
  next: z.array(z.looseObject({ purpose: text, command: text })),
});
const descent = z.looseObject({
  parents: z.array(position.nullable()),
  support: z.array(nullable),
  distances: z.array(nullable),
  rooted: z.boolean(),
});
const comparison = z.looseObject({
  kind: z.literal("comparison"),
  networks: z.array(traits),
  base: position.nullable(),
  pairs: z.array(comparedPair),
  taskVectors: z
    .looseObject({
      base: position,
      guessed: z.boolean(),
      networks: z.array(position),
      lengths: numbers,
      cosines: z.array(numbers),
      conflicts: z.array(numbers).nullable().default(null),
    })
    .nullable(),
  sampled: z.number(),
  seed: count,
  verdict,
  confidence: z.number(),
  verdicts: z.array(
    z.looseObject({ a: position, b: position, verdict, confidence: z.number(), evidence: text }),
  ),
  findings: z.array(
    z.looseObject({
      severity: z.enum(["error", "warning", "note"]),
      networks: z.array(position),
      message: text,
      advice: text,
    }),
  ),
  descent: descent.nullable().default(null),
  advice: advice.nullable().default(null),
});

/** Form of a comparison of networks in files. */
export const COMPARISON_FORM: z.ZodType = schemaOf<ComparisonResult>()(comparison);
