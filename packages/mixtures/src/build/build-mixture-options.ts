import type { Engine } from "@isthmus/graph";
import type { SaveMergeOptions, SaveMergeResult } from "@isthmus/merging";
import type { OpenMixtureOptions } from "./open-mixture.ts";

/** Program that makes a model, for its metadata. */
export interface MixtureMaker {
  /** Version of the program. */
  readonly version: string;
  /** Device that ran the base, if not the processor. */
  readonly device?: string;
}

/** Options of {@link buildMixture}. */
export interface BuildMixtureOptions
  extends OpenMixtureOptions,
    Pick<
      SaveMergeOptions,
      "memory" | "maxShardBytes" | "overwrite" | "resume" | "allowNonFinite" | "signal" | "onNote" | "onStart"
    > {
  /** Engine that runs the base for modes of gates that do. @defaultValue none: such modes are refused */
  readonly engine?: Engine | undefined;
  /** Program that makes the mixture. @defaultValue none */
  readonly maker?: MixtureMaker | undefined;
  /** Called with the phase and its share that is done. @defaultValue not told */
  readonly onProgress?: ((progress: MixtureProgress) => void) | undefined;
}

/** Progress of {@link buildMixture}. */
export interface MixtureProgress {
  /** Work that is done at present. */
  readonly phase: "gates" | "writing";
  /** Share of the phase that is done, in `[0, 1]`. */
  readonly done: number;
}

/** A mixture before any weight is read. */
export interface PlannedMixture {
  /** Name of its layout. */
  readonly layout: string;
  /** Mode of its gates. */
  readonly gateMode: string;
  /** Number of experts of the router. */
  readonly experts: number;
  /** Number of experts to which a token is sent. */
  readonly active: number;
  /** Whether it has a shared expert. */
  readonly shared: boolean;
  /** Number of layers. */
  readonly layers: number;
  /** Number of its tensors. */
  readonly tensors: number;
  /** Bytes of the tensors of models that it is made of. */
  readonly bytesRead: number;
  /** Bytes of its tensors. */
  readonly bytesWritten: number;
}

/** Result of {@link buildMixture}. */
export interface BuildMixtureResult extends PlannedMixture {
  /** Files of the weights, and the way in which they were written. */
  readonly output: SaveMergeResult;
  /** Names of the other files of the model. */
  readonly modelFiles: readonly string[];
}
