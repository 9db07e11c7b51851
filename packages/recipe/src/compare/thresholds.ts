/**
 * What the kinship of two networks says (see `PairComparison.kinship`), as measured on networks trained
 * with PyTorch: four families that tools/golden/verdict-networks.py makes, and two seeds each of an
 * MLP, a CNN and a ViT; all pairs are in test/golden/verdict-pairs.json. The barrier is how much more loss
 * their mean has than they have on average, in nats on Fashion-MNIST, of the MLP and the CNN of that script
 * (tools/golden/verdict-barriers.py).
 *
 * | two networks, of MLPs, CNNs, GPTs, ViTs, BERTs | kinship | cosine | distance | barrier |
 * |---|---|---|---|---|
 * | trained apart from different starts | -.005 to .012 | .00 to .63 | .86 to 1.62 | .84 to 1.67 |
 * | trained apart from one start | .71 to .94 | .65 to .97 | .26 to .85 | -.02 to .01 |
 * | fine-tuned for another task, and their base or kin | .87 to .94 | .90 to .96 | .29 to .45 | |
 * | fine-tuned on the same task, and their base or kin | .97 to 1 | .97 to 1 | .001 to .26 | -.03 to 0 |
 *
 * So the cosine of all weights does not tell who descends from whom: norm scales and means of rows make it
 * .6 for strangers. Kinship leaves a gap of .7, in which the limits are.
 */
export const KINSHIP = {
  /** Two networks with less were trained apart, or one of them has its units in another order. */
  least: 0.15,
  /** Two networks with more are surely relatives. */
  close: 0.5,
  /** The most that was measured of strangers, over all matrices of a network. */
  strangers: 0.02,
} as const;

/**
 * Least share of rows with a partner in networks that differ by the order of their units; .00 in strangers.
 */
export const PARTNERS = 0.9;
/**
 * Least share of sampled tokens whose rows are elsewhere in a vocabulary of another order; .00 in
 * strangers.
 */
export const MOVED_TOKENS = 0.3;
/**
 * Largest cosine of the steps from a base to two networks made of it: up to .57 was measured for
 * fine-tunes on one task, and .7 is what a network sees that is not the base but a third fine-tune of the
 * same length.
 */
export const APART = 0.6;
/**
 * Least gain of alignment of networks that were trained apart: .07 (CNN), .10 (ViT), .13 (GPT) and .14
 * (MLP) were measured, and .00 for the fine-tunes of a GPT, whose units need no other order.
 */
export const STRANGER_GAIN = 0.03;
/** Least gain of alignment that only a permuted copy has, as 1.00 was measured of all. */
export const COPY_GAIN = 0.99;
/** Least share of tensors or parameters that networks of one architecture have in common. */
export const SHARED = 0.5;
/**
 * Distance beyond which relatives may have a barrier between them, as all that were measured below had
 * none.
 */
export const FAR = 0.9;
