/** Names of all policies, see {@link StatisticsPolicy}. */
export const STATISTICS_POLICIES = ["keep", "recalibrate", "repair", "repair-closed-form"] as const;

/**
 * What is done about the statistics of activations of a network that was made of others: nothing; batch
 * norms measure theirs
 * anew; or every pre-activation gets the mean and deviation that it has in the others on average (REPAIR),
 * measured layer after
 * layer or computed in closed form.
 */
export type StatisticsPolicy = (typeof STATISTICS_POLICIES)[number];

/** Names of the policies that compare a network with no others, see {@link StatisticsPolicy}. */
export const NORM_POLICIES = ["keep", "recalibrate"] as const;

/** What is done about batch norms of a network that is no average of others. */
export type NormPolicy = (typeof NORM_POLICIES)[number];
