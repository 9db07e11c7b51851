import type { AlignmentGain, PairComparison } from "./comparison.ts";
import { COPY_GAIN, KINSHIP, PARTNERS, SHARED, STRANGER_GAIN } from "./thresholds.ts";

/** Relation of two networks. */
export type Verdict =
  | "identical"
  | "same ancestor"
  | "permuted copy"
  | "different seed"
  | "different architecture";

/** Verdicts from the best for a merge to the worst. */
export const VERDICTS: readonly Verdict[] = [
  "identical",
  "same ancestor",
  "permuted copy",
  "different seed",
  "different architecture",
];

/** Verdict on the relation of two networks, with its confidence. */
export interface PairVerdict {
  /** Position of network A in the comparison. */
  readonly a: number;
  /** Position of network B in the comparison. */
  readonly b: number;
  /** Relation of the two networks, from `identical` to `different architecture`. */
  readonly verdict: Verdict;
  /** Confidence in the verdict, from 0.5 (a guess) to 1. */
  readonly confidence: number;
  /** Measurements behind the verdict, in one line. */
  readonly evidence: string;
}

/** Judges the relation of two networks. */
export function judgePair(pair: PairComparison): PairVerdict {
  const { a, b } = pair;
  return { a, b, ...judge(pair) };
}

type Judgement = Omit<PairVerdict, "a" | "b">;

function judge(pair: PairComparison): Judgement {
  const { shared, identical, moved, alignment } = pair;
  const most = Math.max(shared.tensors, shared.parameters);
  if (most < SHARED) {
    const evidence = `${Math.round(100 * most)} % of tensors have the same name and shape`;
    return { verdict: "different architecture", confidence: 1 - most, evidence };
  }
  if (identical) {
    return { verdict: "identical", confidence: 1, evidence: "all numbers that were read are equal" };
  }
  const evidence = describeEvidence(pair);
  if (moved !== null && moved.share >= PARTNERS) {
    return { verdict: "permuted copy", confidence: Math.min(0.99, moved.share), evidence };
  }
  if (alignment !== null && alignment.before > 0 && alignment.gain >= COPY_GAIN) {
    return { verdict: "permuted copy", confidence: 0.99, evidence };
  }
  return { ...judgeKinship(pair), evidence };
}

/** Judges networks of one architecture that are not copies of each other. */
function judgeKinship({
  kinship,
  matrices,
  distance,
  alignment,
}: PairComparison): Pick<Judgement, "verdict" | "confidence"> {
  const verdictOf = (isKin: boolean): Verdict => (isKin ? "same ancestor" : "different seed");
  if (kinship === null) {
    // Matrices are too small for their rows to say anything; alignment or the distance must do.
    if (alignment !== null) return { verdict: verdictOf(!isGain(alignment)), confidence: 0.8 };
    return { verdict: verdictOf(distance !== null && distance < KINSHIP.close), confidence: 0.5 };
  }
  const isKin = kinship >= KINSHIP.least;
  const confidence = confidenceOf(kinship, matrices);
  const isConfirmed = alignment !== null && isGain(alignment) !== isKin;
  return {
    verdict: verdictOf(isKin),
    confidence: isConfirmed ? Math.max(confidence, CONFIRMED) : confidence,
  };
}

/** Least confidence in a verdict on which kinship and alignment agree. */
const CONFIRMED = 0.98;

const isGain = ({ gain }: AlignmentGain) => gain >= STRANGER_GAIN;

/**
 * Computes the confidence in a verdict from kinship: 0.5 at the limit `KINSHIP.least`, rising up to the
 * kinships that were measured for relatives and for strangers. Many matrices give more confidence than one.
 */
function confidenceOf(kinship: number, matrices: number): number {
  const { least, close, strangers } = KINSHIP;
  const share =
    kinship >= least ? (kinship - least) / (close - least) : (least - kinship) / (least - strangers);
  return 0.5 + (0.5 - 0.1 / Math.max(1, matrices)) * Math.min(1, share);
}

function describeEvidence({ kinship, matrices, distance, cosine, moved, alignment }: PairComparison): string {
  const parts = [
    kinship === null
      ? undefined
      : `kinship ${formatSigned(kinship)} over ${matrices === 1 ? "1 matrix" : `${matrices} matrices`}`,
    distance === null ? undefined : `distance ${formatDistance(distance)}`,
    cosine === null ? undefined : `cosine ${formatSigned(cosine)}`,
    moved === null ? undefined : `${Math.round(100 * moved.share)} % of rows found in another place`,
    alignment === null
      ? undefined
      : `aligned ${formatDistance(alignment.after)} (${Math.round(100 * alignment.gain)} % nearer)`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}

/** Formats a number with two digits; rounding leaves no zero with a sign. */
const formatSigned = (value: number) => value.toFixed(2).replace(/^-(?=0\.00$)/, "");
const formatDistance = (distance: number) => String(Number(distance.toPrecision(2)));
