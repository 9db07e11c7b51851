import { choiceField, type FieldsOf, numberField, wholeField } from "@isthmus/core";
import { SIMPLEX_VERTICES_DEFAULTS } from "../simplex/simplex-vertices.ts";
import { COLLECT_METHODS, COLLECT_RATES, type CollectMethod } from "./plan-collection.ts";

/**
 * Method to make several networks from one: they are collected along a training (`swa`, `fge`, `lgv`), drawn
 * from the posterior (`posterior`), or trained as the vertices of a simplex of low loss (`spro`).
 */
export type CollectionMethod = CollectMethod | "posterior" | "spro";

/** Options of making several networks from one, by any method. */
export interface CollectionChoice {
  /** Method by which networks are made. @defaultValue "swa" */
  readonly method?: CollectionMethod;
  /**
   * Number of passes over the examples; for `posterior` and `spro`, the number for every network.
   * @defaultValue by the method
   */
  readonly epochs?: number | undefined;
  /** Learning rate of `swa`, `fge` and `lgv`; the highest one if it has cycles. @defaultValue 0.05 */
  readonly learningRate?: number | undefined;
  /** Lowest learning rate of the cycles of `swa` and `fge`. @defaultValue by the method */
  readonly lowRate?: number | undefined;
  /** Number of epochs from one network of `swa`, `fge` and `lgv` to the next. @defaultValue by the method */
  readonly cycle?: number | undefined;
  /** Number of networks of `posterior` and `spro`. @defaultValue by the method */
  readonly members?: number | undefined;
  /** Number of examples as which the first network's predictions count, for `posterior`. @defaultValue 0 */
  readonly concentration?: number | undefined;
  /** Weight of the logarithm of the volume beside the loss of `spro`. @defaultValue 0.01 */
  readonly volume?: number | undefined;
}

/** Largest number of epochs of a training: more would run for years. */
const MOST_EPOCHS = 100_000;
/** Largest number of networks of a collection. */
const MOST_MEMBERS = 10_000;

/** Default numbers of networks, for methods that train networks one after another. */
const USUAL_MEMBERS = { posterior: 5, spro: SIMPLEX_VERTICES_DEFAULTS.members } as const;

const ofAll = (what: (method: CollectMethod) => unknown): string =>
  COLLECT_METHODS.map((method) => `${method} ${what(method)}`).join(", ");

/** Fields of {@link CollectionChoice}. */
export const COLLECTION_FIELDS: FieldsOf<CollectionChoice> = {
  method: choiceField<CollectionMethod>([...COLLECT_METHODS, "posterior", "spro"], {
    default: "swa",
    placeholder: "<name>",
    help: "swa: at the end of each cycle, for their mean; fge: where a rate that falls and rises is lowest, for an ensemble; lgv: several times an epoch at a high rate, for attacks; posterior: networks trained on examples of random weights; spro: vertices of a simplex of low loss, the network the first",
  }),
  epochs: wholeField({
    least: 1,
    most: MOST_EPOCHS,
    help: `times each example is seen (default: ${ofAll((method) => COLLECT_RATES[method].epochs)})`,
  }),
  learningRate: numberField({
    above: 0,
    flag: "lr",
    help: "learning rate of swa, fge and lgv, of cycles the highest (default: 0.05)",
  }),
  lowRate: numberField({
    least: 0,
    flag: "low-lr",
    help: `lowest learning rate of cycles (default: fge ${COLLECT_RATES.fge.lowRate}; swa keeps to --lr without it)`,
  }),
  cycle: numberField({
    above: 0,
    placeholder: "<epochs>",
    help: `epochs from one network to the next (default: ${ofAll((method) => COLLECT_RATES[method].cycle)})`,
  }),
  members: wholeField({
    least: 1,
    most: MOST_MEMBERS,
    help: `of posterior and spro: networks to train (default: posterior ${USUAL_MEMBERS.posterior}, spro ${USUAL_MEMBERS.spro})`,
  }),
  concentration: numberField({
    least: 0,
    placeholder: "<n>",
    help: "of posterior: how many examples the first network's predictions count as (default: 0)",
  }),
  volume: numberField({
    least: 0,
    help: `of spro: weight of the logarithm of the volume beside the loss (default: ${SIMPLEX_VERTICES_DEFAULTS.volume})`,
  }),
};

/** Tells whether networks are trained one after another, each from the start, and not along one training. */
export function isOneByOne(method: CollectionMethod): method is "posterior" | "spro" {
  return method === "posterior" || method === "spro";
}

/** Returns the number of networks that a method trains one after another. */
export function membersOf(method: "posterior" | "spro", members: number | undefined): number {
  return members ?? USUAL_MEMBERS[method];
}

const STRAYS: Readonly<Record<"along" | "posterior" | "spro", readonly (keyof CollectionChoice)[]>> = {
  along: ["members", "concentration", "volume"],
  posterior: ["learningRate", "lowRate", "cycle", "volume"],
  spro: ["learningRate", "lowRate", "cycle", "concentration"],
};

/** Finds an option that is given, but does not belong to the method; undefined if there is none. */
export function findStrayOption(
  method: CollectionMethod,
  choice: CollectionChoice,
): keyof CollectionChoice | undefined {
  return STRAYS[isOneByOne(method) ? method : "along"].find((option) => choice[option] !== undefined);
}
