import { adagrad } from "./server-step/adagrad.ts";
import { adam } from "./server-step/adam.ts";
import { average } from "./server-step/average.ts";
import { momentum } from "./server-step/momentum.ts";
import type { ServerStep } from "./server-step/server-step.ts";
import { yogi } from "./server-step/yogi.ts";

/** All optimisers of a server, by name. */
export const SERVER_STEPS: ReadonlyMap<string, ServerStep> = new Map(
  ([average, momentum, adam, yogi, adagrad] as unknown as ServerStep[]).map((step) => [step.name, step]),
);
