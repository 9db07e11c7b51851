import type { AnyMeasurement, MeasurementEntry } from "@isthmus/findings";
import type { DROPOUT_STABILITY } from "@isthmus/paths";
import type { SIMILARITY } from "@isthmus/similarity";

/** The measurement of each kind. */
interface BuiltIn {
  readonly "dropout-stability": typeof DROPOUT_STABILITY;
  readonly similarity: typeof SIMILARITY;
}

/** What is listed of a measurement before it is loaded. */
type Listed<M> = Omit<MeasurementEntry, "kind" | "load"> & { readonly load: () => Promise<M> };

/** Every measurement of Isthmus by its kind: commands, entries of studies and tasks are made of this list. */
const BUILT_IN: { readonly [K in keyof BuiltIn]: Listed<BuiltIn[K]> } = {
  "dropout-stability": {
    verb: "dropout",
    summary: "Measure how much a network loses when units are taken out",
    subject: "network",
    load: async () => (await import("@isthmus/paths")).DROPOUT_STABILITY,
  },
  similarity: {
    verb: "similarity",
    summary: "Measure how alike the layers of two networks are in what they compute",
    subject: "unlike-pair",
    load: async () => (await import("@isthmus/similarity")).SIMILARITY,
  },
};

/** Any measurement of Isthmus itself. */
export type BuiltInMeasurement = BuiltIn[keyof BuiltIn];

const entries = new Map<string, MeasurementEntry>(
  Object.entries(BUILT_IN).map(([kind, listed]) => [kind, { kind, ...listed }]),
);

/** Lists all measurements: the ones of Isthmus, then the ones that were added. */
export function listMeasurements(): readonly MeasurementEntry[] {
  return [...entries.values()];
}

/** Loads the measurement of a kind; undefined if there is none. */
export async function loadMeasurement(kind: string): Promise<AnyMeasurement | undefined> {
  return entries.get(kind)?.load();
}

/** Loads all measurements, in the order of {@link listMeasurements}. */
export async function loadMeasurements(): Promise<readonly AnyMeasurement[]> {
  return Promise.all(listMeasurements().map(({ load }) => load()));
}
