import { BATCH_SIZE_FIELD, choiceField, type FieldsOf, resolveFields, wholeField } from "@isthmus/core";
import type { DataSet, LossOption } from "@isthmus/graph";
import type { StatisticsChoice } from "@isthmus/statistics";
import { BARRIER_FIELDS } from "../barrier-options.ts";
import { GROUPS_FIELD, MIXED_STATISTICS_FIELD } from "../layers/group-fields.ts";
import { GROUPINGS, type Grouping, type LayerPattern } from "../layers/group-layers.ts";

/** Words for the attempt in error messages. */
export const DECOMPOSE = "take a barrier apart";

/** Progress of `decomposeBarrier`. */
export interface DecomposeProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Networks evaluated so far, of `total`. */
  readonly completed: number;
  /** Number of networks to evaluate. */
  readonly total: number;
}

/** Options of the decomposition of a barrier that are plain data. */
export interface DecomposeChoice {
  /** Kind of the parts: layers, or blocks of layers such as `blocks.0`. @defaultValue "layer" */
  readonly by?: Grouping;
  /** Parts to form first; other tensors are in the part of their layer or block. @defaultValue none */
  readonly groups?: readonly LayerPattern[];
  /** Number of examples of highest excess to list, at least 0. @defaultValue 10 */
  readonly worst?: number;
  /**
   * Treatment of the statistics of activations of all networks but A and B; not `repair-closed-form`.
   * @defaultValue "auto": batch norms are measured again, networks without them are not changed
   */
  readonly statistics?: StatisticsChoice;
  /**
   * Whether to decompose the excess that remains with a softmax temperature fitted to each network, as
   * `measureBarrier` fits it.
   * @defaultValue false
   */
  readonly temperature?: boolean;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/** Fields of {@link DecomposeChoice}. */
export const DECOMPOSE_FIELDS: FieldsOf<DecomposeChoice> = {
  by: choiceField<Grouping>(GROUPINGS, {
    placeholder: "<by>",
    default: "layer",
    bare: "layer",
    help: "take the barrier half-way apart: what each part averaged or put back alone adds, and which examples carry it; with --temperature, of the loss with temperatures",
  }),
  groups: {
    ...GROUPS_FIELD,
    help: "parts to form first, for example qk0=blocks.0.attn.q+blocks.0.attn.k",
  },
  worst: wholeField({ least: 0, default: 10, help: "number of examples of highest excess to list" }),
  statistics: MIXED_STATISTICS_FIELD,
  temperature: BARRIER_FIELDS.temperature,
  batchSize: BATCH_SIZE_FIELD,
};

/**
 * Inputs of the decomposition of a barrier beside its plain options: examples for statistics, a signal,
 * progress.
 */
interface DecomposeRun extends LossOption {
  /** Examples on which statistics are measured. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DecomposeProgress) => void) | undefined;
}

/** Options of `decomposeBarrier`. */
export interface DecomposeBarrierOptions extends DecomposeChoice, DecomposeRun {}

const RUN_DEFAULTS: Required<DecomposeRun> = {
  loss: undefined,
  statisticsData: undefined,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Fills in the defaults of options and checks their ranges.
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option is out of range
 */
export function resolveDecomposeOptions(options: DecomposeBarrierOptions): Required<DecomposeBarrierOptions> {
  return resolveFields(DECOMPOSE, DECOMPOSE_FIELDS, options, RUN_DEFAULTS);
}
