import { SOURCE_MODES, type SourceMode } from "@isthmus/ensemble";
import { text } from "@isthmus/forms";
import { z } from "zod";
import type { NetworkMeasurement } from "../description/network-measurement.ts";
import type { WantedValues } from "../description/wanted-values.ts";
import { WHERE } from "../file/entry-fields.ts";

/** Networks that adversarial examples are made on, as a study says it. */
export interface SourceChoice {
  /** Name of their group. */
  readonly of: string;
  /** Only networks whose variables have these values. @defaultValue all */
  readonly where?: WantedValues;
  /** How several of them make one attack. @defaultValue "together" */
  readonly mode?: SourceMode;
}

/** Networks of a group that are attacked, and the networks that examples are made on. */
export interface AttackSelection extends NetworkMeasurement {
  /** The variable in which the networks that are attacked together differ. @defaultValue "seed" */
  readonly across?: string;
  /** What examples are made on, by the name of the source. */
  readonly sources: Readonly<Record<string, SourceChoice>>;
}

const mode = z.enum(SOURCE_MODES);

/** What an entry says of an attack, beside the networks that are attacked and the examples to change. */
export const ATTACK_SHAPE: z.ZodRawShape = {
  across: z.string().optional(),
  sources: z.record(
    z.string(),
    z.strictObject({ of: z.string(), where: WHERE.optional(), mode: mode.optional() }),
  ),
};

/** A source as a task names it; the networks of source number i are the input {@link sourceInput}. */
export interface TaskSource {
  readonly name: string;
  readonly mode: SourceMode;
}

/** Returns the name of the input that holds the networks of a source, by its number from 0. */
export const sourceInput = (index: number): string => `source-${index + 1}`;

/** What a task says of an attack, beside its files and the examples that all tasks have. */
export const ATTACK_PARAMS: z.ZodRawShape = {
  sources: z.array(z.strictObject({ name: text, mode })).min(1),
};
