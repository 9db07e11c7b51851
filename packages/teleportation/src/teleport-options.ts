import {
  BATCH_SIZE_FIELD,
  choiceField,
  examplesField,
  type FieldsOf,
  fieldOf,
  listField,
  numberField,
  seedField,
  wholeField,
} from "@isthmus/core";
import { QUANTIZE_FIELDS, type QuantizedBits, type QuantizeScheme } from "@isthmus/sparsity";
import { DIRECTIONS, type Direction } from "./objectives/objective.ts";
import { OBJECTIVE_KINDS, OBJECTIVES, type Objective } from "./objectives/objectives.ts";
import { MOVES, type Move } from "./orbit.ts";
import { STARTS, type Start } from "./starts.ts";

/** Options of a teleport that are plain data. */
export interface TeleportChoice {
  /** Objective that the teleport raises or lowers. @defaultValue "quantization" */
  readonly objective?: Objective;
  /** Whether the objective is lowered or raised. @defaultValue raised for gradient norms, else lowered */
  readonly direction?: Direction | undefined;
  /** Kinds of symmetries along which the network may be moved. @defaultValue all */
  readonly moves?: readonly Move[];
  /** Element from which steps start. @defaultValue the one whose objective is best */
  readonly start?: Start | undefined;
  /** Steps of Adam; 0 for the start alone. @defaultValue 100 */
  readonly steps?: number;
  /**
   * Change of the logarithm of a scale, and of an element of a generator times the root of its size, by a
   * step. @defaultValue 0.05
   */
  readonly learningRate?: number;
  /** Largest number by which a step may multiply or divide a unit in all. @defaultValue 100 */
  readonly limit?: number;
  /** Examples on which losses are measured, the first ones; 0 for all. @defaultValue 500 */
  readonly examples?: number;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /** Bits of a quantised weight. @defaultValue 4 */
  readonly bits?: QuantizedBits;
  /** Weights that share a scale. @defaultValue "block" */
  readonly scheme?: QuantizeScheme;
  /** Seed of the proof and of random rotations. @defaultValue 0 */
  readonly seed?: number;
}

function explained(name: Objective): string {
  const { subject, details = "" } = OBJECTIVE_KINDS[name];
  return `${name}: ${subject}${details}`;
}

/** Fields of {@link TeleportChoice}. */
export const TELEPORT_FIELDS: FieldsOf<TeleportChoice> = {
  objective: choiceField(OBJECTIVES, {
    default: "quantization",
    help: `what is moved: ${OBJECTIVES.map(explained).join("; ")}`,
  }),
  direction: choiceField(DIRECTIONS, {
    help: "whether it is lowered or raised (default: raise for gradient-norm, else lower)",
  }),
  moves: listField<Move>(
    { type: "choice", values: MOVES },
    {
      default: MOVES,
      help: "symmetries to move along",
    },
  ),
  start: choiceField(STARTS, {
    help: "where steps start: the network as given, with units balanced by norms or equalised by largest weights, or rotated at random (default: the best of them)",
  }),
  steps: wholeField({ least: 0, most: 1_000_000, default: 100, help: "steps; 0 for the start alone" }),
  learningRate: numberField({ above: 0, default: 0.05, help: "size of a step" }),
  limit: numberField({
    above: 1,
    default: 100,
    help: "the most that a unit is multiplied or divided by in steps",
  }),
  examples: examplesField({
    least: 0,
    default: 500,
    help: "measure losses on the first n examples; 0 for all",
  }),
  batchSize: BATCH_SIZE_FIELD,
  bits: fieldOf<QuantizedBits>(QUANTIZE_FIELDS.bits.form, {
    ...QUANTIZE_FIELDS.bits,
    default: 4,
  }),
  scheme: choiceField<QuantizeScheme>(["channel", "tensor", "block"], {
    default: "block",
    help: "weights that share a scale when they are quantised, as of isthmus quantize",
  }),
  seed: seedField("seed of the proof, and of random rotations"),
};
