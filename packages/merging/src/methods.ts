import type { MergeMethod } from "./merge-method.ts";
import { consensusTa } from "./methods/consensus-ta.ts";
import { ema } from "./methods/ema.ts";
import { expo } from "./methods/expo.ts";
import { karcher } from "./methods/karcher.ts";
import { lawa } from "./methods/lawa.ts";
import { linear } from "./methods/linear.ts";
import { magmax } from "./methods/magmax.ts";
import { multislerp } from "./methods/multislerp.ts";
import { nuslerp } from "./methods/nuslerp.ts";
import { passthrough } from "./methods/passthrough.ts";
import { slerp } from "./methods/slerp.ts";
import { swa } from "./methods/swa.ts";
import { tallMask } from "./methods/tall-mask.ts";
import { wsm } from "./methods/wsm.ts";

/** Averages, on lines and spheres. */
const MEANS = [linear, slerp, nuslerp, multislerp, karcher, passthrough];

/** Averages over checkpoints of one run. */
const SERIES = [swa, ema, lawa, wsm];

/** Rules on the changes that networks made to a base, element by element. */
const CHANGES = [magmax, consensusTa, tallMask, expo];

// Parameters are resolved by the description of their method, so they have the types it expects.
const METHODS = [...MEANS, ...SERIES, ...CHANGES] as unknown as readonly MergeMethod[];

/** All merge methods, by name. */
export const MERGE_METHODS: ReadonlyMap<string, MergeMethod> = new Map(
  METHODS.map((method) => [method.name, method]),
);
