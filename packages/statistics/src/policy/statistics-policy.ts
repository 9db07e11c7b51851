/** Names of all policies, see {@link StatisticsPolicy}. */
export const STATISTICS_POLICIES = ["keep", "recalibrate", "repair", "repair-closed-form"] as const;

/**
 * Policy for the statistics of activations of a network that was made of others: `keep` changes nothing;
 * `recalibrate` measures the statistics of batch norms anew; `repair` gives every pre-activation the mean and
 * deviation that it has in the others on average (REPAIR), measured layer after layer; `repair-closed-form`
 * computes the same in closed form.
 */
export type StatisticsPolicy = (typeof STATISTICS_POLICIES)[number];

/** Names of the policies that need no other networks to compare with, see {@link StatisticsPolicy}. */
export const NORM_POLICIES = ["keep", "recalibrate"] as const;

/** Policy for the batch norms of a network that is no average of others. */
export type NormPolicy = (typeof NORM_POLICIES)[number];
