import { CONNECTIVITY_TUNING } from "@isthmus/connectivity";
import type { NetworkMaker } from "@isthmus/findings";
import { listAddedMakers } from "@isthmus/measurements";
import { QUANTIZE } from "@isthmus/sparsity";
import { TELEPORT } from "@isthmus/teleportation";
import * as z from "zod";
import { WHERE } from "../file/entry-fields.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import type { StudyTaskKind } from "../tasks/task-kind.ts";
import { COLLECT } from "./collect.ts";
import type { AnyGroupMaker, EntryOfGroup } from "./group-maker.ts";
import { LOAD } from "./load.ts";
import { groupsMadeBy, type MadeEntry, type MadeGroup } from "./made-group.ts";
import { PRUNE } from "./prune.ts";
import { SCATTER } from "./scatter.ts";
import { STAR } from "./star.ts";
import { EVOLVED_TICKETS, GRADIENT_TICKETS } from "./tickets.ts";
import { TRAIN } from "./train.ts";
import { TUNE } from "./tune.ts";

/** Networks of another group with their weights on a grid. */
export type QuantizedStudyNetwork = MadeEntry<"quantize", typeof QUANTIZE>;

/** Networks of another group, moved along their symmetries. */
export type TeleportedStudyNetwork = MadeEntry<"teleport", typeof TELEPORT, "data">;

/**
 * Networks that are trained on from networks of another group by connectivity-based fine-tuning, so that they
 * use a cue no longer; `cue` names examples with the cue, and `data` names examples without.
 */
export type ConnectivityTunedNetwork = MadeEntry<"tune", typeof CONNECTIVITY_TUNING> & {
  /** Method of the fine-tuning. */
  readonly method: "cbft";
};

/** Every way to make networks, with the type of its entries. */
interface BuiltIn {
  readonly star: typeof STAR;
  readonly cbft: MadeGroup<ConnectivityTunedNetwork>;
  readonly tune: typeof TUNE;
  readonly prune: typeof PRUNE;
  readonly gradientTickets: typeof GRADIENT_TICKETS;
  readonly evolvedTickets: typeof EVOLVED_TICKETS;
  readonly quantize: MadeGroup<QuantizedStudyNetwork>;
  readonly teleport: MadeGroup<TeleportedStudyNetwork>;
  readonly collect: typeof COLLECT;
  readonly scatter: typeof SCATTER;
  readonly train: typeof TRAIN;
  readonly load: typeof LOAD;
}

/**
 * Every way to make networks: entries of studies, their schemas and tasks are made of this list. An entry
 * chooses the first whose key it has.
 */
const BUILT_IN: BuiltIn = {
  star: STAR,
  cbft: groupsMadeBy(CONNECTIVITY_TUNING, { key: "tune", way: ["method", "cbft"], required: ["seed"] }),
  tune: TUNE,
  prune: PRUNE,
  gradientTickets: GRADIENT_TICKETS,
  evolvedTickets: EVOLVED_TICKETS,
  quantize: groupsMadeBy(QUANTIZE),
  teleport: groupsMadeBy(TELEPORT),
  collect: COLLECT,
  scatter: SCATTER,
  train: TRAIN,
  load: LOAD,
};

/** A network of a study. */
export type NetworkDescription = EntryOfGroup<BuiltIn[keyof BuiltIn]>;

/** Lists every way to make networks: the ones of Isthmus, then the ones that users have added. */
export function listGroupMakers(): readonly AnyGroupMaker[] {
  return [...Object.values(BUILT_IN), ...listAddedMakers().map(addedGroups)];
}

/** Lists the keys that entries of networks have already: the keys that choose a maker, and all others. */
export function listTakenKeys(): { readonly makers: readonly string[]; readonly options: readonly string[] } {
  const builtIn: readonly AnyGroupMaker[] = Object.values(BUILT_IN);
  const makers = builtIn.map(({ key }) => key);
  return {
    makers,
    options: ["for", ...builtIn.flatMap((maker) => Object.keys(networkSchemaOf(maker).shape))],
  };
}

/** Groups of makers that users have added. */
const ADDED = new WeakMap<NetworkMaker, AnyGroupMaker>();

/** Makes the groups of a maker that a user has added, once: their schema and tasks stay the same. */
function addedGroups(maker: NetworkMaker): AnyGroupMaker {
  const groups = ADDED.get(maker) ?? groupsMadeBy(maker);
  ADDED.set(maker, groups);
  return groups;
}

/** Finds the maker that the keys of an entry choose; without such a key the network is loaded from files. */
export function makerOf(described: object): AnyGroupMaker {
  const values = new Map<string, unknown>(Object.entries(described));
  const makers = listGroupMakers();
  const first = makers.find(({ key }) => values.has(key)) ?? LOAD;
  const keyed = makers.filter(({ key }) => key === first.key);
  const chosen = keyed.find(({ way }) => way !== undefined && values.get(way[0]) === way[1]);
  return chosen ?? keyed.find(({ way }) => way === undefined) ?? first;
}

const SCHEMAS = new WeakMap<AnyGroupMaker, z.ZodObject>();

/** Returns the schema of the entries that choose a maker, with values in place of their variables. */
export function networkSchemaOf(maker: AnyGroupMaker): z.ZodObject {
  const schema = SCHEMAS.get(maker) ?? schemaOf(maker);
  SCHEMAS.set(maker, schema);
  return schema;
}

function schemaOf({ key, way, from, options, required, beside }: AnyGroupMaker): z.ZodObject {
  return z.strictObject({
    [key]: z.string(),
    ...(from !== "none" && { where: WHERE.optional() }),
    ...shapeOfFields(options, required),
    ...beside,
    ...(way !== undefined && { [way[0]]: z.enum(waysOf(key)) }),
  });
}

/** Lists the values that tell apart the makers of a key. */
function waysOf(key: string): readonly string[] {
  return listGroupMakers().flatMap((maker) => (maker.key === key && maker.way ? [maker.way[1]] : []));
}

/** Lists the kinds of tasks that make networks, each once. */
export function listMakingTasks(): readonly StudyTaskKind[] {
  const tasks = listGroupMakers().flatMap(({ task }) => (task === undefined ? [] : [task]));
  return [...new Set(tasks)];
}
