import type { DType } from "@isthmus/core";
import { type MatrixProducts, plainProducts } from "@isthmus/linear-algebra";
import { DEFAULT_MEMORY, type MergeEstimate } from "../../executor/estimate-merge.ts";
import { DEFAULT_MOST, type RankChoice } from "./choose-ranks.ts";
import type { RolePatterns } from "./tensor-roles.ts";

/** Phases of an extraction: comparing the networks, computing factors, or measuring what factors leave. */
export type ExtractionPhase = "comparing" | "extracting" | "measuring";

/** Progress of an extraction. */
export interface ExtractionProgress {
  /** Phase that is running. */
  readonly phase: ExtractionPhase;
  /** Share of the phase that is done, in `[0, 1]`. */
  readonly done: number;
}

/** Options of `saveExtractedAdapter`. */
export interface SaveExtractedOptions extends RankChoice, RolePatterns {
  /** Most ranks of a module for `energy` and `bytes`. @defaultValue 256 */
  readonly most?: number;
  /** Element type of all weights. @defaultValue the types of the fine-tune, `bf16` in place of 8 bits */
  readonly dtype?: DType | undefined;
  /**
   * Whether singular values of wide weights are computed exactly, in place of a search that comes near them.
   * @defaultValue false
   */
  readonly exact?: boolean;
  /**
   * Whether the residuals of the stored factors are measured, for which both networks are read again.
   * @defaultValue true
   */
  readonly measure?: boolean;
  /** Most bytes of memory that the process may take. @defaultValue 1 GiB */
  readonly memory?: number;
  /** Name of the base in the settings of the adapter, such as `org/model`. @defaultValue its path */
  readonly baseName?: string | undefined;
  /** Multiplier of matrices. @defaultValue `plainProducts` */
  readonly products?: MatrixProducts;
  /** Name of the device that multiplies matrices, for the metadata. @defaultValue none: the processor */
  readonly device?: string | undefined;
  /** Whether to replace an earlier adapter in the folder, but never an input. @defaultValue false */
  readonly overwrite?: boolean;
  /** Whether to go on with the same extraction if it was interrupted. @defaultValue true */
  readonly resume?: boolean;
  /** Version of the program for the metadata, with what else is recorded there. @defaultValue none */
  readonly maker?: Readonly<Record<string, unknown>> | undefined;
  /** Signal that stops the work. Finished work is kept. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the estimate before factors are computed. */
  readonly onStart?: ((estimate: MergeEstimate) => void) | undefined;
  /** Called as the work goes on. */
  readonly onProgress?: ((progress: ExtractionProgress) => void) | undefined;
  /** Called with notes for the user. */
  readonly onNote?: ((note: string) => void) | undefined;
}

/** Defaults of `saveExtractedAdapter`. */
export const SAVE_EXTRACTED_DEFAULTS: Required<SaveExtractedOptions> = {
  rank: undefined,
  energy: undefined,
  bytes: undefined,
  saveModules: undefined,
  factorModules: undefined,
  exclude: undefined,
  most: DEFAULT_MOST,
  dtype: undefined,
  exact: false,
  measure: true,
  memory: DEFAULT_MEMORY,
  baseName: undefined,
  products: plainProducts,
  device: undefined,
  overwrite: false,
  resume: true,
  maker: undefined,
  signal: undefined,
  onStart: undefined,
  onProgress: undefined,
  onNote: undefined,
};

/** Options of an extraction with every default filled in. */
export type ResolvedExtraction = Readonly<Required<SaveExtractedOptions>>;

/** Largest shorter side of a weight whose singular values are computed exactly unless all are. */
const EXACT_SIDE = 512;

/** Returns the largest shorter side of a weight whose singular values are computed exactly. */
export function exactSideOf({ exact = false }: Pick<SaveExtractedOptions, "exact">): number {
  return exact ? Number.POSITIVE_INFINITY : EXACT_SIDE;
}
