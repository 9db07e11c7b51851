import { batch, repeats, schemaOf, seed, text } from "@isthmus/forms";
import { PRUNE_CHOICES } from "@isthmus/sparsity";
import { AUGMENT, OPTIMIZER, SCHEDULE } from "@isthmus/training/forms";
import { z } from "zod";
import type { PrunedStudyNetwork } from "../description/derived-network.ts";
import type { LoadedNetwork, StarNetwork, TrainedNetwork } from "../description/study-description.ts";
import type { TicketNetwork } from "../description/ticket-network.ts";
import { FILE_LOSS, type FileLoss } from "../schema/file-loss.ts";
import { STAR_FIELDS } from "../schema/shared-fields.ts";
import { EVOLUTION_FIELDS, ROUNDS_FIELDS } from "../schema/ticket-fields.ts";
import { NAMED_DATA, WHERE } from "./entry-fields.ts";

/** A network to train, as a file describes it. */
type FileTrainedNetwork = Omit<TrainedNetwork, "loss"> & { readonly loss?: FileLoss };

/** A network that is pruned, as a file describes it. */
type FilePrunedNetwork = Omit<PrunedStudyNetwork, "loss"> & { readonly loss?: FileLoss };

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
