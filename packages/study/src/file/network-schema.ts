import { amount, batch, positive, repeats, schemaOf, seed, text, tries } from "@isthmus/forms";
import { PRUNE_CHOICES, QUANTIZE_SCHEMES, QUANTIZED_BITS } from "@isthmus/sparsity";
import { AUGMENT, OPTIMIZER, SCHEDULE } from "@isthmus/training/forms";
import { z } from "zod";
import {
  COLLECTION_METHODS,
  COLLECTION_PARTS,
  type CollectedStudyNetwork,
  type ScatteredStudyNetwork,
} from "../description/collected-network.ts";
import type { PrunedStudyNetwork, QuantizedStudyNetwork } from "../description/derived-network.ts";
import type { LoadedNetwork, StarNetwork, TrainedNetwork } from "../description/study-description.ts";
import type { TicketNetwork } from "../description/ticket-network.ts";
import type { ConnectivityTunedNetwork, TunedNetwork } from "../description/tuned-network.ts";
import { FILE_LOSS, type FileLoss } from "../schema/file-loss.ts";
import { STAR_FIELDS } from "../schema/shared-fields.ts";
import { EVOLUTION_FIELDS, ROUNDS_FIELDS } from "../schema/ticket-fields.ts";
import { CONNECTIVITY_FIELDS } from "../schema/tuning-fields.ts";
import { NAMED_DATA, WHERE } from "./entry-fields.ts";

/** A network to train, as a file describes it. */
type FileTrainedNetwork = Omit<TrainedNetwork, "loss"> & { readonly loss?: FileLoss };

/** A network that is trained on, as a file describes it. */
type FileTunedNetwork = Omit<TunedNetwork, "loss"> & { readonly loss?: FileLoss };

/** A network that is pruned, as a file describes it. */
type FilePrunedNetwork = Omit<PrunedStudyNetwork, "loss"> & { readonly loss?: FileLoss };

/** Networks that are collected, as a file describes them. */
type FileCollectedNetwork = Omit<CollectedStudyNetwork, "loss"> & { readonly loss?: FileLoss };

/** A network to train, with values in place of its variables. */
export const TRAINED_NETWORK: z.ZodType = schemaOf<FileTrainedNetwork>()(
  z.strictObject({
    net: z.string(),
    data: NAMED_DATA,
    seed,
    epochs: repeats(1),
    snapshots: z.array(repeats(0)).optional(),
    batch: batch.optional(),
    loss: FILE_LOSS.optional(),
    optimizer: OPTIMIZER.optional(),
    schedule: SCHEDULE.optional(),
    augment: AUGMENT.optional(),
  }),
);

/** A network that is there, with values in place of its variables. */
export const LOADED_NETWORK: z.ZodType = schemaOf<LoadedNetwork>()(
  z.strictObject({
    graph: z.string(),
    checkpoint: z.string(),
    exportedFrom: z.string().optional(),
  }),
);

/** A star to be found, with values in place of its variables. */
export const STAR_NETWORK: z.ZodType = schemaOf<StarNetwork>()(
  z.strictObject({
    star: z.string(),
    where: WHERE.optional(),
    net: z.string().optional(),
    data: NAMED_DATA,
    seed,
    epochs: repeats(1),
    batch: batch.optional(),
    optimizer: OPTIMIZER.optional(),
    schedule: SCHEDULE.optional(),
    ...STAR_FIELDS,
  }),
);

/** A network that is trained on, with values in place of its variables. */
export const TUNED_NETWORK: z.ZodType = schemaOf<FileTunedNetwork>()(
  z.strictObject({
    tune: z.string(),
    where: WHERE.optional(),
    data: NAMED_DATA,
    seed,
    epochs: repeats(1),
    method: z.enum(["all", "last-layer"], { error: "must be all, last-layer or cbft" }).optional(),
    freeze: z.array(text).optional(),
    batch: batch.optional(),
    loss: FILE_LOSS.optional(),
    optimizer: OPTIMIZER.optional(),
    schedule: SCHEDULE.optional(),
    augment: AUGMENT.optional(),
  }),
);

/** A network that is trained on by connectivity, with values in place of its variables. */
export const CONNECTIVITY_TUNED_NETWORK: z.ZodType = schemaOf<ConnectivityTunedNetwork>()(
  z.strictObject({
    tune: z.string(),
    where: WHERE.optional(),
    method: z.literal("cbft"),
    data: NAMED_DATA,
    cue: NAMED_DATA,
    ...CONNECTIVITY_FIELDS,
  }),
);

/** A network that is pruned, with values in place of its variables. */
export const PRUNED_NETWORK: z.ZodType = schemaOf<FilePrunedNetwork>()(
  z.strictObject({
    prune: z.string(),
    where: WHERE.optional(),
    sparsity: z.number().min(0).lt(1),
    by: z.enum(PRUNE_CHOICES).optional(),
    layers: z.array(text).optional(),
    rewind: repeats(0).optional(),
    data: NAMED_DATA.optional(),
    seed: seed.optional(),
    epochs: repeats(1).optional(),
    batch: batch.optional(),
    loss: FILE_LOSS.optional(),
    optimizer: OPTIMIZER.optional(),
    schedule: SCHEDULE.optional(),
  }),
);

const ticket = {
  net: z.string(),
  data: NAMED_DATA,
  seed,
  batch: batch.optional(),
  ...ROUNDS_FIELDS,
};

/** A lottery ticket to find, with values in place of its variables. */
export const TICKET_NETWORK: z.ZodType = schemaOf<TicketNetwork>()(
  z.discriminatedUnion("tickets", [
    z.strictObject({
      ...ticket,
      tickets: z.literal("gradient"),
      rewind: repeats(0).optional(),
      epochs: repeats(1),
      optimizer: OPTIMIZER.optional(),
      schedule: SCHEDULE.optional(),
    }),
    z.strictObject({ ...ticket, ...EVOLUTION_FIELDS, tickets: z.literal("evolution") }),
  ]),
);

/** A network whose weights are put on a grid, with values in place of its variables. */
export const QUANTIZED_NETWORK: z.ZodType = schemaOf<QuantizedStudyNetwork>()(
  z.strictObject({
    quantize: z.string(),
    where: WHERE.optional(),
    bits: z.literal(QUANTIZED_BITS).optional(),
    scheme: z.enum(QUANTIZE_SCHEMES).optional(),
  }),
);

/** Networks that are collected from another one, with values in place of their variables. */
export const COLLECTED_NETWORK: z.ZodType = schemaOf<FileCollectedNetwork>()(
  z.strictObject({
    collect: z.string(),
    where: WHERE.optional(),
    method: z.enum(COLLECTION_METHODS),
    data: NAMED_DATA,
    seed,
    epochs: repeats(1).optional(),
    learningRate: positive.optional(),
    lowRate: amount.optional(),
    cycle: positive.optional(),
    keep: z.enum(COLLECTION_PARTS).optional(),
    members: tries(1).optional(),
    concentration: amount.optional(),
    volume: amount.optional(),
    batch: batch.optional(),
    loss: FILE_LOSS.optional(),
    optimizer: OPTIMIZER.optional(),
    schedule: SCHEDULE.optional(),
    augment: AUGMENT.optional(),
  }),
);

/** A network in a random direction, with values in place of its variables. */
export const SCATTERED_NETWORK: z.ZodType = schemaOf<ScatteredStudyNetwork>()(
  z.strictObject({ scatter: z.string(), where: WHERE.optional(), seed, data: NAMED_DATA }),
);

/** How a network is made, as a key of its entry says, and perhaps the method. */
interface NetworkSchema {
  readonly key: string;
  readonly method?: string;
  readonly schema: z.ZodType;
}

/** Schemas of all networks; the first one whose key an entry has is its own. */
export const NETWORK_SCHEMAS: readonly NetworkSchema[] = [
  { key: "star", schema: STAR_NETWORK },
  { key: "tune", method: "cbft", schema: CONNECTIVITY_TUNED_NETWORK },
  { key: "tune", schema: TUNED_NETWORK },
  { key: "prune", schema: PRUNED_NETWORK },
  { key: "tickets", schema: TICKET_NETWORK },
  { key: "quantize", schema: QUANTIZED_NETWORK },
  { key: "collect", schema: COLLECTED_NETWORK },
  { key: "scatter", schema: SCATTERED_NETWORK },
  { key: "net", schema: TRAINED_NETWORK },
  { key: "checkpoint", schema: LOADED_NETWORK },
];

/** Returns the schema of a network: of one that is there, if no key says how it is made. */
export function networkSchemaOf(network: object): z.ZodType {
  const { method: chosen } = network as { readonly method?: unknown };
  const fitting = NETWORK_SCHEMAS.find(
    ({ key, method }) => key in network && (method === undefined || method === chosen),
  );
  return fitting?.schema ?? LOADED_NETWORK;
}
