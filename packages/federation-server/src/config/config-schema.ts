import {
  ALIGN_TARGET_SPELLINGS,
  FEDERATION_PLAN_DEFAULTS,
  type FederationPlan,
  LAYER_POLICIES,
  namedStrategy,
  PRIVACY,
  SECURE_PLAN_DEFAULTS,
  TREATMENTS,
} from "@isthmus/federated";
import { zodOfField } from "@isthmus/forms";
import { LOSS_FIELD } from "@isthmus/graph";
import * as z from "zod";
import type { FederationConfig } from "./federation-config.ts";

/** Content of a federation's file, with defaults filled in. */
export interface FederationFile
  extends Omit<FederationPlan, "sampling">,
    Omit<FederationConfig, "plan" | "folder" | "tokens"> {
  /**
   * Folder for journal, networks and updates, relative to the file; absent for the default beside the file.
   */
  readonly folder?: string | undefined;
  /** File of the clients' tokens, relative to the federation's file; absent for the default beside it. */
  readonly tokens?: string | undefined;
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** A time: a number of seconds, or a number and its unit such as `90s`, `10m` or `2h`; in milliseconds. */
const time = z.union([
  z
    .number()
    .positive()
    .transform((seconds) => seconds * UNITS.s),
  z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, {
      error: "must be a number of seconds, or a time such as 90s, 10m or 2h",
    })
    .transform((text) => Number.parseFloat(text) * UNITS[text.replace(/^[\d.]+/, "") as keyof typeof UNITS]),
]);

const count = (least: number) => z.int().min(least);

/** A name alone, or a name with parameters beside it. */
const named = z.union([
  z.string(),
  z.object({ name: z.string() }).catchall(z.union([z.string(), z.number(), z.boolean()])),
]);

const described = z.strictObject({
  rule: named.exactOptional(),
  before: z.array(named).exactOptional(),
  server: named.exactOptional(),
  clip: z.number().positive().exactOptional(),
  privacy: PRIVACY.exactOptional(),
  share: z
    .strictObject({
      policy: z.enum(LAYER_POLICIES).exactOptional(),
      head: z.string().exactOptional(),
      layers: z.record(z.string(), z.enum(TREATMENTS)).exactOptional(),
      statistics: z.enum(["average", "keep"]).exactOptional(),
    })
    .exactOptional(),
  adapters: z
    .strictObject({
      alpha: z.union([z.number().positive(), z.literal("rank")], {
        error: 'must be a number above 0 or "rank"',
      }),
      rankStabilized: z.boolean().exactOptional(),
    })
    .exactOptional(),
  align: z.enum(ALIGN_TARGET_SPELLINGS).exactOptional(),
});

/** A strategy by its description, or by the name that other tools have for it. */
const strategy = z.preprocess(
  (value) => (typeof value === "string" ? namedStrategy(value, true) : value),
  described,
);

const plan = FEDERATION_PLAN_DEFAULTS;

const training = z.strictObject({
  epochs: count(1).default(1),
  batch: count(1).nullable().default(null),
  optimizer: z.enum(["sgd", "adam", "adamw"]).default("sgd"),
  learningRate: z.number().positive().nullable().default(null),
  momentum: z.number().min(0).lt(1).default(0.9),
  proximal: z.number().min(0).default(0),
});

/** Weight of the proximal term of `strategy: fedprox`, unless the file names another. */
const FEDPROX_PROXIMAL = 0.1;

/** Tells clients of their half of a strategy that is named, which is the proximal term of FedProx. */
function tellClients(value: unknown): unknown {
  const { strategy: name, training: advice } = { ...(value as Partial<Record<string, unknown>> | null) };
  if (name !== "fedprox" || (advice !== undefined && typeof advice !== "object")) return value;
  return { ...(value as object), training: { proximal: FEDPROX_PROXIMAL, ...advice } };
}

const secure = z
  .union([
    z.boolean(),
    z.strictObject({
      threshold: z.number().gt(0.5).max(1).default(SECURE_PLAN_DEFAULTS.threshold),
      range: z.number().positive().default(SECURE_PLAN_DEFAULTS.range),
      examplesCap: count(1).default(SECURE_PLAN_DEFAULTS.examplesCap),
    }),
  ])
  .transform((value) => (value === true ? SECURE_PLAN_DEFAULTS : value === false ? null : value));

const limits = z.strictObject({
  bytes: count(1).nullable().default(null),
  norm: z
    .union([z.number().positive(), z.enum(["auto", "none"])], {
      error: 'must be a number above 0, "auto" or "none"',
    })
    .default("auto"),
  examples: count(1).default(1_000_000),
  rank: count(1).nullable().default(null),
  requestsPerMinute: count(1).default(600),
  requestSeconds: z.number().positive().default(300),
  presenceSeconds: z.number().positive().default(60),
  connections: count(1).default(4096),
});

const file = z.strictObject({
  name: z.string().min(1).max(200).default("federation"),
  network: z.string(),
  graph: z.string().nullable().default(null),
  rounds: count(1).default(plan.rounds),
  quorum: count(1).default(plan.quorum),
  available: count(1).default(plan.available),
  fraction: z.number().positive().max(1).default(plan.fraction),
  overSelection: z.number().min(0).default(plan.overSelection),
  deadline: time.default(plan.deadline),
  attempts: count(1).default(plan.attempts),
  failures: count(1).default(plan.failures),
  seed: count(0).default(plan.seed),
  late: z.enum(["refuse", "accept"]).default(plan.late),
  maximumStaleness: count(1).default(plan.maximumStaleness),
  buffer: count(1).nullable().default(plan.buffer),
  secure: secure.default(null),
  strategy: strategy.prefault({}),
  training: training.prefault({}),
  loss: zodOfField(LOSS_FIELD).exactOptional(),
  evaluate: z.string().nullable().default(null),
  layerBarriers: count(0).default(0),
  noiseSeed: count(0).nullable().default(null),
  limits: limits.prefault({}),
  host: z.string().default("127.0.0.1"),
  port: count(0).max(65_535).default(8080),
  tls: z.strictObject({ key: z.string(), cert: z.string() }).nullable().default(null),
  folder: z.string().optional(),
  tokens: z.string().optional(),
  public: z.boolean().default(true),
});

/** Schema of a federation's file. */
export const FEDERATION_FILE: z.ZodType<FederationFile> = z.preprocess(tellClients, file);

/** Keys that a federation's file may have. */
export const FEDERATION_KEYS: readonly string[] = Object.keys(file.shape);
