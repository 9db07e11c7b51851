import { average } from "./server-step/average.ts";
import type { ServerStep } from "./server-step/server-step.ts";

/** All optimisers of a server, by name. */
export const SERVER_STEPS: ReadonlyMap<string, ServerStep> = new Map(
  ([average] as unknown as ServerStep[]).map((step) => [step.name, step]),
);
