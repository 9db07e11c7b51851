import { COLLECT_METHODS, type CollectMethod } from "@isthmus/ensemble";
import type { AugmentOptions, LossSpec, OptimizerSpec, ScheduleSpec } from "@isthmus/training";
import type { WantedValues } from "./wanted-values.ts";

/** Ways to make several networks of one, see {@link CollectionMethod}. */
export const COLLECTION_METHODS: readonly [...typeof COLLECT_METHODS, "posterior", "spro"] = [
  ...COLLECT_METHODS,
  "posterior",
  "spro",
];

/**
 * How several networks are made of one: collected along a training (`swa`, `fge`, `lgv`), drawn from the
 * posterior (`posterior`), or trained as the vertices of a simplex of low loss (`spro`).
 */
export type CollectionMethod = CollectMethod | "posterior" | "spro";

/** Which networks of a collection there are: all, or the mean of their weights. */
export const COLLECTION_PARTS = ["networks", "mean"] as const;

/**
 * Networks that are collected from networks of another group. Each has the variable `member`, from 1; with
 * `spro` the one they start from is a vertex, too, of the number 0. Options that are missing have the
 * defaults of `collectNetworks`, `bootstrapPosterior` or `simplexVertices`.
 */
export interface CollectedStudyNetwork {
  /** Name of the group of networks to start from, which must come before: each that agrees. */
  readonly collect: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  readonly method: CollectionMethod;
  /** Name of the examples to train on. */
  readonly data: string;
  /** Seed of the order of examples, and of what is drawn. */
  readonly seed: number;
  /** Of `posterior` and `spro` of every network. */
  readonly epochs?: number;
  /** Of `swa`, `fge` and `lgv`. */
  readonly learningRate?: number;
  readonly lowRate?: number;
  readonly cycle?: number;
  /** The mean of the weights alone, with the start counted; of `swa`, `fge` and `lgv`. @defaultValue all */
  readonly keep?: (typeof COLLECTION_PARTS)[number];
  /** Number of networks of `posterior` and `spro`. */
  readonly members?: number;
  /** Of `posterior`. */
  readonly concentration?: number;
  /** Of `spro`. */
  readonly volume?: number;
  readonly batch?: number;
  readonly loss?: LossSpec;
  readonly optimizer?: OptimizerSpec;
  /** Of `posterior` and `spro`. */
  readonly schedule?: ScheduleSpec;
  readonly augment?: AugmentOptions;
}

/**
 * Networks as far from the networks that networks of another group were collected from as these, in random
 * directions: a control.
 */
export interface ScatteredStudyNetwork {
  /** Name of the group of collected networks, which must come before. */
  readonly scatter: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /** Seed of the directions. */
  readonly seed: number;
  /** Name of the examples that batch norms are measured on. */
  readonly data: string;
}
