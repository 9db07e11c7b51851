/** Grouping of distances between tokens. */
export interface BucketOptions {
  /** Number of buckets. */
  readonly count: number;
  /** Distance from which on all distances are in the last bucket. */
  readonly furthest: number;
  /** Whether later tokens are seen; they then have the second half of the buckets. */
  readonly looksAhead: boolean;
}

/**
 * Returns the bucket of the distance from each token to each other, `[length * length]`: small distances have
 * their own buckets, and larger distances increasingly share buckets.
 * @see Raffel et al., Exploring the limits of transfer learning, 2020, section 2.1; formulas as in the
 * library transformers, in f32 as there, so that distances at the edge of a bucket are in the same
 */
export function distanceBuckets(length: number, options: BucketOptions): number[] {
  const { count, looksAhead } = options;
  const half = looksAhead ? Math.floor(count / 2) : count;
  const buckets: number[] = [];
  for (let token = 0; token < length; token++) {
    for (let seen = 0; seen < length; seen++) {
      const ahead = seen - token;
      const first = looksAhead && ahead > 0 ? half : 0;
      const distance = looksAhead ? Math.abs(ahead) : Math.max(0, -ahead);
      buckets.push(first + bucketOf(distance, half, options.furthest));
    }
  }
  return buckets;
}

function bucketOf(distance: number, count: number, furthest: number): number {
  const exact = Math.floor(count / 2);
  if (distance < exact) return distance;
  const { fround } = Math;
  const share = fround(fround(Math.log(fround(distance / exact))) / fround(Math.log(furthest / exact)));
  return Math.min(count - 1, exact + Math.trunc(fround(share * (count - exact))));
}
