import type { LAYERS, MAP } from "@isthmus/barrier";
import type { CURVE, DROPOUT_PATH, DROPOUT_STABILITY, MECHANISMS, WALKED_PATH } from "@isthmus/connectivity";
import type { CURVATURE, LANDSCAPE, PLANE } from "@isthmus/curvature";
import type { ATTACK, PARETO } from "@isthmus/ensemble";
import type { AnyMeasurement, MeasurementEntry } from "@isthmus/findings";
import type { SIMILARITY } from "@isthmus/similarity";
import type { ENSEMBLE } from "@isthmus/star-domain";
import type { INTRINSIC_DIMENSION } from "@isthmus/subspace";

/** Types of the measurements of Isthmus, by kind. */
export interface BuiltIn {
  readonly layers: typeof LAYERS;
  readonly similarity: typeof SIMILARITY;
  readonly "dropout-path": typeof DROPOUT_PATH;
  readonly "walked-path": typeof WALKED_PATH;
  readonly plane: typeof PLANE;
  readonly ensemble: typeof ENSEMBLE;
  readonly attack: typeof ATTACK;
  readonly mechanisms: typeof MECHANISMS;
  readonly landscape: typeof LANDSCAPE;
  readonly curvature: typeof CURVATURE;
  readonly curve: typeof CURVE;
  readonly "dropout-stability": typeof DROPOUT_STABILITY;
  readonly map: typeof MAP;
  readonly pareto: typeof PARETO;
  readonly "intrinsic-dimension": typeof INTRINSIC_DIMENSION;
}

/** Entry of a measurement in the list, without its kind; `load` returns the measurement. */
type Listed<M> = Omit<MeasurementEntry, "kind" | "load"> & { readonly load: () => Promise<M> };

/** Fields that the measurements of paths share, which are ways of one command. */
const PATH = {
  verb: "path",
  summary: "Build a path of low loss between two networks, or walk it layer by layer, and measure it",
  subject: "pair",
} as const;

/** Measurements of Isthmus by kind: commands, entries of studies and tasks are made of this list. */
const BUILT_IN: { readonly [K in keyof BuiltIn]: Listed<BuiltIn[K]> } = {
  layers: {
    verb: "layers",
    summary: "Measure which layers stand between two networks",
    subject: "pair",
    load: async () => (await import("@isthmus/barrier")).LAYERS,
  },
  similarity: {
    verb: "similarity",
    summary: "Measure how alike the layers of two networks are in what they compute",
    subject: "unlike-pair",
    load: async () => (await import("@isthmus/similarity")).SIMILARITY,
  },
  "dropout-path": {
    ...PATH,
    way: {
      flag: "by",
      value: "halves",
      help: "through networks without half of their units, which are built",
    },
    load: async () => (await import("@isthmus/connectivity")).DROPOUT_PATH,
  },
  "walked-path": {
    ...PATH,
    way: { flag: "by", value: "walk", help: "layer by layer, with training" },
    load: async () => (await import("@isthmus/connectivity")).WALKED_PATH,
  },
  plane: {
    verb: "plane",
    summary: "Measure loss and error on the plane through three networks",
    subject: "plane",
    load: async () => (await import("@isthmus/curvature")).PLANE,
  },
  ensemble: {
    verb: "ensemble",
    summary: "Compare the predictions of several networks, alone and together",
    subject: "ensemble",
    load: async () => (await import("@isthmus/star-domain")).ENSEMBLE,
  },
  attack: {
    verb: "attack",
    summary: "Make adversarial examples on some networks, and show them to others",
    subject: "attack",
    load: async () => (await import("@isthmus/ensemble")).ATTACK,
  },
  mechanisms: {
    verb: "mechanisms",
    summary: "Measure whether two networks predict by the same mechanisms, on data with planted cues",
    subject: "pair-on-sets",
    load: async () => (await import("@isthmus/connectivity")).MECHANISMS,
  },
  landscape: {
    verb: "landscape",
    summary: "Measure loss and error on a line, a plane or a grid around a network",
    subject: "landscape",
    load: async () => (await import("@isthmus/curvature")).LANDSCAPE,
  },
  curvature: {
    verb: "curvature",
    summary: "Measure how the loss curves around a network",
    subject: "network",
    load: async () => (await import("@isthmus/curvature")).CURVATURE,
  },
  curve: {
    verb: "curve",
    summary: "Train a curve of low loss between two networks, and measure it",
    subject: "pair",
    trains: true,
    load: async () => (await import("@isthmus/connectivity")).CURVE,
  },
  "dropout-stability": {
    verb: "dropout",
    summary: "Measure how much a network loses when units are taken out",
    subject: "network",
    load: async () => (await import("@isthmus/connectivity")).DROPOUT_STABILITY,
  },
  map: {
    verb: "map",
    summary: "Measure barriers between all pairs of many networks, and place them in the plane",
    subject: "networks-and-star",
    load: async () => (await import("@isthmus/barrier")).MAP,
  },
  pareto: {
    verb: "pareto",
    summary: "Train one network a task in one run, and draw the front of the networks between them",
    subject: "training",
    trains: true,
    load: async () => (await import("@isthmus/ensemble")).PARETO,
  },
  "intrinsic-dimension": {
    verb: "intrinsic-dimension",
    summary: "Find the smallest random subspace that a network can be trained in",
    subject: "training",
    trains: true,
    load: async () => (await import("@isthmus/subspace")).INTRINSIC_DIMENSION,
  },
};

/** Any measurement of Isthmus itself. */
export type BuiltInMeasurement = BuiltIn[keyof BuiltIn];

const builtIn: readonly MeasurementEntry[] = Object.entries(BUILT_IN).map(([kind, listed]) => ({
  kind,
  ...listed,
}));

/** Measurements that users have added, by their kinds. */
const added = new Map<string, MeasurementEntry>();

/**
 * Keeps a measurement that a user has added; `addMeasurement` has checked that its names are free.
 * @returns a function that removes the measurement again
 */
export function keepMeasurement(entry: MeasurementEntry): () => void {
  added.set(entry.kind, entry);
  return () => added.delete(entry.kind);
}

/** Lists all measurements: the ones of Isthmus, then the ones that users have added. */
export function listMeasurements(): readonly MeasurementEntry[] {
  return [...builtIn, ...added.values()];
}

/** Lists the measurements that users have added, in the order of their addition. */
export function listAddedMeasurements(): readonly MeasurementEntry[] {
  return [...added.values()];
}

/** Loads the measurement of a kind; undefined if no measurement has this kind. */
export async function loadMeasurement(kind: string): Promise<AnyMeasurement | undefined> {
  return listMeasurements()
    .find((entry) => entry.kind === kind)
    ?.load();
}

/** Loads all measurements, in the order of {@link listMeasurements}. */
export async function loadMeasurements(): Promise<readonly AnyMeasurement[]> {
  return Promise.all(listMeasurements().map(({ load }) => load()));
}
