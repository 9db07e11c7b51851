import type { AnyMeasurement, Measurement, SubjectName, Trains } from "@isthmus/findings";
import { batch } from "@isthmus/forms";
import type { BuiltInMeasurement } from "@isthmus/measurements";
import { z } from "zod";
import type { NetworkMeasurement } from "../description/network-measurement.ts";
import type { PathMeasurement, SetsMeasurement } from "../description/path-measurements.ts";
import { NAMED_DATA, WHERE } from "../file/entry-fields.ts";
import { MEASURED_LOSS, type MeasuredLoss } from "../schema/measured-loss.ts";
import { PAIR_SELECTION } from "../schema/pair-selection.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import { ATTACK_SHAPE, type AttackSelection } from "./attack-selection.ts";
import { ENSEMBLE_SHAPE, type EnsembleSelection } from "./ensemble-selection.ts";
import { LANDSCAPE_SHAPE, type LandscapeSelection } from "./landscape-selection.ts";

/**
 * What an entry of a study says of its subjects, by their sort. A sort that is missing has no entries: groups
 * of a study do not say which three networks a plane goes through.
 */
interface Selections {
  readonly network: NetworkMeasurement;
  readonly pair: PathMeasurement;
  readonly "pair-on-sets": SetsMeasurement;
  readonly "unlike-pair": Omit<PathMeasurement, "statisticsData">;
  readonly networks: NetworkMeasurement;
  readonly ensemble: EnsembleSelection;
  readonly attack: AttackSelection;
  readonly landscape: LandscapeSelection;
}

/** The loss that networks are measured by, unless the measurement trains: then its options have the loss. */
type LossOf<M> = M extends { readonly trains: Trains } ? object : MeasuredLoss;

/** An entry of a study for a measurement: which subjects, which examples, and the options. */
export type EntryOf<M> =
  M extends Measurement<infer S, infer O, infer R>
    ? S extends keyof Selections
      ? Selections[S] & LossOf<M> & Omit<O, "seed" | "batchSize"> & { readonly kind: R["kind"] }
      : never
    : never;

/** An entry of a study for a measurement of Isthmus itself. */
export type BuiltInEntry = {
  [K in BuiltInMeasurement["kind"]]: EntryOf<Extract<BuiltInMeasurement, { kind: K }>>;
}[BuiltInMeasurement["kind"]];

/** Any entry of a measurement, with its options as further keys. */
export type AnyEntry = (NetworkMeasurement | PathMeasurement | SetsMeasurement) &
  MeasuredLoss & { readonly kind: string };

const pairs = { ...PAIR_SELECTION, data: NAMED_DATA };
const { statisticsData: _, ...unlikePairs } = pairs;

/** Names of examples by the names of their sets. */
const SETS = z.record(z.string(), NAMED_DATA).refine((sets) => Object.keys(sets).length > 0, {
  error: "must have a set of examples or more",
});

const single = { of: z.string(), where: WHERE.optional(), data: NAMED_DATA, batchSize: batch.optional() };

/** What an entry says of its subjects, by their sort; the rest are options. */
export const SELECTION_SHAPES: Readonly<
  Record<keyof Selections, z.ZodRawShape> & Partial<Record<SubjectName, z.ZodRawShape>>
> = {
  network: single,
  networks: single,
  pair: pairs,
  "pair-on-sets": { ...PAIR_SELECTION, sets: SETS },
  "unlike-pair": unlikePairs,
  ensemble: { ...single, ...ENSEMBLE_SHAPE },
  attack: { ...single, ...ATTACK_SHAPE },
  landscape: { ...single, ...LANDSCAPE_SHAPE },
};

/** Returns whether entries of studies can select the subjects of a measurement. */
export const isStudied = ({ subject }: AnyMeasurement): boolean => Object.hasOwn(SELECTION_SHAPES, subject);

/** Makes the schema of the entries of a measurement. */
export function entrySchemaOf(measurement: AnyMeasurement): z.ZodObject {
  const { kind, subject, options, examplesBeside = {}, trains } = measurement;
  const chosen = Object.entries(options).filter(([name, { tasksOnly }]) => name !== "seed" && !tasksOnly);
  const beside = Object.entries(examplesBeside).map(([name, { default: missing }]) => {
    return [name, missing === undefined ? NAMED_DATA.optional() : NAMED_DATA] as const;
  });
  return z.strictObject({
    kind: z.literal(kind),
    ...SELECTION_SHAPES[subject],
    ...(trains === undefined && MEASURED_LOSS),
    ...("statistics" in options && { statisticsData: NAMED_DATA.optional() }),
    ...Object.fromEntries(beside),
    ...shapeOfFields(Object.fromEntries(chosen)),
  });
}
