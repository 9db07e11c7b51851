import type {
  AlignedPair,
  MeasuredLine,
  Opened,
  Place,
  TrainedPair,
} from "../worker/story/story-requests.ts";

/** Barrier from which the land between two networks is called a ridge, in nats. */
const LEAST_RIDGE = 0.1;

/** Writes a loss with three digits that count. */
export function formatLoss(loss: number): string {
  return Math.abs(loss) < 0.0005 ? "0" : loss.toFixed(Math.abs(loss) < 0.1 ? 3 : 2);
}

/** Writes a share as a percentage. */
export function formatShare(share: number): string {
  return `${(100 * share).toFixed(1)}\u00a0%`;
}

function formatSeconds(seconds: number): string {
  return `${seconds.toFixed(1)}\u00a0s`;
}

/** Names a place between the networks. */
export function namePlace(t: number): string {
  if (t === 0) return "A";
  if (t === 1) return "B";
  return t === 0.5 ? "half A, half B" : `${Math.round(100 * (1 - t))} % A, ${Math.round(100 * t)} % B`;
}

/** Tells a screen reader where the thumb is and what lies there. */
export function tellPlace({ t, loss, error }: Place): string {
  return `${namePlace(t)}: loss ${formatLoss(loss)} nats, ${formatShare(error)} misread`;
}

export function tellLoading(done: number, bytes: number): string {
  const megabytes = (share: number) => Math.round((share * bytes) / 1e6);
  return `Loading the engine that computes here: ${megabytes(done)} of ${megabytes(1)} MB, once.`;
}

export function tellTraining({ trainingSize }: Opened): string {
  return `Two networks learn to read ${trainingSize.toLocaleString("en")} handwritten digits, from different random starts. Each square is a hidden unit: the weights by which it looks at the image.`;
}

export function tellTrained({ places, barrier }: MeasuredLine): string {
  const [a, middle, b] = [places[0], places[places.length >> 1], places.at(-1)];
  if (a === undefined || middle === undefined || b === undefined) return "";
  const found = barrier < LEAST_RIDGE ? "There is hardly a ridge between them" : "Between them lies a ridge";
  return `A misreads ${formatShare(a.error)}, B ${formatShare(b.error)}. ${found}: their average misreads ${formatShare(middle.error)}. Move the slider, then align.`;
}

export function tellAligned({ places }: MeasuredLine, { difference }: AlignedPair): string {
  const middle = places[places.length >> 1];
  if (middle === undefined) return "";
  const proof = difference === 0 ? "the same to the last bit" : `the same to ${difference.toExponential(0)}`;
  return `The units of B stand beside their partners in A. B computes what it did, ${proof}; the average, which nothing trained, now misreads ${formatShare(middle.error)}.`;
}

/** Numbers of the whole story, each with its name. */
export function listNumbers({
  pair,
  before,
  after,
  aligned,
}: {
  readonly pair: TrainedPair;
  readonly before: MeasuredLine;
  readonly after: MeasuredLine;
  readonly aligned: AlignedPair;
}): readonly (readonly [name: string, was: string, is: string, unit: string])[] {
  const middle = ({ places }: MeasuredLine) => places[places.length >> 1]?.error ?? Number.NaN;
  return [
    ["Barrier between A and B", formatLoss(before.barrier), formatLoss(after.barrier), "nats"],
    ["Misread by the average", formatShare(middle(before)), formatShare(middle(after)), ""],
    ["Training both", "", formatSeconds(pair.seconds), ""],
    ["Aligning, and the proof", "", formatSeconds(aligned.seconds), ""],
  ];
}
