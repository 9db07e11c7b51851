import { UsageError } from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import type { Key } from "@isthmus/recipe";
import type { RandomFeatures } from "../adapters/random-features.ts";
import type { DenseModel } from "./dense-model.ts";
import type { MixtureExpert } from "./mixture-recipe.ts";

/** An expert that a router decides on. */
export interface GatedExpert {
  /** Entry of the expert in the recipe. */
  readonly recipe: MixtureExpert;
  /** Model of the expert. */
  readonly model: DenseModel;
  /** Whether all tokens reach the expert, and its gate is a sigmoid on its own. */
  readonly isShared: boolean;
}

/** The models of a mixture, and services for the work on its gates. */
export interface GateContext {
  /** Model of everything but the experts. */
  readonly base: DenseModel;
  /** Experts with a gate: first the experts of the router, then shared ones. */
  readonly experts: readonly GatedExpert[];
  /** Number of experts to which a token is sent. */
  readonly active: number;
  /**
   * Hidden states that routers read: those before the experts of each `layer`, by a router each; or the
   * `last` ones of the base, after its last norm, by one router for all layers.
   */
  readonly reads: "layer" | "last";
  /** Random features of the last hidden states that the router reads in their place. @defaultValue none */
  readonly features?: RandomFeatures | undefined;
  /** Seed of random numbers, a whole number of at least 0. */
  readonly seed: number;
  /** Engine that runs networks; undefined if the caller gave none, see {@link engineOf}. */
  readonly engine: Engine | undefined;
  /** Signal that stops the work. */
  readonly signal: AbortSignal | undefined;
  /** Called with the share of the work that is done, in `[0, 1]`. */
  readonly onProgress: (done: number) => void;
  /** Called with a sentence for the user. */
  readonly onNote: (note: string) => void;
}

/** Returns the number of routers of a mixture. */
export function countRouters({ base, reads }: Pick<GateContext, "base" | "reads">): number {
  return reads === "last" ? 1 : base.layers;
}

/**
 * Weights of the gates of one router, `[experts, width]` in row-major order, with a row for each expert of
 * the context.
 */
export type LayerGates = Float32Array;

/** A way to make the weights of routers. */
export interface GateMode {
  /** Name in recipes. */
  readonly name: string;
  /** Other names in recipes. @defaultValue none */
  readonly also?: readonly string[];
  /** One sentence that describes the mode, for help. */
  readonly description: string;
  /** Whether each expert must have `positive_prompts`, which differ between experts. */
  readonly needsPrompts: boolean;
  /** Further keys of experts in recipes that the mode reads. @defaultValue none */
  readonly expertKeys?: Readonly<Record<string, Key>>;
  /**
   * Files that decide the gates beside the base and the prompts, such as texts; kept gates count only if none
   * has changed. @defaultValue none
   */
  readonly files?: (experts: readonly GatedExpert[]) => Promise<readonly string[]>;
  /**
   * Checks the entries of experts before any work.
   * @throws InputError if an entry lacks something
   */
  readonly check?: (experts: readonly GatedExpert[]) => void;
  /** Computes the gates of all routers, in the order of layers. */
  readonly compute: (context: GateContext) => Promise<readonly LayerGates[]>;
}

/**
 * Returns the engine of a context.
 * @throws UsageError if the caller gave none
 */
export function engineOf({ engine }: Pick<GateContext, "engine">, mode: string): Engine {
  if (engine !== undefined) return engine;
  throw new UsageError(
    `Cannot make gates by the mode "${mode}" as it runs the base model: an engine must be given, such as createOnnxRuntimeEngine() as the option engine; or choose cheap_embed, which runs nothing`,
  );
}
