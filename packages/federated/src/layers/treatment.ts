/**
 * Treatment of a tensor in a round. `share`: the rule makes one change of the values that all clients sent,
 * and the optimiser of the server moves the tensor by it. `average`: the tensor becomes the mean of the
 * values that clients sent, weighted by their examples, as is right for running statistics; if the rule
 * resists attackers, it becomes their median in each element. `keep`: each client keeps its own, and the
 * global network keeps its values.
 */
export type Treatment = "share" | "average" | "keep";

/** All treatments that a tensor can have. */
export const TREATMENTS: readonly Treatment[] = ["share", "average", "keep"];
