import { entry } from "@isthmus/core";
import { z } from "zod";
import { WHERE } from "../file/entry-fields.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import type { StudyTaskKind } from "../tasks/task-kind.ts";
import { COLLECT } from "./collect.ts";
import { LOAD } from "./load.ts";
import type { AnyNetworkMaker } from "./network-maker.ts";
import { PRUNE } from "./prune.ts";
import { QUANTIZE } from "./quantize.ts";
import { SCATTER } from "./scatter.ts";
import { STAR } from "./star.ts";
import { EVOLVED_TICKETS, GRADIENT_TICKETS } from "./tickets.ts";
import { TRAIN } from "./train.ts";
import { TUNE } from "./tune.ts";
import { TUNE_BY_CONNECTIVITY } from "./tune-by-connectivity.ts";

/**
 * Every way to make networks: entries of studies, their schemas and tasks are made of this list. An entry
 * chooses the first whose key it has.
 */
export const NETWORK_MAKERS: readonly AnyNetworkMaker[] = [
  STAR,
  TUNE_BY_CONNECTIVITY,
  TUNE,
  PRUNE,
  GRADIENT_TICKETS,
  EVOLVED_TICKETS,
  QUANTIZE,
  COLLECT,
  SCATTER,
  TRAIN,
  LOAD,
];

/** Finds the way to make the networks of an entry, which its keys choose; without any it is loaded. */
export function makerOf(described: object): AnyNetworkMaker {
  const values = new Map<string, unknown>(Object.entries(described));
  const first = NETWORK_MAKERS.find(({ key }) => values.has(key)) ?? LOAD;
  const keyed = NETWORK_MAKERS.filter(({ key }) => key === first.key);
  const chosen = keyed.find(({ way }) => way !== undefined && values.get(way[0]) === way[1]);
  return chosen ?? keyed.find(({ way }) => way === undefined) ?? first;
}

/** Returns the schema of the entries that a maker is chosen by, with values in place of their variables. */
export function networkSchemaOf(maker: AnyNetworkMaker): z.ZodObject {
  return entry(SCHEMAS, maker, "schema");
}

const SCHEMAS: ReadonlyMap<AnyNetworkMaker, z.ZodObject> = new Map(
  NETWORK_MAKERS.map((maker) => [maker, schemaOf(maker)] as const),
);

function schemaOf({ key, way, from, options, required, beside }: AnyNetworkMaker): z.ZodObject {
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
  return NETWORK_MAKERS.flatMap((maker) => (maker.key === key && maker.way ? [maker.way[1]] : []));
}

/** Lists the kinds of tasks that make networks, each once. */
export function listMakingTasks(): readonly StudyTaskKind[] {
  const tasks = NETWORK_MAKERS.flatMap(({ task }) => (task === undefined ? [] : [task]));
  return [...new Set(tasks)];
}
