/**
 * Limits of the kinship of two networks (see `PairComparison.kinship`) for verdicts, as measured on networks
 * trained with PyTorch: four families that tools/golden/verdict-networks.py makes, and two seeds each of an
 * MLP, a CNN and a ViT; all pairs are in test/golden/verdict-pairs.json. The barrier is the loss of the mean
 * of two networks minus the mean of their losses, in nats on Fashion-MNIST, for the MLP and the CNN of that
 * script (tools/golden/verdict-barriers.py).
 *
 * | two networks, of MLPs, CNNs, GPTs, ViTs, BERTs | kinship | cosine | distance | barrier |
 * |---|---|---|---|---|
 * | trained apart from different starts | -.005 to .012 | .00 to .63 | .86 to 1.62 | .84 to 1.67 |
 * | trained apart from one start | .71 to .94 | .65 to .97 | .26 to .85 | -.02 to .01 |
 * | fine-tuned for another task, and their base or kin | .87 to .94 | .90 to .96 | .29 to .45 | |
 * | fine-tuned on the same task, and their base or kin | .97 to 1 | .97 to 1 | .001 to .26 | -.03 to 0 |
 *
 * So the cosine of all weights does not show common descent: norm scales and means of rows raise it to .6 for
 * strangers. Kinship leaves a gap of .7 between strangers and relatives, in which the limits lie.
 */
export const KINSHIP = {
  /**
   * Least kinship of relatives: networks of lower kinship were trained apart, or their units are in different
   * orders.
   */
  least: 0.15,
  /** Kinship above which two networks are surely relatives. */
  close: 0.5,
  /** Largest kinship that was measured of strangers, over all matrices of a network. */
  strangers: 0.02,
} as const;

/**
 * Least share of rows with a partner in networks that differ only in the order of their units; strangers have
 * .00.
 */
export const PARTNERS = 0.9;
/**
 * Least share of sampled tokens whose rows have moved, in vocabularies of different orders; strangers have
 * .00.
 */
export const MOVED_TOKENS = 0.3;
/**
 * Largest cosine of the steps from a base to two networks that were fine-tuned from it. Up to .57 was
 * measured for fine-tunes on one task; seen from a third fine-tune of the same length instead of the base,
 * the cosine is .7.
 */
export const APART = 0.6;
/**
 * Least gain of alignment of networks that were trained apart: .07 (CNN), .10 (ViT), .13 (GPT) and .14
 * (MLP) were measured, and .00 for the fine-tunes of a GPT, whose units need no other order.
 */
export const STRANGER_GAIN = 0.03;
/** Least gain of alignment of a permuted copy; all copies that were measured had 1.00. */
export const COPY_GAIN = 0.99;
/** Least share of tensors or parameters that networks of one architecture have in common. */
export const SHARED = 0.5;
/**
 * Distance beyond which relatives may have a barrier between them; all relatives that were measured at
 * smaller distances had none.
 */
export const FAR = 0.9;
